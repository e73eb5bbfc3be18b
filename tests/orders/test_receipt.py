"""The receipt screen after paying, in its order, and the receipt that prints."""

from typing import Any

import pytest
from flask import Flask

from coursehub.accounts.models import Customer
from coursehub.entitlements.models import Purchase
from coursehub.kernel.db import transaction
from coursehub.orders.models import Order
from tests.browser import Browser
from tests.factories import a_course, a_purchase


@pytest.fixture
def bens(browser: Browser, ben: Customer) -> Browser:
    return browser.as_(ben)


@pytest.fixture
def bought(ada: Customer, ben: Customer) -> Purchase:
    return a_purchase(a_course(by=ada, title="Quiet Typography", price=1900), by=ben)


def change(purchase: Purchase, **values: Any) -> None:
    with transaction() as session:
        order = session.get_one(Order, purchase.order_id)
        for name, value in values.items():
            setattr(order, name, value)


def test_the_screen_after_paying_keeps_its_order(bens: Browser, bought: Purchase) -> None:
    change(bought, receipt_url="https://pay.stripe.com/receipts/x")
    with transaction() as session:
        number = session.get_one(Order, bought.order_id).number
    page = bens.get(f"/orders/{bought.order_id}/thanks").expect(200)
    main = page.visible[page.visible.index("Thank you, Ben") :]
    order = [
        "Payment received.",
        f"Order {number}",
        "Read",
        "Download",
        "on its way to ben@example.com",
        "Payment receipt",
        "What happens next",
        "24 hours",
        "5 downloads",
        "money back",
    ]
    places = [main.index(words) for words in order]
    assert places == sorted(places)
    assert f'href="/read/{bought.course_id}"' in page.text
    assert page.text.count("btn--contained") == 1


def test_without_a_receipt_of_stripes_ours_serves(bens: Browser, bought: Purchase) -> None:
    page = bens.get(f"/orders/{bought.order_id}/thanks").expect(200).is_silent_about("Payment receipt")
    assert f'href="/orders/{bought.order_id}"' in page.text


def test_a_free_course_is_not_called_paid(bens: Browser, ada: Customer, ben: Customer) -> None:
    purchase = a_purchase(a_course(by=ada, price=0), by=ben)
    page = bens.get(f"/orders/{purchase.order_id}/thanks").expect(200).says("Your courses are in your library.", "Free")
    page.is_silent_about("Payment received", "money back")


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("purchase_started", "Confirming your payment"),
        ("expired", "The payment did not go through"),
        ("failed", "Nothing was charged"),
        ("canceled", "Nothing was charged"),
    ],
)
def test_what_is_not_paid_is_not_thanked_for(bens: Browser, bought: Purchase, status: str, words: str) -> None:
    change(bought, status=status, paid_at=None)
    page = bens.get(f"/orders/{bought.order_id}/thanks").expect(200).says(words)
    page.is_silent_about("Thank you", "on its way", "Payment received")


def test_more_like_this_never_delays_the_screen(app: Flask, bens: Browser, bought: Purchase) -> None:
    """A hole that the page asks for later, where the shop has something to put in; its plain link serves without."""
    page = bens.get(f"/orders/{bought.order_id}/thanks").expect(200)
    there = "catalog.related" in app.view_functions
    assert ('id="related" hx-get="/courses/' in page.text) == there


def test_the_receipt_adds_up_and_names_its_buyer(bens: Browser, ben: Customer, bought: Purchase) -> None:
    change(bought, total_cents=1400, discount_cents=500, tax_cents=224)
    with transaction() as session:
        person = session.get_one(Customer, ben.id)
        person.address_line1, person.city, person.postal_code, person.country = "7 Mill Lane", "Leeds", "LS1 4AP", "GB"
    page = bens.get(f"/orders/{bought.order_id}").expect(200)
    page.says("Receipt for order", "Ben Okafor", "ben@example.com", "7 Mill Lane, LS1 4AP Leeds, GB")
    page.says("Quiet Typography", "$19.00", "Subtotal $19.00", "Discount −$5.00", "Total $14.00", "Includes $2.24 tax")
    assert '<body class="receipt">' in page.text


def test_an_order_that_was_not_paid_is_no_receipt(bens: Browser, bought: Purchase) -> None:
    change(bought, status="expired", paid_at=None)
    bens.get(f"/orders/{bought.order_id}").expect(200).says("Expired", "Nothing was charged").is_silent_about(
        "Receipt for"
    )


def test_strangers_see_no_receipt(browser: Browser, cleo: Customer, bought: Purchase) -> None:
    cleos = browser.as_(cleo)
    for path in ("", "/thanks", "/status"):
        cleos.get(f"/orders/{bought.order_id}{path}").expect(404).is_silent_about("ben@example.com")
        assert browser.get(f"/orders/{bought.order_id}{path}").expect(303).location.startswith("/login")


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("added_2_cart", "Not paid yet"),
        ("purchase_started", "Waiting for payment"),
        ("payment_succeeded", "Paid"),
        ("course_downloaded", "Downloaded"),
        ("canceled", "Cancelled"),
        ("expired", "Expired"),
        ("failed", "Payment failed"),
    ],
)
def test_a_status_is_said_in_human_words(bens: Browser, bought: Purchase, status: str, words: str) -> None:
    change(bought, status=status)
    bens.get("/orders").expect(200).says(words).is_silent_about(f'"{status}"', f">{status}<")
