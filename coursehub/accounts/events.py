"""Facts about people that others act on."""

from uuid import UUID

from coursehub.kernel.events import Event, event


@event("customer.registered")
class CustomerRegistered(Event):
    """Somebody made an account; its address is not confirmed yet."""

    customer_id: UUID
