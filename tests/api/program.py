"""A program that uses the API: JSON in, JSON out, a bearer token, and no cookie ever."""

import json
from typing import Any

from flask import Flask

from tests.people import PASSWORD


class Reply:
    """What the API said."""

    def __init__(self, response: Any) -> None:
        self.response = response
        self.status = response.status_code
        self.headers = response.headers
        self.body = response.get_data()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def expect(self, status: int) -> "Reply":
        assert self.status == status, f"{self.status} instead of {status}: {self.body[:600]!r}"
        if status >= 400:
            self.is_a_problem()
        return self

    def is_a_problem(self) -> "Reply":
        """RFC 9457, with a sentence."""
        assert self.headers["Content-Type"] == "application/problem+json"
        problem = self.json
        assert problem["status"] == self.status
        assert problem["title"]
        assert problem["detail"]
        assert problem["type"]
        assert problem["instance"].startswith("/api/v1")
        assert "no-store" in self.headers["Cache-Control"]
        if self.status == 401:
            assert self.headers["WWW-Authenticate"].startswith("Bearer")
        if self.status == 405:
            assert self.headers["Allow"]
        if self.status in (429, 503):
            assert int(self.headers["Retry-After"]) > 0
        return self

    def blames(self, field: str) -> "Reply":
        """One of the errors points at this field."""
        pointers = [one["pointer"] for one in self.json.get("errors", [])]
        assert f"/{field}" in pointers, self.json
        return self


class Program:
    """One program; `as_` signs another one in with PASSWORD."""

    def __init__(self, app: Flask, tokens: dict[str, Any] | None = None) -> None:
        self.app = app
        self.tokens = tokens or {}

    def as_(self, person: Any) -> "Program":
        tokens = self.post("/auth/login", {"email": person.email, "password": PASSWORD}).expect(200).json
        return Program(self.app, tokens)

    def get(self, path: str, **more: Any) -> Reply:
        return self.ask("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> Reply:
        return self.ask("POST", path, body, **more)

    def put(self, path: str, body: Any = None, **more: Any) -> Reply:
        return self.ask("PUT", path, body, **more)

    def delete(self, path: str, **more: Any) -> Reply:
        return self.ask("DELETE", path, **more)

    def ask(
        self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None, **more: Any
    ) -> Reply:
        from coursehub.kernel.db import db

        sent = dict(headers or {})
        if "access_token" in self.tokens:
            sent.setdefault("Authorization", f"Bearer {self.tokens['access_token']}")
        if body is not None:
            more["data"], more["content_type"] = json.dumps(body), "application/json"
        db.session.remove()
        # A context of its own, as behind a server: nothing of one request is left for the next.
        with self.app.app_context():
            client = self.app.test_client(use_cookies=False)
            reply = Reply(client.open(f"/api/v1{path}", method=method, headers=sent, **more))
        assert "Set-Cookie" not in reply.headers
        assert reply.status < 500 or reply.status == 503, reply.body
        return reply
