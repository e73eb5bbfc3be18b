"""One page for the time without a net: the same for everyone, kept with what it is made of, and forgotten on demand."""

import json
import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask import Flask

from coursehub.app import create_app
from tests.browser import Browser


def _worker(text: str) -> str | None:
    found = re.search(r'data-worker="([^"]+)"', text)
    return unescape(found[1]) if found else None


def test_the_page_knows_nobody(browser: Browser, ben: Any) -> None:
    bens, guests = browser.as_(ben).get("/offline").expect(200), browser.get("/offline").expect(200)
    bens.says("You are offline", "Try again").is_silent_about("Ben", "csrf")
    assert "Set-Cookie" not in guests.headers


def test_all_that_is_kept_is_there_and_belongs_to_nobody(browser: Browser, ben: Any) -> None:
    address = _worker(browser.as_(ben).get("/library").text)
    assert address
    keep = json.loads(parse_qs(urlsplit(address).query)["keep"][0])
    assert keep["page"] == "/offline"
    for part in keep["parts"]:
        assert part.startswith("/static/"), "nothing but what every visitor gets"
        assert browser.get(part).status == 200, part
    assert _worker(browser.get("/").text) == address, "the same for everyone"


def test_the_script_comes_from_the_root_and_is_always_asked_for(browser: Browser) -> None:
    answer = browser.get("/worker.js").expect(200)
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert answer.headers["Cache-Control"] == "no-cache"


def test_it_can_be_switched_off(app: Flask) -> None:
    without = create_app(app.config["SETTINGS"].model_copy(update={"offline_page": False}))
    page = without.test_client().get("/", headers={"Host": "127.0.0.1"}).get_data(as_text=True)
    assert _worker(page) is None
