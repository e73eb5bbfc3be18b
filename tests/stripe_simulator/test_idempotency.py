"""A repeated request with its key does nothing twice."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
import stripe
from stripe.checkout import Session

from tests.stripe_simulator.conftest import Program, a_checkout
from tests.stripe_simulator.pages import pay

Checkout = Callable[..., Session]
_KEY = {"Authorization": "Bearer sk_test_simulator"}


def test_the_same_key_and_parameters_give_the_stored_answer(
    checkout: Checkout, client: stripe.StripeClient, simulator: Program
) -> None:
    headers = {**_KEY, "Idempotency-Key": "cust-1"}
    body = {"email": "ben@example.com"}
    first, second = (
        requests.post(f"{simulator.url}/v1/customers", data=body, headers=headers, timeout=5) for _ in range(2)
    )
    assert first.status_code == second.status_code == 200
    assert first.content == second.content
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert second.headers["Original-Request"] == first.headers["Request-Id"]
    assert second.headers["Request-Id"] != first.headers["Request-Id"]
    assert second.headers["Idempotency-Key"] == "cust-1"
    assert checkout(key="co:1").id == checkout(key="co:1").id
    assert len(client.v1.checkout.sessions.list().data) == 1


def test_other_parameters_with_the_same_key_are_an_error(checkout: Checkout) -> None:
    checkout(1999, key="co:1")
    with pytest.raises(stripe.IdempotencyError, match="same parameters they were first used with") as refusal:
        checkout(2999, key="co:1")
    assert refusal.value.http_status == 400


def test_the_same_key_for_another_endpoint_is_an_error(checkout: Checkout, client: stripe.StripeClient) -> None:
    checkout(key="co:1")
    with pytest.raises(stripe.IdempotencyError, match="same endpoint"):
        client.v1.customers.create(options={"idempotency_key": "co:1"})


def test_a_key_in_flight_is_refused_and_free_again_later(simulator: Program, checkout: Checkout) -> None:
    simulator.control("faults", path="/v1/checkout/sessions", latency_ms=600, when="before")
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(checkout, key="co:1")
        time.sleep(0.2)
        with pytest.raises(stripe.APIError) as refusal:
            checkout(key="co:1")
        assert refusal.value.error is not None
        assert (refusal.value.http_status, refusal.value.error.code) == (409, "idempotency_key_in_use")
        assert checkout(key="co:1b").id != slow.result().id
    assert checkout(key="co:1").id == slow.result().id


def test_twenty_at_once_make_one_session(simulator: Program, client: stripe.StripeClient) -> None:
    start = threading.Barrier(20)

    def create() -> str:
        start.wait()
        sessions = simulator.client(retries=5).v1.checkout.sessions
        return sessions.create(params=a_checkout(), options={"idempotency_key": "co:1"}).id

    with ThreadPoolExecutor(20) as pool:
        ids = {found.result() for found in [pool.submit(create) for _ in range(20)]}
    assert len(ids) == 1
    assert len(client.v1.checkout.sessions.list().data) == 1


def test_without_a_key_in_common_each_request_counts(checkout: Checkout, client: stripe.StripeClient) -> None:
    assert checkout().id != checkout().id
    assert len(client.v1.checkout.sessions.list().data) == 2


def test_refused_parameters_do_not_use_the_key_up(checkout: Checkout) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        checkout(1, key="co:1")
    assert checkout(1999, key="co:1").amount_total == 1999


def test_a_refusal_of_the_deed_itself_is_stored(checkout: Checkout, client: stripe.StripeClient) -> None:
    session = checkout()
    pay(session.url)
    intent = client.v1.checkout.sessions.retrieve(session.id).payment_intent
    assert isinstance(intent, str)
    for _ in range(2):
        with pytest.raises(stripe.InvalidRequestError, match="greater than charge amount") as refusal:
            client.v1.refunds.create(
                params={"payment_intent": intent, "amount": 5000}, options={"idempotency_key": "re:1"}
            )
    assert refusal.value.headers is not None
    assert refusal.value.headers["Idempotent-Replayed"] == "true"


def test_a_key_of_more_than_255_characters_is_refused(checkout: Checkout) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="at most 255"):
        checkout(key="k" * 256)
