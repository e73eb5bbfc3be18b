"""The wishlist: the heart on a course's page and the list behind it."""

import re
from typing import Any

import pytest

from coursehub.accounts.models import Customer
from coursehub.catalog import wishlist
from coursehub.catalog.models import Wish
from coursehub.courses import drafting, publishing, queries
from coursehub.courses.models import Course
from coursehub.kernel.db import transaction
from coursehub.kernel.ids import new_id
from tests.browser import Browser
from tests.factories import a_course, a_purchase
from tests.payments.helpers import count


@pytest.fixture
def course(ada: Customer) -> Course:
    return a_course(by=ada, title="Quiet Typography")


def wish(browser: Browser, course: Course, **more: Any) -> Any:
    return browser.post("/wishlist", {"course_id": str(course.id)}, **more)


def test_the_heart_puts_it_on_the_list_and_takes_it_off(browser: Browser, course: Course, ben: Customer) -> None:
    bens, at = browser.as_(ben), f"/courses/{course.slug}"
    bens.get(at).says("Add to wishlist")
    part = wish(bens, course, htmx=True).expect(200).says("On your wishlist", "is on your wishlist.")
    assert part.text.lstrip().startswith('<div class="wish" id="wish">')
    bens.get(at).says("On your wishlist").is_silent_about("Add to wishlist")
    bens.get("/wishlist").expect(200).says("Quiet Typography", "Ada Brandt", "$19.00", "Add to cart")
    bens.post(f"/wishlist/{course.id}/removal", htmx=True).expect(200).says("Add to wishlist")
    bens.get("/wishlist").says("Your wishlist is empty", "Browse courses")


def test_without_javascript_one_comes_back_to_the_course(browser: Browser, course: Course, ben: Customer) -> None:
    bens = browser.as_(ben)
    assert wish(bens, course).expect(303).location == f"/courses/{course.slug}"
    bens.get(f"/courses/{course.slug}").says("“Quiet Typography” is on your wishlist.")
    assert bens.post(f"/wishlist/{course.id}/removal").expect(303).location == f"/courses/{course.slug}"


def test_a_stranger_signs_in_and_comes_back(browser: Browser, course: Course) -> None:
    page = browser.get(f"/courses/{course.slug}")
    assert f'href="/login?next=/courses/{course.slug}"' in page.text
    assert "/login" in browser.get("/wishlist").expect(303).location
    assert "/login" in wish(browser, course).expect(303).location
    assert wish(browser, course, htmx=True).expect(401).location.startswith("/login")
    assert count(Wish) == 0


def test_pressed_again_and_again_it_is_one_wish(browser: Browser, course: Course, ben: Customer) -> None:
    bens = browser.as_(ben)
    for _ in range(3):
        wish(bens, course).expect(303)
    assert count(Wish) == 1
    for _ in range(3):
        bens.post(f"/wishlist/{course.id}/removal").expect(303)
    assert count(Wish) == 0


def test_what_cannot_be_wished_for(
    browser: Browser, course: Course, ada: Customer, ben: Customer, cleo: Customer
) -> None:
    a_purchase(course, by=cleo)
    draft = a_course(by=ada, status="draft")
    wish(browser.as_(ada), course).expect(409).says("your own course")
    wish(browser.as_(cleo), course).expect(409).says("already in your library")
    bens = browser.as_(ben)
    wish(bens, draft).expect(404)
    bens.post("/wishlist", {"course_id": str(new_id())}).expect(404)
    bens.post("/wishlist", {"course_id": "nonsense"}).expect(422)
    bens.post("/wishlist", {}).expect(422)
    assert count(Wish) == 0


def test_a_wishlist_ends_somewhere(
    browser: Browser, ada: Customer, course: Course, ben: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wishlist, "MOST", 1)
    bens = browser.as_(ben)
    wish(bens, course).expect(303)
    wish(bens, a_course(by=ada, title="Another")).expect(409).says("A wishlist holds 1 courses")


def test_what_was_bought_or_withdrawn_leaves_the_list_and_what_is_not_sold_says_so(
    browser: Browser, ada: Customer, ben: Customer
) -> None:
    bought, withdrawn, archived = (a_course(by=ada, title=name) for name in ("Bought", "Withdrawn", "Archived"))
    bens = browser.as_(ben)
    for course in (bought, withdrawn, archived):
        wish(bens, course, htmx=True).expect(200)
    a_purchase(bought, by=ben)
    with transaction():
        publishing.unpublish(queries.get(withdrawn.id), ada)
        publishing.archive(queries.get(archived.id), ada)
    page = bens.get("/wishlist").expect(200).says("Archived", "Not sold at present")
    page.is_silent_about("Bought", "Withdrawn", "Add to cart")


def test_a_banned_creators_course_stays_but_is_not_sold(
    browser: Browser, course: Course, ada: Customer, ben: Customer
) -> None:
    bens = browser.as_(ben)
    wish(bens, course).expect(303)
    with transaction() as session:
        session.get_one(Customer, ada.id).status = "banned"
    bens.get("/wishlist").says("Quiet Typography", "Not sold at present")


def test_a_draft_that_was_wished_for_can_still_be_thrown_away(
    browser: Browser, course: Course, ada: Customer, ben: Customer
) -> None:
    wish(browser.as_(ben), course).expect(303)
    with transaction():
        publishing.unpublish(queries.get(course.id), ada)
    with transaction():
        drafting.destroy(queries.get(course.id))
    assert count(Wish) == 0


def test_the_list_offers_to_undo(browser: Browser, course: Course, ben: Customer) -> None:
    bens = browser.as_(ben)
    wish(bens, course)
    answer = bens.post(f"/wishlist/{course.id}/removal", {"list": "1"}, htmx=True).expect(200)
    answer.says("“Quiet Typography” was removed.", "Undo", "Your wishlist is empty")
    assert 'data-timeout="10000"' in answer.text
    again = bens.post("/wishlist", {"course_id": str(course.id), "undo": "1"}, htmx=True).expect(200)
    again.says("Quiet Typography", "again")
    assert '<div class="stack wishes" id="wishes"' in again.text
    assert bens.post(f"/wishlist/{course.id}/removal", {"list": "1"}).expect(303).location == "/wishlist"


def test_one_sees_ones_own_wishes_only(browser: Browser, course: Course, ben: Customer, cleo: Customer) -> None:
    wish(browser.as_(ben), course)
    cleos = browser.as_(cleo)
    cleos.get("/wishlist").is_silent_about("Quiet Typography")
    cleos.post(f"/wishlist/{course.id}/removal").expect(303)
    assert count(Wish) == 1


def test_a_long_list_comes_in_pages_at_the_same_cost(
    browser: Browser, ada: Customer, ben: Customer, queries: Any
) -> None:
    bens = browser.as_(ben)
    wish(bens, a_course(by=ada, title="Number 0"), htmx=True)
    bens.get("/wishlist")
    with queries() as one:
        bens.get("/wishlist")
    for number in range(1, 30):
        wish(bens, a_course(by=ada, title=f"Number {number}"), htmx=True)
    with queries() as many:
        first = bens.get("/wishlist").says("Number 29", "Number 6", "Next")
    assert many.count == one.count
    assert "Number 5 " not in first.visible
    onward = re.search(r'href="(/wishlist\?cursor=[^"]+)"', first.text)
    assert onward
    bens.get(onward[1]).expect(200).says("Number 5", "Number 0", "Back to the first page")
    assert bens.get("/wishlist?cursor=nonsense").expect(303).location == "/wishlist"
    part = bens.get("/wishlist", htmx=True).expect(200)
    assert part.text.lstrip().startswith('<div class="stack wishes" id="wishes"')
