"""The local twin's links in the whole app: headers, refusals as pages, no cookie."""

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from coursehub.infra.services import EXTENSION, services
from coursehub.infra.storage import MinioStorage
from tests.browser import Browser

PDF = b"%PDF-1.7\n" + b"page " * 2000
KEY = "versions/of-a-test.pdf"


@pytest.fixture
def link(app: Flask) -> str:
    storage = services().storage
    storage.put(KEY, PDF, "application/pdf")
    return storage.signed_url(KEY, seconds=30, filename="Größe: 100 %.pdf", content_type="application/pdf")


def test_ben_gets_the_file_with_the_headers_of_a_download(browser: Browser, link: str) -> None:
    answer = browser.get(link).expect(200)
    assert answer.response.data == PDF
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"].startswith("attachment; ")
    assert "filename*=UTF-8''Gr%C3%B6%C3%9Fe_%20100%20%25.pdf" in answer.headers["Content-Disposition"]
    assert answer.headers["Content-Security-Policy"] == "sandbox"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert "Set-Cookie" not in answer.headers


def test_ranges_and_head_work_through_the_whole_app(browser: Browser, link: str) -> None:
    part = browser.get(link, headers={"Range": "bytes=9-13"}).expect(206)
    assert part.response.data == b"page "
    assert part.headers["Content-Range"] == f"bytes 9-13/{len(PDF)}"
    assert browser.head(link).expect(200).headers["Content-Length"] == str(len(PDF))
    beyond = browser.get(link, headers={"Range": "bytes=99999-"})
    beyond.expect(416)
    assert beyond.headers["Content-Range"] == f"bytes */{len(PDF)}"
    assert beyond.headers["Content-Security-Policy"] == "sandbox"


def test_a_touched_link_is_refused_in_words(browser: Browser, link: str) -> None:
    browser.get(link[:-1] + ("0" if link[-1] != "0" else "1")).expect(403).says("This link is not one of ours.")
    browser.get("/files/nothing").expect(403)


def test_a_late_link_is_refused_in_words(browser: Browser, link: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import timedelta

    from coursehub.kernel import clock

    late = clock.now() + timedelta(seconds=31)
    monkeypatch.setattr(clock, "now", lambda: late)
    browser.get(link).expect(403).says("This link has expired.")


def test_a_deleted_file_is_not_found(browser: Browser, link: str) -> None:
    services().storage.delete(KEY)
    browser.get(link).expect(404)


def test_the_route_exists_only_for_the_twin(
    app: Flask, browser: Browser, link: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings: Any = app.config["SETTINGS"].model_copy(update={"s3_endpoint": "http://127.0.0.1:1"})
    monkeypatch.setitem(app.extensions, EXTENSION, replace(services(), storage=MinioStorage(settings)))
    browser.get(link).expect(404)


def test_links_are_not_an_unsafe_route(browser: Browser, link: str) -> None:
    browser.post(link, token=False).expect(405)
