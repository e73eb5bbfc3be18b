"""Every move of every state: from, to, why, by whom, through which event. Appended by the state's one writer."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, Text, func
from sqlalchemy.orm import Mapped, mapped_column

from coursehub.kernel.db import Base, Keyed, db


class StatusMove(Base, Keyed):
    """One move of one thing's state."""

    __tablename__ = "status_moves"
    __table_args__ = (Index("ix_status_moves_subject", "subject_id", "moved_at"),)

    machine: Mapped[str] = mapped_column(Text)
    subject_id: Mapped[UUID]
    from_status: Mapped[str | None] = mapped_column(Text)
    to_status: Mapped[str] = mapped_column(Text)
    cause: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    event_id: Mapped[str | None] = mapped_column(Text)
    moved_at: Mapped[datetime] = mapped_column(server_default=func.now())


def record_move(
    machine: str,
    subject_id: UUID,
    before: str | None,
    after: str,
    *,
    cause: str,
    actor: str,
    event_id: str | None = None,
) -> None:
    """Append the move to the open transaction."""
    db.session.add(
        StatusMove(
            machine=machine,
            subject_id=subject_id,
            from_status=before,
            to_status=after,
            cause=cause,
            actor=actor,
            event_id=event_id,
        )
    )
