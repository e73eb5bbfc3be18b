"""order.lifecycle.q: a stored webhook is applied from what Stripe says now."""

from uuid import UUID

from coursehub.infra.services import services
from coursehub.kernel.db import release, transaction
from coursehub.kernel.outbox import claim_effect
from coursehub.payments import receipts, stripe_events
from coursehub.payments.events import StripeEventReceived
from tasks.runtime import on


@on("stripe.event.received", max_retries=8)
def stripe_event_received(event: StripeEventReceived, event_id: UUID) -> None:
    """Refetch outside any transaction, then apply in one."""
    receipt = receipts.find(event.receipt_id)
    if receipt is None or receipts.is_settled(receipt):
        with transaction():
            claim_effect(event_id, "stripe.event.received")
        return
    received = stripe_events.read(receipt)
    release()
    finding = stripe_events.look_up(received, services().gateway)
    with transaction():
        # No claim decides here: applying is idempotent, and two different events may mean one payment.
        claim_effect(event_id, "stripe.event.received")
        stripe_events.apply(received, finding)
