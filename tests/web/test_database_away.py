"""The database is away: every visitor reads a sentence, and no answer is a bare 500."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from tests.api.program import Program
from tests.browser import Browser
from tests.factories import a_course

Away = Callable[[], AbstractContextManager[None]]
TROUBLES = {
    "gone": lambda: OperationalError("SELECT 1", {}, ConnectionError("connection refused")),
    "no connection free": lambda: PoolTimeout("QueuePool limit reached"),
}
SENTENCE = "The shop is catching its breath."


@pytest.fixture(params=TROUBLES)
def away(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Away:
    """`with away():` no process gets a connection."""

    def refuse(*_args: Any, **_more: Any) -> None:
        raise TROUBLES[request.param]()

    @contextmanager
    def gone() -> Iterator[None]:
        with monkeypatch.context() as patch:
            patch.setattr(Engine, "connect", refuse)
            yield

    return gone


@pytest.fixture
def guest(browser: Browser, ada: Any) -> Browser:
    """Somebody unknown with a course in the cart."""
    course = a_course(by=ada)
    browser.post("/cart/items", {"course_id": str(course.id)}, token=False).expect(303)
    return browser


@pytest.mark.parametrize("path", ["/", "/courses", "/cart", "/nowhere"])
def test_a_guest_with_a_cart_reads_a_sentence(guest: Browser, away: Away, path: str) -> None:
    with away():
        answer = guest.get(path)
    assert answer.status == 503
    answer.says(SENTENCE)
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.headers["Cache-Control"] == "no-store"
    guest.get("/cart").expect(200).says("Quiet Typography")


@pytest.mark.parametrize("path", ["/", "/courses", "/account", "/library", "/studio"])
def test_ben_who_is_signed_in_reads_it_too(browser: Browser, ben: Any, away: Away, path: str) -> None:
    bens = browser.as_(ben)
    with away():
        bens.get(path).expect(503).says(SENTENCE)
    bens.get("/account").expect(200).says("Ben Okafor")


def test_a_part_of_a_page_says_it_as_a_part(guest: Browser, ben: Any, away: Away) -> None:
    bens = guest.as_(ben)
    with away():
        for visitor in (guest, bens):
            answer = visitor.get("/cart", htmx=True).expect(503).says(SENTENCE)
            assert "<html" not in answer.text


def test_a_program_gets_a_problem(app: Flask, ben: Any, away: Away) -> None:
    bens = Program(app).as_(ben)
    with away():
        for program, path in ((bens, "/me"), (Program(app), "/courses")):
            problem = program.get(path).expect(503).json
            assert problem["detail"].startswith(SENTENCE)


def test_what_breaks_for_another_reason_is_a_page_too_while_the_database_is_away(
    browser: Browser, ben: Any, away: Away, monkeypatch: pytest.MonkeyPatch
) -> None:
    from coursehub.accounts import sessions

    bens = browser.as_(ben)

    def broken(_id_hash: bytes) -> None:
        raise LookupError("a fault of ours")

    monkeypatch.setattr(sessions, "load", broken)
    with away():
        bens.get("/account").expect(500).says("This is our fault")
