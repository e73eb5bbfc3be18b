"""Pages without JavaScript: their forms, filled in and posted as a browser would."""

from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import requests


class Form:
    def __init__(self, action: str, method: str) -> None:
        self.action = action
        self.method = method
        self.fields: dict[str, str] = {}
        self.hidden_in_order: list[list[str]] = []
        self.buttons: dict[str, tuple[str, str]] = {}
        self.selects: dict[str, list[str]] = {}


class Page(HTMLParser):
    """A page that was fetched; `text` is what can be read on it."""

    def __init__(self, reply: requests.Response) -> None:
        super().__init__()
        self.reply = reply
        self.status = reply.status_code
        self.url = reply.url
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        self._words: list[str] = []
        self._form: Form | None = None
        self._button: tuple[str, str] | None = None
        self._link: str | None = None
        self._select = ""
        self.feed(reply.text)
        self.text = " ".join(" ".join(self._words).split())

    @classmethod
    def at(cls, url: str, **options: Any) -> "Page":
        return cls(requests.get(url, timeout=10, **options))

    def form(self, action_ends_with: str = "") -> Form:
        return next(form for form in self.forms if form.action.endswith(action_ends_with))

    def post(
        self, form: Form | None = None, *, button: str | None = None, follow: bool = False, **typed: str
    ) -> requests.Response:
        form = form or self.forms[0]
        fields = {**form.fields, **typed}
        if button is not None:
            name, value = form.buttons[button]
            if name:
                fields[name] = value
        return requests.post(urljoin(self.url, form.action), data=fields, allow_redirects=follow, timeout=20)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs}
        assert not {"style", "onclick", "onsubmit"} & known.keys()
        assert tag not in ("script", "style")
        if tag == "form":
            self._form = Form(known["action"], known["method"])
            self.forms.append(self._form)
        elif tag == "input" and self._form is not None:
            kind = known.get("type", "text")
            if kind == "hidden":
                self._form.hidden_in_order.append([name for name, _ in attrs])
            if kind != "checkbox" or "checked" in known:
                self._form.fields[known["name"]] = known.get("value", "")
        elif tag == "select" and self._form is not None:
            self._select = known["name"]
            self._form.selects[self._select] = []
        elif tag == "option" and self._form is not None:
            self._form.selects[self._select].append(known["value"])
            self._form.fields.setdefault(self._select, known["value"])
        elif tag == "button":
            self._button = (known.get("name", ""), known.get("value", ""))
        elif tag == "a":
            self._link = known.get("href")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "button":
            self._button = None
        elif tag == "a":
            self._link = None

    def handle_data(self, data: str) -> None:
        self._words.append(data)
        if self._button is not None and self._form is not None and data.strip():
            self._form.buttons[data.strip()] = self._button
        if self._link is not None and data.strip():
            self.links[data.strip()] = self._link


CARD: dict[str, Any] = {"exp_month": "12", "exp_year": "34", "cvc": "123", "name": "Ben Buyer"}


def pay(url: str | None, number: str = "4242424242424242", **typed: str) -> requests.Response:
    """Ben opens the payment page, fills its form in and sends it; the redirect is not followed."""
    assert url is not None
    return Page.at(url).post(card_number=number, **{**CARD, **typed})
