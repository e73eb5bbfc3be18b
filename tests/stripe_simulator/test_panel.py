"""The control panel, worked by a person without JavaScript."""

from collections.abc import Callable

import requests
import stripe
from stripe.checkout import Session

from tests.stripe_simulator.conftest import Program
from tests.stripe_simulator.endpoint import Endpoint
from tests.stripe_simulator.pages import Page, pay

Checkout = Callable[..., Session]


def test_an_empty_simulator_says_so(simulator: Program) -> None:
    page = Page.at(simulator.url)
    assert "No checkout has been started yet." in page.text
    assert "Nothing has happened yet." in Page.at(f"{simulator.url}/webhooks").text


def test_root_pauses_resumes_and_flushes(checkout: Checkout, simulator: Program, endpoint: Endpoint) -> None:
    page = Page.at(simulator.url)
    paused = Page(page.post(page.form("/pause"), follow=True))
    assert "Delivery settings saved." in paused.text and "Paused" in paused.text
    pay(checkout().url)
    waiting = Page.at(f"{simulator.url}/webhooks")
    assert "5 deliveries waiting" in waiting.text
    flushed = Page(waiting.post(waiting.form("/flush"), follow=True))
    assert "0 deliveries waiting" in flushed.text
    assert len(endpoint.received) == 5
    resumed = Page(flushed.post(flushed.form("/resume"), follow=True))
    assert "Delivering" in resumed.text


def test_root_changes_the_settings(simulator: Program) -> None:
    page = Page.at(f"{simulator.url}/webhooks")
    form = page.form("/panel/webhooks")
    saved = Page(page.post(form, delay_ms="250", duplicate="3", drop="0.5", shuffle="on", follow=True))
    fields = saved.form("/panel/webhooks").fields
    assert (fields["delay_ms"], fields["duplicate"], fields["drop"], fields["shuffle"]) == ("250", "3", "0.5", "on")
    refused = Page(page.post(form, drop="7"))
    assert refused.status == 400 and "drop must be" in refused.text
    assert Page(page.post(form, delay_ms="soon")).status == 400


def test_root_expires_refunds_disputes_and_lets_a_refund_fail(
    checkout: Checkout, simulator: Program, client: stripe.StripeClient
) -> None:
    pay(checkout().url)
    unpaid = checkout()
    page = Page.at(simulator.url)
    assert page.post(page.form(f"{unpaid.id}/expire")).status_code == 303
    assert client.v1.checkout.sessions.retrieve(unpaid.id).status == "expired"
    (charge,) = client.v1.charges.list().data
    page.post(page.form(f"{charge.id}/refund"))
    (refund,) = client.v1.refunds.list().data
    assert refund.amount == 1999
    again = Page(page.post(page.form(f"{charge.id}/refund")))
    assert again.status == 400 and "already been refunded" in again.text
    page = Page.at(simulator.url)
    page.post(page.form(f"{refund.id}/fail"))
    assert client.v1.refunds.retrieve(refund.id).status == "failed"
    page.post(page.form(f"{charge.id}/dispute"), status="warning_needs_response")
    assert client.v1.disputes.list().data[0].status == "warning_needs_response"
    page.post(page.form(f"{charge.id}/fraud_warning"))
    assert len(client.v1.radar.early_fraud_warnings.list().data) == 1


def test_root_settles_a_bank_debit(checkout: Checkout, simulator: Program, client: stripe.StripeClient) -> None:
    session = checkout()
    Page.at(str(session.url)).post(button="Pay later by bank debit (delayed)")
    page = Page.at(simulator.url)
    assert page.form(f"{session.id}/async").hidden_in_order == [["type", "name", "value"]]
    page.post(page.form(f"{session.id}/async"), succeed="true")
    assert client.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"


def test_root_plans_a_fault_and_clears_it(simulator: Program) -> None:
    page = Page.at(f"{simulator.url}/faults")
    planned = Page(page.post(page.form("/panel/faults"), path="/v1/refunds", status="503", times="2", follow=True))
    assert "/v1/refunds" in planned.text
    assert requests.get(f"{simulator.url}/_control/faults", timeout=5).json()["faults"][0]["status"] == 503
    cleared = Page(planned.post(planned.form("/clear"), follow=True))
    assert "No fault is planned." in cleared.text


def test_root_reads_an_event_and_sends_it_again(
    client: stripe.StripeClient, simulator: Program, endpoint: Endpoint
) -> None:
    client.v1.customers.create(params={"name": "<b>Cleo</b>"})
    event = endpoint.wait_for("customer.created")[0]
    page = Page.at(f"{simulator.url}/events/{event['id']}")
    assert "<b>Cleo</b>" in page.text
    assert page.post(page.form("/resend")).status_code == 303
    endpoint.wait_for("customer.created", times=2)


def test_root_starts_over(checkout: Checkout, simulator: Program, client: stripe.StripeClient) -> None:
    checkout()
    page = Page.at(simulator.url)
    emptied = Page(page.post(page.form("/reset"), follow=True))
    assert "Everything is erased." in emptied.text
    assert client.v1.checkout.sessions.list().data == []
