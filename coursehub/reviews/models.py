"""Rows of reviews: what a buyer gave a course, and what its creator answered."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from coursehub.kernel.db import Base, Keyed

STARS = range(1, 6)


class Review(Base, Keyed):
    """One person's word on one course. It counts, and is shown, as long as its purchase gives a right."""

    __tablename__ = "reviews"
    __table_args__ = (
        UniqueConstraint("customer_id", "course_id"),
        CheckConstraint("rating BETWEEN 1 AND 5", name="rating_in_stars"),
        CheckConstraint("(reply = '') = (replied_at IS NULL)", name="reply_dated"),
        Index("ix_reviews_newest", "course_id", "created_at", "id", postgresql_where=text("counts")),
        Index("ix_reviews_ratings", "course_id", "rating", postgresql_where=text("counts")),
    )

    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id"))
    course_id: Mapped[UUID] = mapped_column(ForeignKey("courses.id"))
    purchase_id: Mapped[UUID] = mapped_column(ForeignKey("purchases.id"))  # the right it rests on
    rating: Mapped[int]
    text: Mapped[str] = mapped_column(Text, server_default="", default="")
    counts: Mapped[bool] = mapped_column(server_default="true", default=True)  # only `statistics` writes it
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    edited_at: Mapped[datetime | None]
    reply: Mapped[str] = mapped_column(Text, server_default="", default="")
    replied_at: Mapped[datetime | None]
