"""Mails about reviews: the creator hears of the first word of each buyer, the buyer of the first answer."""

from uuid import UUID

from coursehub.accounts.models import Customer
from coursehub.courses.models import Course
from coursehub.kernel.db import db
from coursehub.mail import delivery
from coursehub.reviews.models import Review

# What a mail repeats of a text; the rest is read on the page.
EXCERPT = 600


def tell_author(review_id: UUID) -> None:
    """The creator learns of a new review: once for each buyer and course, whatever is changed or written again."""
    found = _with_people(review_id)
    if found is None:
        return
    review, course, reviewer, author = found
    delivery.request_email(
        "review_written",
        to=author.email,
        subject_key=f"{course.id} {reviewer.id}",
        customer_id=author.id,
        data={
            "name": author.name,
            "title": course.title,
            "reviewer": reviewer.name,
            "rating": review.rating,
            "text": _excerpt(review.text),
            "path": f"/courses/{course.slug}#review_{review.id}",
        },
    )


def tell_reviewer(review_id: UUID) -> None:
    """The writer of a review learns of the creator's answer: once, whatever is changed afterwards."""
    found = _with_people(review_id)
    if found is None or not found[0].reply:
        return
    review, course, reviewer, author = found
    delivery.request_email(
        "review_answered",
        to=reviewer.email,
        subject_key=str(review.id),
        customer_id=reviewer.id,
        data={
            "name": reviewer.name,
            "title": course.title,
            "author": author.name,
            "text": _excerpt(review.reply),
            "path": f"/courses/{course.slug}#review_{review.id}",
        },
    )


def _with_people(review_id: UUID) -> tuple[Review, Course, Customer, Customer] | None:
    """The review with its course, writer and author; None when it was removed or does not count meanwhile."""
    review = db.session.get(Review, review_id, populate_existing=True)
    if review is None or not review.counts:
        return None
    course = db.session.get_one(Course, review.course_id)
    return (
        review,
        course,
        db.session.get_one(Customer, review.customer_id),
        db.session.get_one(Customer, course.author_id),
    )


def _excerpt(text: str) -> str:
    return text if len(text) <= EXCERPT else text[:EXCERPT].rstrip() + " …"
