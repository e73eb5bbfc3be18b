"""Faults on demand, and the SDK that comes through them without doing anything twice."""

import time
from typing import Any

import pytest
import requests
import stripe

from tests.stripe_simulator.conftest import Program, a_checkout

_KEY = {"Authorization": "Bearer sk_test_simulator"}
PATH = "/v1/checkout/sessions"


@pytest.mark.parametrize(
    "fault",
    [
        {"when": "before", "status": 500},
        {"when": "after", "status": 500},
        {"when": "after", "status": 503},
        {"when": "before", "reset": True},
        {"when": "after", "reset": True},
    ],
    ids=lambda fault: "-".join(str(value) for value in fault.values()),
)
def test_the_sdk_retries_with_its_key_and_makes_exactly_one_session(
    simulator: Program, fault: dict[str, object]
) -> None:
    simulator.control("faults", path=PATH, times=1, **fault)
    client = simulator.client(retries=2)
    created = client.v1.checkout.sessions.create(params=a_checkout())
    assert [session.id for session in client.v1.checkout.sessions.list().data] == [created.id]
    assert simulator.control("faults", path="/v1/never", status=500)["faults"][0]["path"] == "/v1/never"


def test_an_error_before_the_effect_leaves_nothing_behind(simulator: Program, client: stripe.StripeClient) -> None:
    simulator.control("faults", path=PATH, status=500, when="before", times=1)
    with pytest.raises(stripe.APIError) as error:
        client.v1.checkout.sessions.create(params=a_checkout(), options={"idempotency_key": "co:1"})
    assert error.value.http_status == 500
    assert client.v1.checkout.sessions.list().data == []


def test_an_error_after_the_effect_hides_what_was_done(simulator: Program, client: stripe.StripeClient) -> None:
    simulator.control("faults", path=PATH, status=502, when="after", times=1)
    with pytest.raises(stripe.APIError):
        client.v1.checkout.sessions.create(params=a_checkout())
    assert len(client.v1.checkout.sessions.list().data) == 1


def test_a_reset_connection_is_a_connection_error(simulator: Program) -> None:
    simulator.control("faults", path="/v1/customers", reset=True, times=1)
    with pytest.raises(requests.ConnectionError) as error:
        requests.get(f"{simulator.url}/v1/customers", headers=_KEY, timeout=5)
    assert "reset by peer" in str(error.value)
    assert requests.get(f"{simulator.url}/v1/customers", headers=_KEY, timeout=5).status_code == 200


def test_latency_alone_only_takes_time(simulator: Program, client: stripe.StripeClient) -> None:
    simulator.control("faults", latency_ms=300, times=1)
    started = time.monotonic()
    client.v1.customers.list()
    assert time.monotonic() - started >= 0.3


def test_too_many_requests_are_a_rate_limit_error(simulator: Program, client: stripe.StripeClient) -> None:
    simulator.control("faults", status=429, times=2)
    for _ in range(2):
        with pytest.raises(stripe.RateLimitError):
            client.v1.customers.list()
    client.v1.customers.list()


def test_a_fault_strikes_only_its_path_and_method(simulator: Program, client: stripe.StripeClient) -> None:
    simulator.control("faults", path=PATH, method="POST", status=500, times=5)
    client.v1.customers.create()
    assert client.v1.checkout.sessions.list().data == []
    with pytest.raises(stripe.APIError):
        client.v1.checkout.sessions.expire("cs_test_x")
    cleared = requests.delete(f"{simulator.url}/_control/faults", timeout=5)
    assert cleared.json() == {"faults": []}
    client.v1.checkout.sessions.create(params=a_checkout())


@pytest.mark.parametrize(
    "body",
    [
        {"status": 200},
        {"status": "500"},
        {"when": "during", "status": 500},
        {"times": 0, "status": 500},
        {"latency_ms": -1},
        {"path": "/c/pay", "status": 500},
        {"colour": "red"},
        {},
        [],
        "text",
    ],
)
def test_nonsense_is_no_fault(simulator: Program, body: Any) -> None:
    reply = requests.post(f"{simulator.url}/_control/faults", json=body, timeout=5)
    assert reply.status_code == 400
    assert requests.get(f"{simulator.url}/_control/faults", timeout=5).json() == {"faults": []}
