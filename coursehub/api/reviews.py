"""Reviews: read by everyone, written by those who own the course."""

from typing import Any

from coursehub.api.blueprint import answer, caller, operation, visitor
from coursehub.api.review_schemas import ReviewBody, ReviewShown
from coursehub.api.schemas import CoursePath, Listed, ListQuery
from coursehub.courses import queries as courses
from coursehub.courses.models import Course
from coursehub.entitlements import access
from coursehub.kernel.db import transaction
from coursehub.kernel.errors import NotFound
from coursehub.reviews import queries, writing
from coursehub.web.limits import spend

TAG = "reviews"


@operation("get", "/courses/<uuid:course_id>/reviews", tag=TAG, answers={200: Listed[ReviewShown]}, needs="optional")
def list_reviews(path: CoursePath, query: ListQuery) -> Any:
    """The reviews of a course, newest first. Only those count whose writers still own it."""
    page = queries.page(_visible(path).id, query.cursor or None, limit=query.limit)
    return answer(Listed(items=[ReviewShown.of(read) for read in page.items], next_cursor=page.next_cursor))


@operation(
    "post",
    "/courses/<uuid:course_id>/reviews",
    tag=TAG,
    answers={200: ReviewShown, 201: ReviewShown},
)
def create_review(path: CoursePath, body: ReviewBody) -> Any:
    """Review a course you own: 201. Each person has one review of a course; a second call changes it: 200."""
    course = _visible(path)
    spend("review", f"customer {caller().id}")
    with transaction():
        review = writing.write(caller(), courses.get(course.id), body.rating, body.text)
    shown = ReviewShown.of(queries.one(course, review.id))
    return answer(shown, 201 if shown.edited_at is None else 200)


def _visible(path: CoursePath) -> Course:
    course = courses.get(path.course_id)
    if not access.may_see(visitor(), course):
        raise NotFound()
    return course
