"""Delayed payments: the session completes first, the money comes later or not at all."""

from collections.abc import Callable
from pathlib import Path

import pytest
import requests
import stripe
from stripe.checkout import Session

from tests.stripe_simulator.conftest import Program, a_checkout
from tests.stripe_simulator.endpoint import Endpoint
from tests.stripe_simulator.pages import Page

Checkout = Callable[..., Session]
BUTTON = "Pay later by bank debit (delayed)"


def debited(session: Session) -> Session:
    assert Page.at(str(session.url)).post(button=BUTTON).status_code == 303
    return session


@pytest.mark.parametrize(("currency", "kind"), [("usd", "us_bank_account"), ("eur", "sepa_debit")])
def test_the_order_is_complete_but_unpaid_until_the_money_comes(
    checkout: Checkout,
    client: stripe.StripeClient,
    simulator: Program,
    endpoint: Endpoint,
    currency: str,
    kind: str,
) -> None:
    session = debited(checkout(1999, currency))
    waiting = client.v1.checkout.sessions.retrieve(session.id, params={"expand": ["payment_intent.latest_charge"]})
    assert (waiting.status, waiting.payment_status) == ("complete", "unpaid")
    intent = waiting.payment_intent
    assert isinstance(intent, stripe.PaymentIntent) and isinstance(intent.latest_charge, stripe.Charge)
    assert (intent.status, intent.latest_charge.status) == ("processing", "pending")
    assert intent.latest_charge.payment_method_details is not None
    assert intent.latest_charge.payment_method_details.type == kind
    endpoint.wait_until(lambda events: len(events) == 4)
    assert sorted(endpoint.types()) == [
        "charge.pending",
        "checkout.session.completed",
        "payment_intent.created",
        "payment_intent.processing",
    ]
    simulator.control(f"sessions/{session.id}/async", succeed=True)
    (event,) = endpoint.wait_for("checkout.session.async_payment_succeeded")
    assert event["data"]["object"]["payment_status"] == "paid"
    assert client.v1.payment_intents.retrieve(intent.id).status == "succeeded"
    endpoint.wait_for("payment_intent.succeeded")


def test_the_money_may_never_come(
    checkout: Checkout, client: stripe.StripeClient, simulator: Program, endpoint: Endpoint
) -> None:
    session = debited(checkout())
    simulator.control(f"sessions/{session.id}/async", succeed=False)
    endpoint.wait_for("checkout.session.async_payment_failed")
    failed = client.v1.checkout.sessions.retrieve(session.id, params={"expand": ["payment_intent"]})
    assert (failed.status, failed.payment_status) == ("complete", "unpaid")
    assert isinstance(failed.payment_intent, stripe.PaymentIntent)
    assert failed.payment_intent.status == "requires_payment_method"
    again = requests.post(f"{simulator.url}/_control/sessions/{session.id}/async", json={}, timeout=5)
    assert again.status_code == 400


def test_a_debit_under_way_can_be_canceled(checkout: Checkout, client: stripe.StripeClient, endpoint: Endpoint) -> None:
    session = debited(checkout())
    intent = client.v1.checkout.sessions.retrieve(session.id).payment_intent
    assert isinstance(intent, str)
    assert client.v1.payment_intents.cancel(intent).status == "canceled"
    endpoint.wait_for("checkout.session.async_payment_failed")
    with pytest.raises(stripe.InvalidRequestError, match="status of canceled"):
        client.v1.payment_intents.cancel(intent)


def test_a_debit_needs_no_card_and_a_card_only_session_takes_none(checkout: Checkout, simulator: Program) -> None:
    session = checkout(payment_method_types=["card"])
    page = Page.at(str(session.url))
    assert BUTTON not in page.form().buttons
    assert Page(page.post(pay_by="bank_debit")).status == 402


def test_refunds_of_a_debit_take_a_moment(checkout: Checkout, client: stripe.StripeClient, simulator: Program) -> None:
    session = debited(checkout())
    simulator.control(f"sessions/{session.id}/async", succeed=True)
    intent = client.v1.checkout.sessions.retrieve(session.id).payment_intent
    assert isinstance(intent, str)
    assert client.v1.refunds.create(params={"payment_intent": intent}).status == "pending"


def test_by_itself_a_debit_succeeds_after_its_delay(tmp_path: Path, own_endpoint: Endpoint) -> None:
    program = Program(tmp_path, own_endpoint.url, "--async-delay", "0.2")
    try:
        session = debited(program.client().v1.checkout.sessions.create(params=a_checkout()))
        (event,) = own_endpoint.wait_for("checkout.session.async_payment_succeeded")
        assert event["data"]["object"]["id"] == session.id
    finally:
        program.stop()
