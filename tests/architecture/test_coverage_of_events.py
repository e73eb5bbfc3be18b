"""Each fact has a taker and a queue, each actor a fact, each mail a text, and a test speaks of every one of them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from coursehub.accounts.models import Customer
from coursehub.entitlements.models import Purchase
from coursehub.infra.broker import TOPOLOGY, queue_for
from coursehub.kernel.db import Base, db, transaction
from coursehub.kernel.events import known_events, record
from coursehub.kernel.maintenance import OutboxClean
from coursehub.mail.kinds import KINDS
from tasks import runtime, schedule
from tests.factories import a_course, a_purchase

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
MAILS = ROOT / "templates/emails"
HOUSEKEEPING = sorted(kind.name for kind in (*schedule.OFTEN, *schedule.NIGHTLY))
# Queues whose events come with later features; each is declared already, so that a broker needs no change then.
WAITING = {"course.build.q", "reco.batch.q", "feedback.q"}


@pytest.fixture(scope="module")
def events(session_app: Flask) -> dict[str, type]:
    """The shop's own facts; tests make some more in the same process."""
    return {name: kind for name, kind in known_events().items() if kind.__module__.startswith("coursehub.")}


@pytest.fixture(scope="module")
def actors(session_app: Flask) -> dict[str, runtime.Declared]:
    return {name: actor for name, actor in runtime.actors().items() if actor.function.__module__.startswith("tasks.")}


@pytest.fixture(scope="module")
def texts_of_tests() -> str:
    """What all tests say, but for this folder."""
    return "\n".join(
        path.read_text() for path in TESTS.rglob("*.py") if path.parent.name != "architecture" and path.is_file()
    )


def test_there_are_events(events: dict[str, type]) -> None:
    assert {"stripe.event.received", "payment.succeeded", "purchase.fulfill", "email.send"} <= set(events)


def test_every_event_has_an_actor_and_every_actor_an_event(
    events: dict[str, type], actors: dict[str, runtime.Declared]
) -> None:
    assert set(events) - set(actors) == set(), "recorded, and nobody takes them"
    assert set(actors) - set(events) == set(), "waiting for what nobody records"


def test_every_event_has_exactly_one_queue(events: dict[str, type]) -> None:
    used = {queue_for(name) for name in events}  # raises Unroutable
    assert set(TOPOLOGY) - used == WAITING
    for name in events:
        exact = [queue for queue, patterns in TOPOLOGY.items() if name in patterns]
        assert len(exact) <= 1, name


def test_every_event_is_recorded_somewhere(events: dict[str, type]) -> None:
    sources = {path: path.read_text() for top in ("coursehub", "tasks") for path in (ROOT / top).rglob("*.py")}
    for name, kind in events.items():
        if kind.__module__ == OutboxClean.__module__:
            continue  # the clock records those; see below
        assert any(f"{kind.__name__}(" in text.replace(f"class {kind.__name__}(", "") for text in sources.values()), (
            name
        )


def test_the_clock_knows_every_event_of_maintenance(events: dict[str, type]) -> None:
    housekeeping = {kind for kind in events.values() if kind.__module__ == OutboxClean.__module__}
    assert housekeeping == set(schedule.OFTEN) | set(schedule.NIGHTLY)


def test_the_payloads_carry_what_every_event_carries(events: dict[str, type]) -> None:
    """These names are put in by `record`; an event of its own with one of them would overwrite it."""
    for name, kind in events.items():
        assert not {"event_id", "occurred_at", "version", "trace"} & set(kind.model_fields), name  # type: ignore[attr-defined]


def test_a_test_speaks_of_every_actor(actors: dict[str, runtime.Declared], texts_of_tests: str) -> None:
    untested = [
        name
        for name, actor in actors.items()
        if name not in texts_of_tests and actor.function.__name__ not in texts_of_tests and name not in HOUSEKEEPING
    ]
    assert untested == []


@pytest.mark.parametrize("name", HOUSEKEEPING)
def test_housekeeping_may_come_twice_and_leaves_living_things_alone(
    app: Flask, ada: Customer, ben: Customer, work: Callable[..., int], name: str
) -> None:
    bought = a_purchase(a_course(by=ada), by=ben)
    kind = known_events()[name]
    before = _rows()
    with transaction():
        record(kind())
        record(kind())
    assert work(name) == 2
    after = _rows()
    assert {table: count for table, count in after.items() if count != before[table]} == {
        "outbox": before["outbox"] + 2,
        "processed_events": before["processed_events"] + 2,
    }
    assert db.session.get_one(Purchase, bought.id).access == "active"


def _rows() -> dict[str, int]:
    db.session.rollback()
    return {
        table.name: db.session.scalar(select(func.count()).select_from(table)) or 0
        for table in Base.metadata.sorted_tables
    }


def test_every_mail_has_its_texts_and_every_text_its_mail() -> None:
    assert {folder.name for folder in MAILS.iterdir() if folder.is_dir()} == set(KINDS)
    for kind in KINDS:
        for part in ("subject.txt", "body.txt"):
            assert (MAILS / kind / part).read_text().strip(), f"{kind}/{part}"
        bodies = [part for part in ("body.mjml", "body.html") if (MAILS / kind / part).is_file()]
        assert len(bodies) == 1, f"{kind} has {bodies}"


@pytest.mark.parametrize("kind", KINDS)
def test_a_test_and_a_story_speak_of_every_mail(kind: str, texts_of_tests: str) -> None:
    assert f'"{kind}"' in texts_of_tests
    asked = [path for path in (ROOT / "coursehub").rglob("*.py") if f'"{kind}"' in path.read_text()]
    assert any(path.name != "kinds.py" for path in asked), "nobody asks for this mail"
