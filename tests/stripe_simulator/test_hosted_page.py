"""The payment page, for a person and for a browser without JavaScript."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urljoin

import pytest
import requests
import stripe
from stripe.checkout import Session

from tests.stripe_simulator.conftest import Program
from tests.stripe_simulator.endpoint import Endpoint
from tests.stripe_simulator.pages import CARD, Page, pay

Checkout = Callable[..., Session]


def test_ben_sees_what_he_buys_and_one_form(checkout: Checkout) -> None:
    page = Page.at(str(checkout().url))
    assert page.status == 200
    for words in ("CourseHub", "Bread from scratch", "$19.99", "ben@example.com", "4242 4242 4242 4242"):
        assert words in page.text
    (form,) = page.forms
    assert {"card_number", "exp_month", "exp_year", "cvc", "name"} == form.fields.keys()
    assert "Pay $19.99" in form.buttons
    assert page.links["Back"] == "http://127.0.0.1:9/cart"


def test_the_page_runs_no_script_and_keeps_its_form_at_home(checkout: Checkout) -> None:
    reply = requests.get(str(checkout().url), timeout=5)
    policy = reply.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "script-src" not in policy and "unsafe" not in policy
    # A browser checks the redirect after the form too, so the shop's own address must be in there.
    assert "form-action 'self' http://127.0.0.1:9" in policy
    assert reply.headers["Cache-Control"] == "no-store"


def test_hostile_names_are_shown_as_text(checkout: Checkout, client: stripe.StripeClient) -> None:
    name = '<script>alert("x")</script> & Söhne 🍞'
    price = {"currency": "usd", "unit_amount": 1999, "product_data": {"name": name}}
    session = checkout(line_items=[{"price_data": price, "quantity": 1}])
    assert name in Page.at(str(session.url)).text
    page = Page(pay(session.url, "4000000000000002", name='"><script>x</script>'))
    assert page.form().fields["name"] == '"><script>x</script>'


def test_a_session_without_an_address_asks_for_one(checkout: Checkout, client: stripe.StripeClient) -> None:
    session = checkout(customer_email=None)
    page = Page.at(str(session.url))
    assert "email" in page.form().fields
    refused = Page(page.post(card_number="4242424242424242", email="not an address", **CARD))
    assert (refused.status, "email address is invalid" in refused.text) == (402, True)
    assert page.post(card_number="4242424242424242", email="ben@example.com", **CARD).status_code == 303
    paid = client.v1.checkout.sessions.retrieve(session.id)
    assert paid.customer_details is not None and paid.customer_details.email == "ben@example.com"


def test_twenty_payments_at_once_capture_once(
    checkout: Checkout, client: stripe.StripeClient, endpoint: Endpoint
) -> None:
    session = checkout()
    page = Page.at(str(session.url))
    start = threading.Barrier(20)

    def press() -> int:
        start.wait()
        return page.post(card_number="4242424242424242", **CARD).status_code

    with ThreadPoolExecutor(20) as pool:
        statuses = [found.result() for found in [pool.submit(press) for _ in range(20)]]
    assert statuses == [303] * 20
    assert len(client.v1.charges.list().data) == 1
    assert len(client.v1.payment_intents.list().data) == 1
    endpoint.wait_for("checkout.session.completed")
    assert endpoint.types().count("charge.succeeded") == 1


def test_a_paid_session_says_so_and_leads_back(checkout: Checkout) -> None:
    session = checkout()
    pay(session.url)
    page = Page.at(str(session.url))
    assert "paid already" in page.text
    assert page.links["Continue to CourseHub"] == f"http://127.0.0.1:9/return?session_id={session.id}"
    again = requests.post(str(session.url), data={"card_number": "4000000000000002"}, allow_redirects=False, timeout=5)
    assert (again.status_code, again.headers["Location"]) == (303, page.links["Continue to CourseHub"])


def test_an_expired_session_takes_no_money(checkout: Checkout, simulator: Program, client: stripe.StripeClient) -> None:
    session = checkout()
    page = Page.at(str(session.url))
    simulator.control(f"sessions/{session.id}/expire")
    reply = page.post(card_number="4242424242424242", **CARD)
    assert reply.status_code == 410
    late = Page.at(str(session.url))
    assert "expired" in late.text
    assert late.links["Back to CourseHub"] == "http://127.0.0.1:9/cart"
    assert client.v1.charges.list().data == []


def test_expiring_after_a_decline_cancels_the_intent(
    checkout: Checkout, simulator: Program, client: stripe.StripeClient
) -> None:
    session = checkout()
    pay(session.url, "4000000000000002")
    (intent,) = client.v1.payment_intents.list().data
    with pytest.raises(stripe.InvalidRequestError, match="Expire the Checkout Session instead") as refusal:
        client.v1.payment_intents.cancel(intent.id)
    assert refusal.value.code == "payment_intent_unexpected_state"
    simulator.control(f"sessions/{session.id}/expire")
    canceled = client.v1.payment_intents.retrieve(intent.id)
    assert (canceled.status, canceled.cancellation_reason) == ("canceled", "expired")


def test_nothing_to_pay_takes_one_button(checkout: Checkout, client: stripe.StripeClient, endpoint: Endpoint) -> None:
    session = checkout(0)
    assert session.payment_status == "no_payment_required"
    page = Page.at(str(session.url))
    assert "card_number" not in page.form().fields
    assert page.post(button="Complete order").status_code == 303
    done = client.v1.checkout.sessions.retrieve(session.id)
    assert (done.status, done.payment_status, done.payment_intent) == ("complete", "no_payment_required", None)
    endpoint.wait_for("checkout.session.completed")
    assert endpoint.types() == ["checkout.session.completed"]


def test_the_receipt_opens_and_shows_refunds(
    checkout: Checkout, client: stripe.StripeClient, simulator: Program
) -> None:
    pay(checkout().url)
    (charge,) = client.v1.charges.list().data
    receipt = Page.at(str(charge.receipt_url))
    assert receipt.status == 200
    for words in ("Receipt from CourseHub", "$19.99", "Visa ending in 4242", "Bread from scratch"):
        assert words in receipt.text
    client.v1.refunds.create(params={"charge": charge.id, "amount": 500})
    assert "-$5.00" in Page.at(str(charge.receipt_url)).text
    assert Page.at(f"{simulator.url}/receipts/{'x' * 32}").status == 404


def test_unknown_pages_are_not_found(simulator: Program) -> None:
    for path in ("/c/pay/cs_test_nobody", "/c/pay/", "/c/pay/../../etc/passwd", "/nowhere", "/events/evt_x"):
        assert Page.at(urljoin(simulator.url, path)).status == 404


def test_the_redirect_waits_for_the_webhook_but_not_long(
    checkout: Checkout, endpoint: Endpoint, simulator: Program
) -> None:
    session = checkout()
    pay(session.url)
    assert "checkout.session.completed" in endpoint.types()
    endpoint.wait_until(lambda events: len(events) == 5)
    endpoint.hold = 1.5
    assert pay(checkout().url).status_code == 303
    assert len(endpoint.types()) == 5
