"""Limits: guessing passwords stays slow without Redis, pages stay quick, and Redis learns no address."""

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from limits.storage import storage_from_string
from limits.strategies import SlidingWindowCounterRateLimiter

from coursehub.accounts import credentials
from coursehub.infra.services import services
from coursehub.web import limits
from coursehub.web.extensions import limiter
from tests.api.program import Program
from tests.browser import Browser
from tests.stack import free_port

PAGE = 0.4  # seconds that Redis may cost a page


@pytest.fixture(params=["refuses", "says nothing"])
def without_redis(request: pytest.FixtureRequest, app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Limits as in production, and Redis away."""
    with socket.socket() as hole:
        hole.bind(("127.0.0.1", 0))
        hole.listen(64)  # connections are taken, and nothing is ever answered
        port = hole.getsockname()[1] if request.param == "says nothing" else free_port()
        storage = storage_from_string(f"redis://127.0.0.1:{port}/0", **app.config["RATELIMIT_STORAGE_OPTIONS"])
        monkeypatch.setattr(limiter, "_storage", storage)
        monkeypatch.setattr(limiter, "_limiter", SlidingWindowCounterRateLimiter(storage))
        monkeypatch.setattr(limiter, "_storage_dead", False)
        monkeypatch.setattr(limits, "_away_until", 0.0)
        monkeypatch.setitem(app.config, "LIMIT_FACTOR", 1)
        _forget()
        yield
    _forget()


def _forget() -> None:
    """What this process counted by itself."""
    assert limiter._fallback_limiter is not None
    limits._FALLBACK.storage.reset()
    limiter._fallback_limiter.storage.reset()


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses whose password was looked at, one for each try."""
    seen: list[str] = []

    def count(email: str, _password: str) -> Any:
        seen.append(email)
        raise credentials.Invalid("The e-mail address or the password is not right.", field="password")

    monkeypatch.setattr(credentials, "check_credentials", count)
    return seen


@pytest.mark.usefixtures("without_redis")
def test_without_redis_ten_guesses_at_an_account_are_all(browser: Browser, ben: Any, tried: list[str]) -> None:
    answers = [
        browser.post("/login", {"email": "ben@example.com", "password": f"guess number {n}"}).status for n in range(200)
    ]
    assert set(answers) == {422, 429}
    assert len(tried) == 10


@pytest.mark.usefixtures("without_redis")
def test_without_redis_a_program_guesses_no_more_either(app: Flask, ben: Any, tried: list[str]) -> None:
    program = Program(app)
    body = {"email": "ben@example.com", "password": "a guess"}
    answers = [program.post("/auth/login", body).status for _ in range(200)]
    assert set(answers) == {401, 429}
    assert len(tried) == 10


@pytest.mark.usefixtures("without_redis")
def test_without_redis_one_address_tries_twenty_accounts(
    browser: Browser, tried: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURSEHUB_LIMIT_LOGIN", "1000000/minute")  # only what this process counts is left
    for number in range(60):
        browser.post("/login", {"email": f"person{number}@example.com", "password": "a common guess"})
    assert len(tried) == 20


@pytest.mark.usefixtures("without_redis")
def test_without_redis_a_page_waits_a_moment_and_the_next_ones_do_not(browser: Browser, tried: list[str]) -> None:
    browser.get("/healthz")
    for number in range(8):
        started = time.perf_counter()
        browser.post("/login", {"email": f"person{number}@example.com", "password": "a common guess"}).expect(422)
        assert time.perf_counter() - started < PAGE + 0.3, number


@pytest.mark.usefixtures("without_redis")
def test_a_failure_of_redis_is_noticed_once_in_five_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    real = limiter._limiter
    assert real is not None
    hit = real.hit
    monkeypatch.setattr(real, "hit", lambda *args: asked.append(args) or hit(*args))
    for number in range(5):
        limits.spend("verify", f"code {number}")
    assert len(asked) == 1
    monkeypatch.setattr(limits, "_away_until", time.monotonic() - 0.01)  # five seconds later
    limits.spend("verify", "code 6")
    assert len(asked) == 2


def test_redis_learns_nobodys_address(app: Flask, browser: Browser, ben: Any) -> None:
    browser.get("/courses").expect(200)
    browser.post("/login", {"email": "ben@example.com", "password": "a wrong guess"}).expect(422)
    browser.as_(ben).get("/account").expect(200)
    Program(app).get("/courses").expect(200)
    keys = [key for key in services().redis.keys("*") if "limit" in key]
    assert keys, "nothing was counted: the test proves nothing"
    assert not [key for key in keys if "127.0.0.1" in key or str(ben.id) in key or "example.com" in key]
