"""Facts about rights."""

from uuid import UUID

from coursehub.kernel.events import Event, event


@event("customer.access_changed")
class AccessChanged(Event):
    """Somebody's right to a course was suspended, restored or revoked; `access` is what it became."""

    customer_id: UUID
    course_id: UUID
    purchase_id: UUID
    access: str
