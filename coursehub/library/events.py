"""Facts about what people own."""

from uuid import UUID

from pydantic import BaseModel

from coursehub.kernel.events import Event, event

FULFILLMENT_EMAIL = "purchase.fulfill.email"  # the purpose its address is sealed for


class FulfilledItem(BaseModel):
    """One course to hand over, in the version that was bought."""

    course_id: UUID
    version_id: UUID


@event("purchase.fulfill")
class FulfillmentRequested(Event):
    """A paid order wants its receipt. The buyer's address is sealed: it is read only where the mail is made."""

    order_id: UUID
    items: tuple[FulfilledItem, ...]
    email: str
