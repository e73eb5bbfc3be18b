"""What was agreed survives the end of the program, even a rude one."""

from pathlib import Path
from typing import Any

import pytest
import stripe

from tests.stripe_simulator.conftest import Program, a_checkout
from tests.stripe_simulator.endpoint import Endpoint
from tests.stripe_simulator.pages import pay


@pytest.mark.parametrize("rudely", [False, True], ids=["terminated", "killed"])
def test_sessions_keys_and_waiting_deliveries_survive(tmp_path: Path, own_endpoint: Endpoint, rudely: bool) -> None:
    program = Program(tmp_path, own_endpoint.url)
    key: Any = {"idempotency_key": "co:1"}
    try:
        session = program.client().v1.checkout.sessions.create(params=a_checkout(), options=key)
        program.control("webhooks", paused=True)
        assert pay(session.url).status_code == 303
        program.stop(rudely=rudely)
        assert own_endpoint.received == []
        program.start()
        client = program.client()
        assert client.v1.checkout.sessions.create(params=a_checkout(), options=key).id == session.id
        again = client.v1.checkout.sessions.retrieve(session.id, params={"expand": ["payment_intent.latest_charge"]})
        assert again.payment_status == "paid"
        assert isinstance(again.payment_intent, stripe.PaymentIntent)
        assert isinstance(again.payment_intent.latest_charge, stripe.Charge)
        assert own_endpoint.received == []
        program.control("webhooks", paused=False)
        own_endpoint.wait_until(lambda events: len(events) == 5)
    finally:
        errors = program.stop()
    assert "Traceback" not in errors
