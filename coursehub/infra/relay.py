"""The relay: takes what is due from the outbox to the broker, and marks it once the broker has it."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import groupby
from typing import Any

import psycopg
from dramatiq import Broker
from redis import Redis
from sqlalchemy import create_engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from coursehub.infra.broker import BROKER_AWAY, EventBroker, publish_all
from coursehub.infra.heartbeat import Heartbeat
from coursehub.kernel.db import engine_options
from coursehub.kernel.outbox import CHANNEL, REPUBLISH_AFTER, OutboxMessage, due, mark_published

log = logging.getLogger(__name__)

BATCH = 100
SWEEP = 1.0  # seconds between two looks when nobody wakes us
# A batch holds locks on its rows; a worker that is done with one of them waits for us, so we let go in time.
BATCH_SECONDS = 1.5
SLOWEST_BACKOFF = 5.0
# An event whose work takes minutes is given them before it is sent again.
LEASES = {
    "course.build.request": timedelta(minutes=10),
    "course.inspect.request": timedelta(minutes=10),
    "course.thumbnails.request": timedelta(minutes=10),
    "purchase.stamp.request": timedelta(minutes=10),
}
LONGEST_LEASE = timedelta(minutes=10)


class Relay:
    """One relay process. Several may run: each row is locked by one of them, the others skip it."""

    def __init__(self, database_url: str, broker: Broker, *, redis: Redis | None = None) -> None:
        self._engine = create_engine(database_url, **engine_options(database_url, pool_size=2))
        self._broker = broker
        self._stopping = threading.Event()
        self._last_turn = time.monotonic()
        self._heartbeat = Heartbeat(redis, "relay", self._is_turning) if redis is not None else None

    def stop(self) -> None:
        """Finish the batch in hand, then end. Safe in a signal handler and from any thread."""
        self._stopping.set()

    def run(self) -> None:
        """Relay until `stop`: woken by NOTIFY, at the latest after a second; outages are waited out."""
        backoff = 0.0
        if self._heartbeat:
            self._heartbeat.start()
        try:
            while not self._stopping.is_set():
                try:
                    with self._listening() as listener:
                        while not self._stopping.is_set():
                            self.publish_all()
                            self._wait_for_news(listener)
                            backoff = 0.0
                except (SQLAlchemyError, psycopg.Error, *BROKER_AWAY) as error:
                    backoff = min(backoff * 2 or 0.1, SLOWEST_BACKOFF)
                    log.warning("Relay interrupted, trying again in %.1f s: %s", backoff, _first_line(error))
                    self._forget_broker()
                    self._stopping.wait(backoff)
        finally:
            if self._heartbeat:
                self._heartbeat.stop()
            self._engine.dispose()

    def publish_all(self) -> int:
        """Publish whatever is due now; how many messages were settled. Raises one of BROKER_AWAY."""
        total = 0
        while not self._stopping.is_set():
            self._last_turn = time.monotonic()
            published, more = self._publish_batch()
            total += published
            if not more:
                break
        return total

    def _publish_batch(self) -> tuple[int, bool]:
        """One transaction: lock, publish, mark. Returns how many were settled and whether more may be due."""
        if isinstance(self._broker, EventBroker):
            self._broker.prepare()  # may take seconds: not while we hold locks
        end = time.monotonic() + BATCH_SECONDS
        settled: list[OutboxMessage] = []
        away: Exception | None = None
        with Session(self._engine) as session, session.begin():
            messages = due(session, BATCH)
            for group in self._groups(messages):
                if time.monotonic() > end:
                    break
                try:
                    for refused in publish_all(self._broker, group):
                        log.error("Unroutable event %s (%s): no queue takes it.", refused.name, refused.id)
                except BROKER_AWAY as error:
                    away = error
                    break
                settled.extend(group)
            # Those of a batch that broke off half way are the broker's already: they must not go out again at once.
            for lease, group in _by_lease(settled):
                mark_published(session, group, lease)
        if away is not None:
            raise away
        return len(settled), len(messages) == BATCH or len(settled) < len(messages)

    def _groups(self, messages: list[OutboxMessage]) -> Iterator[list[OutboxMessage]]:
        """RabbitMQ takes all in one transaction, Redis takes one after the other."""
        size = BATCH if isinstance(self._broker, EventBroker) else 1
        for start in range(0, len(messages), size):
            yield messages[start : start + size]

    @contextmanager
    def _listening(self) -> Iterator[Any]:
        """A connection of its own, in autocommit, that hears NOTIFY."""
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(f"LISTEN {CHANNEL}")
            try:
                yield connection.connection.driver_connection
            finally:
                connection.invalidate()  # nobody else may inherit a listening session

    def _wait_for_news(self, listener: Any) -> None:
        for _ in listener.notifies(timeout=SWEEP, stop_after=1):
            pass
        if isinstance(self._broker, EventBroker):
            self._broker.keep_alive()

    def _forget_broker(self) -> None:
        if isinstance(self._broker, EventBroker):
            self._broker.forget_connection()

    def _is_turning(self) -> bool:
        return time.monotonic() - self._last_turn < 30


def lease_of(message: OutboxMessage) -> timedelta:
    """How long a published message may go without an effect before it is sent again.

    Doubles each time up to 10 minutes: while no worker runs, its copies must not fill the queue.
    """
    first = LEASES.get(message.name, REPUBLISH_AFTER)
    return min(first * 2 ** min(message.publishes, 10), LONGEST_LEASE)


def _by_lease(messages: list[OutboxMessage]) -> list[tuple[timedelta, list[OutboxMessage]]]:
    ordered = sorted(messages, key=lease_of)
    return [(lease, list(group)) for lease, group in groupby(ordered, key=lease_of)]


def _first_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]
