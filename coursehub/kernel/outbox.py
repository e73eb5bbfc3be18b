"""The outbox: facts waiting to leave, effects that arrived, jobs that gave up. Rows only; the relay moves them."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Text, func, select, text, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from coursehub.kernel import clock
from coursehub.kernel.db import Base, Keyed, NotInTransaction, db, in_transaction

# A message whose effect has not been recorded this long after it was published is published again.
REPUBLISH_AFTER = timedelta(seconds=120)
CHANNEL = "outbox"


class OutboxMessage(Base, Keyed):
    """One fact on its way: written with its cause, finished when its effect is in `processed_events`."""

    __tablename__ = "outbox"
    __table_args__ = (
        # Only unfinished rows are ever looked for; the finished ones are deleted by the nightly job.
        Index("ix_outbox_due", "due_at", postgresql_where=text("finished_at IS NULL")),
        Index("ix_outbox_finished_at", "finished_at", postgresql_where=text("finished_at IS NOT NULL")),
    )

    name: Mapped[str] = mapped_column(Text)
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    due_at: Mapped[datetime] = mapped_column(server_default=func.now())
    published_at: Mapped[datetime | None]
    publishes: Mapped[int] = mapped_column(server_default="0")
    finished_at: Mapped[datetime | None]


class ProcessedEvent(Base):
    """The effect of one message by one actor: written in the effect's own transaction, so it happens once."""

    __tablename__ = "processed_events"

    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    actor: Mapped[str] = mapped_column(Text, primary_key=True)
    processed_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)


class FailedJob(Base, Keyed):
    """A message whose actor gave up: kept with its error until a person replays or drops it."""

    __tablename__ = "failed_jobs"
    __table_args__ = (
        CheckConstraint("status IN ('failed', 'replayed', 'dropped')", name="status_known"),
        Index("ix_failed_jobs_open", "failed_at", postgresql_where=text("status = 'failed'")),
    )

    event_id: Mapped[UUID] = mapped_column(index=True)
    actor: Mapped[str] = mapped_column(Text)
    queue: Mapped[str] = mapped_column(Text)
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    attempts: Mapped[int]
    error: Mapped[str] = mapped_column(Text)
    trace_id: Mapped[str] = mapped_column(Text, server_default="")
    failed_at: Mapped[datetime] = mapped_column(server_default=func.now())
    status: Mapped[str] = mapped_column(Text, server_default="failed")
    settled_at: Mapped[datetime | None]


def put(message_id: UUID, name: str, payload: dict[str, Any], due_at: datetime | None = None) -> None:
    """Add a message to the open transaction and wake the relay at its commit. Raises NotInTransaction outside one."""
    if not in_transaction():
        raise NotInTransaction(f"{name} must be recorded inside transaction(), with its cause.")
    message = OutboxMessage(id=message_id, name=name, payload=payload)
    if due_at is not None:
        message.due_at = due_at
    db.session.add(message)
    db.session.execute(text("SELECT pg_notify(:channel, '')"), {"channel": CHANNEL})


def due(session: Session, limit: int = 100) -> list[OutboxMessage]:
    """Messages to publish now, locked against other relays (SKIP LOCKED)."""
    rows = select(OutboxMessage).where(OutboxMessage.finished_at.is_(None), OutboxMessage.due_at <= func.now())
    return list(session.scalars(rows.order_by(OutboxMessage.due_at).limit(limit).with_for_update(skip_locked=True)))


def mark_published(session: Session, messages: list[OutboxMessage], republish_after: timedelta) -> None:
    """The broker has `messages`; look again after `republish_after` unless their effects are recorded by then."""
    if messages:
        session.execute(
            update(OutboxMessage)
            .where(OutboxMessage.id.in_([message.id for message in messages]))
            .values(
                published_at=func.now(), publishes=OutboxMessage.publishes + 1, due_at=clock.now() + republish_after
            )
        )


def claim_effect(event_id: UUID, actor: str) -> bool:
    """Record, in the open transaction, that `actor` now applies `event_id`. False: it was applied before.

    A rival in another transaction waits here for the first to end, so one of the two sees False.
    """
    if not in_transaction():
        raise NotInTransaction("An effect is claimed in the transaction that applies it.")
    claimed = db.session.execute(
        insert(ProcessedEvent)
        .values(event_id=event_id, actor=actor)
        .on_conflict_do_nothing()
        .returning(ProcessedEvent.event_id)
    ).first()
    finish(event_id)
    return claimed is not None


def was_applied(event_id: UUID, actor: str) -> bool:
    """Whether `actor` has applied `event_id` already: a cheap look before slow work."""
    return db.session.get(ProcessedEvent, (event_id, actor)) is not None


def finish(event_id: UUID) -> None:
    """Nothing is left to do for this message; runs in the open transaction."""
    db.session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.id == event_id, OutboxMessage.finished_at.is_(None))
        .values(finished_at=func.now())
    )


def postpone(event_id: UUID, lease: timedelta) -> None:
    """A long job renews its lease, so that it is not published again while it runs; in the open transaction."""
    db.session.execute(update(OutboxMessage).where(OutboxMessage.id == event_id).values(due_at=clock.now() + lease))
