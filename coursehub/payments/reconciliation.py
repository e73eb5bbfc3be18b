"""Asking Stripe about orders whose end we have not heard: missed webhooks heal by themselves."""

import logging
from datetime import timedelta
from uuid import UUID

from sqlalchemy import or_, select

from coursehub.infra.payments import NoSuchObject, PaymentGateway
from coursehub.kernel import clock
from coursehub.kernel.db import db, transaction
from coursehub.kernel.errors import Unavailable
from coursehub.orders import lifecycle
from coursehub.orders.models import Order
from coursehub.payments import confirmation

log = logging.getLogger(__name__)
ASK_AFTER = timedelta(minutes=2)
# A session lives at most 24 h, a delayed method settles within days; after that only a person helps.
ASK_UNTIL = timedelta(days=14)
BATCH = 200


def open_orders() -> list[tuple[UUID, str]]:
    """Orders at the payment page (or just ended) and their sessions: (order id, session id), oldest first."""
    now = clock.now()
    recently_ended = Order.status.in_(["canceled", "expired", "failed"]) & (
        Order.updated_at > now - timedelta(hours=48)
    )
    rows = db.session.execute(
        select(Order.id, Order.stripe_checkout_session_id)
        .where(
            or_(Order.status == "purchase_started", recently_ended),
            Order.updated_at < now - ASK_AFTER,
            Order.created_at > now - ASK_UNTIL,
            Order.stripe_checkout_session_id.is_not(None),
        )
        .order_by(Order.updated_at)
        .limit(BATCH)
    ).all()
    return [(order_id, str(session_id)) for order_id, session_id in rows]


def reconcile(order_id: UUID, session_id: str, gateway: PaymentGateway, *, actor: str = "clock") -> bool:
    """Ask Stripe about one order and apply the answer in a transaction of its own. Returns whether it changed.

    This is the edge of the clock's and the operator's path, so it opens the transaction itself: Stripe is asked
    outside it.
    """
    try:
        checkout = gateway.get_checkout(session_id)
    except NoSuchObject:
        with transaction():
            return lifecycle.expire(lifecycle.locked(order_id), cause="Stripe does not know the session", actor=actor)
    with transaction():
        return confirmation.settle(order_id, checkout, cause="reconciled", actor=actor)


def reconcile_open_orders(gateway: PaymentGateway) -> int:
    """Ask about all of them; returns how many changed. Stops early, without harm, when Stripe is away."""
    changed = 0
    rows = open_orders()
    db.session.rollback()
    for order_id, session_id in rows:
        try:
            changed += reconcile(order_id, session_id, gateway)
        except Unavailable:
            log.warning("reconcile.stopped", extra={"left": len(rows)})
            break
    return changed
