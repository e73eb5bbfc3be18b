"""Each test card does what Stripe's does."""

from collections.abc import Callable
from urllib.parse import urljoin

import pytest
import stripe
from stripe.checkout import Session

from tests.stripe_simulator.conftest import Program
from tests.stripe_simulator.endpoint import Endpoint
from tests.stripe_simulator.pages import CARD, Page, pay

Checkout = Callable[..., Session]


def charge_of(client: stripe.StripeClient, session: Session) -> stripe.Charge:
    expand = ["payment_intent.latest_charge"]
    intent = client.v1.checkout.sessions.retrieve(session.id, params={"expand": expand}).payment_intent
    assert isinstance(intent, stripe.PaymentIntent) and isinstance(intent.latest_charge, stripe.Charge)
    return intent.latest_charge


@pytest.mark.parametrize(
    ("number", "brand", "cvc"),
    [
        ("4242 4242 4242 4242", "visa", "123"),
        ("5555-5555-5555-4444", "mastercard", "123"),
        ("2223003122003222", "mastercard", "123"),
        ("378282246310005", "amex", "1234"),
        ("6011111111111117", "discover", "123"),
        ("3056930009020004", "diners", "123"),
        ("3566002020360505", "jcb", "123"),
    ],
)
def test_good_cards_pay(checkout: Checkout, client: stripe.StripeClient, number: str, brand: str, cvc: str) -> None:
    session = checkout()
    reply = pay(session.url, number, cvc=cvc)
    assert reply.status_code == 303
    assert reply.headers["Location"] == f"http://127.0.0.1:9/return?session_id={session.id}"
    paid = client.v1.checkout.sessions.retrieve(session.id)
    assert (paid.status, paid.payment_status, paid.url) == ("complete", "paid", None)
    assert paid.customer_details is not None and paid.customer_details.name == "Ben Buyer"
    charge = charge_of(client, session)
    assert (charge.status, charge.paid, charge.captured, charge.amount) == ("succeeded", True, True, 1999)
    assert charge.payment_method_details is not None and charge.payment_method_details.card is not None
    digits = "".join(filter(str.isdigit, number))
    assert (charge.payment_method_details.card.brand, charge.payment_method_details.card.last4) == (brand, digits[-4:])
    assert charge.metadata["order_id"] == "order-1"


@pytest.mark.parametrize(
    ("number", "code", "decline_code", "message"),
    [
        ("4000000000000002", "card_declined", "generic_decline", "Your card was declined."),
        ("4000000000009995", "card_declined", "insufficient_funds", "Your card has insufficient funds."),
        ("4000000000000069", "expired_card", None, "Your card has expired."),
        ("4000000000000127", "incorrect_cvc", None, "Your card's security code is incorrect."),
        ("4000000000000119", "processing_error", None, "An error occurred while processing your card."),
        ("4111111111111111", "card_declined", "test_mode_live_card", "used a non test card"),
    ],
)
def test_declined_cards_show_the_page_again_and_another_card_still_pays(
    checkout: Checkout,
    client: stripe.StripeClient,
    endpoint: Endpoint,
    number: str,
    code: str,
    decline_code: str | None,
    message: str,
) -> None:
    session = checkout()
    reply = pay(session.url, number)
    page = Page(reply)
    assert page.status == 402
    assert message in page.text
    assert number not in reply.text and number[-4:] not in page.form().fields.values()
    assert page.form().fields["name"] == "Ben Buyer"
    failed = client.v1.checkout.sessions.retrieve(session.id, params={"expand": ["payment_intent.latest_charge"]})
    assert (failed.status, failed.payment_status) == ("open", "unpaid")
    intent = failed.payment_intent
    assert isinstance(intent, stripe.PaymentIntent) and intent.last_payment_error is not None
    assert intent.status == "requires_payment_method"
    assert intent.last_payment_error.code == code
    assert getattr(intent.last_payment_error, "decline_code", None) == decline_code
    assert isinstance(intent.latest_charge, stripe.Charge)
    assert (intent.latest_charge.status, intent.latest_charge.failure_code) == ("failed", code)
    endpoint.wait_until(lambda events: len(events) == 3)
    assert sorted(endpoint.types()) == ["charge.failed", "payment_intent.created", "payment_intent.payment_failed"]
    again = page.post(card_number="4242424242424242", **CARD)
    assert again.status_code == 303
    assert charge_of(client, session).payment_intent == intent.id


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ({"card_number": "4242424242424241"}, "card number is invalid"),
        ({"card_number": ""}, "card number is invalid"),
        ({"card_number": "cards are for games"}, "card number is invalid"),
        ({"exp_month": "13"}, "expiration month is invalid"),
        ({"exp_month": ""}, "expiration month is invalid"),
        ({"exp_year": "21"}, "expiration year is in the past"),
        ({"exp_year": "x"}, "expiration year is invalid"),
        ({"cvc": "12"}, "security code is invalid"),
        ({"cvc": "12345"}, "security code is invalid"),
        ({"card_number": "378282246310005", "cvc": "123"}, "security code is invalid"),
    ],
)
def test_what_no_card_has_is_refused_before_anything_is_charged(
    checkout: Checkout, client: stripe.StripeClient, typed: dict[str, str], message: str
) -> None:
    session = checkout()
    page = Page(Page.at(str(session.url)).post(**{"card_number": "4242424242424242", **CARD, **typed}))
    assert page.status == 402
    assert message in page.text
    assert client.v1.checkout.sessions.retrieve(session.id).payment_intent is None


@pytest.mark.parametrize("number", ["4000002500003155", "4000002760003184"])
def test_the_bank_asks_ben_and_he_says_yes(
    checkout: Checkout, client: stripe.StripeClient, endpoint: Endpoint, simulator: Program, number: str
) -> None:
    session = checkout()
    reply = pay(session.url, number)
    assert reply.status_code == 303
    waiting = client.v1.checkout.sessions.retrieve(session.id, params={"expand": ["payment_intent"]})
    assert isinstance(waiting.payment_intent, stripe.PaymentIntent)
    assert waiting.payment_intent.status == "requires_action"
    challenge = Page.at(urljoin(simulator.url, reply.headers["Location"]))
    assert challenge.form().hidden_in_order == [["type", "name", "value"]]
    assert challenge.post(button="Complete authentication").status_code == 303
    charge = charge_of(client, session)
    assert charge.payment_method_details is not None and charge.payment_method_details.card is not None
    three_d_secure = charge.payment_method_details.card.three_d_secure
    assert three_d_secure is not None and three_d_secure.result == "authenticated"
    endpoint.wait_for("payment_intent.requires_action")
    endpoint.wait_for("checkout.session.completed")
    # The same answer a second time leads on, and charges nothing more.
    assert challenge.post(button="Complete authentication").status_code == 303
    assert len(client.v1.charges.list().data) == 1


def test_the_bank_asks_ben_and_he_says_no(checkout: Checkout, client: stripe.StripeClient, simulator: Program) -> None:
    session = checkout()
    reply = pay(session.url, "4000002500003155")
    challenge = Page.at(urljoin(simulator.url, reply.headers["Location"]))
    page = Page(challenge.post(button="Fail authentication"))
    assert page.status == 402
    assert "unable to authenticate" in page.text
    assert page.form().fields["name"] == "Ben Buyer"
    intent = client.v1.checkout.sessions.retrieve(session.id, params={"expand": ["payment_intent"]}).payment_intent
    assert isinstance(intent, stripe.PaymentIntent) and intent.last_payment_error is not None
    assert intent.last_payment_error.code == "payment_intent_authentication_failure"
    assert client.v1.charges.list().data == []
    # The old question is void; a stale tab that answers it comes back to the payment page.
    stale = challenge.post(button="Complete authentication")
    assert urljoin(simulator.url, stale.headers["Location"]) == session.url
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"


def test_a_card_can_fail_even_after_the_bank_agreed(checkout: Checkout, simulator: Program) -> None:
    reply = pay(checkout().url, "4000008260003178")
    challenge = Page.at(urljoin(simulator.url, reply.headers["Location"]))
    page = Page(challenge.post(button="Complete authentication"))
    assert (page.status, "insufficient funds" in page.text) == (402, True)


@pytest.mark.parametrize(
    ("number", "status", "reason", "withdrawn"),
    [
        ("4000000000000259", "needs_response", "fraudulent", True),
        ("4000000000002685", "needs_response", "product_not_received", True),
        ("4000000000001976", "warning_needs_response", "fraudulent", False),
    ],
)
def test_some_payments_are_disputed_right_after(
    checkout: Checkout,
    client: stripe.StripeClient,
    endpoint: Endpoint,
    number: str,
    status: str,
    reason: str,
    withdrawn: bool,
) -> None:
    session = checkout()
    assert pay(session.url, number).status_code == 303
    charge = charge_of(client, session)
    assert charge.disputed is True
    (dispute,) = client.v1.disputes.list(params={"charge": charge.id}).data
    assert (dispute.status, dispute.reason, dispute.amount) == (status, reason, 1999)
    assert dispute.is_charge_refundable is not withdrawn
    assert bool(dispute.balance_transactions) is withdrawn
    endpoint.wait_for("charge.dispute.created")
    if withdrawn:
        endpoint.wait_for("charge.dispute.funds_withdrawn")


def test_an_early_fraud_warning_follows_its_card(
    checkout: Checkout, client: stripe.StripeClient, endpoint: Endpoint
) -> None:
    session = checkout()
    pay(session.url, "4000000000005423")
    charge = charge_of(client, session)
    (warning,) = client.v1.radar.early_fraud_warnings.list(params={"charge": charge.id}).data
    assert (warning.actionable, warning.payment_intent) == (True, charge.payment_intent)
    endpoint.wait_for("radar.early_fraud_warning.created")
