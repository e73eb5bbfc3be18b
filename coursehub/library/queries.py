"""What a person owns, with what each purchase can still do."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from coursehub.accounts.models import Customer
from coursehub.courses import queries as courses
from coursehub.courses.models import Course, CourseVersion
from coursehub.entitlements.models import Purchase
from coursehub.kernel import clock
from coursehub.kernel.db import db
from coursehub.library.downloads import released
from coursehub.library.models import LIMIT, DownloadAllowance, DownloadGrant
from coursehub.orders.models import Order


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

    @property
    def cover(self) -> str | None:
        """Address of the cover's picture."""
        return courses.cover_address(self.course.slug, self.course.cover_image_url)

    @property
    def is_newer(self) -> bool:
        return self.current.version_number > self.bought.version_number


def of_customer(customer_id: UUID, purchase_id: UUID | None = None) -> list[Owned]:
    """The customer's purchases that still give a right, newest first; three queries, whatever the number."""
    newest_number = (
        select(func.max(CourseVersion.version_number))
        .where(CourseVersion.course_id == Purchase.course_id, released())
        .correlate(Purchase)
        .scalar_subquery()
    )
    now_version = aliased(CourseVersion)
    rows = (
        select(Purchase, Course, Customer.name, CourseVersion, now_version, Order)
        .join(Course, Course.id == Purchase.course_id)
        .join(Customer, Customer.id == Course.author_id)
        .join(CourseVersion, CourseVersion.id == Purchase.version_id)
        .join(Order, Order.id == Purchase.order_id)
        .outerjoin(
            now_version,
            (now_version.course_id == Purchase.course_id) & (now_version.version_number == newest_number),
        )
        .where(Purchase.customer_id == customer_id, Purchase.access != "revoked")
        .order_by(Purchase.purchased_at.desc(), Purchase.id.desc())
    )
    if purchase_id is not None:
        rows = rows.where(Purchase.id == purchase_id)
    found = db.session.execute(rows).all()
    ids = [row[0].id for row in found]
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
    for purchase, course, author, bought, current, order in found:
        newest = current if current is not None and current.version_number >= bought.version_number else bought
        key = (purchase.id, newest.id)
        left, allowed = counted.get(key, (LIMIT, LIMIT))
        owned.append(Owned(purchase, course, author, bought, newest, order, left, allowed, live.get(key)))
    return owned
