"""The cart: guests have one, it merges at sign-in, it refuses with the reason, it never charges another price."""

import re
from typing import Any

import pytest
from sqlalchemy import func, select

from coursehub.cart import basket
from coursehub.cart.models import Cart, CartItem
from coursehub.courses.models import Course
from coursehub.kernel.db import db, transaction
from coursehub.kernel.ids import new_id
from tests.browser import Browser
from tests.factories import a_course, a_purchase
from tests.people import PASSWORD


def _items() -> int:
    return db.session.scalar(select(func.count()).select_from(CartItem)) or 0


def test_a_guest_adds_a_course_and_sees_it(browser: Browser, ada: Any) -> None:
    course = a_course(by=ada, title="Quiet Typography", price=1900)
    browser.post("/cart/items", {"course_id": course.id}, token=False).expect(303)
    browser.get("/cart").expect(200).says("Quiet Typography", "$19.00", "Sign in to buy")


def test_htmx_answers_with_badge_and_toast_only(browser: Browser, ada: Any) -> None:
    course = a_course(by=ada)
    answer = browser.post("/cart/items", {"course_id": course.id}, htmx=True, token=False).expect(200)
    assert 'id="cart-badge"' in answer.text
    assert "<html" not in answer.text
    answer.says("is in your cart")


def test_a_double_click_adds_once(browser: Browser, ada: Any) -> None:
    course = a_course(by=ada)
    for _ in range(3):
        browser.post("/cart/items", {"course_id": course.id}, token=False).expect(303)
    assert _items() == 1


def test_another_site_cannot_fill_a_cart(browser: Browser, ada: Any) -> None:
    course = a_course(by=ada)
    foreign = {"Sec-Fetch-Site": "cross-site"}
    browser.post("/cart/items", {"course_id": course.id}, token=False, headers=foreign).expect(403)
    bare = browser._ask("POST", "/cart/items", data={"course_id": course.id})
    bare.expect(403)
    evil = browser._ask(
        "POST", "/cart/items", data={"course_id": course.id}, headers={"Origin": "https://evil.example"}
    )
    evil.expect(403)
    assert _items() == 0


def test_nonsense_ids_are_told_apart(browser: Browser) -> None:
    browser.post("/cart/items", {"course_id": "not-an-id"}, token=False).expect(422)
    browser.post("/cart/items", {}, token=False).expect(422)
    browser.post("/cart/items", {"course_id": new_id()}, token=False).expect(404)


def test_own_owned_draft_and_archived_courses_refuse_with_the_reason(browser: Browser, ada: Any, ben: Any) -> None:
    own = a_course(by=ada, title="Mine")
    owned = a_course(by=ada, title="Bought")
    a_purchase(owned, by=ben)
    draft = a_course(by=ada, title="Secret", status="draft")
    gone = a_course(by=ada, title="Gone", status="archived")
    browser.as_(ada).post("/cart/items", {"course_id": own.id}).expect(409).says("your own course")
    bens = browser.as_(ben)
    bens.post("/cart/items", {"course_id": owned.id}).expect(409).says("already in your library")
    bens.post("/cart/items", {"course_id": draft.id}).expect(404).is_silent_about("Secret")
    bens.post("/cart/items", {"course_id": gone.id}).expect(409).says("not sold at the moment")
    assert _items() == 0


def test_two_currencies_do_not_share_a_cart(browser: Browser, ada: Any) -> None:
    browser.post("/cart/items", {"course_id": a_course(by=ada).id}, token=False)
    euro = a_course(by=ada, currency="EUR")
    browser.post("/cart/items", {"course_id": euro.id}, token=False).expect(409).says("Your cart is in USD")


def test_a_guests_cart_merges_at_sign_in_without_repeats(browser: Browser, ada: Any, ben: Any) -> None:
    both, guest_only, bens_only = a_course(by=ada), a_course(by=ada), a_course(by=ada)
    owned = a_course(by=ada)
    a_purchase(owned, by=ben)
    with transaction():
        cart = basket.of_customer(ben.id)
        basket.add(cart, both, ben)
        basket.add(cart, bens_only, ben)
    for course in (both, guest_only, owned):
        browser.post("/cart/items", {"course_id": course.id}, token=False).expect(303)
    browser.post("/login", {"email": "ben@example.com", "password": PASSWORD}).expect(303)
    with transaction():
        lines = basket.view(basket.of_customer(ben.id), ben).lines
    assert {line.course_id for line in lines} == {both.id, guest_only.id, bens_only.id}
    assert db.session.scalar(select(func.count()).select_from(Cart)) == 1


def test_removing_offers_undo_and_undo_restores(browser: Browser, ada: Any) -> None:
    course = a_course(by=ada, title="Quiet Typography")
    browser.post("/cart/items", {"course_id": course.id}, token=False)
    item = db.session.scalars(select(CartItem)).one()
    browser.post("/cart/removals", {"item_id": item.id}, htmx=True).expect(200).says("was removed", "Undo")
    assert _items() == 0
    browser.post("/cart/items", {"course_id": course.id}, htmx=True, token=False).expect(200)
    assert _items() == 1


def test_cleo_cannot_empty_bens_cart(browser: Browser, ada: Any, ben: Any, cleo: Any) -> None:
    course = a_course(by=ada)
    browser.as_(ben).post("/cart/items", {"course_id": course.id})
    item = db.session.scalars(select(CartItem)).one()
    browser.as_(cleo).post("/cart/removals", {"item_id": item.id}).expect(404)
    browser.post("/cart/removals", {"item_id": item.id}).expect(404)
    assert _items() == 1


def test_removal_needs_a_token(browser: Browser, ada: Any, ben: Any) -> None:
    bens = browser.as_(ben)
    bens.post("/cart/items", {"course_id": a_course(by=ada).id})
    item = db.session.scalars(select(CartItem)).one()
    bens.post("/cart/removals", {"item_id": item.id}, token=False).expect(400)
    assert _items() == 1


def test_a_changed_price_is_shown(browser: Browser, ada: Any) -> None:
    course = a_course(by=ada, price=1900)
    browser.post("/cart/items", {"course_id": course.id}, token=False)
    with transaction() as session:
        session.get_one(Course, course.id).price_cents = 2900
    browser.get("/cart").says("A price changed", "$29.00", "$19.00")


def test_an_unpublished_course_stays_visible_but_is_not_counted(browser: Browser, ada: Any) -> None:
    course, other = a_course(by=ada, title="Leaving", price=1900), a_course(by=ada, title="Staying", price=500)
    for one in (course, other):
        browser.post("/cart/items", {"course_id": one.id}, token=False)
    with transaction() as session:
        session.get_one(Course, course.id).status = "archived"
    browser.get("/cart").says("Leaving", "not sold any more", "Total $5.00")


def test_twenty_clicks_at_once_add_once(together: Any, app: Any, ada: Any, ben: Any) -> None:
    course = a_course(by=ada)

    def add(_number: int) -> None:
        with transaction() as session:
            basket.add(
                basket.of_customer(ben.id), session.get_one(Course, course.id), session.get_one(type(ben), ben.id)
            )

    assert [one for one in together(20, add) if one is not None] == []
    assert _items() == 1
    assert db.session.scalar(select(func.count()).select_from(Cart)) == 1


def test_the_cart_page_asks_the_same_number_of_queries_for_any_number_of_courses(
    app: Any, browser: Browser, ada: Any, ben: Any, queries: Any
) -> None:
    bens = browser.as_(ben)
    bens.post("/cart/items", {"course_id": a_course(by=ada).id})
    with queries() as few:
        bens.get("/cart")
    for _ in range(8):
        bens.post("/cart/items", {"course_id": a_course(by=ada).id})
    with queries() as many:
        bens.get("/cart")
    assert many.count == few.count


def test_visitors_without_a_cart_get_no_cookie(browser: Browser) -> None:
    answer = browser.get("/cart").expect(200).says("Your cart is empty")
    assert "Set-Cookie" not in answer.headers


def test_what_comes_back_stands_where_it_stood(browser: Browser, ada: Any) -> None:
    titles = ["First lines", "Second lines", "Third lines"]
    for title in titles:
        browser.post("/cart/items", {"course_id": str(a_course(by=ada, title=title).id)}, token=False)
    page = browser.get("/cart").text
    second = re.findall(r'name="item_id" value="([^"]+)"', page)[1]
    answer = browser.post("/cart/removals", {"item_id": second, "on_page": "1"}, htmx=True).expect(200)
    fields = dict(re.findall(r'<input type="hidden" name="(course_id|since|undo)" value="([^"]*)"', answer.text))
    assert set(fields) >= {"course_id", "since", "undo"}
    back = browser.post("/cart/items", fields, htmx=True, token=False).expect(200)
    assert re.findall(r'row__title"><a[^>]*>([^<]+)<', back.text) == titles
    assert back.text.count("data-focus") == 1, "and the focus goes there"


@pytest.mark.parametrize(
    "since", ["", "yesterday", "2026-01-01", "0001-01-01T00:00:00+00:00", "9999-12-31T00:00:00+00:00"]
)
def test_a_place_that_is_none_is_the_last_one(browser: Browser, ada: Any, since: str) -> None:
    for title, more in (("First lines", {}), ("Second lines", {"since": since})):
        course = a_course(by=ada, title=title)
        browser.post("/cart/items", {"course_id": str(course.id), **more}, token=False).expect(303)
    assert re.findall(r'row__title"><a[^>]*>([^<]+)<', browser.get("/cart").text) == ["First lines", "Second lines"]


def test_without_javascript_the_cart_offers_what_has_just_left(browser: Browser, ada: Any) -> None:
    course = a_course(by=ada)
    browser.post("/cart/items", {"course_id": str(course.id)}, token=False)
    item = re.findall(r'name="item_id" value="([^"]+)"', browser.get("/cart").text)[0]
    left = browser.get(browser.post("/cart/removals", {"item_id": item}).expect(303).location).expect(200)
    left.says(f"“{course.title}” was removed.", "Undo")
    browser.post("/cart/items", {"course_id": str(course.id)}, token=False)
    browser.get(f"/cart?removed={course.id}").is_silent_about("was removed")
    for odd in ("nonsense", "%00", "00000000-0000-0000-0000-000000000000"):
        browser.get(f"/cart?removed={odd}").expect(200).is_silent_about("was removed")
    draft = a_course(by=ada, status="draft", title="A secret plan")
    browser.get(f"/cart?removed={draft.id}").expect(200).is_silent_about("A secret plan")
