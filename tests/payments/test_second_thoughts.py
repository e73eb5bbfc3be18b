"""Carts that change while money is under way: nobody pays twice, nobody pays another currency, nobody is forgotten."""

from datetime import timedelta
from typing import Any

import pytest
import requests

from coursehub.cart import basket
from coursehub.courses.models import Course
from coursehub.infra.services import services
from coursehub.kernel import clock
from coursehub.kernel.db import db, transaction
from coursehub.kernel.errors import Conflict, Unavailable
from coursehub.orders import checkout, lifecycle
from coursehub.orders.checkout import PriceChanged
from coursehub.orders.models import Order
from coursehub.payments import reconciliation, sessions
from tests.browser import Browser
from tests.factories import a_course
from tests.payments.helpers import BASE, count, fill_cart, go_to_payment, order_of, paid_session


def test_what_was_just_paid_is_not_asked_for_again(stripe: Any, ada: Any, ben: Any) -> None:
    first = paid_session(stripe, ben, a_course(by=ada, price=1900))
    fill_cart(ben, a_course(by=ada, price=500))
    second = go_to_payment(ben)
    assert order_of(first).status == "payment_succeeded"
    assert order_of(second).total_cents == 500


def test_with_the_total_of_both_on_the_screen_ben_is_shown_the_new_one(
    browser: Browser, stripe: Any, ada: Any, ben: Any
) -> None:
    paid_session(stripe, ben, a_course(by=ada, price=1900))
    fill_cart(ben, a_course(by=ada, price=500))
    bens = browser.as_(ben)
    assert bens.post("/checkout", {"total_cents": 2400}).expect(303).location == "/cart"
    bens.get("/cart").says("The price just changed", "$5.00")


def test_while_a_bank_debit_is_on_its_way_nothing_is_bought_twice(stripe: Any, ada: Any, ben: Any) -> None:
    fill_cart(ben, a_course(by=ada, price=1900))
    first = go_to_payment(ben)
    requests.post(str(first.url), data={"pay_by": "bank_debit"}, timeout=10, allow_redirects=False)
    fill_cart(ben, a_course(by=ada, price=500))
    with pytest.raises(Conflict, match="still on its way"):
        go_to_payment(ben)
    assert order_of(first).status == "purchase_started"
    assert count(Order, Order.status == "canceled") == 1


def test_a_changed_currency_is_asked_again(stripe: Any, ada: Any, ben: Any) -> None:
    course = a_course(by=ada, price=5000, currency="JPY")
    fill_cart(ben, course)
    with transaction() as session:
        session.get_one(Course, course.id).currency = "USD"
    with pytest.raises(PriceChanged):
        sessions.open_checkout(ben.id, gateway=services().gateway, base_url=BASE, expected_cents=5000)
    assert go_to_payment(ben).url  # the buyer has been told now


def test_mixed_currencies_are_never_added_up(stripe: Any, ada: Any, ben: Any) -> None:
    dollars, other = a_course(by=ada, price=1000), a_course(by=ada, price=1500)
    fill_cart(ben, dollars, other)
    with transaction() as session:
        session.get_one(Course, other.id).currency = "JPY"
    with transaction():
        view = basket.view(basket.of_customer(ben.id), ben)
    assert (view.total.cents, view.total.currency) == (1000, "USD")
    assert [line.trouble for line in view.lines] == [None, "It is sold in JPY now: buy it separately."]


def test_an_order_cancelled_while_stripe_answered_is_not_payable(
    stripe: Any, ada: Any, ben: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_cart(ben, a_course(by=ada))
    gateway = services().gateway
    real, made = gateway.create_checkout, []

    def meanwhile(request: Any, *, idempotency_key: str) -> Any:
        created = real(request, idempotency_key=idempotency_key)
        made.append(created.session_id)
        with transaction():
            order = db.session.query(Order).one()
            lifecycle.cancel(lifecycle.locked(order.id), cause="another tab", actor="test")
        return created

    monkeypatch.setattr(gateway, "create_checkout", meanwhile)
    with pytest.raises(Conflict, match="another tab"):
        go_to_payment(ben)
    assert gateway.get_checkout(made[0]).status == "expired"


def test_an_address_that_changed_after_a_lost_answer_opens_another_attempt(stripe: Any, ada: Any, ben: Any) -> None:
    fill_cart(ben, a_course(by=ada))
    stripe.control("faults", path="/v1/checkout/sessions", when="after", reset=True, times=2)
    with pytest.raises(Unavailable):
        go_to_payment(ben)
    with transaction() as session:
        session.get_one(type(ben), ben.id).email = "ben.new@example.com"
    link = go_to_payment(ben)
    assert link.url and order_of(link).attempt == 2


def test_a_key_that_stripe_refuses_is_our_trouble_not_a_500(browser: Browser, stripe: Any, ada: Any, ben: Any) -> None:
    fill_cart(ben, a_course(by=ada))
    stripe.control("faults", path="/v1/checkout/sessions", status=401, when="before", times=3)
    browser.as_(ben).post("/checkout", {"total_cents": 1900}).expect(503).says("Your cart is kept")


def test_more_than_stripe_takes_is_refused_in_words(browser: Browser, stripe: Any, ada: Any, ben: Any) -> None:
    fill_cart(ben, a_course(by=ada, price=99_999_999), a_course(by=ada, price=99_999_999))
    browser.as_(ben).post("/checkout", {"total_cents": 199_999_998}).expect(409).says("at most")
    browser.as_(ben).post("/checkout", {"total_cents": "9" * 5000}).expect(409)


def test_old_orders_do_not_hide_a_paid_one_from_the_clock(
    stripe: Any, ada: Any, ben: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciliation, "BATCH", 5)
    link = paid_session(stripe, ben, a_course(by=ada))
    with transaction() as session:
        for number in range(12):
            session.add(_ended(ben, number))
    with db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE orders SET updated_at = now() - interval '1 hour'")
    reconciliation.reconcile_open_orders(services().gateway)
    assert order_of(link).status == "payment_succeeded"
    seen: set[Any] = set()
    for _ in range(3):
        with transaction():
            seen |= {order_id for order_id, _ in reconciliation.open_orders()}
    assert len(seen) == 12  # each gets its turn


def test_one_order_that_breaks_keeps_no_other_from_being_asked(
    stripe: Any, ada: Any, ben: Any, cleo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    links = [paid_session(stripe, person, a_course(by=ada)) for person in (ben, cleo)]
    with db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE orders SET updated_at = now() - interval '1 hour'")
    real = reconciliation.reconcile

    def breaks(order_id: Any, session_id: str, gateway: Any) -> bool:
        if order_id == links[0].order_id:
            raise RuntimeError("odd")
        return real(order_id, session_id, gateway)

    monkeypatch.setattr(reconciliation, "reconcile", breaks)
    assert reconciliation.reconcile_open_orders(services().gateway) == 1
    assert order_of(links[1]).status == "payment_succeeded"


def test_many_tabs_ask_stripe_once_in_a_while(browser: Browser, stripe: Any, ada: Any, ben: Any) -> None:
    fill_cart(ben, a_course(by=ada))
    link = go_to_payment(ben)
    asked: list[str] = []
    gateway = services().gateway
    real = gateway.get_checkout
    gateway.get_checkout = lambda session_id: (asked.append(session_id), real(session_id))[1]  # type: ignore[method-assign, func-returns-value]
    try:
        bens = browser.as_(ben)
        for _ in range(10):
            bens.get(f"/orders/{link.order_id}/status", htmx=True).expect(200)
    finally:
        del gateway.get_checkout  # type: ignore[method-assign]
    assert len(asked) == 1


def test_an_unreleased_version_is_nobodys_yet(browser: Browser, stripe: Any, ada: Any, ben: Any) -> None:
    from tests.factories import a_purchase, a_version, stored_pdf

    course = a_course(by=ada)
    purchase = a_purchase(course, by=ben)
    newer = a_version(course, number=2)
    newer.released_at = None
    with transaction() as session:
        session.add(newer)
        session.flush()
        session.get_one(Course, course.id).current_version_id = newer.id
    stored_pdf(newer.id)
    from coursehub.library import downloads

    assert downloads.version_for(purchase).id == purchase.version_id
    browser.as_(ben).get("/library").is_silent_about("New version")


def _ended(person: Any, number: int) -> Order:
    return Order(
        customer_id=person.id,
        number=f"OLD-{number}",
        status="expired",
        cart_hash=str(number),
        total_cents=100,
        currency="USD",
        stripe_checkout_session_id=f"cs_old_{number}",
        checkout_expires_at=clock.now() - timedelta(hours=1),
    )


def test_a_checkout_key_is_one_for_each_attempt(app: Any, ben: Any) -> None:
    order = _ended(ben, 1)
    order.id, order.attempt = ben.id, 3
    assert checkout.idempotency_key(order).endswith(":3")
