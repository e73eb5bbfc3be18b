"""What a person owns, with what each purchase can still do; their own files; what is put away of both."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, exists, func, select, tuple_
from sqlalchemy.orm import aliased

from coursehub.accounts.models import Customer
from coursehub.courses import queries as courses
from coursehub.courses.models import Course, CourseVersion
from coursehub.entitlements.models import Purchase
from coursehub.kernel import clock
from coursehub.kernel.db import db
from coursehub.kernel.errors import Invalid
from coursehub.kernel.ids import parse_id
from coursehub.kernel.pagination import Page, decode_cursor, encode_cursor
from coursehub.library.downloads import released
from coursehub.library.models import LIMIT, ArchivedPurchase, Download, DownloadAllowance, DownloadGrant, PrivateFile
from coursehub.orders.models import Order

SORTS = ("recent", "title")
PAGE = 24
LONGEST_FILTER = 200
_SORTED_LETTERS = 40  # so many of a title make its place, and fit into a cursor


@dataclass(frozen=True)
class Owned:
    """One purchase as the library shows it."""

    purchase: Purchase
    course: Course
    author: str
    bought: CourseVersion
    current: CourseVersion  # what a download gives
    order: Order
    left: int
    allowed: int  # what `left` is counted from; staff may have given more than LIMIT
    link_until: datetime | None  # end of the newest live grant for `current`
    seen_number: int  # the newest version its owner has bought or downloaded
    is_archived: bool

    @property
    def cover(self) -> str | None:
        """Address of the cover's picture."""
        return courses.cover_address(self.course.slug, self.course.cover_image_url)

    @property
    def is_newer(self) -> bool:
        """Whether there is a version that its owner has neither bought nor downloaded."""
        return self.current.version_number > self.seen_number


def of_customer(
    customer_id: UUID,
    *,
    archived: bool | None = None,
    title: str = "",
    sort: str = "recent",
    cursor: str | None = None,
    limit: int = PAGE,
) -> Page[Owned]:
    """The customer's purchases that still give a right; three queries, whatever the number.

    `archived` says which of them (None: all), `title` a part of their titles. Raises Invalid on a bad cursor.
    """
    rows = _owned(customer_id)
    if archived is not None:
        rows = rows.where(
            ArchivedPurchase.purchase_id.is_not(None) if archived else ArchivedPurchase.purchase_id.is_(None)
        )
    if part := _filter_text(title):
        rows = rows.where(Course.title.icontains(part, autoescape=True))
    page, more = _page(rows, Course.title, Purchase.purchased_at, Purchase.id, sort, cursor, limit)
    return Page(_with_rights(page), more)


def one_of_customer(customer_id: UUID, purchase_id: UUID) -> Owned | None:
    """One purchase of this customer that still gives a right, put away or not."""
    found = db.session.execute(_owned(customer_id).where(Purchase.id == purchase_id)).all()
    return next(iter(_with_rights([tuple(row) for row in found])), None)


def files_of(
    customer_id: UUID,
    *,
    archived: bool = False,
    title: str = "",
    sort: str = "recent",
    cursor: str | None = None,
    limit: int = PAGE,
) -> Page[PrivateFile]:
    """The person's own files; one query. Raises Invalid on a bad cursor."""
    rows = select(PrivateFile).where(
        PrivateFile.customer_id == customer_id,
        PrivateFile.archived_at.is_not(None) if archived else PrivateFile.archived_at.is_(None),
    )
    if part := _filter_text(title):
        rows = rows.where(PrivateFile.title.icontains(part, autoescape=True))
    page, more = _page(rows, PrivateFile.title, PrivateFile.created_at, PrivateFile.id, sort, cursor, limit)
    return Page([row[0] for row in page], more)


def has_any(customer_id: UUID) -> bool:
    """Whether the person has a purchase that still gives a right, put away or not."""
    found = exists().where(Purchase.customer_id == customer_id, Purchase.access != "revoked")
    return bool(db.session.scalar(select(found)))


def _owned(customer_id: UUID) -> Select[Any]:
    newest_number = (
        select(func.max(CourseVersion.version_number))
        .where(CourseVersion.course_id == Purchase.course_id, released())
        .correlate(Purchase)
        .scalar_subquery()
    )
    fetched = aliased(CourseVersion)
    downloaded_number = (
        select(func.max(fetched.version_number))
        .join(Download, Download.version_id == fetched.id)
        .where(Download.purchase_id == Purchase.id)
        .correlate(Purchase)
        .scalar_subquery()
    )
    now_version = aliased(CourseVersion)
    return (
        select(
            Purchase,
            Course,
            Customer.name,
            CourseVersion,
            now_version,
            Order,
            downloaded_number,
            ArchivedPurchase.archived_at,
        )
        .join(Course, Course.id == Purchase.course_id)
        .join(Customer, Customer.id == Course.author_id)
        .join(CourseVersion, CourseVersion.id == Purchase.version_id)
        .join(Order, Order.id == Purchase.order_id)
        .outerjoin(
            now_version,
            (now_version.course_id == Purchase.course_id) & (now_version.version_number == newest_number),
        )
        .outerjoin(ArchivedPurchase, ArchivedPurchase.purchase_id == Purchase.id)
        .where(Purchase.customer_id == customer_id, Purchase.access != "revoked")
    )


def _page(
    rows: Select[Any], title: Any, moment: Any, key: Any, sort: str, cursor: str | None, limit: int
) -> tuple[Sequence[Any], str | None]:
    """One page of `rows`, by `title` or the newest `moment` first, and the cursor of the next."""
    name = func.left(func.lower(title), _SORTED_LETTERS)
    after, last = decode_cursor(cursor, 2) if cursor else (None, None)
    if sort == "title":
        if cursor:
            rows = rows.where(tuple_(name, key) > tuple_(_text(after), _uuid(last)))
        rows = rows.order_by(name, key)
    else:
        if cursor:
            rows = rows.where(tuple_(moment, key) < tuple_(_moment(after), _uuid(last)))
        rows = rows.order_by(moment.desc(), key.desc())
    found = db.session.execute(rows.add_columns(name, moment, key).limit(limit + 1)).all()
    page = found[:limit]
    if len(found) <= limit:
        return [row[:-3] for row in page], None
    *_, name_there, moment_there, key_there = page[-1]
    there = name_there if sort == "title" else moment_there.isoformat()
    return [row[:-3] for row in page], encode_cursor([there, key_there])


def _with_rights(rows: Sequence[Any]) -> list[Owned]:
    ids = [row[0].id for row in rows]
    if not ids:
        return []
    counted = {
        (one.purchase_id, one.version_id): (one.allowed - one.used, one.allowed)
        for one in db.session.scalars(select(DownloadAllowance).where(DownloadAllowance.purchase_id.in_(ids)))
    }
    live: dict[tuple[UUID, UUID], datetime] = {}
    for one in db.session.scalars(
        select(DownloadGrant)
        .where(DownloadGrant.purchase_id.in_(ids), DownloadGrant.expires_at > clock.now())
        .order_by(DownloadGrant.expires_at)
    ):
        live[(one.purchase_id, one.version_id)] = one.expires_at
    owned = []
    for purchase, course, author, bought, current, order, downloaded, archived_at in rows:
        newest = current if current is not None and current.version_number >= bought.version_number else bought
        key = (purchase.id, newest.id)
        left, allowed = counted.get(key, (LIMIT, LIMIT))
        seen = max(bought.version_number, downloaded or 0)
        owned.append(
            Owned(
                purchase=purchase,
                course=course,
                author=author,
                bought=bought,
                current=newest,
                order=order,
                left=left,
                allowed=allowed,
                link_until=live.get(key),
                seen_number=seen,
                is_archived=archived_at is not None,
            )
        )
    return owned


def _filter_text(text: str) -> str:
    return text.replace("\0", "").strip()[:LONGEST_FILTER]


def _text(value: object) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise Invalid("That page does not exist any more.", field="cursor")
    return value


def _moment(value: object) -> datetime:
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise Invalid("That page does not exist any more.", field="cursor") from error
    if found.tzinfo is None:
        raise Invalid("That page does not exist any more.", field="cursor")
    return found


def _uuid(value: object) -> UUID:
    found = parse_id(str(value))
    if found is None:
        raise Invalid("That page does not exist any more.", field="cursor")
    return found
