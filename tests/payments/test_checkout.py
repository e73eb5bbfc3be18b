"""Going to the payment page: one order, one session, prices of the shop, and nothing lost when Stripe is away."""

from collections import Counter
from typing import Any

import pytest
from sqlalchemy import select, text

from coursehub.cart import basket
from coursehub.courses.models import Course
from coursehub.infra.services import services
from coursehub.kernel.db import db, transaction
from coursehub.kernel.errors import Unavailable
from coursehub.orders import checkout as orders_checkout
from coursehub.orders.models import Order
from coursehub.payments import reconciliation
from tests.browser import Browser
from tests.factories import a_course
from tests.payments.helpers import count, fill_cart, go_to_payment, order_of, paid_session, purchases
from tests.people import a_person


def test_ben_is_sent_to_the_payment_page(browser: Browser, stripe: Any, ada: Any, ben: Any) -> None:
    fill_cart(ben, a_course(by=ada, price=1900))
    answer = browser.as_(ben).post("/checkout", {"total_cents": 1900}).expect(303)
    assert answer.location.startswith(f"{stripe.address}/c/pay/")
    order = db.session.scalars(select(Order)).one()
    assert (order.status, order.total_cents, order.currency) == ("purchase_started", 1900, "USD")


def test_htmx_is_redirected_whole(browser: Browser, stripe: Any, ada: Any, ben: Any) -> None:
    fill_cart(ben, a_course(by=ada))
    answer = browser.as_(ben).post("/checkout", {"total_cents": 1900}, htmx=True).expect(200)
    assert answer.headers["HX-Redirect"].startswith(stripe.address)


def test_a_stranger_signs_in_first(browser: Browser) -> None:
    assert browser.post("/checkout").expect(303).location.startswith("/login")


def test_an_unconfirmed_address_is_confirmed_first_and_the_cart_stays(browser: Browser, stripe: Any, ada: Any) -> None:
    eve = a_person("Eve Lind", verified=False)
    fill_cart(eve, a_course(by=ada))
    answer = browser.as_(eve).post("/checkout", {"total_cents": 1900}).expect(303)
    assert answer.location.startswith("/account/verify")
    assert count(Order) == 0
    with transaction():
        assert len(basket.view(basket.of_customer(eve.id), eve).lines) == 1


def test_a_tampered_form_changes_no_price(browser: Browser, stripe: Any, ada: Any, ben: Any) -> None:
    fill_cart(ben, a_course(by=ada, price=1900))
    for nonsense in ("1", "0", "-5", "1e9", "NaN", "١٢"):
        data = {"total_cents": nonsense, "price_cents": "1", "currency": "JPY", "quantity": "0"}
        browser.as_(ben).post("/checkout", data).expect(303)
    for order in db.session.scalars(select(Order)):
        assert (order.total_cents, order.currency) == (1900, "USD")


def test_a_price_that_changed_is_asked_again_before_anything_is_charged(
    browser: Browser, stripe: Any, ada: Any, ben: Any
) -> None:
    course = a_course(by=ada, price=1900)
    fill_cart(ben, course)
    with transaction() as session:
        session.get_one(Course, course.id).price_cents = 2900
    bens = browser.as_(ben)
    assert bens.post("/checkout", {"total_cents": 1900}).expect(303).location == "/cart"
    assert count(Order) == 0
    bens.get("/cart").says("The price just changed", "$29.00")
    assert bens.post("/checkout", {"total_cents": 2900}).expect(303).location.startswith(stripe.address)


def test_the_same_cart_gets_the_same_session_again(stripe: Any, ada: Any, ben: Any) -> None:
    fill_cart(ben, a_course(by=ada))
    first, second = go_to_payment(ben), go_to_payment(ben)
    assert (first.session_id, first.url) == (second.session_id, second.url)
    assert count(Order) == 1


def test_a_changed_cart_closes_the_old_payment_page(stripe: Any, ada: Any, ben: Any) -> None:
    fill_cart(ben, a_course(by=ada))
    first = go_to_payment(ben)
    fill_cart(ben, a_course(by=ada))
    second = go_to_payment(ben)
    assert first.order_id != second.order_id
    assert order_of(first).status == "canceled"
    assert order_of(second).total_cents == 3800
    stripe.pay(first.url)
    assert order_of(first).status == "canceled"  # the old page took no money


def test_an_old_session_that_was_paid_is_honoured_when_the_cart_changed(stripe: Any, ada: Any, ben: Any) -> None:
    first = paid_session(stripe, ben, a_course(by=ada))
    fill_cart(ben, a_course(by=ada))
    go_to_payment(ben)
    assert order_of(first).status == "payment_succeeded"
    assert len(purchases(first.order_id)) == 1


def test_an_expired_session_makes_way_for_a_new_one(stripe: Any, ada: Any, ben: Any) -> None:
    fill_cart(ben, a_course(by=ada))
    first = go_to_payment(ben)
    stripe.control(f"sessions/{first.session_id}/expire")
    second = go_to_payment(ben)
    assert second.session_id != first.session_id
    assert second.order_id == first.order_id
    assert order_of(second).attempt == 2


def test_a_free_course_needs_no_stripe(browser: Browser, ada: Any, ben: Any, stripe: Any) -> None:
    stripe.control("faults", path="/v1/", status=500, when="before", times=50)
    fill_cart(ben, a_course(by=ada, price=0))
    answer = browser.as_(ben).post("/checkout", {"total_cents": 0}).expect(303)
    assert answer.location.endswith("/thanks")
    order = db.session.scalars(select(Order)).one()
    assert order.status == "payment_succeeded"
    assert len(purchases(order.id)) == 1


def test_stripe_away_keeps_the_cart_and_the_next_click_works(browser: Browser, stripe: Any, ada: Any, ben: Any) -> None:
    fill_cart(ben, a_course(by=ada))
    stripe.control("faults", path="/v1/checkout/sessions", status=500, when="before", times=2)
    bens = browser.as_(ben)
    bens.post("/checkout", {"total_cents": 1900}).expect(503).says("Your cart is kept")
    assert bens.post("/checkout", {"total_cents": 1900}).expect(303).location.startswith(stripe.address)
    assert count(Order) == 1


def test_a_connection_lost_after_stripe_made_the_session_reaches_the_same_session(
    stripe: Any, ada: Any, ben: Any
) -> None:
    fill_cart(ben, a_course(by=ada))
    stripe.control("faults", path="/v1/checkout/sessions", when="after", reset=True, times=2)
    with pytest.raises(Unavailable):
        go_to_payment(ben)
    link = go_to_payment(ben)
    assert link.url
    assert count(Order) == 1


def test_twenty_checkouts_at_once_make_one_order_and_one_session(
    together: Any, stripe: Any, ada: Any, ben: Any
) -> None:
    fill_cart(ben, a_course(by=ada))
    links = together(20, lambda _number: go_to_payment(ben))
    assert [one for one in links if isinstance(one, BaseException)] == []
    assert len(Counter(one.session_id for one in links)) == 1
    assert len({one.url for one in links}) == 1
    assert count(Order) == 1


def test_without_its_guards_twenty_checkouts_make_several_orders(
    together: Any, stripe: Any, ada: Any, ben: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: with the lock and the index off, the race is real."""
    fill_cart(ben, a_course(by=ada))
    monkeypatch.setattr(basket, "locked", lambda cart_id: None)
    with db.engine.begin() as connection:
        connection.execute(text("DROP INDEX uq_orders_open"))
    try:
        together(20, lambda _number: go_to_payment(ben))
        assert count(Order) > 1
    finally:
        from tests.conftest import empty_database

        empty_database()
        with db.engine.begin() as connection:
            connection.execute(
                text(
                    "CREATE UNIQUE INDEX uq_orders_open ON orders (customer_id, cart_hash)"
                    " WHERE status IN ('added_2_cart', 'purchase_started')"
                )
            )


def test_only_ids_go_into_stripes_metadata(stripe: Any, ada: Any, ben: Any) -> None:
    fill_cart(ben, a_course(by=ada))
    link = go_to_payment(ben)
    order = order_of(link)
    request = orders_checkout.request_for(order, ben.email, "http://127.0.0.1")
    assert dict(request.metadata) == {}
    assert request.order_id == str(order.id)


def test_cancelling_at_stripe_leaves_the_cart(browser: Browser, stripe: Any, ada: Any, ben: Any) -> None:
    fill_cart(ben, a_course(by=ada, title="Quiet Typography"))
    go_to_payment(ben)
    browser.as_(ben).get("/cart?canceled=1").expect(200).says("Nothing was charged", "Quiet Typography")


def test_a_banned_person_cannot_buy(browser: Browser, stripe: Any, ada: Any, ben: Any) -> None:
    fill_cart(ben, a_course(by=ada))
    with transaction() as session:
        session.get_one(type(ben), ben.id).status = "banned"
    browser.as_(ben).post("/checkout", {"total_cents": 1900}).expect(403)
    assert count(Order) == 0


def test_a_course_archived_at_the_payment_page_is_still_delivered(stripe: Any, ada: Any, ben: Any) -> None:
    course = a_course(by=ada)
    fill_cart(ben, course)
    link = go_to_payment(ben)
    with transaction() as session:
        session.get_one(Course, course.id).status = "archived"
    assert stripe.pay(link.url).status_code == 303
    assert reconciliation.reconcile(link.order_id, str(link.session_id), services().gateway)
    assert [one.version_id for one in purchases(link.order_id)] == [course.current_version_id]
