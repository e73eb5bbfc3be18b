"""Facts about people that others act on."""

from uuid import UUID

from coursehub.kernel.events import Event, event


@event("customer.registered")
class CustomerRegistered(Event):
    """Somebody made an account; its address is not confirmed yet."""

    customer_id: UUID


@event("customer.renamed")
class CustomerRenamed(Event):
    """Somebody goes by another name; whoever keeps the old one looks it up anew."""

    customer_id: UUID
