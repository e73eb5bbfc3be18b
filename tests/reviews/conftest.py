"""A course of Ada's that Ben has bought, and ways to speak of it."""

from typing import Any

import pytest

from coursehub.accounts.models import Customer
from coursehub.courses.models import Course
from coursehub.kernel.db import db
from tests.factories import a_course, a_purchase


@pytest.fixture
def course(ada: Customer) -> Course:
    return a_course(by=ada, title="Quiet Typography")


@pytest.fixture
def bens_purchase(course: Course, ben: Customer) -> Any:
    return a_purchase(course, by=ben)


def figures(course: Course) -> tuple[int, int, float]:
    """Sum, number and score as they stand on the course's row."""
    db.session.rollback()
    row = db.session.get_one(Course, course.id, populate_existing=True)
    return row.rating_sum, row.rating_count, row.rating_score
