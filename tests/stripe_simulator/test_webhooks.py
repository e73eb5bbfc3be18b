"""Webhooks: signed, repeated until they are accepted, and disturbed on demand."""

import hashlib
import hmac
import time
from collections.abc import Callable
from typing import Any, cast

import pytest
import requests
import stripe
from stripe.checkout import Session

from tests.stripe_simulator.conftest import Program
from tests.stripe_simulator.endpoint import Endpoint
from tests.stripe_simulator.pages import pay

Checkout = Callable[..., Session]

SALE = [
    "payment_intent.created",
    "charge.succeeded",
    "payment_intent.succeeded",
    "charge.updated",
    "checkout.session.completed",
]


def held_back(simulator: Program, checkout: Checkout) -> Session:
    """A sale whose five deliveries wait."""
    simulator.control("webhooks", paused=True)
    session = checkout()
    assert pay(session.url).status_code == 303
    return session


def test_a_sale_emits_its_events_in_stripes_order(
    checkout: Checkout, client: stripe.StripeClient, endpoint: Endpoint
) -> None:
    session = checkout()
    pay(session.url)
    listed = [event.type for event in client.v1.events.list().data]
    assert listed == list(reversed(SALE))
    endpoint.wait_until(lambda events: len(events) == 5)
    assert sorted(endpoint.types()) == sorted(SALE)


def test_each_delivery_is_signed_as_the_sdk_wants_it(checkout: Checkout, endpoint: Endpoint) -> None:
    session = checkout()
    pay(session.url)
    endpoint.wait_until(lambda events: len(events) == 5)
    events = [endpoint.verified(place) for place in range(5)]
    completed = next(event for event in events if event.type == "checkout.session.completed")
    assert completed.data.object["id"] == session.id
    assert completed.data.object["payment_status"] == "paid"
    assert (completed.api_version, completed.livemode, completed.pending_webhooks) == ("2026-10-28.endive", False, 1)
    assert completed.created <= time.time()
    with pytest.raises(stripe.SignatureVerificationError):
        endpoint.verified(secret="whsec_of_somebody_else")
    body, header = endpoint.received[0]
    stamp, digest = (part.partition("=")[2] for part in header.split(","))
    expected = hmac.new(b"whsec_simulator", stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert digest == expected


def test_an_event_names_the_request_that_caused_it(client: stripe.StripeClient) -> None:
    client.v1.customers.create(params={"email": "ben@example.com"}, options={"idempotency_key": "c:1"})
    (event,) = client.v1.events.list(params={"type": "customer.created"}).data
    assert event.request is not None
    assert (event.request.idempotency_key, str(event.request.id)[:4]) == ("c:1", "req_")


def test_events_are_found_by_type_and_by_success(
    checkout: Checkout, client: stripe.StripeClient, endpoint: Endpoint, simulator: Program
) -> None:
    pay(checkout().url)
    endpoint.wait_until(lambda events: len(events) == 5)
    simulator.control("webhooks", drop=["customer.created"])
    client.v1.customers.create()

    def types(**filters: Any) -> list[str]:
        return [event.type for event in client.v1.events.list(params=cast(Any, filters)).data]

    assert types(type="charge.succeeded") == ["charge.succeeded"]
    assert types(type="charge.*") == ["charge.updated", "charge.succeeded"]
    assert types(types=["charge.updated", "customer.created"]) == ["customer.created", "charge.updated"]
    assert types(created={"gt": int(time.time()) + 5}) == []
    until = time.monotonic() + 5
    while types(delivery_success=False) != ["customer.created"] and time.monotonic() < until:
        time.sleep(0.02)
    assert types(delivery_success=False) == ["customer.created"]
    assert len(types(delivery_success=True)) == 5
    one = client.v1.events.list(params={"type": "charge.succeeded"}).data[0]
    assert client.v1.events.retrieve(one.id).pending_webhooks == 0


def test_a_refused_delivery_comes_again_with_a_fresh_signature(client: stripe.StripeClient, endpoint: Endpoint) -> None:
    endpoint.answers = [500, 302, 503]
    client.v1.customers.create()
    events = endpoint.wait_for("customer.created", times=4)
    assert len({event["id"] for event in events}) == 1
    for place in range(4):
        assert endpoint.verified(place).id == events[0]["id"]
    time.sleep(0.3)
    assert len(endpoint.received) == 4


def test_attempts_are_counted_and_their_answers_kept(
    client: stripe.StripeClient, endpoint: Endpoint, simulator: Program
) -> None:
    endpoint.answers = [500]
    client.v1.customers.create()
    endpoint.wait_for("customer.created", times=2)
    until = time.monotonic() + 5
    while simulator.deliveries()[0]["state"] != "delivered" and time.monotonic() < until:
        time.sleep(0.02)
    (delivery,) = simulator.deliveries()
    assert (delivery["type"], delivery["attempts"], delivery["last_status"]) == ("customer.created", 2, 200)
    assert delivery["event_id"].startswith("evt_")


def test_pausing_holds_everything_back_and_flushing_sends_it_in_order(
    checkout: Checkout, simulator: Program, endpoint: Endpoint
) -> None:
    held_back(simulator, checkout)
    time.sleep(0.3)
    assert endpoint.received == []
    assert [(entry["type"], entry["state"]) for entry in simulator.deliveries()] == [(kind, "pending") for kind in SALE]
    assert simulator.control("webhooks/flush") == {"delivered": 5, "failed": 0, "left": 0}
    assert endpoint.types() == SALE
    assert simulator.control("webhooks/flush") == {"delivered": 0, "failed": 0, "left": 0}
    assert requests.get(f"{simulator.url}/_control/webhooks", timeout=5).json()["paused"] is True


def test_resuming_sends_what_was_held_back(checkout: Checkout, simulator: Program, endpoint: Endpoint) -> None:
    held_back(simulator, checkout)
    simulator.control("webhooks", paused=False)
    endpoint.wait_until(lambda events: len(events) == 5)


def test_a_flush_that_fails_tries_again_later(checkout: Checkout, simulator: Program, endpoint: Endpoint) -> None:
    held_back(simulator, checkout)
    endpoint.answers = [500] * 5
    assert simulator.control("webhooks/flush") == {"delivered": 0, "failed": 5, "left": 0}
    assert simulator.control("webhooks/flush", parallel=True) == {"delivered": 5, "failed": 0, "left": 0}


def test_every_event_can_be_sent_ten_times(checkout: Checkout, simulator: Program, endpoint: Endpoint) -> None:
    simulator.control("webhooks", duplicate=10)
    pay(checkout().url)
    endpoint.wait_until(lambda events: len(events) == 50)
    assert {kind: endpoint.types().count(kind) for kind in SALE} == dict.fromkeys(SALE, 10)
    assert len({event["id"] for event in endpoint.events()}) == 5


def test_shuffled_deliveries_arrive_in_other_orders(checkout: Checkout, simulator: Program, endpoint: Endpoint) -> None:
    simulator.control("webhooks", duplicate=4, shuffle=True)
    held_back(simulator, checkout)
    simulator.control("webhooks/flush")
    shuffled = endpoint.types()
    assert len(shuffled) == 20
    # Twenty in exactly the unshuffled order by chance: less likely than once in 10^11.
    assert shuffled != sorted(shuffled, key=SALE.index)


def test_shuffled_deliveries_all_arrive_unpaused(checkout: Checkout, simulator: Program, endpoint: Endpoint) -> None:
    simulator.control("webhooks", shuffle=True)
    pay(checkout().url)
    endpoint.wait_until(lambda events: len(events) == 5)


def test_dropped_deliveries_never_come_until_they_are_sent_again(
    checkout: Checkout, simulator: Program, endpoint: Endpoint
) -> None:
    simulator.control("webhooks", drop=True)
    pay(checkout().url)
    time.sleep(0.4)
    assert endpoint.received == []
    assert {entry["state"] for entry in simulator.deliveries()} == {"dropped"}
    simulator.control("webhooks", drop=False)
    last = simulator.deliveries()[-1]
    simulator.control(f"events/{last['event_id']}/resend")
    assert endpoint.wait_for("checkout.session.completed")[0]["id"] == last["event_id"]
    assert simulator.control("webhooks/flush", dropped=True)["delivered"] == 5


def test_single_types_can_be_dropped(checkout: Checkout, simulator: Program, endpoint: Endpoint) -> None:
    simulator.control("webhooks", drop=["checkout.session.completed", "payment_intent.created"])
    pay(checkout().url)
    endpoint.wait_until(lambda events: len(events) == 3)
    time.sleep(0.2)
    assert sorted(endpoint.types()) == ["charge.succeeded", "charge.updated", "payment_intent.succeeded"]


def test_delayed_deliveries_wait(client: stripe.StripeClient, simulator: Program, endpoint: Endpoint) -> None:
    simulator.control("webhooks", delay_ms=700)
    started = time.monotonic()
    client.v1.customers.create()
    endpoint.wait_for("customer.created")
    assert time.monotonic() - started >= 0.7


def test_a_slow_endpoint_holds_up_nobody_else(
    client: stripe.StripeClient, simulator: Program, endpoint: Endpoint
) -> None:
    endpoint.hold = 1.0
    client.v1.customers.create()
    time.sleep(0.2)
    endpoint.hold = 0.0
    started = time.monotonic()
    client.v1.customers.create()
    endpoint.wait_for("customer.created")
    assert time.monotonic() - started < 0.7


def test_a_reset_lets_what_is_under_way_arrive_first(
    client: stripe.StripeClient, simulator: Program, endpoint: Endpoint
) -> None:
    endpoint.hold = 0.5
    client.v1.customers.create()
    time.sleep(0.2)
    simulator.control("reset")
    assert endpoint.types() == ["customer.created"]


def test_a_reset_forgets_everything(checkout: Checkout, simulator: Program, client: stripe.StripeClient) -> None:
    session = held_back(simulator, checkout)
    simulator.control("reset")
    assert simulator.deliveries() == []
    assert client.v1.events.list().data == []
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.checkout.sessions.retrieve(session.id)
