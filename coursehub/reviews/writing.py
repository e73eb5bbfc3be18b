"""Writing a review, changing it, taking it back; and the creator's reply to it."""

import unicodedata

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from coursehub.accounts.models import Customer
from coursehub.courses.models import Course
from coursehub.entitlements import access
from coursehub.kernel import clock
from coursehub.kernel.db import db
from coursehub.kernel.errors import Invalid, NotAllowed
from coursehub.kernel.events import record
from coursehub.kernel.ids import new_id
from coursehub.reviews import policies, queries, statistics
from coursehub.reviews.events import ReviewAnswered, ReviewRemoved, ReviewWritten
from coursehub.reviews.models import STARS, Review

LONGEST = 5000  # characters, of a review as of a reply


def write(person: Customer, course: Course, rating: int, text: str) -> Review:
    """Say what one thinks of a course, or say it anew: each buyer has one review of it. In the open transaction.

    Raises NotAllowed for whoever has not bought it, Invalid with the field to blame.
    """
    if rating not in STARS:
        raise Invalid("Choose between one and five stars.", field="rating")
    cleaned = _cleaned(text, "text")
    statistics.lock(course.id)
    purchase = access.purchase_of(person.id, course.id) if policies.may_review(person, course) else None
    if purchase is None:
        raise NotAllowed(_why_not(person, course))
    values = {"rating": rating, "text": cleaned, "purchase_id": purchase.id}
    before = queries.of_person(person.id, course.id)
    if before is not None and (before.rating, before.text, before.counts) == (rating, cleaned, True):
        return before
    row = insert(Review).values(id=new_id(), customer_id=person.id, course_id=course.id, counts=True, **values)
    row = row.on_conflict_do_update(
        index_elements=["customer_id", "course_id"], set_=values | {"counts": True, "edited_at": clock.now()}
    )
    db.session.execute(row)
    statistics.add_up(course.id)
    review = _of(person, course)
    record(
        ReviewWritten(
            review_id=review.id,
            course_id=course.id,
            customer_id=person.id,
            rating=rating,
            edited=review.edited_at is not None,
        )
    )
    return review


def remove(person: Customer, review: Review) -> None:
    """Take one's own review back, the reply to it with it; a second time changes nothing. Raises NotAllowed."""
    if review.customer_id != person.id:
        raise NotAllowed("Only the person who wrote a review may remove it.")
    statistics.lock(review.course_id)
    gone = db.session.execute(delete(Review).where(Review.id == review.id).returning(Review.id)).first()
    if gone is None:
        return
    statistics.add_up(review.course_id)
    record(
        ReviewRemoved(
            review_id=review.id, course_id=review.course_id, customer_id=review.customer_id, rating=review.rating
        )
    )


def reply(person: Customer, course: Course, review: Review, text: str) -> Review:
    """Answer a review of one's own course, or answer it anew; in the open transaction. Raises NotAllowed, Invalid."""
    _refuse_other_than_author(person, course)
    cleaned = _cleaned(text, "reply")
    if not cleaned:
        raise Invalid("Write your reply.", field="reply")
    statistics.lock(course.id)
    review = queries.get(course, review.id)
    if review.reply == cleaned:
        return review
    review.reply, review.replied_at = cleaned, clock.now()
    record(ReviewAnswered(review_id=review.id, course_id=course.id, customer_id=review.customer_id))
    return review


def remove_reply(person: Customer, course: Course, review: Review) -> Review:
    """Take the answer back. Raises NotAllowed."""
    _refuse_other_than_author(person, course)
    statistics.lock(course.id)
    review = queries.get(course, review.id)
    review.reply, review.replied_at = "", None
    return review


def _of(person: Customer, course: Course) -> Review:
    return db.session.scalars(
        select(Review)
        .where(Review.customer_id == person.id, Review.course_id == course.id)
        .execution_options(populate_existing=True)
    ).one()


def _refuse_other_than_author(person: Customer, course: Course) -> None:
    if not policies.may_answer(person, course):
        raise NotAllowed("Only the creator of a course answers its reviews.")


def _why_not(person: Customer, course: Course) -> str:
    if course.author_id == person.id:
        return "This is your own course: its readers review it."
    if not person.email_verified:
        return "Please confirm your e-mail address before you write a review."
    if person.status != "active":
        return "This account may not write reviews at present."
    return "Only people who own this course can review it."


def _cleaned(text: str, field: str) -> str:
    """`text` on clean lines. Raises Invalid for what cannot be stored or steers other people's screens."""
    cleaned = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
    if len(cleaned) > LONGEST:
        raise Invalid(f"At most {LONGEST:,} characters fit here; this has {len(cleaned):,}.", field=field)
    turning = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    if any((unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\t") or char in turning for char in cleaned):
        raise Invalid("This contains a character that cannot be used here.", field=field)
    return cleaned
