"""Rows for the back office's tables: newest first, page after page, one query each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select

from coursehub.accounts import queries as people
from coursehub.accounts.models import BrowserSession, Customer
from coursehub.audit.models import AuditRecord
from coursehub.courses.models import Course
from coursehub.entitlements.models import Purchase
from coursehub.kernel.db import db
from coursehub.kernel.errors import Invalid, NotFound
from coursehub.kernel.ids import parse_id
from coursehub.kernel.moves import StatusMove
from coursehub.kernel.outbox import FailedJob
from coursehub.kernel.pagination import Page, decode_cursor, encode_cursor
from coursehub.orders.models import Order
from coursehub.payments.models import WebhookReceipt

PAGE_SIZE = 50
RECENT = 10
_STALE = "That page does not exist any more. Start again from the first one."


@dataclass(frozen=True)
class OrderRow:
    """An order with its buyer's name."""

    order: Order
    buyer: str


@dataclass(frozen=True)
class CourseRow:
    """A course with its author's name."""

    course: Course
    author: str


@dataclass(frozen=True)
class AuditRow:
    """A record with the name of who did it."""

    record: AuditRecord
    actor: str | None


@dataclass(frozen=True)
class Person:
    """What staff see of a customer."""

    customer: Customer
    orders: int
    purchases: int
    courses: int
    browsers: int


def orders(
    *, status: str = "", flagged: bool = False, words: str = "", cursor: str = "", limit: int = PAGE_SIZE
) -> Page[OrderRow]:
    """Orders; `words` is a number or an id, ours or Stripe's. Raises Invalid on a bad cursor."""
    rows = select(Order, Customer.name).join(Customer, Customer.id == Order.customer_id)
    if status:
        rows = rows.where(Order.status == status)
    if flagged:
        rows = rows.where(Order.flag.is_not(None))
    if words:
        rows = rows.where(_names_order(_storable(words)))
    return _page(rows, Order.id, cursor, limit, lambda row: OrderRow(row[0], row[1]))


def customers(*, words: str = "", status: str = "", cursor: str = "", limit: int = PAGE_SIZE) -> Page[Customer]:
    """Customers; `words` is a whole e-mail address, an id, or how a name begins. Raises Invalid on a bad cursor."""
    rows = select(Customer)
    if status:
        rows = rows.where(Customer.status == status)
    if words:
        rows = rows.where(_names_person(_storable(words)))
    return _page(rows, Customer.id, cursor, limit, lambda row: row[0])


def courses(*, status: str = "", words: str = "", cursor: str = "", limit: int = PAGE_SIZE) -> Page[CourseRow]:
    """Courses of any status; `words` stand in the title or are the address. Raises Invalid on a bad cursor."""
    rows = select(Course, Customer.name).join(Customer, Customer.id == Course.author_id)
    if status:
        rows = rows.where(Course.status == status)
    if words:
        text = _storable(words)
        rows = rows.where(or_(Course.title.icontains(text, autoescape=True), Course.slug == text))
    return _page(rows, Course.id, cursor, limit, lambda row: CourseRow(row[0], row[1]))


def jobs(*, status: str = "failed", cursor: str = "", limit: int = PAGE_SIZE) -> Page[FailedJob]:
    """Messages that nobody could handle. Raises Invalid on a bad cursor."""
    return _page(select(FailedJob).where(FailedJob.status == status), FailedJob.id, cursor, limit, lambda row: row[0])


def audit_trail(*, words: str = "", cursor: str = "", limit: int = PAGE_SIZE) -> Page[AuditRow]:
    """The trail; `words` is an action or what was acted on. Raises Invalid on a bad cursor."""
    rows = select(AuditRecord, Customer.name).outerjoin(Customer, Customer.id == AuditRecord.actor_id)
    if words:
        text = _storable(words)
        rows = rows.where(or_(AuditRecord.action == text, AuditRecord.subject_id == text))
    if cursor:
        rows = rows.where(AuditRecord.number < _number(cursor))
    found = db.session.execute(rows.order_by(AuditRecord.number.desc()).limit(limit + 1)).all()
    shown = [AuditRow(row[0], row[1]) for row in found[:limit]]
    return Page(shown, encode_cursor([shown[-1].record.number]) if len(found) > limit else None)


def audit_of(subject_type: str, subject_id: UUID, limit: int = RECENT) -> list[AuditRow]:
    """What was done to one thing, newest first."""
    rows = db.session.execute(
        select(AuditRecord, Customer.name)
        .outerjoin(Customer, Customer.id == AuditRecord.actor_id)
        .where(AuditRecord.subject_type == subject_type, AuditRecord.subject_id == str(subject_id))
        .order_by(AuditRecord.number.desc())
        .limit(limit)
    )
    return [AuditRow(row[0], row[1]) for row in rows]


def unapplied_webhooks(limit: int = PAGE_SIZE) -> Sequence[WebhookReceipt]:
    """Stripe's events that wait or were given up, without their payload, newest first."""
    return db.session.scalars(
        select(WebhookReceipt)
        .where(WebhookReceipt.status.in_(["received", "deferred", "failed"]))
        .order_by(WebhookReceipt.id.desc())
        .limit(limit)
        .execution_options(populate_existing=True)
    ).all()


def person(customer_id: UUID) -> Person:
    """One customer with what they did here; one query. Raises NotFound."""

    def number(column: Any) -> Any:
        return select(func.count()).where(column == customer_id).scalar_subquery()

    found = db.session.execute(
        select(
            Customer,
            number(Order.customer_id),
            number(Purchase.customer_id),
            number(Course.author_id),
            number(BrowserSession.customer_id),
        ).where(Customer.id == customer_id)
    ).first()
    if found is None:
        raise NotFound("There is no such customer.")
    return Person(*found)


def orders_of(customer_id: UUID, limit: int = RECENT) -> Sequence[Order]:
    """Somebody's newest orders."""
    mine = select(Order).where(Order.customer_id == customer_id)
    return db.session.scalars(mine.order_by(Order.id.desc()).limit(limit)).all()


def course(course_id: UUID) -> CourseRow:
    """One course, whatever its status. Raises NotFound."""
    found = db.session.execute(
        select(Course, Customer.name).join(Customer, Customer.id == Course.author_id).where(Course.id == course_id)
    ).first()
    if found is None:
        raise NotFound("There is no such course.")
    return CourseRow(found[0], found[1])


def moves_of(subject_id: UUID) -> Sequence[StatusMove]:
    """How a thing came to its status, newest first."""
    rows = select(StatusMove).where(StatusMove.subject_id == subject_id)
    return db.session.scalars(rows.order_by(StatusMove.moved_at.desc(), StatusMove.id.desc()).limit(PAGE_SIZE)).all()


def people_among(customer_ids: Sequence[UUID]) -> dict[UUID, Customer]:
    """These people by id; one query, however many."""
    rows = select(Customer).where(Customer.id.in_(customer_ids), Customer.status != "deleted")
    return {one.id: one for one in db.session.scalars(rows)}


def _page(rows: Any, key: Any, cursor: str, limit: int, shape: Any) -> Page[Any]:
    """Newest first: keys are UUIDv7, so their order is that of time."""
    if cursor:
        rows = rows.where(key < _id(cursor))
    found = db.session.execute(rows.order_by(key.desc()).limit(limit + 1)).all()
    end = encode_cursor([str(found[limit - 1][0].id)]) if len(found) > limit else None
    return Page([shape(row) for row in found[:limit]], end)


def _id(cursor: str) -> UUID:
    found = parse_id(str(_decoded(cursor)))
    if found is None:
        raise Invalid(_STALE, field="cursor")
    return found


def _number(cursor: str) -> int:
    value = _decoded(cursor)
    if not isinstance(value, int) or not 0 <= value < 2**63:
        raise Invalid(_STALE, field="cursor")
    return value


def _decoded(cursor: str) -> Any:
    if len(cursor) > 200:
        raise Invalid(_STALE, field="cursor")
    return decode_cursor(cursor, 1)[0]


def _names_order(text: str) -> ColumnElement[bool]:
    order_id = parse_id(text)
    if order_id is not None:
        return or_(Order.id == order_id, Order.customer_id == order_id)
    return or_(
        Order.number == text.upper(),
        Order.stripe_checkout_session_id == text,
        Order.stripe_payment_intent_id == text,
    )


def _names_person(text: str) -> ColumnElement[bool]:
    customer_id = parse_id(text)
    if customer_id is not None:
        return Customer.id == customer_id
    if "@" in text:
        return people.has_email(text)
    return Customer.name.istartswith(text, autoescape=True)


def _storable(text: str) -> str:
    """`text` as PostgreSQL can compare it."""
    return text.replace("\0", "").encode("utf-8", "replace").decode().strip()[:300]
