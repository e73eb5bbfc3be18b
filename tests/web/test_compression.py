"""Text leaves gzipped where the browser reads it, and is the same text."""

import gzip
import zlib

import pytest
from flask import Flask

from coursehub.web.compression import gzipped
from tests.browser import Browser

GZIP = {"Accept-Encoding": "gzip, deflate, br"}
STATIC = "/static/vendor/htmx/htmx.min.js"


def _bundles(app: Flask) -> list[str]:
    globals_ = app.jinja_env.globals
    with app.test_request_context():
        return [globals_["bundle_css"](), globals_["bundle_js"]()]  # type: ignore[operator]


def test_pages_bundles_and_files_shrink_and_stay_the_same(app: Flask) -> None:
    client = app.test_client()
    for path in ("/terms", *_bundles(app), STATIC, "/static/vendor/icons.svg"):
        plain, small = client.get(path), client.get(path, headers=GZIP)
        assert small.headers["Content-Encoding"] == "gzip", path
        assert "Accept-Encoding" in plain.headers["Vary"], path
        assert "Accept-Encoding" in small.headers["Vary"], path
        assert len(small.data) < 0.5 * len(plain.data), path
        assert int(small.headers["Content-Length"]) == len(small.data)
        unpacked = gzip.decompress(small.data)
        assert unpacked == plain.data or path == "/terms"
        assert b"Terms" in unpacked or path != "/terms"
        assert "Content-Encoding" not in plain.headers


def test_what_never_changes_is_compressed_once(app: Flask) -> None:
    client = app.test_client()
    first, second = (client.get(STATIC, headers=GZIP) for _ in range(2))
    assert first.data == second.data
    unchanged = client.get(STATIC, headers={**GZIP, "If-None-Match": first.headers["ETag"]})
    assert unchanged.status_code == 304
    assert unchanged.data == b""


@pytest.mark.parametrize("wanted", ["", "identity", "gzip;q=0", "br"])
def test_who_does_not_read_gzip_gets_plain_text(app: Flask, wanted: str) -> None:
    answer = app.test_client().get("/terms", headers={"Accept-Encoding": wanted})
    assert "Content-Encoding" not in answer.headers
    assert b"</html>" in answer.data


def test_fonts_pictures_ranges_and_small_answers_are_left_alone(app: Flask) -> None:
    client = app.test_client()
    for path in ("/static/vendor/fonts/roboto-latin.woff2", "/static/img/favicon.ico", "/healthz"):
        assert "Content-Encoding" not in client.get(path, headers=GZIP).headers, path
    part = client.get(STATIC, headers={**GZIP, "Range": "bytes=0-9"})
    assert part.status_code == 206
    assert len(part.data) == 10
    assert "Content-Encoding" not in part.headers
    assert client.head("/terms", headers=GZIP).status_code == 200


def test_an_error_page_is_compressed_too(browser: Browser, app: Flask) -> None:
    answer = app.test_client().get("/nowhere", headers=GZIP)
    assert answer.status_code == 404
    assert b"There is nothing" in gzip.decompress(answer.data)


def test_the_length_of_a_page_with_secrets_tells_nothing() -> None:
    """The same page has many lengths, so that a guess which shortens it by a byte cannot be seen."""
    page = b"<p>A page with a token.</p>" * 100
    packed = [gzipped(page, level=5) for _ in range(200)]
    assert len({len(one) for one in packed}) > 20
    assert all(gzip.decompress(one) == page for one in packed)
    assert len({len(gzipped(page, level=9, is_secret=False)) for _ in range(20)}) == 1
    assert zlib.decompress(packed[0], 16 + zlib.MAX_WBITS) == page
