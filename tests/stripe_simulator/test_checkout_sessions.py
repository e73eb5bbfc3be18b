"""Checkout Sessions through the unmodified SDK."""

import sqlite3
import time
from collections.abc import Callable
from typing import Any

import pytest
import stripe
from stripe.checkout import Session

from tests.stripe_simulator.conftest import Program, a_checkout
from tests.stripe_simulator.endpoint import Endpoint
from tests.stripe_simulator.pages import pay

Checkout = Callable[..., Session]


def test_a_new_session_is_open_unpaid_and_has_a_page(checkout: Checkout, simulator: Program) -> None:
    session = checkout()
    assert (session.status, session.payment_status) == ("open", "unpaid")
    assert (session.amount_total, session.amount_subtotal, session.currency) == (1999, 1999, "usd")
    assert session.url == f"{simulator.url}/c/pay/{session.id}"
    assert session.id.startswith("cs_test_")
    assert session.payment_intent is None
    assert session.client_reference_id == "customer-1"
    assert session.metadata is not None and session.metadata["order_id"] == "order-1"
    assert session.customer_details is not None and session.customer_details.email == "ben@example.com"
    assert session.expires_at - session.created == 24 * 3600
    assert session.livemode is False


def test_a_session_is_retrieved_as_it_was_created(checkout: Checkout, client: stripe.StripeClient) -> None:
    created = checkout()
    assert client.v1.checkout.sessions.retrieve(created.id).to_dict() == created.to_dict()


def test_line_items_come_by_their_own_list_and_by_expansion(client: stripe.StripeClient) -> None:
    price = {"currency": "eur", "unit_amount": 500, "product_data": {"name": "Tea & cake", "metadata": {"course": "7"}}}
    items = [{"price_data": price, "quantity": 2}, {"price_data": {**price, "unit_amount": 1}, "quantity": 1}]
    created = client.v1.checkout.sessions.create(params=a_checkout(line_items=items))
    assert created.amount_total == 1001
    assert "line_items" not in created.to_dict()
    listed = client.v1.checkout.sessions.line_items.list(created.id)
    expanded = client.v1.checkout.sessions.retrieve(created.id, params={"expand": ["line_items.data.price.product"]})
    assert expanded.line_items is not None
    assert [item.id for item in expanded.line_items.data] == [item.id for item in listed.data]
    first = expanded.line_items.data[0]
    assert (first.description, first.quantity, first.amount_total) == ("Tea & cake", 2, 1000)
    assert first.price is not None and first.price.unit_amount == 500
    product: Any = first.price.product
    assert product.metadata["course"] == "7"


def test_an_open_session_can_be_expired_once(
    checkout: Checkout, client: stripe.StripeClient, endpoint: Endpoint
) -> None:
    session = checkout()
    expired = client.v1.checkout.sessions.expire(session.id)
    assert (expired.status, expired.url) == ("expired", None)
    assert endpoint.wait_for("checkout.session.expired")[0]["data"]["object"]["id"] == session.id
    with pytest.raises(stripe.InvalidRequestError, match="status of expired"):
        client.v1.checkout.sessions.expire(session.id)


def test_a_session_past_its_time_expires_by_itself(
    checkout: Checkout, simulator: Program, endpoint: Endpoint, client: stripe.StripeClient
) -> None:
    session = checkout()
    # No API makes a session shorter than half an hour, so the test turns the stored clock.
    with sqlite3.connect(simulator.data / "stripe.db", timeout=10) as database:
        database.execute(
            "UPDATE objects SET body = json_set(body, '$.expires_at', ?) WHERE id = ?", (int(time.time()), session.id)
        )
    database.close()
    endpoint.wait_for("checkout.session.expired")
    assert client.v1.checkout.sessions.retrieve(session.id).status == "expired"


def test_sessions_are_listed_newest_first_with_filters_and_cursors(
    checkout: Checkout, client: stripe.StripeClient
) -> None:
    sessions = [checkout(1000 + number) for number in range(5)]
    ids = [session.id for session in reversed(sessions)]
    pay(sessions[0].url)
    listing = client.v1.checkout.sessions.list
    assert [session.id for session in listing(params={"limit": 2}).auto_paging_iter()] == ids
    assert listing(params={"limit": 2}).has_more is True
    assert [session.id for session in listing(params={"starting_after": ids[2]}).data] == ids[3:]
    assert [session.id for session in listing(params={"ending_before": ids[2]}).data] == ids[:2]
    assert [session.id for session in listing(params={"status": "complete"}).data] == [sessions[0].id]
    intent = client.v1.checkout.sessions.retrieve(sessions[0].id).payment_intent
    assert isinstance(intent, str)
    assert [session.id for session in listing(params={"payment_intent": intent}).data] == [sessions[0].id]
    assert len(listing(params={"customer_details": {"email": "ben@example.com"}}).data) == 5
    assert listing(params={"customer_details": {"email": "cleo@example.com"}}).data == []
    assert listing(params={"created": {"gt": int(time.time()) + 5}}).data == []
    assert len(listing(params={"created": {"lte": int(time.time()) + 5}, "limit": 100}).data) == 5


def test_a_customer_gives_the_session_her_address(checkout: Checkout, client: stripe.StripeClient) -> None:
    cleo = client.v1.customers.create(params={"email": "cleo@example.com", "name": "Cleo", "metadata": {"id": "3"}})
    session = checkout(customer=cleo.id, customer_email=None)
    assert session.customer == cleo.id
    assert session.customer_details is not None and session.customer_details.email == "cleo@example.com"
    pay(session.url)
    paid = client.v1.checkout.sessions.retrieve(session.id, params={"expand": ["payment_intent", "customer"]})
    assert isinstance(paid.payment_intent, stripe.PaymentIntent) and paid.payment_intent.customer == cleo.id
    assert isinstance(paid.customer, stripe.Customer) and paid.customer.name == "Cleo"
    assert [found.id for found in client.v1.customers.list(params={"email": "cleo@example.com"}).data] == [cleo.id]


def test_a_customer_is_made_on_payment_when_asked_for(checkout: Checkout, client: stripe.StripeClient) -> None:
    session = checkout(customer_creation="always")
    assert session.customer is None
    pay(session.url)
    paid = client.v1.checkout.sessions.retrieve(session.id, params={"expand": ["customer"]})
    assert isinstance(paid.customer, stripe.Customer)
    assert (paid.customer.email, paid.customer.name) == ("ben@example.com", "Ben Buyer")


def test_customers_can_be_changed_and_deleted(client: stripe.StripeClient) -> None:
    cleo = client.v1.customers.create(params={"email": "cleo@example.com", "metadata": {"a": "1", "b": "2"}})
    changed = client.v1.customers.update(cleo.id, params={"name": "Cleo", "metadata": {"a": ""}})
    assert changed.name == "Cleo"
    assert changed.metadata is not None and changed.metadata.to_dict() == {"b": "2"}
    assert client.v1.customers.delete(cleo.id).deleted is True
    assert client.v1.customers.retrieve(cleo.id).deleted is True
    with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
        client.v1.customers.update(cleo.id, params={"name": "Again"})


@pytest.mark.parametrize(
    ("others", "param", "code", "message"),
    [
        ({"line_items": None}, "line_items", "parameter_missing", "Missing required param: line_items"),
        ({"success_url": None}, "success_url", "parameter_missing", "Missing required param: success_url"),
        ({"success_url": "nowhere"}, "success_url", "url_invalid", "Not a valid URL"),
        ({"cancel_url": "javascript:alert(1)"}, "cancel_url", "url_invalid", "Not a valid URL"),
        ({"mode": "barter"}, "mode", None, "Invalid mode"),
        ({"mode": "subscription"}, "mode", None, "does not support the mode"),
        ({"colour": "blue"}, "colour", "parameter_unknown", "Received unknown parameter: colour"),
        ({"customer_email": "ben"}, "customer_email", "email_invalid", "Invalid email address: ben"),
        ({"customer_email": ""}, "customer_email", "parameter_invalid_empty", "You passed an empty string"),
        ({"customer_email": None, "customer": "cus_x"}, "customer", "resource_missing", "No such customer: 'cus_x'"),
        ({"customer": "cus_x"}, "customer", None, "You may only specify one of these parameters"),
        ({"expires_at": 12}, "expires_at", None, "at least 30 minutes"),
        ({"expires_at": 2**40}, "expires_at", None, "less than 24 hours"),
        ({"expires_at": "soon"}, "expires_at", "parameter_invalid_integer", "Invalid integer: soon"),
        ({"metadata": {"k" * 41: "v"}}, "metadata", None, "at most 40 characters"),
        ({"metadata": {"k": "v" * 501}}, "metadata[k]", "parameter_invalid_string_too_long", "at most 500"),
        ({"metadata": {str(n): "v" for n in range(51)}}, "metadata", None, "at most 50 keys"),
        ({"discounts": [{"coupon": "X"}]}, "discounts", "parameter_unknown", "does not support the parameter"),
        ({"client_reference_id": "x" * 201}, "client_reference_id", "parameter_invalid_string_too_long", "at most 200"),
        ({"line_items": [{"price_data": {}}]}, "line_items[0][price_data]", None, "Invalid array|Invalid object"),
        ({"expand": ["merchant"]}, "expand", None, "cannot be expanded"),
    ],
)
def test_a_faulty_session_is_refused_in_stripes_words(
    client: stripe.StripeClient, others: dict[str, Any], param: str, code: str | None, message: str
) -> None:
    if others.get("line_items") == [{"price_data": {}}]:
        others = {"line_items": [{"price_data": "x", "quantity": 1}]}
    with pytest.raises(stripe.InvalidRequestError, match=message) as refusal:
        client.v1.checkout.sessions.create(params=a_checkout(**others))
    assert (refusal.value.param, refusal.value.code) == (param, code)
    assert refusal.value.http_status == (404 if code == "resource_missing" else 400)
    assert refusal.value.request_id is not None and refusal.value.request_id.startswith("req_")
    assert client.v1.checkout.sessions.list().data == []


@pytest.mark.parametrize(
    ("price", "param", "code"),
    [
        ({"currency": "xxx"}, "line_items[0][price_data][currency]", None),
        ({"unit_amount": -1}, "line_items[0][price_data][unit_amount]", "parameter_invalid_integer"),
        ({"unit_amount": "19.99"}, "line_items[0][price_data][unit_amount]", "parameter_invalid_integer"),
        ({"unit_amount": 49}, None, "amount_too_small"),
        ({"unit_amount": 99_999_999}, None, "amount_too_large"),
        ({"product_data": {}}, "line_items[0][price_data][product_data]", None),
    ],
)
def test_a_faulty_price_is_refused(
    client: stripe.StripeClient, price: dict[str, Any], param: str | None, code: str | None
) -> None:
    whole = {"currency": "usd", "unit_amount": 1999, "product_data": {"name": "Bread"}, **price}
    if not whole["product_data"]:
        del whole["product_data"]
        code = "parameter_missing"
    quantity = 2 if code == "amount_too_large" else 1
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.checkout.sessions.create(params=a_checkout(line_items=[{"price_data": whole, "quantity": quantity}]))
    assert (refusal.value.param, refusal.value.code) == (param, code)


def test_yen_have_no_cents(checkout: Checkout) -> None:
    assert checkout(50, "jpy").amount_total == 50


def test_two_currencies_in_one_session_are_refused(client: stripe.StripeClient) -> None:
    items = [
        {"price_data": {"currency": name, "unit_amount": 900, "product_data": {"name": "Bread"}}, "quantity": 1}
        for name in ("usd", "eur")
    ]
    with pytest.raises(stripe.InvalidRequestError, match="same currency"):
        client.v1.checkout.sessions.create(params=a_checkout(line_items=items))


def test_a_life_between_half_an_hour_and_a_day_is_kept(checkout: Checkout) -> None:
    wanted = int(time.time()) + 3600
    assert checkout(expires_at=wanted).expires_at == wanted


def test_metadata_of_a_session_can_change(checkout: Checkout, client: stripe.StripeClient) -> None:
    changed = client.v1.checkout.sessions.update(checkout().id, params={"metadata": {"note": "x", "order_id": ""}})
    assert changed.metadata is not None and changed.metadata.to_dict() == {"note": "x"}


def test_an_unknown_session_is_missing(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.checkout.sessions.retrieve("cs_test_nobody")
    assert (refusal.value.http_status, refusal.value.code) == (404, "resource_missing")
    assert str(refusal.value.user_message) == "No such checkout.session: 'cs_test_nobody'"


def test_a_stranger_with_a_wrong_key_is_kept_out(simulator: Program) -> None:
    with pytest.raises(stripe.AuthenticationError, match="Invalid API Key provided"):
        simulator.client(key="sk_test_of_cleo_the_stranger").v1.checkout.sessions.list()
