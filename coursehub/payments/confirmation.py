"""The one way an order becomes paid: webhook, return page, reconciliation and free orders all end in `confirm`."""

import logging
from uuid import UUID

from coursehub.accounts.models import Customer
from coursehub.audit import records
from coursehub.entitlements import grants
from coursehub.infra.payments import Checkout
from coursehub.kernel.db import db
from coursehub.kernel.encryption import seal_text
from coursehub.kernel.events import record
from coursehub.library.events import FULFILLMENT_EMAIL, FulfilledItem, FulfillmentRequested
from coursehub.orders import lifecycle, queries
from coursehub.orders.models import Order
from coursehub.payments.events import PaymentSucceeded

log = logging.getLogger(__name__)


def confirm(order_id: UUID, checkout: Checkout | None, *, cause: str, actor: str, event_id: str | None = None) -> bool:
    """Make the order paid if Stripe says so: status, purchases with rights and licences, and the facts, in one go.

    `checkout` is the session just refetched from Stripe, None only for an order of nothing. Safe to call any number
    of times, from anywhere, at once: the locked row lets one caller through. Money that does not fit the order gives
    no right and flags the order for a person. Returns whether this call made the order paid. In the open transaction.
    """
    order = lifecycle.locked(order_id)
    if checkout is None:
        if order.total_cents != 0:
            return False
    elif not checkout.is_paid:
        return False
    elif order.is_paid:
        _notice_again(order, checkout)
        return False
    else:
        mismatch = _mismatch(order, checkout)
        if mismatch:
            _flag(order, mismatch)
            return False

    if not lifecycle.mark_paid(order, cause=cause, actor=actor, event_id=event_id):
        return False
    if checkout is not None:
        order.stripe_payment_intent_id = checkout.payment_intent_id
        order.stripe_checkout_session_id = checkout.session_id
        order.receipt_url = checkout.receipt_url
        order.tax_cents = checkout.tax_cents
    items = queries.items_of(order.id)
    for item in items:
        purchase = grants.grant(
            order.id,
            order.customer_id,
            item.course_id,
            item.version_id_snapshot,
            reason="paid" if order.total_cents else "free",
            actor=actor,
        )
        if purchase.access == "revoked" and purchase.access_reason == "duplicate":
            _flag(order, f"course {item.course_id} was owned already: refund this line")
    record(
        PaymentSucceeded(
            order_id=order.id,
            payment_intent_id=order.stripe_payment_intent_id,
            amount_cents=order.total_cents,
            currency=order.currency,
        )
    )
    record(
        FulfillmentRequested(
            order_id=order.id,
            email=seal_text(db.session.get_one(Customer, order.customer_id).email, FULFILLMENT_EMAIL),
            items=tuple(FulfilledItem(course_id=i.course_id, version_id=i.version_id_snapshot) for i in items),
        )
    )
    return True


def settle(order_id: UUID, checkout: Checkout, *, cause: str, actor: str, event_id: str | None = None) -> bool:
    """Bring the order to where its session is: paid, expired, or still open. Returns whether anything changed."""
    if checkout.is_paid:
        return confirm(order_id, checkout, cause=cause, actor=actor, event_id=event_id)
    if checkout.status == "expired":
        order = lifecycle.locked(order_id)
        # An older attempt's session may expire while the order is being paid through a newer one.
        if order.stripe_checkout_session_id == checkout.session_id:
            return lifecycle.expire(order, cause=cause, actor=actor, event_id=event_id)
    return False


def _mismatch(order: Order, checkout: Checkout) -> str | None:
    if checkout.order_id != str(order.id):
        return f"session {checkout.session_id} belongs to another order"
    if checkout.customer_id != str(order.customer_id):
        return f"session {checkout.session_id} was opened for another person"
    if (checkout.currency, checkout.amount_total) != (order.currency, order.total_cents):
        return (
            f"session {checkout.session_id} took {checkout.amount_total} {checkout.currency} "
            f"instead of {order.total_cents} {order.currency}"
        )
    return None


def _notice_again(order: Order, checkout: Checkout) -> None:
    if checkout.session_id != order.stripe_checkout_session_id:
        _flag(order, f"paid twice: refund session {checkout.session_id}")
    elif order.receipt_url is None and checkout.receipt_url is not None:
        order.receipt_url = checkout.receipt_url


def _flag(order: Order, why: str) -> None:
    if order.flag and why in order.flag:
        return
    order.flag = f"{order.flag}; {why}" if order.flag else why
    log.error("order.flagged", extra={"order_id": str(order.id)})
    records.write(None, "order.flagged", "order", str(order.id), reason=why)
