"""facts.q: what happened in the shop, for whoever wants to know; our own part of it follows here."""

from uuid import UUID

from coursehub.accounts.events import CustomerRegistered, CustomerRenamed
from coursehub.courses import search_text
from coursehub.courses.events import CoursePublished, VersionPublished
from coursehub.kernel.db import transaction
from coursehub.kernel.outbox import claim_effect
from tasks.runtime import on


@on("customer.registered", max_retries=3)
def customer_registered(event: CustomerRegistered, event_id: UUID) -> None:
    """Nothing follows but the record: the mail was asked for in the transaction that made the account."""
    with transaction():
        claim_effect(event_id, "customer.registered")


@on("customer.renamed", max_retries=3)
def customer_renamed(event: CustomerRenamed, event_id: UUID) -> None:
    """Search finds an author's courses by the name of now, whichever of two changes is handled last."""
    with transaction():
        if claim_effect(event_id, "customer.renamed"):
            search_text.reindex_author(event.customer_id)


@on("course.published", max_retries=3)
def course_published(event: CoursePublished, event_id: UUID) -> None:
    """Nothing follows but the record: search knew the course before its publisher got an answer."""
    with transaction():
        claim_effect(event_id, "course.published")


@on("course.version.published", max_retries=3)
def version_published(event: VersionPublished, event_id: UUID) -> None:
    """Nothing follows but the record: the library shows the newest version by itself."""
    with transaction():
        claim_effect(event_id, "course.version.published")
