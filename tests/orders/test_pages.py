"""My orders: mine only, in human words, the same number of queries for any number of them."""

from typing import Any

from coursehub.kernel.ids import new_id
from tests.browser import Browser
from tests.factories import a_course, a_purchase


def test_ben_sees_his_orders_in_human_words(browser: Browser, ada: Any, ben: Any) -> None:
    purchase = a_purchase(a_course(by=ada, title="Quiet Typography", price=1900), by=ben)
    bens = browser.as_(ben)
    bens.get("/orders").expect(200).says("Quiet Typography", "Paid", "$19.00").is_silent_about("payment_succeeded")
    bens.get(f"/orders/{purchase.order_id}").expect(200).says(purchase.license_key, "Open my library")


def test_no_orders_yet(browser: Browser, ben: Any) -> None:
    browser.as_(ben).get("/orders").expect(200).says("No orders yet", "Find a course")


def test_cleos_look_at_bens_order_equals_a_random_id(browser: Browser, ada: Any, ben: Any, cleo: Any) -> None:
    purchase = a_purchase(a_course(by=ada), by=ben)
    foreign = browser.as_(cleo).get(f"/orders/{purchase.order_id}").expect(404)
    unknown = browser.as_(cleo).get(f"/orders/{new_id()}").expect(404)
    assert foreign.visible.split("Reference")[0] == unknown.visible.split("Reference")[0]
    assert browser.get(f"/orders/{purchase.order_id}").expect(303).location.startswith("/login")
    browser.as_(cleo).get("/orders/not-an-id").expect(404)


def test_pages_by_cursor_hold_every_order_once(browser: Browser, ada: Any, ben: Any) -> None:
    import re

    for _ in range(45):
        a_purchase(a_course(by=ada), by=ben)
    bens, path, seen = browser.as_(ben), "/orders", []
    while path:
        page = bens.get(path).expect(200).text
        seen += re.findall(r'id="order_([0-9a-f-]{36})"', page)
        more = re.search(r'href="(/orders\?cursor=[^"]+)"', page)
        path = more[1] if more else ""
    assert len(seen) == len(set(seen)) == 45
    bens.get("/orders?cursor=nonsense").expect(422)


def test_the_list_does_not_grow_its_queries(browser: Browser, ada: Any, ben: Any, queries: Any) -> None:
    a_purchase(a_course(by=ada), by=ben)
    bens = browser.as_(ben)
    bens.get("/orders")
    with queries() as few:
        bens.get("/orders")
    for _ in range(10):
        a_purchase(a_course(by=ada), by=ben)
    with queries() as many:
        bens.get("/orders")
    assert many.count == few.count
