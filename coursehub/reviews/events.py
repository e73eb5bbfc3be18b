"""Facts about reviews."""

from uuid import UUID

from coursehub.kernel.events import Event, event


@event("review.written")
class ReviewWritten(Event):
    """A buyer has reviewed a course; `edited`: has changed their review."""

    review_id: UUID
    course_id: UUID
    customer_id: UUID
    rating: int
    edited: bool


@event("review.removed")
class ReviewRemoved(Event):
    """A buyer has taken their review back."""

    review_id: UUID
    course_id: UUID
    customer_id: UUID
    rating: int


@event("review.answered")
class ReviewAnswered(Event):
    """The creator of a course has replied to a review, or changed the reply."""

    review_id: UUID
    course_id: UUID
    customer_id: UUID
