"""Asking Stripe about orders whose end we have not heard: missed webhooks heal by themselves."""

import logging
from datetime import timedelta
from uuid import UUID

from sqlalchemy import or_, select, update

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
# A payment may still arrive for an order that just ended.
ASK_ENDED = timedelta(hours=48)
BATCH = 200


def open_orders() -> list[tuple[UUID, str]]:
    """Orders whose end we have not heard, and their sessions: (order id, session id).

    Those at the payment page come first, then those that ended lately; within both, whoever was asked about longest
    ago. Taking them notes that they are asked about now, so a long list is worked off. In the open transaction.
    """
    now = clock.now()
    waiting = Order.status == "purchase_started"
    recently_ended = Order.status.in_(["canceled", "expired", "failed"]) & (Order.updated_at > now - ASK_ENDED)
    rows = db.session.execute(
        select(Order.id, Order.stripe_checkout_session_id)
        .where(
            or_(waiting, recently_ended),
            Order.updated_at < now - ASK_AFTER,
            Order.created_at > now - ASK_UNTIL,
            Order.stripe_checkout_session_id.is_not(None),
            Order.flag.is_(None),
        )
        .order_by(waiting.desc(), Order.asked_at.asc().nulls_first(), Order.id)
        .limit(BATCH)
    ).all()
    db.session.execute(
        update(Order)
        .where(Order.id.in_([order_id for order_id, _ in rows]))
        .values(asked_at=now, updated_at=Order.updated_at)
        .execution_options(synchronize_session=False)
    )
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
    with transaction():
        rows = open_orders()
    changed = 0
    for order_id, session_id in rows:
        try:
            changed += reconcile(order_id, session_id, gateway)
        except Unavailable:
            log.warning("reconcile.stopped", extra={"changed": changed, "of": len(rows)})
            break
        except Exception:
            # One order must not keep the others from being asked about.
            log.exception("reconcile.failed", extra={"order_id": str(order_id)})
    return changed
