"""Looking orders up."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, tuple_

from coursehub.kernel.db import db
from coursehub.kernel.errors import Invalid, NotFound
from coursehub.kernel.ids import parse_id
from coursehub.kernel.pagination import Page, decode_cursor, encode_cursor
from coursehub.orders.models import Order, OrderItem


@dataclass(frozen=True)
class OrderWithLines:
    """An order and its lines."""

    order: Order
    items: tuple[OrderItem, ...]


def find(order_id: UUID) -> Order | None:
    return db.session.get(Order, order_id)


def order_or_404(order_id: UUID, *, owner: UUID) -> Order:
    """The buyer's own order; a stranger's looks as if it did not exist."""
    order = db.session.scalar(select(Order).where(Order.id == order_id, Order.customer_id == owner))
    if order is None:
        raise NotFound("There is no such order.")
    return order


def by_session(session_id: str) -> Order | None:
    """The order a Checkout Session was opened for."""
    return db.session.scalar(select(Order).where(Order.stripe_checkout_session_id == session_id))


def items_of(order_id: UUID) -> list[OrderItem]:
    return list(db.session.scalars(select(OrderItem).where(OrderItem.order_id == order_id).order_by(OrderItem.id)))


def of_customer(
    customer_id: UUID, *, status: str | None = None, cursor: str | None = None, limit: int = 20
) -> Page[OrderWithLines]:
    """The customer's orders, newest first. Two queries, whatever the page holds. Raises Invalid on a bad cursor."""
    rows = select(Order).where(Order.customer_id == customer_id)
    if status is not None:
        rows = rows.where(Order.status == status)
    if cursor:
        created, last = decode_cursor(cursor, 2)
        rows = rows.where(tuple_(Order.created_at, Order.id) < tuple_(_moment(created), _uuid(last)))
    found = db.session.scalars(rows.order_by(Order.created_at.desc(), Order.id.desc()).limit(limit + 1)).all()
    page, more = found[:limit], len(found) > limit
    lines = db.session.scalars(
        select(OrderItem).where(OrderItem.order_id.in_([order.id for order in page])).order_by(OrderItem.id)
    ).all()
    return Page(
        [OrderWithLines(order, tuple(line for line in lines if line.order_id == order.id)) for order in page],
        encode_cursor([page[-1].created_at.isoformat(), page[-1].id]) if more else None,
    )


def _moment(value: object) -> datetime:

    try:
        return datetime.fromisoformat(str(value))
    except ValueError as error:
        raise Invalid("That page does not exist any more.", field="cursor") from error


def _uuid(value: object) -> UUID:

    found = parse_id(str(value))
    if found is None:
        raise Invalid("That page does not exist any more.", field="cursor")
    return found
