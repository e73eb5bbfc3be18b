"""Facts about orders."""

from uuid import UUID

from coursehub.kernel.events import Event, event


@event("order.started")
class OrderStarted(Event):
    """A Checkout Session is open for the order."""

    order_id: UUID
    customer_id: UUID
    status: str
    stripe_checkout_session_id: str


@event("order.expired")
class OrderExpired(Event):
    """Nobody paid in time."""

    order_id: UUID
    customer_id: UUID


@event("order.downloaded")
class OrderDownloaded(Event):
    """The first download of the order was granted."""

    order_id: UUID
    customer_id: UUID
