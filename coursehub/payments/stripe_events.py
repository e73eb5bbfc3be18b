"""What a Stripe event means: the object is refetched, then one transaction applies what Stripe says now."""

from dataclasses import dataclass
from uuid import UUID

from coursehub.infra.payments import Checkout, NoSuchObject, PaymentGateway
from coursehub.kernel.ids import parse_id
from coursehub.orders import lifecycle, queries
from coursehub.payments import confirmation, receipts
from coursehub.payments.models import WebhookReceipt

_SESSION = (
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
)
_INTENT = ("payment_intent.succeeded",)


@dataclass(frozen=True)
class Received:
    """What a stored event is about, as plain values: they outlive the transaction that read them."""

    receipt_id: UUID
    event_id: str
    event_type: str
    object_id: str


@dataclass(frozen=True)
class Finding:
    """What Stripe says now: a session, or why there is none."""

    checkout: Checkout | None
    status: str | None = None  # how to settle the receipt when there is no session
    error: str | None = None


def read(receipt: WebhookReceipt) -> Received:
    """The values of a stored event."""
    return Received(receipt.id, receipt.event_id, receipt.event_type, receipt.object_id)


def look_up(receipt: Received, gateway: PaymentGateway) -> Finding:
    """Refetch what the event is about; outside any transaction. Raises Unavailable when Stripe does not answer."""
    try:
        if receipt.event_type in _SESSION:
            return Finding(gateway.get_checkout(receipt.object_id))
        if receipt.event_type in _INTENT:
            checkout = gateway.checkout_of_intent(receipt.object_id)
            return Finding(checkout) if checkout else Finding(None, "ignored", "not from a checkout of ours")
    except NoSuchObject:
        return Finding(None, "failed", "Stripe does not know this object")
    return Finding(None, "ignored")


def apply(receipt: Received, finding: Finding) -> None:
    """Write down what follows; in the open transaction. Safe to run twice."""
    if finding.checkout is None:
        receipts.settle(receipt.receipt_id, finding.status or "ignored", finding.error)
        return
    checkout = finding.checkout
    order_id = _order_of(checkout)
    if order_id is None:
        # It may be on its way: the session can be paid before our own transaction has committed.
        receipts.settle(receipt.receipt_id, "deferred", "no such order yet")
        return
    cause = receipt.event_type
    if cause == "checkout.session.async_payment_failed" and not checkout.is_paid:
        order = lifecycle.locked(order_id)
        if order.stripe_checkout_session_id == checkout.session_id:
            lifecycle.fail(order, cause=cause, actor="stripe", event_id=receipt.event_id)
    else:
        confirmation.settle(order_id, checkout, cause=cause, actor="stripe", event_id=receipt.event_id)
    receipts.settle(receipt.receipt_id, "applied")


def _order_of(checkout: Checkout) -> UUID | None:
    order_id = parse_id(checkout.order_id or "")
    return order_id if order_id is not None and queries.find(order_id) is not None else None
