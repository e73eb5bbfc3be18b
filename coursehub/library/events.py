"""Facts about what people own, and what is to be done with their own files."""

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


@event("library.file.inspect.request")
class FileInspectRequested(Event):
    """A person's own PDF lies raw in storage: look at it, clean it. `sha256` is what was received."""

    file_id: UUID
    key: str
    sha256: str


@event("library.file.pages.request")
class FilePagesRequested(Event):
    """Draw pages `first` to `last` of a ready private file; whoever has drawn them asks for the next ones."""

    file_id: UUID
    first: int
    last: int
