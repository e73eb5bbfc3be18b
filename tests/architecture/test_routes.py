"""The shop's addresses are a public promise, and none that changes something can be called from a foreign page."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Flask

from coursehub.api.blueprint import _needs
from coursehub.kernel.db import db
from coursehub.kernel.outbox import OutboxMessage
from tests.browser import Answer, Browser
from tests.factories import a_course
from tests.payments.helpers import count

HERE = Path(__file__).parent
LIST = HERE / "routes.txt"
UNGUARDED = HERE / "unsafe_without_token.txt"
# `COURSEHUB_WRITE_ROUTES=1 pytest tests/architecture/test_routes.py` writes routes.txt anew; then read the difference.
WRITE = "COURSEHUB_WRITE_ROUTES"
SAFE = {"GET", "HEAD", "OPTIONS"}
NOBODY = UUID(int=0)
REFUSED = "Your session has ended or the page is old."


@dataclass(frozen=True)
class Route:
    """One method of one rule."""

    method: str
    rule: str
    endpoint: str
    path: str

    def __str__(self) -> str:
        return f"{self.method:6} {self.rule}  {self.endpoint}"


def routes(app: Flask) -> list[Route]:
    """Every route with a path that fits it; HEAD and OPTIONS follow from the others."""
    found = []
    adapter = app.url_map.bind("127.0.0.1")
    for rule in app.url_map.iter_rules():
        path = adapter.build(rule.endpoint, {name: _example(rule, name) for name in rule.arguments}, method=None)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            found.append(Route(method, rule.rule, rule.endpoint, path))
    return sorted(found, key=lambda route: (route.rule, route.method, route.endpoint))


def _example(rule: Any, name: str) -> Any:
    kind = type(rule._converters[name]).__name__
    return {"UUIDConverter": NOBODY, "IntegerConverter": 1}.get(kind, "x")


def listed() -> dict[str, str]:
    """Unsafe routes without a token, `METHOD rule` → what guards them instead."""
    lines = [line for line in UNGUARDED.read_text().splitlines() if line.strip() and not line.startswith("#")]
    return {f"{method} {rule}": guard for method, rule, guard in (line.split() for line in lines)}


def guards(app: Flask, kind: str) -> Iterator[Route]:
    known = listed()
    return (route for route in routes(app) if known.get(f"{route.method} {route.rule}") == kind)


def call(browser: Browser, route: Route, **more: Any) -> Answer:
    """As a form of another site would: no token, no header of ours."""
    return browser._ask(route.method, route.path, **more)


def test_the_addresses_are_those_of_the_list(session_app: Flask) -> None:
    now = "\n".join(str(route) for route in routes(session_app)) + "\n"
    if os.environ.get(WRITE):
        LIST.write_text(now)
    assert now.splitlines() == LIST.read_text().splitlines(), f"{WRITE}=1 writes the list anew"


def test_each_address_means_one_thing(session_app: Flask) -> None:
    seen = [(route.method, route.rule) for route in routes(session_app)]
    assert len(seen) == len(set(seen))


def test_nothing_is_unsafe_and_unlisted(session_app: Flask) -> None:
    """The list names routes that are there and unsafe, each once, with a guard we know."""
    unsafe = {f"{route.method} {route.rule}" for route in routes(session_app) if route.method not in SAFE}
    assert set(listed()) <= unsafe
    assert set(listed().values()) == {"origin", "signature", "signed-link", "bearer", "no-cookie"}


def test_every_other_unsafe_route_refuses_a_request_without_a_token(app: Flask, ada: Any, ben: Any, root: Any) -> None:
    guarded = [
        route for route in routes(app) if route.method not in SAFE and f"{route.method} {route.rule}" not in listed()
    ]
    assert len(guarded) > 20
    stranger = Browser(app)
    visitors = [stranger, *(Browser(app).as_(person) for person in (ada, ben, root))]
    before = count(OutboxMessage)
    for browser in visitors:
        for route in guarded:
            answer = call(browser, route, headers={"Sec-Fetch-Site": "cross-site"})
            if browser is stranger and answer.status in (303, 401):
                continue  # a stranger is shown the door before anything of the request is read
            assert answer.status == 400 and REFUSED in answer.visible, f"{route}: {answer.status}"
    assert count(OutboxMessage) == before


def test_a_token_of_somebody_else_is_none(app: Flask, ada: Any, ben: Any) -> None:
    foreign = Browser(app).as_(ben).csrf_token()
    mine = Browser(app).as_(ada)
    mine.get("/account")  # her own token is in her cookie now
    with mine.client.session_transaction() as cookie:
        cookie["csrf_token"] = "f" * 40
    answer = mine._ask("POST", "/account", data={"csrf_token": foreign, "name": "Eve"})
    assert answer.status == 400 and REFUSED in answer.visible


def test_what_looks_at_the_origin_refuses_a_foreign_page(app: Flask, ada: Any, ben: Any) -> None:
    course = a_course(by=ada)
    bens, course_id = Browser(app).as_(ben), str(course.id)
    for route in guards(app, "origin"):
        for headers in (
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Referer": "https://evil.example/127.0.0.1"},
            {},
        ):
            answer = call(bens, route, headers=headers, data={"course_id": course_id})
            assert answer.status == 403, f"{route} with {headers}: {answer.status}"


def test_what_is_signed_refuses_what_is_not(app: Flask) -> None:
    for route in guards(app, "signature"):
        assert call(Browser(app), route, data=b"{}").expect(400).json["title"] == "Bad signature"


def test_a_link_that_we_did_not_sign_does_nothing(app: Flask) -> None:
    for route in guards(app, "signed-link"):
        answer = call(Browser(app), route)
        assert 400 <= answer.status < 500 and REFUSED not in answer.visible, f"{route}: {answer.status}"


def test_the_api_knows_nobody_by_cookie(app: Flask, root: Any) -> None:
    signed_in = Browser(app).as_(root)
    found = list(guards(app, "bearer"))
    assert len(found) >= 8
    for route in found:
        answer = call(signed_in, route, data="{}", headers={"Content-Type": "application/json"})
        assert answer.status == 401, f"{route}: {answer.status}"
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_every_unsafe_route_of_the_api_is_listed_by_what_it_needs(session_app: Flask) -> None:
    """`no-cookie` routes take a password or a token in the body, so a foreign page gains nothing by calling them."""
    for route in routes(session_app):
        if route.endpoint.startswith("api.") and route.method not in SAFE:
            guard = "no-cookie" if _needs.get(route.endpoint, "bearer") == "nothing" else "bearer"
            assert listed()[f"{route.method} {route.rule}"] == guard, str(route)


def test_open_routes_of_the_api_change_nothing_for_whom_the_cookie_names(app: Flask, root: Any) -> None:
    signed_in = Browser(app).as_(root)
    before = count(OutboxMessage)
    for route in guards(app, "no-cookie"):
        answer = call(signed_in, route, data="{}", headers={"Content-Type": "application/json"})
        assert answer.status in (401, 422), f"{route}: {answer.status}"
        assert "Set-Cookie" not in answer.headers
    assert count(OutboxMessage) == before
    db.session.rollback()
    signed_in.get("/account").expect(200)


def test_get_changes_nothing(app: Flask, ada: Any) -> None:
    """Every page that needs no more than its address: no fact is recorded by looking at it."""
    course_id, adas = str(a_course(by=ada).id), Browser(app).as_(ada)
    before = count(OutboxMessage)
    for route in routes(app):
        if route.method == "GET" and not route.rule.startswith("/static"):
            assert adas.get(route.path.replace(str(NOBODY), course_id)).status < 500, str(route)
    assert count(OutboxMessage) == before
