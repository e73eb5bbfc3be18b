"""A running simulator, a shop's endpoint for its webhooks, and the unmodified SDK to speak with it."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import stripe
from stripe.checkout import Session

from tests.stripe_simulator.endpoint import Endpoint

ROOT = Path(__file__).resolve().parents[2]


class Program:
    """The simulator as a process of its own."""

    def __init__(self, data: Path, webhook_url: str = "", *options: str) -> None:
        self.data = data
        self.webhook_url = webhook_url
        self.options = options
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "ops.stripe_simulator", "--port", "0", "--data", str(self.data)]
        command += ["--webhook-url", self.webhook_url, "--async-delay", "-1", "--retry-base", "0.05", *self.options]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("STRIPE_")}
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("Stripe simulator is ready: "), line
        self.url = line.partition(": ")[2].strip()

    def stop(self, *, rudely: bool = False) -> str:
        """What it wrote to its error output."""
        (self.process.kill if rudely else self.process.terminate)()
        _, errors = self.process.communicate(timeout=10)
        return errors

    def client(self, key: str = "sk_test_simulator", retries: int = 0) -> stripe.StripeClient:
        addresses: Any = dict.fromkeys(("api", "files", "connect", "meter_events"), self.url)
        http = stripe.RequestsClient(timeout=(2, 5))
        return stripe.StripeClient(key, base_addresses=addresses, max_network_retries=retries, http_client=http)

    def control(self, path: str, /, **body: Any) -> dict[str, Any]:
        reply = requests.post(f"{self.url}/_control/{path}", json=body, timeout=30)
        assert reply.status_code == 200, reply.text
        answer: dict[str, Any] = reply.json()
        return answer

    def deliveries(self) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = requests.get(f"{self.url}/_control/webhooks", timeout=10).json()["deliveries"]
        return listed


@pytest.fixture(scope="session")
def shared_endpoint() -> Iterator[Endpoint]:
    endpoint = Endpoint()
    yield endpoint
    endpoint.close()


@pytest.fixture(scope="session")
def shared_program(tmp_path_factory: pytest.TempPathFactory, shared_endpoint: Endpoint) -> Iterator[Program]:
    program = Program(tmp_path_factory.mktemp("stripe"), shared_endpoint.url)
    yield program
    assert "Traceback" not in program.stop()


@pytest.fixture
def simulator(shared_program: Program, shared_endpoint: Endpoint) -> Program:
    """Empty, and delivering at once."""
    shared_program.control("reset")
    shared_endpoint.forget()
    return shared_program


@pytest.fixture
def endpoint(simulator: Program, shared_endpoint: Endpoint) -> Endpoint:
    return shared_endpoint


@pytest.fixture
def own_endpoint() -> Iterator[Endpoint]:
    """For a simulator that a test starts itself."""
    endpoint = Endpoint()
    yield endpoint
    endpoint.close()


@pytest.fixture
def client(simulator: Program) -> stripe.StripeClient:
    return simulator.client()


@pytest.fixture
def checkout(client: stripe.StripeClient) -> Callable[..., Session]:
    """Ben's checkout of one course for 19.99 dollars, unless the test says otherwise."""

    def create(amount: int = 1999, currency: str = "usd", *, key: str | None = None, **others: Any) -> Session:
        return client.v1.checkout.sessions.create(
            params=a_checkout(amount, currency, **others), options={"idempotency_key": key} if key else None
        )

    return create


def a_checkout(amount: int = 1999, currency: str = "usd", **others: Any) -> Any:
    price = {"currency": currency, "unit_amount": amount, "product_data": {"name": "Bread from scratch"}}
    params = {
        "mode": "payment",
        "line_items": [{"price_data": price, "quantity": 1}],
        "success_url": "http://127.0.0.1:9/return?session_id={CHECKOUT_SESSION_ID}",
        "cancel_url": "http://127.0.0.1:9/cart",
        "customer_email": "ben@example.com",
        "client_reference_id": "customer-1",
        "metadata": {"order_id": "order-1"},
        "payment_intent_data": {"metadata": {"order_id": "order-1"}},
        **others,
    }
    return {name: value for name, value in params.items() if value is not None}
