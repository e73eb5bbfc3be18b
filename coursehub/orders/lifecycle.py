"""The status of an order: every transition happens here and nowhere else.

Money that was captured always wins: `payment_succeeded` may follow canceled, expired and failed, and nothing but
`course_downloaded` follows it. So the same facts give the same status in whatever order they arrive.
"""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import or_, select, update

from coursehub.kernel import clock
from coursehub.kernel.db import db
from coursehub.kernel.errors import NotFound
from coursehub.kernel.events import record
from coursehub.kernel.moves import record_move
from coursehub.orders.events import OrderDownloaded, OrderExpired, OrderStarted
from coursehub.orders.models import OPEN, Order

_UNPAID = ("added_2_cart", "purchase_started", "canceled", "expired", "failed")
# status → the statuses it may be reached from
LEGAL: dict[str, tuple[str, ...]] = {
    "purchase_started": ("added_2_cart", "purchase_started"),
    "payment_succeeded": _UNPAID,
    "course_downloaded": ("payment_succeeded",),
    "canceled": OPEN,
    "expired": OPEN,
    "failed": OPEN,
}
# An order that never reached Stripe is forgotten after a day (PRD 12: no success within 24 h is abandoned).
ABANDONED_AFTER = timedelta(hours=24)
# How often at most the pages of one order make us ask Stripe.
ASK_EVERY = timedelta(seconds=5)


def locked(order_id: UUID) -> Order:
    """The order, locked until the transaction ends and read afresh. Raises NotFound."""
    order = db.session.scalar(
        select(Order).where(Order.id == order_id).with_for_update().execution_options(populate_existing=True)
    )
    if order is None:
        raise NotFound("There is no such order.")
    return order


def start(order: Order, session_id: str, *, actor: str) -> bool:
    """A Checkout Session is open: `purchase_started`. False when the order has gone further meanwhile."""
    if order.status not in LEGAL["purchase_started"]:
        return False
    first = order.status != "purchase_started" or order.stripe_checkout_session_id != session_id
    order.stripe_checkout_session_id = session_id
    if first:
        _move(order, "purchase_started", cause="checkout", actor=actor)
        record(
            OrderStarted(
                order_id=order.id,
                customer_id=order.customer_id,
                status="purchase_started",
                stripe_checkout_session_id=session_id,
            )
        )
    return True


def mark_paid(order: Order, *, cause: str, actor: str, event_id: str | None = None) -> bool:
    """The money is here. False when that was known. Money after the end of an order is flagged for a person."""
    if order.status not in LEGAL["payment_succeeded"]:
        return False
    if order.status in ("canceled", "expired", "failed"):
        order.flag = order.flag or f"paid after it was {order.status}"
    order.paid_at = clock.now()
    _move(order, "payment_succeeded", cause=cause, actor=actor, event_id=event_id)
    return True


def mark_downloaded(order: Order, *, actor: str) -> bool:
    """The first download was granted."""
    if not _allowed(order, "course_downloaded"):
        return False
    _move(order, "course_downloaded", cause="download granted", actor=actor)
    record(OrderDownloaded(order_id=order.id, customer_id=order.customer_id))
    return True


def cancel(order: Order, *, cause: str, actor: str) -> bool:
    """The buyer went another way before paying."""
    return _end(order, "canceled", cause=cause, actor=actor)


def expire(order: Order, *, cause: str, actor: str, event_id: str | None = None) -> bool:
    """Nobody paid in time. After a payment this changes nothing."""
    if not _end(order, "expired", cause=cause, actor=actor, event_id=event_id):
        return False
    record(OrderExpired(order_id=order.id, customer_id=order.customer_id))
    return True


def fail(order: Order, *, cause: str, actor: str, event_id: str | None = None) -> bool:
    """A delayed payment did not come."""
    return _end(order, "failed", cause=cause, actor=actor, event_id=event_id)


def may_ask(order_id: UUID) -> bool:
    """Whether it is time to ask Stripe about this order again; saying yes notes it. In the open transaction."""
    asked = update(Order).where(
        Order.id == order_id, or_(Order.asked_at.is_(None), Order.asked_at < clock.now() - ASK_EVERY)
    )
    noted = asked.values(asked_at=clock.now(), updated_at=Order.updated_at).returning(Order.id)
    return db.session.execute(noted.execution_options(synchronize_session=False)).scalar() is not None


def expire_stale() -> int:
    """Expire orders that never reached Stripe within a day; returns how many. In the open transaction."""
    stale = db.session.scalars(
        select(Order)
        .where(Order.status == "added_2_cart", Order.created_at < clock.now() - ABANDONED_AFTER)
        .limit(500)
        .with_for_update(skip_locked=True)
    ).all()
    for order in stale:
        expire(order, cause="never reached the payment page", actor="clock")
    return len(stale)


def _end(order: Order, status: str, *, cause: str, actor: str, event_id: str | None = None) -> bool:
    if not _allowed(order, status):
        return False
    _move(order, status, cause=cause, actor=actor, event_id=event_id)
    return True


def _allowed(order: Order, status: str) -> bool:
    return order.status in LEGAL[status]


def _move(order: Order, status: str, *, cause: str, actor: str, event_id: str | None = None) -> None:
    record_move("order", order.id, order.status, status, cause=cause, actor=actor, event_id=event_id)
    order.status = status
