"""Redis, RabbitMQ, the mail server and the file storage swallow everything or refuse: the shop goes on selling."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from flask import Flask
from sqlalchemy import select

from coursehub.kernel.db import db
from coursehub.kernel.outbox import OutboxMessage
from coursehub.orders.models import Order
from coursehub.payments.models import WebhookReceipt
from tests.factories import a_course, a_version
from tests.faults.crew import Crew
from tests.faults.proxy import FaultProxy
from tests.faults.visitor import Visitor
from tests.payments.helpers import count
from tests.payments.test_webhooks import an_event, signed
from tests.people import PASSWORD
from tests.stack import free_port, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.timeout(600)]
# Ten times what is typical, to catch hangs: `make bench` measures.
P99, LONGEST, PAGE = 3.0, 10.0, 10.0
RATE = 20  # webhooks a second


class Storm:
    """A web process whose neighbours are all behind proxies that can misbehave."""

    def __init__(self, crew: Crew, address: str, redis: FaultProxy, others: list[FaultProxy]) -> None:
        self.crew, self.address, self.redis, self.others = crew, address, redis, others

    def visitor(self) -> Visitor:
        return Visitor(self.address)


@pytest.fixture
def storm(app: Flask, redis_url: str, tmp_path: Path) -> Iterator[Storm]:
    """Limits are those of production. All proxies pass until the test says otherwise."""
    port, redis_port = free_port(), int(urlsplit(redis_url).port or 0)
    with ExitStack() as stack:
        # What stands behind a black hole does not matter: nothing reaches it.
        redis, amqp, smtp, s3 = (stack.enter_context(FaultProxy(redis_port)) for _ in range(4))
        for away in (amqp, smtp, s3):
            away.swallow()
        environment = {
            "REDIS_URL": f"redis://127.0.0.1:{redis.port}/0",
            "COURSEHUB_BROKER_URL": "",
            "AMQP_URL": f"amqp://guest:guest@127.0.0.1:{amqp.port}/%2F",
            "SMTP_URL": f"smtp://127.0.0.1:{smtp.port}",
            "S3_ENDPOINT": f"http://127.0.0.1:{s3.port}",
            "S3_ACCESS_KEY": "shop",
            "S3_SECRET_KEY": "a-key-that-nobody-checks",
            "COURSEHUB_LIMIT_FACTOR": "1",
            "COURSEHUB_BASE_URL": f"http://127.0.0.1:{port}",
        }
        crew = Crew(app.config["SETTINGS"], tmp_path, environment)
        stack.callback(crew.dismiss)
        web = crew.start_web(port)
        address = f"http://127.0.0.1:{port}"

        def is_up() -> bool:
            assert web.poll() is None, crew.log()
            return _status(f"{address}/readyz") == 200

        wait_for(is_up, 120, "the web process")
        yield Storm(crew, address, redis, [amqp, smtp, s3])


def test_webhooks_are_answered_at_once_while_everything_else_is_silent(
    storm: Storm, capsys: pytest.CaptureFixture[str], full_scale: bool
) -> None:
    seconds = 60 if full_scale else 15
    bodies = [an_event("customer.created", f"evt_storm_{number}") for number in range(RATE * seconds)]
    requests.post(f"{storm.address}/api/v1/webhooks/stripe", data=b"{}", timeout=30)  # the first one is slower
    storm.redis.swallow()
    started = time.monotonic() + 0.5

    def deliver(number: int) -> tuple[int, float]:
        """How it was answered, and how long after it was due."""
        due = started + number / RATE
        time.sleep(max(0.0, due - time.monotonic()))
        headers = {"Content-Type": "application/json", "Stripe-Signature": signed(bodies[number])}
        answer = requests.post(
            f"{storm.address}/api/v1/webhooks/stripe", data=bodies[number], headers=headers, timeout=60
        )
        return answer.status_code, time.monotonic() - due

    with ThreadPoolExecutor(40) as stripe:
        answers = list(stripe.map(deliver, range(len(bodies))))
    took = sorted(duration for _, duration in answers)
    p50, p99 = took[len(took) // 2], took[int(len(took) * 0.99)]
    with capsys.disabled():
        print(f"\n{len(took)} webhooks, {RATE}/s: p50 {p50:.3f} s, p99 {p99:.3f} s, longest {took[-1]:.3f} s")
    statuses = {status for status, _ in answers}
    assert statuses == {200}, storm.crew.log()
    assert count(WebhookReceipt) == len(bodies)
    assert count(OutboxMessage, OutboxMessage.name == "stripe.event.received") == len(bodies)
    assert p99 < P99 and took[-1] < LONGEST
    assert storm.redis.connections > 0, "Redis was never asked: the test proves nothing"


def _swallow(proxy: FaultProxy) -> None:
    proxy.swallow()


def _refuse(proxy: FaultProxy) -> None:
    proxy.refuse()


TROUBLES: dict[str, Callable[[FaultProxy], None]] = {"black hole": _swallow, "refused": _refuse}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_ben_buys_while_redis_is_away(
    storm: Storm, stripe: Any, ada: Any, ben: Any, trouble: str, capsys: pytest.CaptureFixture[str]
) -> None:
    course = a_course(by=ada, title="Quiet Typography")
    course_id, slug, email = str(course.id), course.slug, ben.email
    visitor = storm.visitor()
    assert visitor.get("/").status_code == 200
    TROUBLES[trouble](storm.redis)
    visitor.slowest = 0.0
    for path in (
        "/",
        "/courses",
        "/courses?q=typography",
        f"/courses/{slug}",
        "/cart",
        "/login",
        "/healthz",
        "/readyz",
    ):
        assert visitor.get(path).status_code == 200, path
    assert visitor.post("/cart/items", {"course_id": course_id}).status_code == 303
    assert visitor.sign_in(email, PASSWORD).status_code == 303
    assert "Quiet Typography" in visitor.get("/cart").text
    answer = visitor.post("/checkout", {"total_cents": "1900"})
    assert answer.status_code == 303, answer.text[:500]
    assert answer.headers["Location"].startswith(f"{stripe.address}/c/pay/")
    db.session.rollback()
    assert db.session.scalars(select(Order)).one().status == "purchase_started"
    assert requests.get(f"{storm.address}/readyz?all=1", timeout=30).json()["checks"]["redis"] is False
    with capsys.disabled():
        print(f"\nRedis {trouble}: the slowest page took {visitor.slowest:.3f} s")
    assert visitor.slowest < PAGE
    storm.redis.heal()
    assert visitor.get("/").status_code == 200


@pytest.mark.parametrize("trouble", TROUBLES)
def test_passwords_cannot_be_guessed_while_redis_is_away(storm: Storm, ben: Any, trouble: str) -> None:
    """Each process counts by itself then: 200 tries at one account, and the 20 an hour are kept."""
    email = ben.email
    TROUBLES[trouble](storm.redis)
    guesser = storm.visitor()
    statuses = []
    for number in range(200):
        statuses.append(_guess(guesser, email, f"wrong guess {number}"))
    assert statuses.count(422) <= 20, "more guesses were let through than in an hour with Redis"
    assert set(statuses) == {422, 429}
    assert _guess(guesser, email, PASSWORD) == 429, "and the right one, when guessed at last, is not tried"


@pytest.mark.parametrize("trouble", TROUBLES)
def test_one_address_cannot_try_many_accounts_while_redis_is_away(storm: Storm, ben: Any, trouble: str) -> None:
    TROUBLES[trouble](storm.redis)
    guesser = storm.visitor()
    statuses = [_guess(guesser, f"person{number}@example.com", "a common password") for number in range(60)]
    # Ten a minute; the window slides while the test runs.
    assert statuses.count(422) <= 15, "more accounts were tried in a minute than with Redis"
    assert set(statuses) == {422, 429}


def test_pages_with_pictures_say_sorry_while_the_storage_is_silent(storm: Storm, ada: Any) -> None:
    """The page is there; the picture alone is not, and not for long."""
    course = a_course(by=ada)
    slug, version = course.slug, a_version(course, number=2)
    assert version.pdf_url
    visitor = storm.visitor()
    assert visitor.get(f"/courses/{slug}").status_code == 200
    answer = visitor.get(f"/courses/{slug}/pages/1.webp")
    assert answer.status_code in (404, 503)
    assert visitor.slowest < 20


def _guess(visitor: Visitor, email: str, password: str) -> int:
    if not visitor.token:
        visitor.get("/login")
    return visitor.post("/login", {"email": email, "password": password}).status_code


def _status(url: str) -> int:
    try:
        return requests.get(url, timeout=5).status_code
    except requests.RequestException:
        return 0
