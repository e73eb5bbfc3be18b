"""The wishlist: courses somebody means to come back to, kept until they are bought or taken off."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, exists, func, literal, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from coursehub.accounts.models import Customer
from coursehub.catalog.cards import Card, card, joined
from coursehub.catalog.models import Wish
from coursehub.courses.models import Course
from coursehub.entitlements import access
from coursehub.kernel.db import db
from coursehub.kernel.errors import Conflict, Invalid, NotFound
from coursehub.kernel.pagination import Page, decode_cursor, encode_cursor

MOST = 500
PAGE_SIZE = 24


@dataclass(frozen=True)
class Wished:
    """One course on the list, and whether it can be bought now."""

    card: Card
    is_for_sale: bool


def add(person: Customer, course: Course) -> None:
    """Put the course on the list; a second time changes nothing. Raises NotFound, Conflict; in the open transaction."""
    if not access.may_see(person, course):
        raise NotFound()
    if course.author_id == person.id:
        raise Conflict(f"“{course.title}” is your own course.")
    if access.owns(person.id, course.id):
        raise Conflict(f"“{course.title}” is already in your library.")
    count = db.session.scalar(select(func.count()).select_from(Wish).where(Wish.customer_id == person.id))
    if (count or 0) >= MOST:
        raise Conflict(f"A wishlist holds {MOST} courses. Please take one off first.")
    db.session.execute(insert(Wish).values(customer_id=person.id, course_id=course.id).on_conflict_do_nothing())


def remove(person: Customer, course_id: UUID) -> None:
    """Take the course off the list; what is not there stays away."""
    db.session.execute(delete(Wish).where(Wish.customer_id == person.id, Wish.course_id == course_id))


def wishes(person: Customer, course_id: UUID) -> bool:
    """Whether the course is on the person's list."""
    return bool(db.session.scalar(select(exists().where(Wish.customer_id == person.id, Wish.course_id == course_id))))


def of_person(person: Customer, cursor: str | None = None, *, limit: int = PAGE_SIZE) -> Page[Wished]:
    """The list, the newest wish first, without what was bought meanwhile; one query. Raises Invalid for no cursor."""
    rows = (
        select(Course.id, Wish.created_at.label("wished_at"))
        .join(Wish, Wish.course_id == Course.id)
        .where(Wish.customer_id == person.id, ~access.owning(person.id, Course.id), Course.status != "draft")
    )
    if cursor:
        moment, course_id = _read_cursor(cursor)
        here = tuple_(Wish.created_at, Course.id)
        rows = rows.where(here < tuple_(literal(moment, Wish.created_at.type), literal(course_id, Course.id.type)))
    page = rows.order_by(Wish.created_at.desc(), Course.id.desc()).limit(limit + 1).subquery("page")
    found: Any = db.session.execute(
        joined(page, page.c.wished_at, (Customer.status == "active").label("sells")).order_by(
            page.c.wished_at.desc(), page.c.id.desc()
        )
    ).all()
    items = [Wished(card(row), row.status in ("published", "unlisted") and row.sells) for row in found[:limit]]
    more = len(found) > limit
    end = encode_cursor([found[limit - 1].wished_at.isoformat(), str(found[limit - 1].id)]) if more else None
    return Page(items, end)


def _read_cursor(cursor: str) -> tuple[datetime, UUID]:
    moment, course_id = decode_cursor(cursor, 2)
    try:
        return datetime.fromisoformat(moment), UUID(course_id)
    except (ValueError, TypeError, AttributeError) as error:
        raise Invalid("That page does not exist any more. Start again from the first one.", field="cursor") from error
