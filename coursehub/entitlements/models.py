"""Rows of rights: a purchase and what it entitles to."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from coursehub.kernel.db import Base, Keyed


class Purchase(Base, Keyed):
    """A bought course: its right (active, suspended, revoked), with the reason and who set it."""

    __tablename__ = "purchases"
    __table_args__ = (
        UniqueConstraint("order_id", "course_id"),
        CheckConstraint("refund_status IN ('none', 'requested', 'processing', 'refunded')", name="refund_known"),
        CheckConstraint("access IN ('active', 'suspended', 'revoked')", name="access_known"),
        CheckConstraint("fulfillment_status IN ('none', 'ready', 'downloaded')", name="fulfillment_known"),
        # Nobody holds two living rights to one course.
        Index(
            "uq_purchases_living",
            "customer_id",
            "course_id",
            unique=True,
            postgresql_where=text("access <> 'revoked'"),
        ),
    )

    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"), index=True)
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id"), index=True)
    course_id: Mapped[UUID] = mapped_column(ForeignKey("courses.id"), index=True)
    version_id: Mapped[UUID] = mapped_column(ForeignKey("course_versions.id"))  # the oldest version it covers
    succeeded: Mapped[bool] = mapped_column(server_default="true", default=True)
    purchased_at: Mapped[datetime] = mapped_column(server_default=func.now())
    invoice_url: Mapped[str | None] = mapped_column(Text)
    license_key: Mapped[str] = mapped_column(Text, unique=True)
    fulfillment_status: Mapped[str] = mapped_column(Text, server_default="none", default="none")
    refund_status: Mapped[str] = mapped_column(Text, server_default="none", default="none")
    access: Mapped[str] = mapped_column(Text, server_default="active", default="active")
    access_reason: Mapped[str] = mapped_column(Text, server_default="paid", default="paid")
    access_actor: Mapped[str] = mapped_column(Text, server_default="stripe", default="stripe")
    access_changed_at: Mapped[datetime] = mapped_column(server_default=func.now())
