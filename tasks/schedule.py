"""The clock: one leader that records the shop's housekeeping as events, at their times."""

import asyncio
import logging
import signal
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger
from flask import Flask
from opentelemetry import trace
from sqlalchemy import Connection, Engine, create_engine, exists, select, text
from sqlalchemy.exc import SQLAlchemyError

from coursehub.app import create_app
from coursehub.infra import telemetry
from coursehub.infra.cache import connect
from coursehub.infra.heartbeat import Heartbeat
from coursehub.kernel import clock, maintenance
from coursehub.kernel.db import db, engine_options, transaction
from coursehub.kernel.events import Event, record
from coursehub.kernel.outbox import OutboxMessage
from coursehub.kernel.parent import follow_parent
from coursehub.kernel.settings import Settings

log = logging.getLogger(__name__)

LEADER_LOCK = 0x636C6F636B  # "clock"
LEADER_CHECK = 5.0  # seconds

OFTEN: dict[type[Event], timedelta] = {
    maintenance.OrdersExpire: timedelta(minutes=1),
    maintenance.OrdersReconcile: timedelta(minutes=5),
    maintenance.WebhooksSweep: timedelta(seconds=30),
}
# By the shop's own clock, an hour and minute when few people are about.
NIGHTLY: dict[type[Event], tuple[int, int]] = {
    maintenance.AccountsSweep: (3, 20),
    maintenance.SearchRefresh: (3, 30),
    maintenance.StorageSweep: (3, 40),
    maintenance.OutboxClean: (4, 0),
}


class Leadership:
    """A lock that PostgreSQL keeps for one session: the process that holds it is the only clock that ticks."""

    def __init__(self, database_url: str) -> None:
        self._engine: Engine = create_engine(
            database_url, isolation_level="AUTOCOMMIT", **engine_options(database_url, pool_size=1)
        )
        self._connection: Connection | None = None

    def held(self) -> bool:
        """Whether we lead now; takes the lead when nobody has it. False while the database is away."""
        try:
            if self._connection is None:
                self._connection = self._engine.connect()
                if not self._connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": LEADER_LOCK}):
                    self.release()
            elif not self._connection.scalar(text("SELECT true")):
                self.release()
        except SQLAlchemyError as error:
            log.warning("The clock cannot reach the database: %s", type(error).__name__)
            self.release()
        return self._connection is not None

    def release(self) -> None:
        """Give the lead away; the lock lives with the session, so the session ends."""
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None


def build_scheduler(app: Flask, *, timezone: str) -> AsyncIOScheduler:
    """Every job with its time; none runs before `start`."""
    scheduler = AsyncIOScheduler(timezone=timezone)
    times: list[tuple[type[Event], Any]] = [
        *((kind, IntervalTrigger(seconds=int(every.total_seconds()))) for kind, every in OFTEN.items()),
        *((kind, CronTrigger(hour=hour, minute=minute, timezone=timezone)) for kind, (hour, minute) in NIGHTLY.items()),
    ]
    for kind, trigger in times:
        scheduler.add_job(
            remind,
            trigger,
            args=[app, kind],
            id=kind.name,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=3600,
        )
    return scheduler


def remind(app: Flask, kind: type[Event]) -> bool:
    """Record one `kind`, unless the last one has not been done yet. False: nothing recorded."""
    with app.app_context(), trace.get_tracer("coursehub").start_as_current_span(f"clock {kind.name}"):
        try:
            with transaction():
                waiting = exists().where(OutboxMessage.name == kind.name, OutboxMessage.finished_at.is_(None))
                if db.session.scalar(select(waiting)):
                    return False
                record(kind())
        except SQLAlchemyError as error:
            log.warning("%s was not recorded: %s", kind.name, type(error).__name__)
            return False
        return True


def catch_up(app: Flask) -> list[str]:
    """Record the nightly jobs that were missed, because nothing ran at their time; their names."""
    missed: list[str] = []
    for kind in NIGHTLY:
        with app.app_context(), transaction():
            lately = exists().where(
                OutboxMessage.name == kind.name, OutboxMessage.created_at > clock.now() - timedelta(hours=24)
            )
            done = db.session.scalar(select(lately))
        if not done and remind(app, kind):
            missed.append(kind.name)
    return missed


async def tick(app: Flask, settings: Settings, stopped: asyncio.Event) -> None:
    """Lead when we may, pause when we may not, until `stopped`."""
    leadership = Leadership(settings.database_url)
    scheduler = build_scheduler(app, timezone=settings.timezone)
    scheduler.start(paused=True)
    leading = False
    try:
        while not stopped.is_set():
            held = await asyncio.to_thread(leadership.held)
            if held and not leading:
                log.info("This clock leads.")
                scheduler.resume()
                await asyncio.to_thread(_quietly, lambda: catch_up(app))
            elif leading and not held:
                log.warning("This clock leads no more.")
                scheduler.pause()
            leading = held
            try:
                await asyncio.wait_for(stopped.wait(), LEADER_CHECK)
            except TimeoutError:
                continue
    finally:
        scheduler.shutdown(wait=False)
        leadership.release()


def _quietly(do: Callable[[], Any]) -> None:
    try:
        do()
    except SQLAlchemyError as error:
        log.warning("The clock could not catch up: %s", type(error).__name__)


def main() -> None:
    """Run the clock until SIGTERM or SIGINT."""
    settings = Settings()
    if settings.supervised:
        follow_parent()
    telemetry.set_up("clock")
    app = create_app(settings)
    heartbeat = Heartbeat(connect(settings.redis_url), "clock").start()
    try:
        asyncio.run(_until_told(app, settings))
    finally:
        heartbeat.stop()


async def _until_told(app: Flask, settings: Settings) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await tick(app, settings, stopped)


if __name__ == "__main__":
    main()
