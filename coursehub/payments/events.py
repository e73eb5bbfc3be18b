"""Facts about payments."""

from uuid import UUID

from coursehub.kernel.events import Event, event


@event("stripe.event.received")
class StripeEventReceived(Event):
    """A verified webhook was stored and waits to be applied."""

    receipt_id: UUID
    stripe_event_id: str
    stripe_event_type: str


@event("payment.succeeded")
class PaymentSucceeded(Event):
    """The money for an order is captured (or none was due)."""

    order_id: UUID
    payment_intent_id: str | None
    amount_cents: int
    currency: str
