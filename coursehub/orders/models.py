"""Rows of orders: the promise to sell, and its lines as they were then."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from coursehub.kernel.db import Base, Keyed, Stamped, one_of
from coursehub.kernel.money import Money

STATUSES = (
    "added_2_cart",
    "purchase_started",
    "payment_succeeded",
    "course_downloaded",
    "canceled",
    "expired",
    "failed",
)
OPEN = ("added_2_cart", "purchase_started")
PAID = ("payment_succeeded", "course_downloaded")


class Order(Base, Keyed, Stamped):
    """A promise to sell a cart's content at the prices shown. `lifecycle` alone writes its status."""

    __tablename__ = "orders"
    __table_args__ = (
        CheckConstraint(one_of("status", STATUSES), name="status_known"),
        CheckConstraint("total_cents >= 0 AND tax_cents >= 0 AND discount_cents >= 0", name="amounts_not_negative"),
        # Two clicks, two tabs or twenty threads with one cart share one open order.
        Index(
            "uq_orders_open",
            "customer_id",
            "cart_hash",
            unique=True,
            postgresql_where=text(one_of("status", OPEN)),
        ),
        Index("ix_orders_customer_newest", "customer_id", "created_at"),
        Index("ix_orders_open_since", "updated_at", postgresql_where=text("status = 'purchase_started'")),
    )

    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id"), index=True)
    number: Mapped[str] = mapped_column(Text, unique=True)
    status: Mapped[str] = mapped_column(Text, server_default="added_2_cart", default="added_2_cart", index=True)
    cart_hash: Mapped[str] = mapped_column(Text)
    total_cents: Mapped[int]
    currency: Mapped[str] = mapped_column(Text)
    tax_cents: Mapped[int] = mapped_column(server_default="0", default=0)
    discount_cents: Mapped[int] = mapped_column(server_default="0", default=0)
    coupon_code: Mapped[str | None] = mapped_column(Text)
    attempt: Mapped[int] = mapped_column(server_default="1", default=1)
    stripe_payment_intent_id: Mapped[str | None] = mapped_column(Text, index=True)
    stripe_checkout_session_id: Mapped[str | None] = mapped_column(Text, unique=True)
    checkout_url: Mapped[str | None] = mapped_column(Text)
    checkout_expires_at: Mapped[datetime | None]
    receipt_url: Mapped[str | None] = mapped_column(Text)
    download_expires_at: Mapped[datetime | None]
    paid_at: Mapped[datetime | None]
    # When Stripe was last asked about it, so that many tabs and the clock do not ask all the time.
    asked_at: Mapped[datetime | None]
    # Why a person must look at it: money that does not match, a course paid twice.
    flag: Mapped[str | None] = mapped_column(Text)

    @property
    def total(self) -> Money:
        return Money(self.total_cents, self.currency)

    @property
    def is_paid(self) -> bool:
        return self.status in PAID


class OrderItem(Base, Keyed):
    """One line as it was at checkout: renaming or repricing the course later does not change it."""

    __tablename__ = "order_items"
    __table_args__ = (
        UniqueConstraint("order_id", "course_id"),
        CheckConstraint("quantity = 1", name="one_copy"),
        CheckConstraint("unit_price_cents >= 0", name="price_not_negative"),
    )

    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"), index=True)
    course_id: Mapped[UUID] = mapped_column(ForeignKey("courses.id"), index=True)
    course_title_snapshot: Mapped[str] = mapped_column(Text)
    version_id_snapshot: Mapped[UUID] = mapped_column(ForeignKey("course_versions.id"))
    unit_price_cents: Mapped[int]
    quantity: Mapped[int] = mapped_column(server_default="1", default=1)
