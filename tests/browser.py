"""A browser for web tests: speaks htmx or not, signs people in, and is strict about the HTML it gets."""

import contextvars
import re
from html.parser import HTMLParser
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class Answer:
    """What came back: status, headers, text; `expect` fails with the page's own words."""

    def __init__(self, response: TestResponse) -> None:
        self.response = response
        self.status = response.status_code
        self.headers = response.headers

    @property
    def text(self) -> str:
        return self.response.get_data(as_text=True)

    @property
    def json(self) -> Any:
        return self.response.get_json()

    @property
    def location(self) -> str:
        return self.headers.get("Location") or self.headers.get("HX-Redirect") or ""

    def expect(self, status: int) -> "Answer":
        assert self.status == status, f"{self.status} instead of {status}: {self.visible[:600]}"
        return self

    def says(self, *sentences: str) -> "Answer":
        for sentence in sentences:
            assert sentence in self.visible, f"{sentence!r} is not in: {self.visible[:1500]}"
        return self

    def is_silent_about(self, *sentences: str) -> "Answer":
        for sentence in sentences:
            assert sentence not in self.text, f"{sentence!r} stands in the answer"
        return self

    @property
    def visible(self) -> str:
        """The text a reader sees."""
        text = re.sub(r"<(script|style|template)\b.*?</\1>", " ", self.text, flags=re.S | re.I)
        import html

        return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", text))).strip()


class Browser:
    """One browser: cookies, and a CSRF token taken from the page as a person's browser would."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.client: FlaskClient = app.test_client()
        self._token: str | None = None

    def as_(self, person: Any) -> "Browser":
        """A new browser in which `person` is signed in."""
        from coursehub.accounts import sessions
        from coursehub.kernel.db import transaction
        from coursehub.kernel.ids import new_token
        from coursehub.web.sessions import hashed

        other = Browser(self.app)
        token = new_token()
        with transaction():
            sessions.open(person, hashed(token), "127.0.0.1", "test browser")
        with other.client.session_transaction() as cookie:
            cookie["sid"] = token
        return other

    def get(self, path: str, *, htmx: bool = False, **more: Any) -> Answer:
        return self._ask("GET", path, htmx=htmx, **more)

    def head(self, path: str, **more: Any) -> Answer:
        return self._ask("HEAD", path, **more)

    def post(self, path: str, data: Any = None, *, htmx: bool = False, token: bool = True, **more: Any) -> Answer:
        return self._send("POST", path, data, htmx=htmx, token=token, **more)

    def delete(self, path: str, data: Any = None, *, htmx: bool = False, token: bool = True, **more: Any) -> Answer:
        return self._send("DELETE", path, data, htmx=htmx, token=token, **more)

    def _send(self, method: str, path: str, data: Any, *, htmx: bool, token: bool, **more: Any) -> Answer:
        headers = dict(more.pop("headers", {}))
        if token:
            headers["X-CSRFToken"] = self.csrf_token()
        headers.setdefault("Sec-Fetch-Site", "same-origin")
        return self._ask(method, path, htmx=htmx, data=data, headers=headers, **more)

    def csrf_token(self) -> str:
        """The token a form in this browser would carry."""
        with self.client.session_transaction() as cookie:
            raw = cookie.setdefault("csrf_token", "0123456789abcdef0123456789abcdef01234567")
        from itsdangerous import URLSafeTimedSerializer

        return str(URLSafeTimedSerializer(str(self.app.secret_key), salt="wtf-csrf-token").dumps(raw))

    def _ask(self, method: str, path: str, *, htmx: bool = False, **more: Any) -> Answer:
        headers = dict(more.pop("headers", {}))
        if htmx:
            headers["HX-Request"] = "true"
        from coursehub.kernel.db import db

        db.session.remove()  # a request has a session of its own; so do the test's later look-ups
        # A context of its own, as a request has in the server: nothing of the test's `g` is seen, and none is left.
        response = contextvars.Context().run(lambda: self.client.open(path, method=method, headers=headers, **more))
        answer = Answer(response)
        if answer.headers.get("Content-Type", "").startswith("text/html") and method != "HEAD" and answer.text:
            police(answer.text, whole=answer.text.lstrip().lower().startswith("<!doctype"))
        return answer


class _Police(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.labels: set[str] = set()
        self.controls: list[dict[str, str | None]] = []
        self.h1 = 0
        self.faults: list[str] = []
        self._in_label = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if found.get("id"):
            self.ids.append(str(found["id"]))
        if tag == "h1":
            self.h1 += 1
        if tag == "label":
            self._in_label += 1
            self.labels.add(str(found.get("for")))
        typed = tag in ("input", "select", "textarea") and found.get("type") not in ("hidden", "submit", "button")
        if typed and not self._in_label:
            self.controls.append(found)
        if tag == "script" and "src" not in found and found.get("type") != "application/ld+json":
            self.faults.append("an inline script")
        if tag == "style" or "style" in found:
            self.faults.append("an inline style")
        if any(name.startswith(("on", "hx-on")) for name in found):
            self.faults.append(f"an inline handler on <{tag}>")
        if tag == "img" and "alt" not in found:
            self.faults.append("an image without alt")
        if tag == "form" and found.get("method", "get").lower() == "post" and not found.get("action"):  # type: ignore[union-attr]
            self.faults.append("a form without action")
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == "label":
            self._in_label -= 1
        if tag in _VOID:
            return
        while self.open and self.open[-1] != tag and self.open[-1] in ("p", "li", "option", "tr", "td", "th"):
            self.open.pop()
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes nothing")


def police(html: str, *, whole: bool) -> None:
    """Faults no page or fragment may have: double ids, unlabelled controls, inline script, more than one h1."""
    parser = _Police()
    parser.feed(html)
    faults = list(parser.faults)
    doubled = {name for name in parser.ids if parser.ids.count(name) > 1}
    if doubled:
        faults.append(f"ids used twice: {sorted(doubled)}")
    if whole and parser.h1 != 1:
        faults.append(f"{parser.h1} h1 headings")
    for control in parser.controls:
        named = control.get("aria-label") or control.get("aria-labelledby") or control.get("id") in parser.labels
        if not named:
            faults.append(f"a control without a label: {control.get('name')}")
    assert not faults, f"{faults} in {html[:300]}"
