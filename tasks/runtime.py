"""What all actors share: how they are declared, read their event, take effect once, retry and give up.

An actor is a function with the name of its event:

    @on("purchase.fulfill", max_retries=8)
    def fulfill(event: FulfillmentRequested, event_id: UUID) -> None:
        with transaction():
            if claim_effect(event_id, "purchase.fulfill"):
                fulfillment.fulfill(event.order_id)

A message may come any number of times, also twice at once. `claim_effect` in the transaction that applies the effect
makes it happen once; a function that claims nothing must itself be safe to run twice. After it returns, the effect
counts as applied (`claims="auto"`), or only if it was claimed (`claims="self"`: without a claim the message comes
again after its lease).
"""

import functools
import importlib
import logging
import pkgutil
import random
import time
import traceback
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import dramatiq
from dramatiq.middleware import CurrentMessage, Middleware
from flask import Flask
from opentelemetry.trace import Status, StatusCode

import tasks
from coursehub.infra import telemetry
from coursehub.infra.broker import MAX_DELAY_MS, MAX_RETRIES, make_broker, queue_for
from coursehub.infra.relay import lease_of
from coursehub.infra.services import build_services
from coursehub.infra.telemetry import fields
from coursehub.kernel import clock, dead_letters
from coursehub.kernel.db import transaction
from coursehub.kernel.errors import Unavailable
from coursehub.kernel.events import Event, parse
from coursehub.kernel.ids import new_id, parse_id
from coursehub.kernel.outbox import REPUBLISH_AFTER, claim_effect, due, finish, mark_published, postpone, was_applied
from coursehub.kernel.settings import Settings

log = logging.getLogger(__name__)

STATEMENT_TIMEOUT_MS = 60_000
# A service that is away costs no retries until the event is this old: an outage of a day fills no list of failures.
PATIENCE = timedelta(hours=24)
_PROCESSES = {"runtime", "worker", "schedule"}  # modules of `tasks` that declare no actor

Actor = Callable[[Any, UUID], None]


class Unreadable(Exception):
    """A message that is no event we know: trying again is useless."""


@dataclass(frozen=True)
class Declared:
    """An actor as it was declared; `use` puts it on the broker."""

    name: str
    function: Actor
    max_retries: int
    min_backoff_ms: int
    max_backoff_ms: int
    time_limit_ms: int
    claims: Literal["auto", "self"]


_declared: dict[str, Declared] = {}


def on(
    name: str,
    *,
    max_retries: int = 5,
    min_backoff_ms: int = 1_000,
    max_backoff_ms: int = MAX_DELAY_MS,
    time_limit_ms: int = 600_000,
    claims: Literal["auto", "self"] = "auto",
) -> Callable[[Actor], Actor]:
    """Declare the actor of the event `name`; the decorated function stays an ordinary one.

    Raises ValueError for more than 8 retries, a backoff over 10 minutes or a second actor of the same event, and
    Unroutable for an event without a queue.
    """
    queue_for(name)
    if not 0 <= max_retries <= MAX_RETRIES:
        raise ValueError(f"{name}: max_retries must be between 0 and {MAX_RETRIES}.")
    if not 0 < min_backoff_ms <= max_backoff_ms <= MAX_DELAY_MS:
        raise ValueError(f"{name}: a backoff must be between 1 and {MAX_DELAY_MS} ms.")

    def declare(function: Actor) -> Actor:
        known = _declared.get(name)
        if known and (known.function.__module__, known.function.__name__) != (function.__module__, function.__name__):
            raise ValueError(f"{name} has an actor already: {known.function.__module__}.{known.function.__name__}.")
        _declared[name] = Declared(name, function, max_retries, min_backoff_ms, max_backoff_ms, time_limit_ms, claims)
        return function

    return declare


def actors() -> dict[str, Declared]:
    """Every declared actor by the name of its event."""
    return dict(_declared)


def use(settings: Settings) -> Flask:
    """Make this process one that runs actors: its app, its broker, all actors on it. Returns the app."""
    from coursehub.app import create_app  # here: who only declares an actor need not load the whole shop

    services = build_services(settings, patient=True)
    app = create_app(settings, services, statement_timeout_ms=STATEMENT_TIMEOUT_MS)
    for module in pkgutil.iter_modules(tasks.__path__):
        if module.name not in _PROCESSES:
            importlib.import_module(f"tasks.{module.name}")
    connect_actors(app, settings)
    return app


def connect_actors(app: Flask, settings: Settings) -> dramatiq.Broker:
    """Put every declared actor on the broker that `settings` name; they run in the context of `app`."""
    broker = make_broker(settings, [Safekeeping(app)])
    dramatiq.set_broker(broker)
    for actor in _declared.values():
        dramatiq.actor(
            broker=broker,
            actor_name=actor.name,
            queue_name=queue_for(actor.name),
            max_retries=actor.max_retries,
            min_backoff=actor.min_backoff_ms,
            max_backoff=actor.max_backoff_ms,
            time_limit=actor.time_limit_ms,
            throws=(Unreadable,),
        )(functools.partial(_perform, app, actor))
    return broker


def handle(name: str, payload: dict[str, Any]) -> bool:
    """Run the actor of `name` for one message, in the current app context. False: its effect was applied before.

    Raises Unreadable, or whatever the actor raises.
    """
    actor = _declared[name]
    event, event_id = _read(name, payload)
    with transaction():
        if was_applied(event_id, name):
            finish(event_id)
            return False
    actor.function(event, event_id)
    if actor.claims == "auto":
        with transaction():
            claim_effect(event_id, name)
    return True


def run_due(names: Collection[str] = (), *, rounds: int = 20) -> int:
    """Run what is due in the outbox (of these names only) in this process, until nothing is; how many ran.

    For commands and tests: no broker, no retries, an actor's exception propagates. Raises RuntimeError when there is
    still something due after `rounds` looks.
    """
    ran = 0
    for _ in range(rounds):
        with transaction() as session:
            messages = [message for message in due(session, limit=1000) if not names or message.name in names]
            for message in messages:  # as the relay does: it is not due again while it runs
                mark_published(session, [message], lease_of(message))
            found = [(message.name, message.payload) for message in sorted(messages, key=lambda sent: sent.id)]
        if not found:
            return ran
        for name, payload in found:
            handle(name, payload)
            ran += 1
    raise RuntimeError(f"The outbox was not empty after {rounds} rounds.")


def keep_lease(event_id: UUID, minutes: float) -> None:
    """For an actor in the middle of long work: its message is not sent again for so many minutes from now."""
    with transaction():
        postpone(event_id, timedelta(minutes=minutes))


class Safekeeping(Middleware):
    """Tells the outbox what becomes of a message on the broker: it waits for a retry, or nobody could handle it."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    def before_enqueue(self, _broker: dramatiq.Broker, message: Any, delay: int | None) -> None:
        """A retry waits on the broker; a second copy from the outbox meanwhile would only double the work."""
        event_id = parse_id(message.message_id)
        if delay is not None and event_id is not None:
            with self._app.app_context(), transaction():
                postpone(event_id, timedelta(milliseconds=delay) + REPUBLISH_AFTER)

    def before_nack(self, _broker: dramatiq.Broker, message: Any) -> None:
        """Before the broker lets a message go, PostgreSQL has it. When that fails, the outbox sends it once more."""
        with self._app.app_context(), transaction():
            dead_letters.keep(
                parse_id(message.message_id) or new_id(),
                message.actor_name,
                queue=message.queue_name,
                payload=message.kwargs,
                attempts=max(1, message.options.get("retries", 0)),
                error=_why(message),
            )
        log.error(
            "Gave up on %s",
            message.actor_name,
            **fields(event_name=message.actor_name, event_id=message.message_id, queue=message.queue_name),
        )


def _perform(app: Flask, actor: Declared, **payload: Any) -> None:
    """One delivery by the broker: context, trace and log around `handle`."""
    started = time.monotonic()
    carried = payload.get("trace")
    with app.app_context(), telemetry.continued(carried if isinstance(carried, dict) else {}, actor.name) as span:
        about = {"event_name": actor.name, "event_id": payload.get("event_id"), "attempt": _attempt()}
        try:
            outcome = "applied" if handle(actor.name, payload) else "applied before"
        except Unavailable as away:
            if _too_old(payload):
                raise
            _come_again(payload, away)
            outcome = "postponed"
        except BaseException as error:
            span.set_status(Status(StatusCode.ERROR))
            about["duration_ms"] = _milliseconds(started)
            log.warning("%s failed", actor.name, exc_info=error, **fields(**about, error=type(error).__name__))
            raise
        log.info("%s %s", actor.name, outcome, **fields(**about, duration_ms=_milliseconds(started), outcome=outcome))


def _read(name: str, payload: dict[str, Any]) -> tuple[Event, UUID]:
    try:
        return parse(name, payload), UUID(str(payload["event_id"]))
    except (KeyError, ValueError, TypeError) as error:
        # Not chained: pydantic's message quotes the values, which may be personal.
        raise Unreadable(f"{name}: {type(error).__name__} in fields {_blamed(error)}.") from None


def _blamed(error: Exception) -> str:
    listed = error.errors(include_input=False, include_url=False) if hasattr(error, "errors") else []
    return ", ".join(".".join(str(part) for part in item["loc"]) for item in listed) or "event_id"


def _come_again(payload: dict[str, Any], away: Unavailable) -> None:
    seconds = max(30, away.retry_after) * random.uniform(1, 1.5)  # spread: the service just came back
    with transaction():
        postpone(UUID(str(payload["event_id"])), timedelta(seconds=seconds))


def _too_old(payload: dict[str, Any]) -> bool:
    with suppress(KeyError, ValueError, TypeError):
        return clock.now() - datetime.fromisoformat(payload["occurred_at"]) > PATIENCE
    return True


def _why(message: Any) -> str:
    """The last error of a message that failed; one for an unknown actor never ran."""
    error = message._exception
    if error is not None:
        return "".join(traceback.format_exception(error))
    return str(message.options.get("traceback", "The message was refused before it ran."))


def _attempt() -> int:
    message = CurrentMessage.get_current_message()
    return int(message.options.get("retries", 0)) + 1 if message is not None else 1


def _milliseconds(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
