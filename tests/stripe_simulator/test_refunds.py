"""Refunds: whole, in part, too much, too often, and failing later."""

from collections.abc import Callable
from typing import Any

import pytest
import stripe
from stripe.checkout import Session

from tests.stripe_simulator.conftest import Program
from tests.stripe_simulator.endpoint import Endpoint
from tests.stripe_simulator.pages import pay

Checkout = Callable[..., Session]


@pytest.fixture
def charge(checkout: Checkout, client: stripe.StripeClient) -> stripe.Charge:
    """Ben's payment of 19.99 dollars."""
    pay(checkout().url)
    return client.v1.charges.list().data[0]


def test_a_whole_refund_by_the_intent(charge: stripe.Charge, client: stripe.StripeClient, endpoint: Endpoint) -> None:
    assert isinstance(charge.payment_intent, str)
    params: Any = {"payment_intent": charge.payment_intent, "reason": "requested_by_customer", "metadata": {"n": "1"}}
    refund = client.v1.refunds.create(params=params)
    assert (refund.status, refund.amount, refund.currency) == ("succeeded", 1999, "usd")
    assert (refund.charge, refund.payment_intent) == (charge.id, charge.payment_intent)
    refunded = client.v1.charges.retrieve(charge.id, params={"expand": ["refunds", "balance_transaction"]})
    assert (refunded.refunded, refunded.amount_refunded) == (True, 1999)
    assert refunded.refunds is not None and [entry.id for entry in refunded.refunds.data] == [refund.id]
    assert isinstance(refunded.balance_transaction, stripe.BalanceTransaction)
    assert (refunded.balance_transaction.fee, refunded.balance_transaction.net) == (88, 1911)
    for kind in ("refund.created", "charge.refunded", "refund.updated", "charge.refund.updated"):
        endpoint.wait_for(kind)


def test_refunds_in_part_add_up(charge: stripe.Charge, client: stripe.StripeClient) -> None:
    client.v1.refunds.create(params={"charge": charge.id, "amount": 999})
    assert client.v1.charges.retrieve(charge.id).refunded is False
    with pytest.raises(stripe.InvalidRequestError, match=r"\$10\.01\) is greater than unrefunded amount"):
        client.v1.refunds.create(params={"charge": charge.id, "amount": 1001})
    client.v1.refunds.create(params={"charge": charge.id})
    whole = client.v1.charges.retrieve(charge.id)
    assert (whole.refunded, whole.amount_refunded) == (True, 1999)
    assert [refund.amount for refund in client.v1.refunds.list(params={"charge": charge.id}).data] == [1000, 999]


def test_more_than_was_paid_is_refused(charge: stripe.Charge, client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=r"greater than charge amount \(\$19\.99\)") as refusal:
        client.v1.refunds.create(params={"charge": charge.id, "amount": 2000})
    assert refusal.value.param == "amount"


def test_a_second_whole_refund_is_refused(charge: stripe.Charge, client: stripe.StripeClient) -> None:
    client.v1.refunds.create(params={"charge": charge.id})
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.refunds.create(params={"charge": charge.id})
    assert (refusal.value.code, refusal.value.http_status) == ("charge_already_refunded", 400)


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({}, 400),
        ({"charge": "ch_nobody"}, 404),
        ({"payment_intent": "pi_nobody"}, 404),
        ({"charge": "ch_x", "payment_intent": "pi_x"}, 400),
        ({"charge": "ch_x", "amount": 0}, 400),
        ({"charge": "ch_x", "reason": "mood"}, 400),
    ],
)
def test_a_refund_of_nothing_known_is_refused(client: stripe.StripeClient, params: Any, status: int) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.refunds.create(params=params)
    assert refusal.value.http_status == status


def test_a_declined_payment_cannot_be_refunded(checkout: Checkout, client: stripe.StripeClient) -> None:
    pay(checkout().url, "4000000000000002")
    (intent,) = client.v1.payment_intents.list().data
    with pytest.raises(stripe.InvalidRequestError, match="does not have a successful charge"):
        client.v1.refunds.create(params={"payment_intent": intent.id})


def test_a_refund_can_fail_days_later(
    charge: stripe.Charge, client: stripe.StripeClient, simulator: Program, endpoint: Endpoint
) -> None:
    refund = client.v1.refunds.create(params={"charge": charge.id})
    simulator.control(f"refunds/{refund.id}/fail")
    failed = client.v1.refunds.retrieve(refund.id)
    assert (failed.status, failed.failure_reason) == ("failed", "lost_or_stolen_card")
    endpoint.wait_for("refund.failed")
    endpoint.wait_for("charge.refund.updated", times=2)
    again = client.v1.charges.retrieve(charge.id)
    assert (again.refunded, again.amount_refunded) == (False, 0)
    assert client.v1.refunds.create(params={"charge": charge.id}).amount == 1999


def test_the_card_whose_refunds_fail_by_themselves(
    checkout: Checkout, client: stripe.StripeClient, endpoint: Endpoint
) -> None:
    pay(checkout().url, "4000000000005126")
    (charge,) = client.v1.charges.list().data
    assert client.v1.refunds.create(params={"charge": charge.id}).status == "succeeded"
    endpoint.wait_for("refund.failed")
    assert client.v1.charges.retrieve(charge.id).amount_refunded == 0


def test_a_refund_while_the_charge_is_disputed_is_refused(
    charge: stripe.Charge, client: stripe.StripeClient, simulator: Program
) -> None:
    simulator.control(f"charges/{charge.id}/dispute", status="warning_needs_response")
    client.v1.refunds.create(params={"charge": charge.id, "amount": 1})
    simulator.control(f"charges/{charge.id}/dispute", status="needs_response")
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.refunds.create(params={"charge": charge.id, "amount": 1})
    assert refusal.value.code == "charge_disputed"
    simulator.control(f"charges/{charge.id}/dispute", status="won")
    client.v1.refunds.create(params={"charge": charge.id, "amount": 1})
