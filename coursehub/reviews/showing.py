"""The reviews of a course as one visitor sees them: what all say, what they said, what they may do."""

from dataclasses import dataclass

from coursehub.accounts.models import Customer
from coursehub.courses.models import Course
from coursehub.kernel.pagination import Page
from coursehub.reviews import policies, queries
from coursehub.reviews.queries import Read, Summary


@dataclass(frozen=True)
class Section:
    """One page of a course's reviews with everything around it; `mine` stands apart and is not in the page."""

    summary: Summary
    page: Page[Read]
    mine: Read | None
    may_write: bool
    may_answer: bool
    is_first: bool


def section(course: Course, visitor: Customer | None, cursor: str | None = None) -> Section:
    """The section for this visitor: a fixed number of queries, whatever the number of reviews. Raises Invalid."""
    may_write = policies.may_review(visitor, course)
    written = queries.of_person(visitor.id, course.id) if visitor is not None and may_write else None
    mine = queries.one(course, written.id) if written is not None and written.counts else None
    return Section(
        summary=queries.summary(course),
        page=queries.page(course.id, cursor, without=mine.customer_id if mine else None)
        if course.rating_count
        else Page([]),
        mine=mine,
        may_write=may_write,
        may_answer=policies.may_answer(visitor, course),
        is_first=not cursor,
    )
