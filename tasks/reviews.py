"""facts.q: what follows from reviews, and from rights that reviews rest on."""

from uuid import UUID

from coursehub.entitlements.events import AccessChanged
from coursehub.kernel.db import transaction
from coursehub.kernel.outbox import claim_effect
from coursehub.reviews import notices, statistics
from coursehub.reviews.events import ReviewAnswered, ReviewRemoved, ReviewWritten
from tasks.runtime import on


@on("review.written", max_retries=5)
def review_written(event: ReviewWritten, event_id: UUID) -> None:
    """The creator is told."""
    with transaction():
        if claim_effect(event_id, "review.written"):
            notices.tell_author(event.review_id)


@on("review.answered", max_retries=5)
def review_answered(event: ReviewAnswered, event_id: UUID) -> None:
    """The writer of the review is told."""
    with transaction():
        if claim_effect(event_id, "review.answered"):
            notices.tell_reviewer(event.review_id)


@on("review.removed", max_retries=3)
def review_removed(event: ReviewRemoved, event_id: UUID) -> None:
    """Nothing follows but the record: the figures changed with the row."""
    with transaction():
        claim_effect(event_id, "review.removed")


@on("customer.access_changed", max_retries=8)
def access_changed(event: AccessChanged, event_id: UUID) -> None:
    """A review leaves the figures with the right it rests on, and comes back with it."""
    with transaction():
        if claim_effect(event_id, "customer.access_changed"):
            statistics.follow_rights(event.customer_id, [event.course_id])
