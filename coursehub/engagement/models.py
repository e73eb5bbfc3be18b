"""Rows of re-engagement: who was offered what, and what came of it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from coursehub.kernel.db import Base, Keyed


class Retention(Base, Keyed):
    """One offer to one person in one campaign."""

    __tablename__ = "retention"
    __table_args__ = (
        UniqueConstraint("customer_id", "campaign_id"),
        CheckConstraint("channel IN ('email')", name="channel_known"),
        CheckConstraint("response IN ('clicked', 'ignored', 'purchased')", name="response_known"),
    )

    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id"), index=True)
    last_active_at: Mapped[datetime | None]
    campaign_id: Mapped[str] = mapped_column(Text)
    offer_code: Mapped[str] = mapped_column(Text)
    channel: Mapped[str] = mapped_column(Text, server_default="email", default="email")
    notified_at: Mapped[datetime | None]
    response: Mapped[str | None] = mapped_column(Text)
    notes: Mapped[str | None] = mapped_column(Text)
