"""Rows of payments: what Stripe told us, saved cards, disputes."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from coursehub.kernel.db import Base, Keyed
from coursehub.kernel.encryption import EncryptedJson


class WebhookReceipt(Base, Keyed):
    """One event a provider delivered: stored once, then applied, ignored, deferred or failed."""

    __tablename__ = "webhooks"
    __table_args__ = (
        CheckConstraint("status IN ('received', 'applied', 'ignored', 'deferred', 'failed')", name="status_known"),
        Index("ix_webhooks_unapplied", "received_at", postgresql_where=text("status IN ('received', 'deferred')")),
    )

    provider: Mapped[str] = mapped_column(Text, server_default="stripe", default="stripe")
    event_id: Mapped[str] = mapped_column(Text, unique=True)
    event_type: Mapped[str] = mapped_column(Text, index=True)
    object_id: Mapped[str] = mapped_column(Text, index=True)
    payload: Mapped[Any] = mapped_column(EncryptedJson("webhooks.payload"))
    signature_valid: Mapped[bool]
    received_at: Mapped[datetime] = mapped_column(server_default=func.now())
    processed_at: Mapped[datetime | None]
    status: Mapped[str] = mapped_column(Text, server_default="received", default="received")
    attempts: Mapped[int] = mapped_column(server_default="0", default=0)
    error: Mapped[str | None] = mapped_column(Text)


class PaymentMethod(Base, Keyed):
    """A card in Stripe's vault: its id and what may be shown of it, never a number."""

    __tablename__ = "payment_methods"

    stripe_payment_method_id: Mapped[str] = mapped_column(Text, unique=True)
    brand: Mapped[str] = mapped_column(Text)
    last4: Mapped[str] = mapped_column(Text)
    exp_month: Mapped[int]
    exp_year: Mapped[int]
    billing_name: Mapped[str | None] = mapped_column(Text)
    billing_address: Mapped[Any | None] = mapped_column(EncryptedJson("payment_methods.billing_address"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class CustomerPaymentMethod(Base, Keyed):
    """Whose card it is, and whether it is the default (at most one is)."""

    __tablename__ = "customer_payment_methods"
    __table_args__ = (
        Index(
            "uq_customer_payment_methods_default",
            "customer_id",
            unique=True,
            postgresql_where=text("is_default AND detached_at IS NULL"),
        ),
    )

    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), index=True)
    payment_method_id: Mapped[UUID] = mapped_column(ForeignKey("payment_methods.id", ondelete="CASCADE"), index=True)
    is_default: Mapped[bool] = mapped_column(server_default="false", default=False)
    attached_at: Mapped[datetime] = mapped_column(server_default=func.now())
    detached_at: Mapped[datetime | None]


class Dispute(Base, Keyed):
    """A buyer's bank asks for the money back."""

    __tablename__ = "disputes"

    stripe_dispute_id: Mapped[str] = mapped_column(Text, unique=True)
    payment_intent_id: Mapped[str | None] = mapped_column(Text, index=True)
    order_id: Mapped[UUID | None] = mapped_column(ForeignKey("orders.id"), index=True)
    status: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    amount_cents: Mapped[int]
    currency: Mapped[str] = mapped_column(Text)
    details: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}", default=dict)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    resolved_at: Mapped[datetime | None]
