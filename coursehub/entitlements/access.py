"""Who may open what: the one question that reader, download, search, API and mail links ask."""

from uuid import UUID

from sqlalchemy import Exists, exists, select
from sqlalchemy.orm import InstrumentedAttribute

from coursehub.accounts.models import Customer
from coursehub.courses import policies
from coursehub.courses.models import Course
from coursehub.entitlements.models import Purchase
from coursehub.kernel.db import db


def purchase_of(customer_id: UUID, course_id: UUID) -> Purchase | None:
    """The living purchase (active or suspended) of a course, None when there is none."""
    return db.session.scalar(
        select(Purchase).where(
            Purchase.customer_id == customer_id, Purchase.course_id == course_id, Purchase.access != "revoked"
        )
    )


def owns(customer_id: UUID, course_id: UUID) -> bool:
    """Whether the customer has bought the course and not lost it for good."""
    return purchase_of(customer_id, course_id) is not None


def owned_among(customer_id: UUID, course_ids: list[UUID]) -> set[UUID]:
    """Those of `course_ids` that the customer owns; one query."""
    if not course_ids:
        return set()
    rows = select(Purchase.course_id).where(
        Purchase.customer_id == customer_id, Purchase.course_id.in_(course_ids), Purchase.access != "revoked"
    )
    return set(db.session.scalars(rows))


def owning(customer_id: UUID, course_id: InstrumentedAttribute[UUID]) -> Exists:
    """SQL: the customer owns the course of this row."""
    return exists().where(
        Purchase.customer_id == customer_id, Purchase.course_id == course_id, Purchase.access != "revoked"
    )


def may_see(person: Customer | None, course: Course) -> bool:
    """Whether this person may know of the course: it is public, theirs, or bought; what was bought is asked last."""
    if policies.may_see(person, course):
        return True
    return person is not None and owns(person.id, course.id)


def can_access(customer: Customer, course: Course) -> bool:
    """Whether this person may open the course's file now: an active right, the author, staff."""
    if customer.is_admin or course.author_id == customer.id:
        return True
    purchase = purchase_of(customer.id, course.id)
    return purchase is not None and purchase.access == "active"
