"""The shop is closed: people read when to come back, staff walk in, money and watchmen are not kept out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from coursehub.app import create_app
from tests.api.program import Program
from tests.browser import Browser


@pytest.fixture
def sign(app: Flask) -> Iterator[Path]:
    """The file that closes the shop at once."""
    path = Path(app.config["SETTINGS"].data) / "maintenance"
    path.touch()
    yield path
    path.unlink(missing_ok=True)


@pytest.mark.parametrize("path", ["/", "/courses", "/cart", "/library", "/nowhere", "/admin"])
def test_ben_reads_when_to_come_back(browser: Browser, ben: Any, sign: Path, path: str) -> None:
    for visitor in (browser, browser.as_(ben)):
        answer = visitor.get(path).expect(503)
        answer.says("We are putting things in order", "Try again in about 5 minutes.")
        assert answer.headers["Retry-After"] == "300"
        assert "no-store" in answer.headers["Cache-Control"]
    sign.unlink()
    assert browser.get("/").status == 200, "open again, without a restart"


def test_a_fragment_gets_a_toast_and_a_program_a_problem(app: Flask, browser: Browser, ben: Any, sign: Path) -> None:
    answer = browser.as_(ben).post("/cart/items", {"course_id": "x"}, htmx=True).expect(503)
    answer.says("closed for a short while")
    assert answer.headers["X-Toast"] == "1"
    problem = Program(app).get("/api/v1/courses")
    assert problem.status == 503
    assert problem.json["title"] == "Closed for maintenance"
    assert problem.headers["Retry-After"] == "300"


def test_staff_walk_in_and_are_told(browser: Browser, root: Any, sign: Path) -> None:
    roots = browser.as_(root)
    for path in ("/", "/admin"):
        roots.get(path).expect(200).says("The shop is closed for maintenance. Only staff see it.")


def test_staff_can_sign_in(browser: Browser, root: Any, sign: Path) -> None:
    browser.get("/login").expect(200)
    form = {"email": root.email, "password": "a quiet afternoon"}
    browser.post("/login", form).expect(303)
    browser.get("/admin").expect(200)


def test_watchmen_and_payments_are_not_kept_out(browser: Browser, sign: Path) -> None:
    for path in ("/healthz", "/readyz", "/offline", "/worker.js", "/static/img/favicon.svg"):
        assert browser.get(path).status == 200, path
    refused = browser.post("/api/v1/webhooks/stripe", b"{}", token=False)
    assert refused.status == 400, "read and refused for its signature, not turned away at the door"


def test_the_page_asks_the_database_nothing(browser: Browser, sign: Path, queries: Any) -> None:
    with queries() as asked:
        browser.get("/cart").expect(503)
    assert asked.statements == []


def test_the_setting_closes_it_from_the_start(app: Flask, ben: Any) -> None:
    settings = app.config["SETTINGS"].model_copy(update={"maintenance": True})
    closed = create_app(settings)
    answer = closed.test_client().get("/", headers={"Host": "127.0.0.1"})
    assert answer.status_code == 503
    assert closed.test_client().get("/healthz", headers={"Host": "127.0.0.1"}).status_code == 200
