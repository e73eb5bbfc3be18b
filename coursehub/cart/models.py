"""Rows of carts: one for each customer, one for each guest's browser."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, Text, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from coursehub.kernel.db import Base, Keyed, Stamped


class Cart(Base, Keyed, Stamped):
    """What somebody means to buy: a customer's, or a guest's known by the hash of the token in the cookie."""

    __tablename__ = "carts"
    __table_args__ = (CheckConstraint("(customer_id IS NULL) <> (guest_hash IS NULL)", name="one_owner"),)

    customer_id: Mapped[UUID | None] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), unique=True)
    guest_hash: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)


class CartItem(Base, Keyed):
    """One course in a cart, with the price its owner has seen."""

    __tablename__ = "cart_items"
    __table_args__ = (UniqueConstraint("cart_id", "course_id"),)

    cart_id: Mapped[UUID] = mapped_column(ForeignKey("carts.id", ondelete="CASCADE"), index=True)
    course_id: Mapped[UUID] = mapped_column(ForeignKey("courses.id"), index=True)
    added_at: Mapped[datetime] = mapped_column(server_default=func.now())
    seen_price_cents: Mapped[int]
    seen_currency: Mapped[str] = mapped_column(Text)
