"""What a list shows of a course: plain columns, chosen page first, then joined with their authors."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Subquery, Uuid, cast, func, select

from coursehub.accounts.models import Customer
from coursehub.courses import queries
from coursehub.courses.models import Course
from coursehub.kernel import clock
from coursehub.kernel.db import db
from coursehub.kernel.money import Money

# So long after it was first published a course is called new.
NEW_FOR = timedelta(days=14)


@dataclass(frozen=True)
class Card:
    """One course in a list."""

    id: UUID
    slug: str
    title: str
    subtitle: str
    author_id: UUID
    author: str
    price: Money
    pages_count: int | None
    cover: str | None  # address of the picture
    category: str
    tags: tuple[str, ...]
    language: str
    status: str
    sales_count: int
    published_at: datetime | None
    rating_average: float | None  # of 1 to 5, None while nobody has rated it
    rating_count: int

    @property
    def is_free(self) -> bool:
        return self.price.cents == 0

    @property
    def is_new(self) -> bool:
        return self.published_at is not None and clock.now() - self.published_at <= NEW_FOR


_COLUMNS = (
    Course.id,
    Course.slug,
    Course.title,
    Course.subtitle,
    Course.author_id,
    Customer.name.label("author"),
    Course.price_cents,
    Course.currency,
    Course.pages_count,
    Course.cover_image_url,
    Course.category,
    Course.tags,
    Course.language,
    Course.status,
    Course.sales_count,
    Course.published_at,
    Course.rating_sum,
    Course.rating_count,
)


def joined(page: Subquery, *extra: Any) -> Any:
    """The cards of the courses in `page` (a column `id`), with columns of `page` beside them."""
    return select(*_COLUMNS, *extra).join(page, page.c.id == Course.id).join(Customer, Customer.id == Course.author_id)


def card(row: Any) -> Card:
    """A row of `joined` as a card."""
    return Card(
        id=row.id,
        slug=row.slug,
        title=row.title,
        subtitle=row.subtitle,
        author_id=row.author_id,
        author=row.author,
        price=Money(row.price_cents, row.currency),
        pages_count=row.pages_count,
        cover=queries.cover_address(row.slug, row.cover_image_url),
        category=row.category,
        tags=tuple(row.tags),
        language=row.language,
        status=row.status,
        sales_count=row.sales_count,
        published_at=row.published_at,
        rating_average=row.rating_sum / row.rating_count if row.rating_count else None,
        rating_count=row.rating_count,
    )


def cards(rows: Sequence[Any]) -> list[Card]:
    """Rows of `joined` as cards."""
    return [card(row) for row in rows]


def cards_of(ids: Sequence[UUID]) -> list[Card]:
    """The cards of these courses, in this order; whoever has gone meanwhile is left out."""
    page = select(func.unnest(cast(list(ids), ARRAY(Uuid))).label("id")).subquery("page")
    found = {one.id: one for one in cards(db.session.execute(joined(page)).all())}
    return [found[course_id] for course_id in ids if course_id in found]
