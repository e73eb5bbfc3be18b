"""A person with a plain browser, over real HTTP: cookies, the token of the page's form, no JavaScript."""

import html
import re
import time
from typing import Any

import requests

_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"|name="csrf-token" content="([^"]+)"')


class Visitor:
    """`slowest` is the longest answer so far, in seconds."""

    def __init__(self, address: str, *, patience: float = 60) -> None:
        self.address = address
        self.patience = patience
        self.slowest = 0.0
        self.session = requests.Session()
        self.session.trust_env = False  # a proxy of the machine must not stand between us and the shop
        self._token = ""

    def get(self, path: str) -> requests.Response:
        return self._ask("GET", path)

    def post(self, path: str, data: dict[str, Any] | None = None, **more: Any) -> requests.Response:
        """As the form of the page that was read last; redirects are not followed."""
        headers = {"Sec-Fetch-Site": "same-origin", **more.pop("headers", {})}
        return self._ask("POST", path, data={"csrf_token": self._token, **(data or {})}, headers=headers, **more)

    @property
    def token(self) -> str:
        """The token of the page that was read last."""
        return self._token

    def sign_in(self, email: str, password: str) -> requests.Response:
        self.get("/login")
        return self.post("/login", {"email": email, "password": password})

    def _ask(self, method: str, path: str, **more: Any) -> requests.Response:
        started = time.monotonic()
        answer = self.session.request(
            method, f"{self.address}{path}", timeout=self.patience, allow_redirects=False, **more
        )
        self.slowest = max(self.slowest, time.monotonic() - started)
        found = _TOKEN.search(answer.text) if answer.headers.get("Content-Type", "").startswith("text/html") else None
        if found:
            self._token = html.unescape(found[1] or found[2])
        return answer
