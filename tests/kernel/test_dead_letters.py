"""Messages that nobody could handle are kept once, and sent again or let go by a person's word."""

from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select

from coursehub.kernel import dead_letters
from coursehub.kernel.db import db, transaction
from coursehub.kernel.errors import Conflict, NotFound
from coursehub.kernel.ids import new_id
from coursehub.kernel.outbox import FailedJob, OutboxMessage, claim_effect, due, put, was_applied

TRACE = "0af7651916cd43dd8448eb211c80319c"
PAYLOAD = {"number": 1, "trace": {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}}


def give_up(event_id: UUID, *, error: str = "Boom.", attempts: int = 3) -> None:
    with transaction():
        dead_letters.keep(
            event_id,
            "order.rung",
            queue="order.lifecycle.q",
            payload=PAYLOAD,
            attempts=attempts,
            error=error,
        )


@pytest.fixture
def event_id(app: Flask) -> UUID:
    made = new_id()
    with transaction():
        put(made, "order.rung", PAYLOAD)
    return made


def message(event_id: UUID) -> OutboxMessage:
    return db.session.get_one(OutboxMessage, event_id, populate_existing=True)


def only_job() -> FailedJob:
    (job,) = dead_letters.open_jobs()
    return job


def test_a_job_that_gave_up_is_kept_and_its_message_is_finished(event_id: UUID) -> None:
    give_up(event_id, error="Traceback …\nRefused: ben.okafor@example.com")
    job = only_job()
    assert (job.event_id, job.actor, job.attempts, job.trace_id) == (event_id, "order.rung", 3, TRACE)
    assert job.payload == PAYLOAD
    assert job.error.endswith("Refused: <address>")
    assert message(event_id).finished_at is not None


def test_copies_of_one_message_make_one_row(event_id: UUID, together: Any) -> None:
    outcomes = together(8, lambda number: give_up(event_id, attempts=number + 1))
    assert outcomes == [None] * 8
    assert db.session.scalar(select(func.count()).select_from(FailedJob)) == 1


def test_a_copy_that_gives_up_after_another_succeeded_leaves_no_row(event_id: UUID) -> None:
    with transaction():
        claim_effect(event_id, "order.rung")
    give_up(event_id)
    assert dead_letters.open_jobs() == []


def test_a_replayed_job_is_the_same_event_due_now(event_id: UUID) -> None:
    give_up(event_id)
    with transaction():
        dead_letters.replay(only_job().id)
    assert dead_letters.open_jobs() == []
    again = message(event_id)
    assert (again.finished_at, again.publishes, again.payload) == (None, 0, PAYLOAD)
    with transaction() as session:
        assert [found.id for found in due(session)] == [event_id]
        assert not was_applied(event_id, "order.rung")


def test_a_job_can_be_replayed_after_its_message_was_cleaned_away(event_id: UUID) -> None:
    give_up(event_id)
    with transaction():
        db.session.delete(message(event_id))
    with transaction():
        dead_letters.replay(only_job().id)
    assert message(event_id).payload == PAYLOAD


def test_a_job_that_fails_again_after_its_replay_is_a_new_row(event_id: UUID) -> None:
    give_up(event_id)
    with transaction():
        dead_letters.replay(only_job().id)
    give_up(event_id, error="Boom again.")
    assert only_job().error == "Boom again."
    statuses = db.session.scalars(select(FailedJob.status).order_by(FailedJob.failed_at)).all()
    assert statuses == ["replayed", "failed"]


def test_a_job_is_settled_once(event_id: UUID, together: Any) -> None:
    give_up(event_id)
    job_id = only_job().id

    def settle(number: int) -> None:
        with transaction():
            (dead_letters.drop if number % 2 else dead_letters.replay)(job_id)

    outcomes = together(6, settle)
    assert outcomes.count(None) == 1
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 5


def test_a_dropped_job_is_kept_for_the_record_but_not_sent(event_id: UUID) -> None:
    give_up(event_id)
    with transaction():
        dropped = dead_letters.drop(only_job().id)
    assert (dropped.status, dropped.settled_at is not None) == ("dropped", True)
    assert message(event_id).finished_at is not None


def test_what_does_not_exist_cannot_be_replayed(app: Flask) -> None:
    for attempt in (dead_letters.replay, dead_letters.drop, dead_letters.replay_event):
        with pytest.raises(NotFound), transaction():
            attempt(new_id())
    with pytest.raises(NotFound):
        dead_letters.get(new_id())


class TestCommands:
    """The same by `flask coursehub …`."""

    def test_root_looks_at_a_dead_letter_and_replays_it(self, app: Flask, event_id: UUID) -> None:
        give_up(event_id, error="Traceback …\nValueError: The clapper fell off.")
        job = only_job()
        run = app.test_cli_runner().invoke
        listed = run(args=["coursehub", "dead-letters", "list"]).output
        assert str(job.id) in listed and "ValueError: The clapper fell off." in listed
        shown = run(args=["coursehub", "dead-letters", "show", str(job.id)]).output
        assert TRACE in shown and '"number": 1' in shown and "order.lifecycle.q" in shown
        assert "given up:               1" in run(args=["coursehub", "outbox", "status"]).output
        assert run(args=["coursehub", "dead-letters", "replay", str(job.id)]).exit_code == 0
        status = run(args=["coursehub", "outbox", "status"]).output
        assert "given up:               0" in status and "waiting for the broker: 1" in status
        again = run(args=["coursehub", "dead-letters", "replay", str(job.id)])
        assert (again.exit_code, again.output) == (1, "Error: This job was replayed before.\n")

    def test_root_drops_one_and_replays_an_event(self, app: Flask, event_id: UUID) -> None:
        give_up(event_id)
        job = only_job()
        run = app.test_cli_runner().invoke
        assert run(args=["coursehub", "dead-letters", "drop", str(job.id)]).exit_code == 0
        assert run(args=["coursehub", "dead-letters", "list"]).output == ""
        assert run(args=["coursehub", "events", "replay", str(event_id)]).exit_code == 0
        db.session.rollback()
        assert message(event_id).finished_at is None
        unknown = run(args=["coursehub", "events", "replay", str(new_id())])
        assert unknown.exit_code == 1 and "no such event" in unknown.output
        assert run(args=["coursehub", "dead-letters", "show", "not-an-id"]).exit_code == 2
