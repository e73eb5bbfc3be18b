"""Disputes: opened, moved on, won, lost, and what each does to the money."""

from collections.abc import Callable
from typing import Any

import pytest
import requests
import stripe
from stripe.checkout import Session

from tests.stripe_simulator.conftest import Program
from tests.stripe_simulator.endpoint import Endpoint
from tests.stripe_simulator.pages import pay

Checkout = Callable[..., Session]


@pytest.fixture
def charge(checkout: Checkout, client: stripe.StripeClient, simulator: Program, endpoint: Endpoint) -> stripe.Charge:
    """Ben's payment, with its own events out of the way."""
    pay(checkout().url)
    endpoint.wait_until(lambda events: len(events) == 5)
    simulator.control("webhooks", paused=True)
    endpoint.forget()
    return client.v1.charges.list().data[0]


def moved(simulator: Program, endpoint: Endpoint, charge: stripe.Charge, **body: Any) -> list[str]:
    """The event types that follow when the bank moves the dispute."""
    endpoint.forget()
    simulator.control(f"charges/{charge.id}/dispute", **body)
    simulator.control("webhooks/flush")
    return [kind.removeprefix("charge.dispute.") for kind in endpoint.types()]


def balance(client: stripe.StripeClient, charge: stripe.Charge) -> int:
    (dispute,) = client.v1.disputes.list(params={"charge": charge.id}).data
    return sum(entry.net for entry in dispute.balance_transactions)


def test_a_dispute_that_is_won_gives_the_money_back(
    charge: stripe.Charge, simulator: Program, endpoint: Endpoint, client: stripe.StripeClient
) -> None:
    assert moved(simulator, endpoint, charge, status="needs_response", reason="product_not_received") == [
        "created",
        "funds_withdrawn",
    ]
    assert balance(client, charge) == -1999 - 1500
    assert moved(simulator, endpoint, charge, status="under_review") == ["updated"]
    assert moved(simulator, endpoint, charge, status="won") == ["closed", "funds_reinstated"]
    assert balance(client, charge) == 0
    (dispute,) = client.v1.disputes.list(params={"payment_intent": str(charge.payment_intent)}).data
    assert (dispute.status, dispute.reason, dispute.amount) == ("won", "product_not_received", 1999)
    assert client.v1.charges.retrieve(charge.id).disputed is True


def test_lost_after_won_takes_the_money_again(
    charge: stripe.Charge, simulator: Program, endpoint: Endpoint, client: stripe.StripeClient
) -> None:
    moved(simulator, endpoint, charge, status="needs_response")
    moved(simulator, endpoint, charge, status="won")
    assert moved(simulator, endpoint, charge, status="lost") == ["closed", "funds_withdrawn"]
    assert balance(client, charge) == -1999 - 1500


def test_an_inquiry_moves_no_money_until_it_escalates(
    charge: stripe.Charge, simulator: Program, endpoint: Endpoint, client: stripe.StripeClient
) -> None:
    assert moved(simulator, endpoint, charge, status="warning_needs_response") == ["created"]
    assert moved(simulator, endpoint, charge, status="warning_under_review") == ["updated"]
    assert balance(client, charge) == 0
    assert moved(simulator, endpoint, charge, status="needs_response") == ["updated", "funds_withdrawn"]


def test_an_inquiry_can_end_quietly(charge: stripe.Charge, simulator: Program, endpoint: Endpoint) -> None:
    moved(simulator, endpoint, charge, status="warning_needs_response")
    assert moved(simulator, endpoint, charge, status="warning_closed") == ["closed"]


def test_a_dispute_that_starts_at_its_end_tells_the_whole_story(
    charge: stripe.Charge, simulator: Program, endpoint: Endpoint
) -> None:
    assert moved(simulator, endpoint, charge, status="lost", amount=500) == ["created", "funds_withdrawn", "closed"]


def test_the_same_status_again_changes_nothing(charge: stripe.Charge, simulator: Program, endpoint: Endpoint) -> None:
    moved(simulator, endpoint, charge, status="needs_response")
    assert moved(simulator, endpoint, charge, status="needs_response") == []


def test_evidence_is_submitted_and_wins(
    charge: stripe.Charge, simulator: Program, client: stripe.StripeClient, endpoint: Endpoint
) -> None:
    simulator.control(f"charges/{charge.id}/dispute", status="needs_response")
    simulator.control("webhooks", paused=False)
    (dispute,) = client.v1.disputes.list().data
    evidence: Any = {"product_description": "A course", "uncategorized_text": "winning_evidence"}
    draft = client.v1.disputes.update(dispute.id, params={"evidence": evidence, "submit": False})
    assert (draft.status, draft.evidence_details.has_evidence) == ("needs_response", True)
    sent = client.v1.disputes.update(dispute.id, params={"submit": True})
    assert (sent.status, sent.evidence_details.submission_count) == ("under_review", 1)
    assert endpoint.wait_for("charge.dispute.closed")[0]["data"]["object"]["status"] == "won"
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.disputes.update(dispute.id, params={"evidence": {"product_description": "late"}})


def test_closing_a_dispute_accepts_its_loss(
    charge: stripe.Charge, simulator: Program, client: stripe.StripeClient
) -> None:
    simulator.control(f"charges/{charge.id}/dispute", status="needs_response")
    (dispute,) = client.v1.disputes.list().data
    assert client.v1.disputes.close(dispute.id).status == "lost"
    with pytest.raises(stripe.InvalidRequestError, match="already closed"):
        client.v1.disputes.close(dispute.id)


def test_a_fraud_warning_can_be_raised(charge: stripe.Charge, simulator: Program, client: stripe.StripeClient) -> None:
    warning = simulator.control(f"charges/{charge.id}/fraud_warning")
    assert client.v1.radar.early_fraud_warnings.retrieve(warning["id"]).charge == charge.id


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("charges/ch_nobody/dispute", {"status": "lost"}, 404),
        ("charges/{id}/dispute", {"status": "angry"}, 400),
        ("charges/{id}/dispute", {"status": "lost", "amount": 2000}, 400),
        ("charges/{id}/dispute", {"status": "lost", "amount": "all"}, 400),
        ("refunds/re_nobody/fail", {}, 404),
        ("sessions/cs_test_nobody/expire", {}, 404),
        ("nothing", {}, 404),
    ],
)
def test_impossible_wishes_are_refused(
    charge: stripe.Charge, simulator: Program, path: str, body: dict[str, Any], status: int
) -> None:
    reply = requests.post(f"{simulator.url}/_control/{path.format(id=charge.id)}", json=body, timeout=5)
    assert reply.status_code == status
    assert reply.json()["error"]["message"]
