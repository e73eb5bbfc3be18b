"""A banned author's courses are not sold; what their buyers have, and what the banned bought, stays."""

from typing import Any

import pytest
from flask import Flask

from coursehub.accounts import policies
from coursehub.accounts.models import Customer
from coursehub.cart import basket
from coursehub.catalog import search, shelves
from coursehub.courses import publishing, queries, versions
from coursehub.courses.models import Course
from coursehub.kernel.db import transaction
from coursehub.kernel.errors import Conflict, Invalid, NotAllowed
from tests.api.program import Program
from tests.browser import Browser
from tests.factories import a_course, a_purchase, a_version
from tests.people import a_person


def ban(person: Customer) -> None:
    with transaction() as session:
        session.get_one(Customer, person.id).status = "banned"


@pytest.fixture
def course(ada: Customer) -> Course:
    return a_course(by=ada, title="Quiet Typography", price=1900)


def test_a_ban_takes_the_powers_of_a_role(root: Customer, ada: Customer) -> None:
    assert policies.is_admin(root) and policies.is_creator(root) and policies.is_creator(ada)
    ban(root)
    ban(ada)
    assert not (root.is_admin or root.is_creator or ada.is_creator)
    assert (root.role, ada.role) == ("admin", "creator")


def test_lists_search_and_shelves_show_nothing_of_the_banned(browser: Browser, ada: Customer, course: Course) -> None:
    a_course(by=a_person("Carl Dent", role="creator"), title="Loud Typography")
    browser.get("/courses?q=typography").says("Quiet Typography", "Loud Typography")
    ban(ada)
    for path in ("/", "/courses", "/courses?q=typography"):
        browser.get(path).expect(200).says("Loud Typography").is_silent_about("Quiet Typography")
    assert search.find(search.Filters(category="design")).total == 1
    assert [subject.count for subject in shelves.subjects()] == [1]
    browser.get(f"/creators/{ada.id}").expect(404)


def test_the_page_says_that_it_is_not_sold(browser: Browser, ada: Customer, cleo: Customer, course: Course) -> None:
    a_purchase(course, by=cleo)
    browser.get(f"/courses/{course.slug}").says("Add to cart")
    ban(ada)
    page = browser.get(f"/courses/{course.slug}").expect(200).says("Not sold at present")
    page.is_silent_about("Add to cart")
    assert "noindex" in page.text
    browser.as_(cleo).get(f"/courses/{course.slug}").expect(200).says("In your library", "Read")
    browser.as_(cleo).get("/library").expect(200).says("Quiet Typography")


def test_it_goes_into_no_cart_and_is_in_trouble_in_one(
    app: Flask, browser: Browser, ada: Customer, ben: Customer, cleo: Customer, course: Course
) -> None:
    cleos = Program(app).as_(cleo)
    with transaction():
        basket.add(basket.of_customer(ben.id), queries.get(course.id), ben)
    ban(ada)
    view = basket.view(basket.find(customer_id=ben.id), ben)
    assert [line.trouble for line in view.lines] == ["This course is not sold any more."]
    assert view.buyable == () and view.total.cents == 0
    with pytest.raises(Conflict, match="not sold"), transaction():
        basket.add(basket.of_customer(cleo.id), queries.get(course.id), cleo)
    bens = browser.as_(ben)
    assert "Stripe" not in bens.post("/checkout", {"total_cents": "1900"}).location
    cleos.post("/cart/items", {"course_id": str(course.id)}).expect(409)


def test_the_banned_publish_nothing(app: Flask, browser: Browser, ada: Customer, root: Customer) -> None:
    course = a_course(by=ada)
    with transaction() as session:
        second = a_version(course, number=2)
        session.add(second)
    draft = a_course(by=ada, status="draft", title="Second thoughts")
    tokens = Program(app).as_(ada)
    ban(ada)
    with pytest.raises(Invalid, match="may not publish"), transaction():
        publishing.publish(queries.get(draft.id), root)
    with pytest.raises(NotAllowed, match="may not publish"), transaction():
        versions.make_current(second)
    tokens.post(f"/courses/{course.id}/versions", {}).expect(403)
    tokens.post(f"/courses/{course.id}/upload").expect(403)
    tokens.post("/courses", {"title": "A new one"}).expect(403)
    adas = browser.as_(ada)
    adas.post(f"/studio/courses/{course.id}/versions/{second.id}/release", {"changelog": "x"}).expect(403)
    assert queries.get(course.id).current_version_id == course.current_version_id


def test_what_the_banned_bought_stays(browser: Browser, ada: Customer, root: Customer) -> None:
    bought = a_course(by=a_person("Carl Dent", role="creator"), title="Loud Typography")
    a_purchase(bought, by=ada)
    ban(ada)
    browser.as_(ada).get("/library").expect(200).says("Loud Typography")


def test_a_ban_costs_the_lists_no_further_query(browser: Browser, queries: Any, ada: Customer, course: Course) -> None:
    browser.get("/courses")
    with queries() as one:
        browser.get("/courses")
    for _ in range(5):
        person: Any = a_person("Carl Dent", role="creator", email=f"carl{_}@example.com")
        a_course(by=person)
        ban(person)
    with queries() as many:
        browser.get("/courses")
    assert many.count == one.count


def test_a_creator_with_more_than_a_page_shows_the_rest_too(browser: Browser, ada: Customer) -> None:
    for number in range(61):
        a_course(by=ada, title=f"Course number {number:02}")
    first = browser.get(f"/creators/{ada.id}").expect(200).says("61 courses", "More courses")
    assert "Course number 00" not in first.visible
    onward = first.text.split(f'href="/creators/{ada.id}?cursor=')[1].split('"')[0]
    rest = browser.get(f"/creators/{ada.id}?cursor={onward}").expect(200).says("Course number 00")
    rest.is_silent_about("More courses", "Course number 01")
    assert browser.get(f"/creators/{ada.id}?cursor=nonsense").expect(303).location == f"/creators/{ada.id}"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "", {"title": "Renamed"}),
        ("PUT", "", {"status": "archived"}),
        ("POST", "/upload", None),
        ("POST", "/versions", {"changelog": "More"}),
    ],
)
def test_the_banned_change_nothing_by_program(
    app: Flask, ada: Customer, course: Course, method: str, path: str, body: dict[str, str] | None
) -> None:
    adas = Program(app).as_(ada)
    ban(ada)
    answer = (
        adas.ask(method, f"/courses/{course.id}{path}", json=body)
        if body
        else adas.ask(method, f"/courses/{course.id}{path}")
    )
    assert "may not sell" in answer.expect(403).json["detail"]
    adas.get(f"/courses/{course.id}").expect(200)


def test_the_banned_are_told_the_truth_in_the_studio(browser: Browser, ada: Customer, course: Course) -> None:
    adas = browser.as_(ada)
    ban(ada)
    for path in ("/studio/courses/new", f"/studio/courses/{course.id}/details"):
        adas.get(path).expect(403).says("may not sell").is_silent_about("one click")
    adas.get("/studio").expect(200).says("may not sell").is_silent_about('action="/account/creator"')
