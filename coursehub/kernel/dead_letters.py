"""Messages that nobody could handle: kept, looked at, sent again or let go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert

from coursehub.kernel import clock
from coursehub.kernel.db import db
from coursehub.kernel.errors import Conflict, NotFound
from coursehub.kernel.outbox import CHANNEL, FailedJob, OutboxMessage, finish, was_applied
from coursehub.kernel.redaction import redact

LONGEST_ERROR = 8000


def keep(
    event_id: UUID,
    actor: str,
    *,
    queue: str,
    payload: Mapping[str, Any],
    attempts: int,
    error: str,
) -> None:
    """Keep a message that its actor gave up, and stop sending it; in the open transaction.

    Copies of one message make one row; one whose effect was applied after all makes none.
    """
    # Two copies may give up at once, and there is no row yet that they could lock.
    db.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"{event_id} {actor}", 0))))
    finish(event_id)
    if was_applied(event_id, actor):
        return
    job = db.session.scalar(
        select(FailedJob).where(FailedJob.event_id == event_id, FailedJob.actor == actor, FailedJob.status == "failed")
    )
    if job is None:
        job = FailedJob(event_id=event_id, actor=actor)
        db.session.add(job)
    job.queue = queue
    job.payload = dict(payload)
    job.attempts = attempts
    job.error = redact(error)[-LONGEST_ERROR:]
    job.trace_id = _trace_id(payload)
    job.failed_at = clock.now()


@dataclass(frozen=True)
class Standing:
    """How the outbox stands: what waits for the broker, for an effect, for later, and what gave up."""

    due: int
    oldest_due_seconds: float
    published: int
    later: int
    failed: int


def standing() -> Standing:
    """Count what is under way."""
    is_due = OutboxMessage.due_at <= func.now()
    is_published = OutboxMessage.published_at.is_not(None)
    counts = db.session.execute(
        select(
            func.count().filter(is_due),
            func.coalesce(func.extract("epoch", func.now() - func.min(OutboxMessage.due_at).filter(is_due)), 0),
            func.count().filter(~is_due, is_published),
            func.count().filter(~is_due, ~is_published),
        ).where(OutboxMessage.finished_at.is_(None))
    ).one()
    failed = db.session.scalar(select(func.count()).select_from(FailedJob).where(FailedJob.status == "failed")) or 0
    return Standing(counts[0], float(counts[1]), counts[2], counts[3], failed)


def open_jobs(limit: int = 100) -> Sequence[FailedJob]:
    """The jobs that wait for a person's word, newest first."""
    waiting = select(FailedJob).where(FailedJob.status == "failed")
    return db.session.scalars(waiting.order_by(FailedJob.failed_at.desc()).limit(limit)).all()


def get(job_id: UUID) -> FailedJob:
    """One job, settled or not. Raises NotFound."""
    job = db.session.get(FailedJob, job_id)
    if job is None:
        raise NotFound("There is no such failed job.")
    return job


def replay(job_id: UUID) -> FailedJob:
    """Send the job's message again, as the same event: effects it had already are not applied twice.

    In the open transaction. Raises NotFound, or Conflict when it was settled before.
    """
    job = _unsettled(job_id)
    job.status = "replayed"
    job.settled_at = clock.now()
    _send_again(job.event_id, job.actor, job.payload)
    return job


def drop(job_id: UUID) -> FailedJob:
    """Let the job go, in the open transaction. Raises NotFound, or Conflict when it was settled before."""
    job = _unsettled(job_id)
    job.status = "dropped"
    job.settled_at = clock.now()
    return job


def replay_event(event_id: UUID) -> OutboxMessage:
    """Send any message that is still in the outbox again, in the open transaction. Raises NotFound."""
    message = db.session.get(OutboxMessage, event_id)
    if message is None:
        raise NotFound("There is no such event in the outbox; finished ones are kept for 7 days.")
    _send_again(message.id, message.name, message.payload)
    return message


def _unsettled(job_id: UUID) -> FailedJob:
    job = db.session.get(FailedJob, job_id, with_for_update=True, populate_existing=True)
    if job is None:
        raise NotFound("There is no such failed job.")
    if job.status != "failed":
        raise Conflict(f"This job was {job.status} before.")
    return job


def _send_again(event_id: UUID, name: str, payload: Mapping[str, Any]) -> None:
    """The message under its own id, whether its row is still there or was cleaned away."""
    anew = insert(OutboxMessage).values(id=event_id, name=name, payload=dict(payload))
    db.session.execute(
        anew.on_conflict_do_update(
            index_elements=[OutboxMessage.id],
            set_={"finished_at": None, "published_at": None, "publishes": 0, "due_at": func.now()},
        )
    )
    db.session.execute(text("SELECT pg_notify(:channel, '')"), {"channel": CHANNEL})


def _trace_id(payload: Mapping[str, Any]) -> str:
    """From the W3C `traceparent` (version-trace-span-flags) the message carries."""
    carried = payload.get("trace")
    parts = str(carried.get("traceparent", "")).split("-") if isinstance(carried, dict) else []
    return parts[1] if len(parts) == 4 else ""
