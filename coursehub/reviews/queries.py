"""Reviews of a course as people read them: page by page, newest first, at the same cost wherever one stands."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, literal, select, tuple_

from coursehub.accounts.models import Customer
from coursehub.courses.models import Course
from coursehub.kernel.db import db
from coursehub.kernel.errors import Invalid, NotFound
from coursehub.kernel.pagination import Page, decode_cursor, encode_cursor
from coursehub.reviews.models import STARS, Review

PAGE_SIZE = 10


@dataclass(frozen=True)
class Read:
    """One review with the name of its writer."""

    id: UUID
    customer_id: UUID
    name: str
    rating: int
    text: str
    created_at: datetime
    edited_at: datetime | None
    reply: str
    replied_at: datetime | None


@dataclass(frozen=True)
class Bar:
    """How many gave so many stars; `percent` of all, whole numbers."""

    stars: int
    count: int
    percent: int


@dataclass(frozen=True)
class Summary:
    """What all ratings of a course come to."""

    average: float | None
    count: int
    bars: tuple[Bar, ...]


def summary(course: Course) -> Summary:
    """Average, number and the five bars; one query, none while nobody has rated."""
    if not course.rating_count:
        return Summary(None, 0, ())
    rows = select(Review.rating, func.count()).where(Review.course_id == course.id, Review.counts)
    found: dict[int, int] = dict(db.session.execute(rows.group_by(Review.rating)).all())
    count, total = sum(found.values()), sum(stars * number for stars, number in found.items())
    bars = tuple(
        Bar(stars, found.get(stars, 0), round(100 * found.get(stars, 0) / count) if count else 0)
        for stars in reversed(STARS)
    )
    return Summary(total / count if count else None, count, bars)


def page(
    course_id: UUID, cursor: str | None = None, *, limit: int = PAGE_SIZE, without: UUID | None = None
) -> Page[Read]:
    """One page of the reviews that count; `without` leaves out those of one person. Raises Invalid for no cursor."""
    rows = _read().where(Review.course_id == course_id, Review.counts)
    if without is not None:
        rows = rows.where(Review.customer_id != without)
    if cursor:
        mark = read_cursor(cursor)
        here = tuple_(Review.created_at, Review.id)
        rows = rows.where(here < tuple_(literal(mark[0], Review.created_at.type), literal(mark[1], Review.id.type)))
    found = db.session.execute(rows.order_by(Review.created_at.desc(), Review.id.desc()).limit(limit + 1)).all()
    items = [Read(*row) for row in found[:limit]]
    more = len(found) > limit
    return Page(items, encode_cursor([items[-1].created_at.isoformat(), str(items[-1].id)]) if more else None)


def one(course: Course, review_id: UUID) -> Read:
    """One review that counts. Raises NotFound for another course's."""
    row = db.session.execute(
        _read().where(Review.id == review_id, Review.course_id == course.id, Review.counts)
    ).first()
    if row is None:
        raise NotFound()
    return Read(*row)


def get(course: Course, review_id: UUID) -> Review:
    """The row of one review that counts. Raises NotFound for another course's."""
    review = db.session.scalar(
        select(Review)
        .where(Review.id == review_id, Review.course_id == course.id, Review.counts)
        .execution_options(populate_existing=True)
    )
    if review is None:
        raise NotFound()
    return review


def of_person(customer_id: UUID, course_id: UUID) -> Review | None:
    """What this person said of the course, whether it counts or not."""
    return db.session.scalar(
        select(Review)
        .where(Review.customer_id == customer_id, Review.course_id == course_id)
        .execution_options(populate_existing=True)
    )


def read_cursor(cursor: str) -> tuple[datetime, UUID]:
    """Time and id of the last review of the page before. Raises Invalid."""
    moment, review_id = decode_cursor(cursor, 2)
    try:
        return datetime.fromisoformat(moment), UUID(review_id)
    except (ValueError, TypeError, AttributeError) as error:
        raise Invalid("That page does not exist any more. Start again from the first one.", field="cursor") from error


def _read() -> Any:
    return select(
        Review.id,
        Review.customer_id,
        Customer.name,
        Review.rating,
        Review.text,
        Review.created_at,
        Review.edited_at,
        Review.reply,
        Review.replied_at,
    ).join(Customer, Customer.id == Review.customer_id)
