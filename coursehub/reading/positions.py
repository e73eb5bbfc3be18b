"""Where somebody left off: one place in each book, on every device; the newest wins."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, literal, or_, select
from sqlalchemy.dialects.postgresql import insert

from coursehub.accounts.models import Customer
from coursehub.courses import queries
from coursehub.courses.models import Course
from coursehub.entitlements.models import Purchase
from coursehub.kernel import clock
from coursehub.kernel.db import db
from coursehub.kernel.errors import Invalid
from coursehub.kernel.ids import new_id
from coursehub.library.models import PrivateFile
from coursehub.reading.books import Book
from coursehub.reading.models import ReadingPosition

MOST_RECENT = 4
# A page turned while offline is told of later; what is older than this nobody waits for.
OLDEST = timedelta(days=30)


@dataclass(frozen=True)
class Recent:
    """A book that somebody was reading."""

    id: UUID
    title: str
    author: str
    address: str
    cover: str | None
    page: int
    pages_count: int
    read_at: datetime


def of(reader_id: UUID, book: Book) -> int | None:
    """The page this person was on, None when they never opened it."""
    return db.session.scalar(
        select(ReadingPosition.page_number).where(ReadingPosition.customer_id == reader_id, _column(book) == book.id)
    )


def keep(reader_id: UUID, book: Book, page: int, *, ago: timedelta = timedelta()) -> None:
    """Remember `page`, turned to `ago`; a later place that is known already stays. Raises Invalid.

    Other devices' clocks are not asked for the time, only for how long it has been.
    """
    if not 1 <= page <= book.pages_count:
        raise Invalid(f"This book has the pages 1 to {book.pages_count}.", field="page")
    read_at = clock.now() - min(max(ago, timedelta()), OLDEST)
    place: dict[str, Any] = {
        "version_id": book.version_id,
        "page_number": page,
        "pages_count": book.pages_count,
        "updated_at": read_at,
    }
    key = _column(book)
    row = insert(ReadingPosition).values(id=new_id(), customer_id=reader_id, **{key.key: book.id}, **place)
    db.session.execute(
        row.on_conflict_do_update(
            index_elements=["customer_id", key.key], set_=place, where=ReadingPosition.updated_at <= read_at
        )
    )


def recent(reader: Customer, limit: int = MOST_RECENT) -> list[Recent]:
    """What this person read last and may still read, newest first; one query."""
    may_read_course = or_(Purchase.id.is_not(None), Course.author_id == reader.id, literal(reader.is_admin))
    rows = db.session.execute(
        select(ReadingPosition, Course, Customer.name, PrivateFile.title)
        .outerjoin(Course, Course.id == ReadingPosition.course_id)
        .outerjoin(Customer, Customer.id == Course.author_id)
        .outerjoin(
            Purchase,
            (Purchase.course_id == Course.id) & (Purchase.customer_id == reader.id) & (Purchase.access == "active"),
        )
        .outerjoin(
            PrivateFile,
            (PrivateFile.id == ReadingPosition.file_id)
            & (PrivateFile.customer_id == reader.id)
            & (PrivateFile.status == "ready"),
        )
        .where(
            ReadingPosition.customer_id == reader.id,
            or_(and_(Course.id.is_not(None), may_read_course), PrivateFile.id.is_not(None)),
        )
        .order_by(ReadingPosition.updated_at.desc(), ReadingPosition.id.desc())
        .limit(limit)
    )
    return [_recent(*row) for row in rows]


def _recent(place: ReadingPosition, course: Course | None, author: str | None, file_title: str | None) -> Recent:
    last = (place.page_number, place.pages_count, place.updated_at)
    if course is not None:
        cover = queries.cover_address(course.slug, course.cover_image_url)
        return Recent(course.id, course.title, author or "", f"/read/{course.id}", cover, *last)
    assert place.file_id is not None
    return Recent(place.file_id, file_title or "", "", f"/read/files/{place.file_id}", None, *last)


def _column(book: Book) -> Any:
    return ReadingPosition.file_id if book.is_own_file else ReadingPosition.course_id
