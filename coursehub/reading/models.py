"""Rows of reading: where each person left off."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from coursehub.kernel.db import Base, Keyed


class ReadingPosition(Base, Keyed):
    """The last page somebody read of a course or of a file of their own, on whichever device."""

    __tablename__ = "reading_positions"
    __table_args__ = (
        UniqueConstraint("customer_id", "course_id"),
        UniqueConstraint("customer_id", "file_id"),
        CheckConstraint("num_nonnulls(course_id, file_id) = 1", name="of_one_thing"),
        CheckConstraint("page_number BETWEEN 1 AND pages_count", name="page_is_in_the_book"),
        Index("ix_reading_positions_recent", "customer_id", "updated_at"),
    )

    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"))
    course_id: Mapped[UUID | None] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"), index=True)
    file_id: Mapped[UUID | None] = mapped_column(ForeignKey("private_files.id", ondelete="CASCADE"), index=True)
    version_id: Mapped[UUID | None] = mapped_column(ForeignKey("course_versions.id", ondelete="SET NULL"), index=True)
    page_number: Mapped[int]
    pages_count: Mapped[int]  # of the version that was read
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())  # when that page was turned to
