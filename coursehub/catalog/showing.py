"""One course as its page shows it: the course with its author, version and history, and what this visitor may do."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlalchemy import exists, func, select, union

from coursehub.accounts.models import Customer
from coursehub.cart.models import Cart, CartItem
from coursehub.catalog.cards import Card, cards, joined
from coursehub.catalog.search import Filters, Results, find
from coursehub.courses import queries, slugs
from coursehub.courses.models import Category, Course, CourseVersion
from coursehub.entitlements import access
from coursehub.kernel.db import db
from coursehub.kernel.errors import NotFound

# What the one button of the page is about.
Standing = Literal["for_sale", "in_cart", "owned", "suspended", "own", "not_sold", "looked_at"]
MOST_RELEASES = 20
CREATORS_PAGE = 60
MOST_RELATED = 6


@dataclass(frozen=True)
class Shown:
    """A course with what its page needs of other rows."""

    course: Course
    author: str
    bio: str
    category: str
    version: CourseVersion | None
    author_sells: bool

    @property
    def is_for_sale(self) -> bool:
        return self.course.is_public and self.author_sells

    @property
    def samples(self) -> int:
        """How many of the first pages everyone may see."""
        return min(self.course.sample_pages, self.version.pages_drawn) if self.version else 0


@dataclass(frozen=True)
class Figures:
    """What a creator has in the shop: courses, and what all ratings of them come to."""

    courses: int
    ratings: int
    average: float | None


@dataclass(frozen=True)
class Release:
    """One published version, as buyers read of it."""

    number: int
    released_at: object
    changelog: str


def get(slug: str, visitor: Customer | None) -> Shown:
    """The course with this address. Raises NotFound, the same for one this visitor may not see as for none.

    Raises slugs.Moved for an address the course had before.
    """
    row = db.session.execute(
        select(Course, Customer.name, Customer.bio, Category.title, CourseVersion, Customer.status == "active")
        .join(Customer, Customer.id == Course.author_id)
        .join(Category, Category.slug == Course.category)
        .outerjoin(CourseVersion, CourseVersion.id == Course.current_version_id)
        .where(Course.slug == slugs.storable(slug))
    ).first()
    course = row[0] if row is not None else slugs.find(slug)
    if course is None or not access.may_see(visitor, course):
        raise NotFound()
    if row is None:
        raise slugs.Moved(course.slug)
    return Shown(*row)


def standing(shown: Shown, visitor: Customer | None, cart: Cart | None, *, as_buyer: bool = False) -> Standing:
    """What this visitor has to do with the course; `as_buyer`: who may edit it looks with a buyer's eyes."""
    course = shown.course
    if as_buyer:
        return "looked_at"
    if visitor is not None and course.author_id == visitor.id:
        return "own"
    purchase = access.purchase_of(visitor.id, course.id) if visitor is not None else None
    if purchase is not None:
        return "owned" if purchase.access == "active" else "suspended"
    if not shown.is_for_sale:
        return "not_sold"
    if cart is not None and db.session.scalar(
        select(exists().where(CartItem.cart_id == cart.id, CartItem.course_id == course.id))
    ):
        return "in_cart"
    return "for_sale"


def releases(course: Course) -> Sequence[Release]:
    """The published versions, newest first."""
    rows = db.session.execute(
        select(CourseVersion.version_number, CourseVersion.released_at, CourseVersion.changelog)
        .where(CourseVersion.course_id == course.id, CourseVersion.released_at.is_not(None))
        .order_by(CourseVersion.version_number.desc())
        .limit(MOST_RELEASES)
    )
    return [Release(*row) for row in rows]


def creator(creator_id: UUID, cursor: str | None = None) -> tuple[Customer, Results]:
    """A creator with a page of their listed courses. Raises NotFound for anyone who sells nothing, Invalid."""
    listed = find(Filters(author_id=creator_id), cursor=cursor, limit=CREATORS_PAGE)
    person = db.session.get(Customer, creator_id)
    if person is None or not listed.page.items:
        raise NotFound()
    return person, listed


def figures(author_id: UUID) -> Figures:
    """How many courses of this creator are listed, and how they are rated; one query."""
    count, total, ratings = db.session.execute(
        select(
            func.count(Course.id),
            func.coalesce(func.sum(Course.rating_sum), 0),
            func.coalesce(func.sum(Course.rating_count), 0),
        ).where(Course.author_id == author_id, queries.visible())
    ).one()
    return Figures(count, ratings, total / ratings if ratings else None)


def related(course: Course, visitor: Customer | None) -> list[Card]:
    """Courses for whoever looks at this one: alike in tags, author or subject, popular first, none they own."""
    others = select(Course.id).where(queries.visible(), Course.id != course.id)
    if visitor is not None:
        others = others.where(Course.author_id != visitor.id, ~access.owning(visitor.id, Course.id))
    popular = others.order_by(Course.sales_count.desc(), Course.id.desc())
    near = [popular.where(Course.author_id == course.author_id), popular.where(Course.category == course.category)]
    if course.tags:
        near.append(popular.where(Course.tags.overlap(course.tags)))
    page = union(*(select(one.limit(2 * MOST_RELATED).subquery()) for one in near)).subquery("page")

    def alike(card: Card) -> tuple[int, int]:
        shared = len(set(card.tags) & set(course.tags))
        points = 2 * shared + 2 * (card.author_id == course.author_id) + (card.category == course.category)
        return points, card.sales_count

    found = cards(db.session.execute(joined(page)).all())
    return sorted(found, key=alike, reverse=True)[:MOST_RELATED]
