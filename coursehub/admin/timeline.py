"""Everything that happened to an order, from all the places where it is written down."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import or_, select

from coursehub.accounts.models import Customer
from coursehub.admin import queries
from coursehub.courses.models import Course
from coursehub.entitlements.models import Purchase
from coursehub.kernel.db import db
from coursehub.kernel.errors import NotFound
from coursehub.kernel.moves import StatusMove
from coursehub.library.models import LIMIT, Download, DownloadAllowance
from coursehub.mail.models import MailMessage
from coursehub.orders.models import Order, OrderItem
from coursehub.payments.models import WebhookReceipt

Kind = Literal["status", "webhook", "mail", "download", "staff"]


@dataclass(frozen=True)
class Entry:
    """One thing that happened: `what` in a word or two, `why` in more, `who` did it."""

    at: datetime
    kind: Kind
    what: str
    why: str = ""
    who: str = ""


@dataclass(frozen=True)
class Bought:
    """One line of an order with the right it gave, if any, and its downloads."""

    item: OrderItem
    course: Course
    purchase: Purchase | None
    allowed: int
    used: int


@dataclass(frozen=True)
class Story:
    """An order with its buyer, its lines, and what happened, newest first."""

    order: Order
    buyer: Customer
    lines: tuple[Bought, ...]
    entries: tuple[Entry, ...]


def story(order_id: UUID) -> Story:
    """One order from all sides; the same number of queries for every order. Raises NotFound."""
    found = db.session.execute(
        select(Order, Customer).join(Customer, Customer.id == Order.customer_id).where(Order.id == order_id)
    ).first()
    if found is None:
        raise NotFound("There is no such order.")
    order, buyer = found
    lines = _lines(order)
    entries = [*_moves(order, buyer, lines), *_webhooks(order), *_mails(order), *_downloads(order), *_acts(order)]
    return Story(order, buyer, lines, tuple(sorted(entries, key=lambda entry: entry.at, reverse=True)))


def _lines(order: Order) -> tuple[Bought, ...]:
    rows = db.session.execute(
        select(OrderItem, Course, Purchase)
        .join(Course, Course.id == OrderItem.course_id)
        .outerjoin(Purchase, (Purchase.order_id == OrderItem.order_id) & (Purchase.course_id == OrderItem.course_id))
        .where(OrderItem.order_id == order.id)
        .order_by(OrderItem.id)
    ).all()
    allowances = {
        (one.purchase_id, one.version_id): one
        for one in db.session.scalars(
            select(DownloadAllowance).where(DownloadAllowance.purchase_id.in_([row[2].id for row in rows if row[2]]))
        )
    }
    lines = []
    for item, course, purchase in rows:
        version_id = (course.current_version_id or purchase.version_id) if purchase else None
        allowance = allowances.get((purchase.id, version_id)) if purchase and version_id else None
        lines.append(
            Bought(
                item,
                course,
                purchase,
                allowance.allowed if allowance else LIMIT,
                allowance.used if allowance else 0,
            )
        )
    return tuple(lines)


def _moves(order: Order, buyer: Customer, lines: tuple[Bought, ...]) -> list[Entry]:
    subjects = [order.id, *(line.purchase.id for line in lines if line.purchase)]
    rows = db.session.scalars(select(StatusMove).where(StatusMove.subject_id.in_(subjects)))
    return [
        Entry(
            move.moved_at,
            "status",
            f"{move.machine}: {move.from_status or '—'} → {move.to_status}",
            move.cause,
            buyer.name if move.actor == f"customer:{buyer.id}" else move.actor.partition(":")[0],
        )
        for move in rows
    ]


def _webhooks(order: Order) -> list[Entry]:
    ids = [one for one in (order.stripe_checkout_session_id, order.stripe_payment_intent_id) if one]
    rows = db.session.execute(
        select(
            WebhookReceipt.received_at,
            WebhookReceipt.event_type,
            WebhookReceipt.status,
            WebhookReceipt.error,
            WebhookReceipt.event_id,
        ).where(WebhookReceipt.object_id.in_(ids))
    )
    return [
        Entry(row.received_at, "webhook", f"{row.event_type}: {row.status}", row.error or row.event_id, "Stripe")
        for row in rows
    ]


def _mails(order: Order) -> list[Entry]:
    # A mail sent again carries the order's id and a key of its own.
    rows = db.session.execute(
        select(MailMessage.created_at, MailMessage.kind, MailMessage.status, MailMessage.error).where(
            MailMessage.kind == "receipt",
            or_(
                MailMessage.subject_key == str(order.id),
                MailMessage.subject_key.startswith(f"{order.id}:", autoescape=True),
            ),
        )
    )
    return [Entry(row.created_at, "mail", f"{row.kind}: {row.status}", row.error or "") for row in rows]


def _downloads(order: Order) -> list[Entry]:
    rows = db.session.execute(
        select(Download.downloaded_at, Course.title, Download.user_agent)
        .join(Course, Course.id == Download.course_id)
        .where(Download.order_id == order.id)
    )
    return [Entry(row.downloaded_at, "download", row.title, row.user_agent) for row in rows]


def _acts(order: Order) -> list[Entry]:
    return [
        Entry(row.record.at, "staff", row.record.action, row.record.reason, row.actor or "")
        for row in queries.audit_of("order", order.id, queries.PAGE_SIZE)
    ]
