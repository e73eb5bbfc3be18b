"""A course that staff took down: its author reads why and cannot put it back; staff can."""

from typing import Any

import pytest

from coursehub.accounts.models import Customer
from coursehub.courses import publishing, queries, versions
from coursehub.courses.models import Course
from coursehub.courses.publishing import TakenDown
from coursehub.kernel.db import db, transaction
from coursehub.kernel.errors import Conflict, NotAllowed
from tests.api.program import Program
from tests.browser import Browser
from tests.factories import a_course, a_purchase, a_version

WHY = "Copied from a book"


@pytest.fixture
def course(ada: Customer, root: Customer) -> Course:
    course = a_course(by=ada, title="Quiet Typography")
    with transaction():
        publishing.take_down(course, root, WHY)
    return course


def status_of(course: Course) -> str:
    db.session.rollback()
    return queries.get(course.id).status


@pytest.mark.parametrize("status", publishing.FOR_SALE)
def test_ada_reads_why_and_cannot_put_it_back(browser: Browser, ada: Customer, course: Course, status: str) -> None:
    adas = browser.as_(ada)
    page = adas.get(f"/studio/courses/{course.id}/publish").expect(200).says("Taken down by our staff", WHY)
    page.is_silent_about('value="published"', 'value="unlisted"')
    adas.post(f"/studio/courses/{course.id}/status", {"status": status}).expect(403).says(WHY)
    assert status_of(course) == "archived"


def test_a_program_cannot_put_it_back_either(app: Any, ada: Customer, course: Course) -> None:
    problem = Program(app).as_(ada).put(f"/courses/{course.id}", {"status": "published"}).expect(403).json
    assert WHY in problem["detail"]
    assert status_of(course) == "archived"


def test_not_even_staff_without_lifting_it_first(root: Customer, course: Course) -> None:
    with pytest.raises(TakenDown), transaction():
        publishing.publish(course, root)


def test_what_buyers_have_stays_and_gets_no_new_version(
    browser: Browser, ada: Customer, ben: Customer, course: Course
) -> None:
    purchase = a_purchase(course, by=ben)
    browser.as_(ben).get(f"/library/{purchase.id}").expect(200)
    second = a_version(course, number=2)
    second.released_at = None  # type: ignore[assignment]
    with transaction() as session:
        session.add(second)
    with pytest.raises(NotAllowed, match=WHY), transaction():
        versions.make_current(second)


def test_it_may_be_mended_and_is_let_back_by_staff(
    browser: Browser, ada: Customer, root: Customer, course: Course
) -> None:
    roots, page = browser.as_(root), f"/admin/courses/{course.id}"
    roots.get(page).says("Taken down", WHY, "Let it back")
    roots.post(f"{page}/takedown-removals", {"takedown-reason": ""}).expect(422)
    roots.post(f"{page}/takedown-removals", {"takedown-reason": "She has the rights"}).expect(303)
    roots.get(page).says("She has the rights")
    roots.post(f"{page}/takedown-removals", {"takedown-reason": "She has the rights"}).expect(409)
    assert status_of(course) == "archived", "it is for its author to publish it again"
    browser.as_(ada).post(f"/studio/courses/{course.id}/status", {"status": "published"}).expect(303)
    assert status_of(course) == "published"


def test_unpublishing_in_time_is_no_way_out(ada: Customer, root: Customer) -> None:
    course = a_course(by=ada)
    with transaction():
        publishing.unpublish(course, ada)
    with transaction():
        publishing.take_down(course, root, WHY)
    assert status_of(course) == "draft"
    with pytest.raises(TakenDown), transaction():
        publishing.publish(course, ada)


def test_what_was_never_sold_is_not_taken_down_and_nothing_twice(ada: Customer, root: Customer, course: Course) -> None:
    for one in (a_course(by=ada, status="draft"), course):
        with pytest.raises(Conflict), transaction():
            publishing.take_down(one, root, WHY)


def test_two_takedowns_at_once_are_one(ada: Customer, root: Customer, together: Any) -> None:
    course_id, root_id = a_course(by=ada).id, root.id

    def take_down(_number: int) -> None:
        with transaction() as session:
            publishing.take_down(queries.get(course_id), session.get_one(Customer, root_id), WHY)

    results = together(4, take_down)
    assert sorted(type(result).__name__ for result in results) == ["Conflict", "Conflict", "Conflict", "NoneType"]
