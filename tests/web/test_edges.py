"""What stands before every page: the Host header, odd cursors, headers on each answer."""

import base64
from typing import Any

import pytest
from flask import Flask

from tests.browser import Browser


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "evil.example:8000", "[::bad"])
@pytest.mark.parametrize("path", ["/healthz", "/", "/api/v1/courses", "/nowhere"])
def test_a_foreign_host_is_refused(app: Flask, host: str, path: str) -> None:
    answer = app.test_client().get(path, headers={"Host": host})
    assert answer.status_code == 400


def test_our_own_names_are_answered(app: Flask) -> None:
    for host in ("127.0.0.1", "localhost", "127.0.0.1:8000"):
        assert app.test_client().get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "%00",
        base64.urlsafe_b64encode(b"[" * 100_000).decode()[:900_000],
        base64.urlsafe_b64encode(b"[" * 300).decode(),
        base64.urlsafe_b64encode(b'["2026-01-01", 1]').decode(),
        base64.urlsafe_b64encode(b'{"a": 1}').decode(),
    ],
)
def test_odd_cursors_are_refused_in_words(browser: Browser, ben: Any, cursor: str) -> None:
    bens = browser.as_(ben)
    for path in ("/orders", "/courses"):
        assert bens.get(path, query_string={"cursor": cursor}).status in (200, 303, 422)


def test_every_answer_carries_the_headers(browser: Browser, ben: Any) -> None:
    for path in ("/", "/courses", "/nowhere", "/login", "/healthz", "/api/v1/courses", "/static/img/favicon.svg"):
        headers = browser.get(path).headers
        assert "script-src 'self'" in headers["Content-Security-Policy"], path
        assert "unsafe" not in headers["Content-Security-Policy"], path
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_pages_of_a_person_are_never_shared(browser: Browser, ben: Any) -> None:
    bens = browser.as_(ben)
    for path in ("/", "/courses", "/library", "/orders", "/account", "/cart"):
        assert bens.get(path).headers["Cache-Control"] == "private, no-store", path


def test_pages_for_everyone_set_no_cookie(browser: Browser) -> None:
    for path in ("/", "/courses", "/terms", "/privacy"):
        answer = browser.get(path)
        assert "Set-Cookie" not in answer.headers, path
        assert "csrf" not in answer.text, path
