"""Actors are declared within bounds, read their event, and take effect once also without a broker."""

import pkgutil
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select

import coursehub.app
import tasks
from coursehub.infra.broker import MAX_DELAY_MS, MAX_RETRIES, Unroutable
from coursehub.kernel import clock, events
from coursehub.kernel.db import db, transaction
from coursehub.kernel.events import Event, event, known_events, record
from coursehub.kernel.ids import new_id
from coursehub.kernel.outbox import OutboxMessage, ProcessedEvent, claim_effect, was_applied
from tasks import runtime
from tasks.runtime import Unreadable, handle, keep_lease, on, run_due


class Rung(Event):
    """Somebody rang the bell."""

    times: int = 1


@pytest.fixture
def own_actors(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Actors and events that a test declares are gone after it."""
    monkeypatch.setattr(runtime, "_declared", dict(runtime.actors()))
    monkeypatch.setattr(events, "_known", known_events())
    event("order.rung")(Rung)
    yield


def ring(times: int = 1) -> UUID:
    with transaction():
        return record(Rung(times=times))


def payload_of(event_id: UUID) -> dict[str, Any]:
    return dict(db.session.get_one(OutboxMessage, event_id, populate_existing=True).payload)


def is_finished(event_id: UUID) -> bool:
    return db.session.get_one(OutboxMessage, event_id, populate_existing=True).finished_at is not None


def test_every_event_of_every_feature_has_its_actor_and_every_actor_its_event(session_app: Flask) -> None:
    assert set(known_events()) == set(runtime.actors())


def test_every_module_of_tasks_is_a_process_or_declares_an_actor(session_app: Flask) -> None:
    homes = {actor.function.__module__ for actor in runtime.actors().values()}
    modules = {f"tasks.{found.name}" for found in pkgutil.iter_modules(tasks.__path__)}
    assert modules - {"tasks.runtime", "tasks.worker", "tasks.schedule"} == homes


@pytest.mark.parametrize(
    "options",
    [
        {"max_retries": MAX_RETRIES + 1},
        {"max_retries": -1},
        {"max_backoff_ms": MAX_DELAY_MS + 1},
        {"min_backoff_ms": 0},
        {"min_backoff_ms": 5_000, "max_backoff_ms": 1_000},
    ],
)
def test_an_actor_cannot_ask_for_more_patience_than_the_broker_has(own_actors: None, options: dict[str, int]) -> None:
    with pytest.raises(ValueError):
        on("order.rung", **options)(lambda fact, event_id: None)
    assert "order.rung" not in runtime.actors()


def test_an_actor_needs_a_queue_and_is_the_only_one_of_its_event(own_actors: None) -> None:
    with pytest.raises(Unroutable):
        on("nobody.listens")

    def first(fact: Rung, event_id: UUID) -> None: ...

    def second(fact: Rung, event_id: UUID) -> None: ...

    on("order.rung")(first)
    on("order.rung")(first)  # a module that is loaded twice does no harm
    with pytest.raises(ValueError, match="first"):
        on("order.rung")(second)


def test_the_actor_gets_the_typed_event_once(app: Flask, own_actors: None) -> None:
    seen: list[tuple[Rung, UUID]] = []
    on("order.rung")(lambda fact, event_id: seen.append((fact, event_id)))
    event_id = ring(times=3)
    payload = payload_of(event_id)
    assert handle("order.rung", payload) is True
    assert handle("order.rung", payload) is False
    assert seen == [(Rung(times=3), event_id)]
    assert was_applied(event_id, "order.rung")
    assert is_finished(event_id)


def test_what_the_next_release_adds_to_an_event_does_not_disturb_this_one(app: Flask, own_actors: None) -> None:
    seen: list[Rung] = []
    on("order.rung")(lambda fact, event_id: seen.append(fact))
    handle("order.rung", {**payload_of(ring()), "version": 2, "loudness": 11})
    assert seen == [Rung(times=1)]


@pytest.mark.parametrize(
    "spoiled",
    [
        {"times": "many, says ben.okafor@example.com"},
        {"event_id": "not an id"},
        {"event_id": None},
    ],
)
def test_a_message_that_is_no_event_is_refused_without_quoting_it(
    app: Flask, own_actors: None, spoiled: dict[str, Any]
) -> None:
    on("order.rung")(lambda fact, event_id: pytest.fail("It must not run."))
    with pytest.raises(Unreadable) as refusal:
        handle("order.rung", {**payload_of(ring()), **spoiled})
    assert next(iter(spoiled)) in str(refusal.value)
    assert "okafor" not in str(refusal.value)


def test_an_effect_that_fails_leaves_nothing_and_comes_again(app: Flask, own_actors: None) -> None:
    tries: list[int] = []

    def fails_once(fact: Rung, event_id: UUID) -> None:
        tries.append(1)
        with transaction():
            claim_effect(event_id, "order.rung")
            if len(tries) == 1:
                raise RuntimeError("The clapper fell off.")

    on("order.rung")(fails_once)
    event_id = ring()
    with pytest.raises(RuntimeError):
        handle("order.rung", payload_of(event_id))
    assert not was_applied(event_id, "order.rung")
    assert not is_finished(event_id)
    assert handle("order.rung", payload_of(event_id)) is True
    assert is_finished(event_id)


def test_two_deliveries_at_once_apply_one_effect_and_without_the_claim_two(
    app: Flask, own_actors: None, together: Any
) -> None:
    """The control: the same race without `claim_effect` doubles."""
    effects: dict[str, int] = {"claimed": 0, "careless": 0}

    def claimed(fact: Rung, event_id: UUID) -> None:
        with transaction():
            if claim_effect(event_id, "order.rung"):
                db.session.execute(select(func.pg_sleep(0.2)))
                effects["claimed"] += 1

    def careless(fact: Rung, event_id: UUID) -> None:
        with transaction():
            db.session.execute(select(func.pg_sleep(0.2)))
            effects["careless"] += 1

    for name, function in (("claimed", claimed), ("careless", careless)):
        runtime._declared.pop("order.rung", None)
        on("order.rung")(function)
        payload = payload_of(ring())
        outcomes = together(5, lambda _, payload=payload: handle("order.rung", payload))
        assert not [outcome for outcome in outcomes if isinstance(outcome, BaseException)], outcomes
        assert (effects[name] == 1) == (name == "claimed"), effects


def test_a_message_that_was_not_claimed_stays_when_the_actor_claims_itself(app: Flask, own_actors: None) -> None:
    on("order.rung", claims="self")(lambda fact, event_id: None)
    event_id = ring()
    assert run_due(["order.rung"]) == 1
    assert not is_finished(event_id)
    message = db.session.get_one(OutboxMessage, event_id)
    assert message.due_at > clock.now() + timedelta(seconds=100)  # it comes again after its lease


def test_a_long_job_keeps_its_lease(app: Flask, own_actors: None) -> None:
    event_id = ring()
    keep_lease(event_id, minutes=30)
    due = db.session.get_one(OutboxMessage, event_id, populate_existing=True).due_at
    assert timedelta(minutes=29) < due - clock.now() <= timedelta(minutes=30)


def test_run_due_runs_in_order_what_follows_too_and_only_the_names_asked_for(app: Flask, own_actors: None) -> None:
    rung: list[int] = []

    def echo(fact: Rung, event_id: UUID) -> None:
        rung.append(fact.times)
        if fact.times < 3:
            with transaction():
                record(Rung(times=fact.times + 1))

    on("order.rung")(echo)
    ring()
    assert run_due(["email.send"]) == 0
    assert run_due() == 3
    assert rung == [1, 2, 3]
    assert run_due() == 0


def test_run_due_says_so_when_the_outbox_never_gets_empty(app: Flask, own_actors: None) -> None:
    def for_ever(fact: Rung, event_id: UUID) -> None:
        with transaction():
            record(Rung())

    on("order.rung")(for_ever)
    ring()
    with pytest.raises(RuntimeError, match="not empty"):
        run_due(rounds=4)


def test_housekeeping_runs_twice_without_harm(app: Flask) -> None:
    names = sorted(name for name in runtime.actors() if name.startswith("maintenance."))
    assert len(names) == 7
    for _ in range(2):
        with transaction():
            for name in names:
                record(known_events()[name]())
        assert run_due(names) == len(names)
    assert db.session.scalar(select(func.count()).select_from(ProcessedEvent)) == 2 * len(names)


def test_a_message_for_an_unknown_actor_is_refused(app: Flask) -> None:
    with pytest.raises(KeyError):
        handle("order.unheard_of", {"event_id": str(new_id())})


def test_no_web_request_can_publish_because_only_the_relay_speaks_to_the_broker() -> None:
    """A broker that is a black hole would hold a request for a minute."""
    package = Path(coursehub.app.__file__).parent
    speakers = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if re.search(r"^\s*(from|import) (dramatiq|pika|coursehub\.infra\.(broker|relay))\b", path.read_text(), re.M)
    }
    # cli.py: `flask coursehub outbox relay` starts the relay.
    assert speakers == {"infra/broker.py", "infra/relay.py", "cli.py"}
