"""What the reviews of a course come to: which of them count, their sum and number, the score that lists sort by.

Every change of a review takes the course's lock first and adds up before it commits, so the figures on the course are
those of its rows at every moment.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update

from coursehub.courses import queries as courses
from coursehub.courses.models import Course
from coursehub.entitlements.models import Purchase
from coursehub.kernel.db import db
from coursehub.reviews.models import Review

# The Bayesian mean: as if every course had ten ratings of 3.9 to begin with, so that one five does not lead the shop.
PRIOR_COUNT = 10
PRIOR_MEAN = 3.9


def score(total: int, count: int) -> float:
    """The score of `count` ratings that sum up to `total`."""
    return (PRIOR_COUNT * PRIOR_MEAN + total) / (PRIOR_COUNT + count)


def lock(course_id: UUID) -> Course:
    """The course, locked until the transaction ends: its reviews change one after the other. Raises NotFound."""
    return courses.lock(course_id)


def add_up(course_id: UUID) -> None:
    """Write the figures of the course anew from the reviews that count, in the open transaction."""
    course = lock(course_id)
    counted = select(func.coalesce(func.sum(Review.rating), 0), func.count()).where(
        Review.course_id == course_id, Review.counts
    )
    total, count = db.session.execute(counted).one()
    db.session.execute(
        update(Course)
        .where(Course.id == course_id)
        # A rating is no edit of the course: its date stays.
        .values(rating_sum=total, rating_count=count, rating_score=score(total, count), updated_at=Course.updated_at)
        .execution_options(synchronize_session=False)
    )
    db.session.refresh(course)


def recount(course_id: UUID) -> None:
    """See for every review of the course whether its writer still has it, then add up; safe to run twice."""
    lock(course_id)
    _judge(Review.course_id == course_id)
    add_up(course_id)


def follow_rights(customer_id: UUID, course_ids: list[UUID]) -> None:
    """This person's right to these courses has begun, ended or come back: so does what they said of them."""
    reviewed = select(Review.course_id).where(Review.customer_id == customer_id, Review.course_id.in_(course_ids))
    for course_id in sorted(db.session.scalars(reviewed)):
        lock(course_id)
        _judge((Review.course_id == course_id) & (Review.customer_id == customer_id))
        add_up(course_id)


def _judge(which: Any) -> None:
    """A review counts while its writer holds a living right that was not given back for its money."""
    living = (
        select(Purchase.id)
        .where(
            Purchase.customer_id == Review.customer_id,
            Purchase.course_id == Review.course_id,
            Purchase.access != "revoked",
            Purchase.refund_status != "refunded",
        )
        .limit(1)
        .scalar_subquery()
    )
    db.session.execute(
        update(Review)
        .where(which)
        .values(purchase_id=func.coalesce(living, Review.purchase_id), counts=living.is_not(None))
        .execution_options(synchronize_session=False)
    )
