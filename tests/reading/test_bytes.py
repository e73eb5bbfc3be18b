"""The bytes behind the reader: whole, in ranges, streamed, kept by nobody, and never counted as downloads."""

import threading
import tracemalloc
from typing import Any

import pytest

from coursehub.courses.models import Course
from coursehub.infra.services import services
from coursehub.kernel.db import db
from coursehub.library.models import Download, DownloadAllowance
from coursehub.web import ranges
from tests.browser import Answer, Browser
from tests.factories import a_purchase
from tests.reading.shelf import BODY, a_book, bytes_of, rows

SIZE = len(BODY)


@pytest.fixture
def book(app: Any, ada: Any, ben: Any) -> Course:
    """A course that Ben owns."""
    course = a_book(by=ada, title="Schöne Ränder")
    a_purchase(course, by=ben)
    return course


@pytest.fixture
def bens(browser: Browser, ben: Any, book: Course) -> Browser:
    return browser.as_(ben)


def body(answer: Answer) -> bytes:
    return answer.response.get_data()


def test_the_whole_file_comes_as_it_is_stored(bens: Browser, book: Course) -> None:
    answer = bens.get(bytes_of(book)).expect(200)
    assert body(answer) == BODY
    headers = answer.headers
    assert (headers["Content-Type"], headers["Content-Length"]) == ("application/pdf", str(SIZE))
    assert headers["Accept-Ranges"] == "bytes"
    assert headers["Cache-Control"] == "private, no-store"
    assert headers["Content-Disposition"].startswith("inline;") and "Sch" in headers["Content-Disposition"]
    assert "sandbox" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["ETag"].startswith('"')


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-65535", 0, 65535),
        ("bytes=100-199", 100, 199),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE - 1),
        ("bytes=1000-", 1000, SIZE - 1),
        ("bytes=-10", SIZE - 10, SIZE - 1),
        (f"bytes=-{SIZE * 2}", 0, SIZE - 1),
        (f"bytes=5-{SIZE * 9}", 5, SIZE - 1),
    ],
)
def test_a_range_comes_alone(bens: Browser, book: Course, asked: str, first: int, last: int) -> None:
    answer = bens.get(bytes_of(book), headers={"Range": asked}).expect(206)
    assert body(answer) == BODY[first : last + 1]
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{SIZE}"
    assert answer.headers["Content-Length"] == str(last - first + 1)


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", f"bytes={SIZE + 5}-{SIZE + 9}"])
def test_a_range_beyond_the_end_cannot_be_had(bens: Browser, book: Course, asked: str) -> None:
    answer = bens.get(bytes_of(book), headers={"Range": asked}).expect(416)
    assert answer.headers["Content-Range"] == f"bytes */{SIZE}"
    assert body(answer) == b""


@pytest.mark.parametrize("asked", ["bytes=0-1,5-6", "pages=1-2", "bytes=9-5", "bytes=x", "bytes", "", "bytes=--5"])
def test_what_is_no_single_range_gets_the_whole_file(bens: Browser, book: Course, asked: str) -> None:
    assert len(body(bens.get(bytes_of(book), headers={"Range": asked}).expect(200))) == SIZE


def test_a_range_goes_on_only_with_the_same_file(bens: Browser, book: Course) -> None:
    tag = bens.get(bytes_of(book)).headers["ETag"]
    some = {"Range": "bytes=5-9"}
    assert body(bens.get(bytes_of(book), headers={**some, "If-Range": tag}).expect(206)) == BODY[5:10]
    for other in ('"another"', f"W/{tag}", "Mon, 23 Nov 2026 10:00:00 GMT", tag.strip('"')):
        assert len(body(bens.get(bytes_of(book), headers={**some, "If-Range": other}).expect(200))) == SIZE


def test_who_has_it_is_told_so(bens: Browser, book: Course) -> None:
    tag = bens.get(bytes_of(book)).headers["ETag"]
    answer = bens.get(bytes_of(book), headers={"If-None-Match": tag}).expect(304)
    assert body(answer) == b""


def test_head_tells_all_and_opens_nothing(bens: Browser, book: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_any: Any) -> None:
        raise AssertionError("opened for HEAD")

    monkeypatch.setattr(type(services().storage), "open_range", never)
    answer = bens.head(bytes_of(book)).expect(200)
    assert answer.headers["Content-Length"] == str(SIZE)
    part = bens.head(bytes_of(book), headers={"Range": "bytes=0-9"}).expect(206)
    assert part.headers["Content-Length"] == "10"
    bens.get(bytes_of(book), headers={"Range": f"bytes={SIZE}-"}).expect(416)


def test_a_hundred_ranges_count_no_download(bens: Browser, book: Course) -> None:
    for first in range(100):
        bens.get(bytes_of(book), headers={"Range": f"bytes={first}-{first + 9}"}).expect(206)
    assert rows(Download) == [] and rows(DownloadAllowance) == []


def test_a_file_that_is_away_is_said_to_be_away(bens: Browser, book: Course) -> None:
    services().storage.delete(f"versions/{book.current_version_id}.pdf")
    bens.get(bytes_of(book)).expect(503).says("try again in a few minutes")


def test_nobody_waits_for_the_connection_while_a_file_is_taken_slowly(
    bens: Browser, book: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the storage is opened, and while pieces are taken, no connection is out."""
    storage = type(services().storage)
    opens, held = storage.open_range, []
    engine = db.engine
    already: list[int] = []

    def watching(self: Any, *given: Any) -> Any:
        held.append(engine.pool.checkedout() - already[0])  # type: ignore[attr-defined]
        return opens(self, *given)

    monkeypatch.setattr(storage, "open_range", watching)
    db.session.remove()
    already.append(engine.pool.checkedout())  # type: ignore[attr-defined]
    bens.get(bytes_of(book)).expect(200)
    assert held == [0]


def test_a_large_file_is_never_held_whole(app: Any, ada: Any, browser: Browser) -> None:
    large = b"%PDF-1.7\n" + b"x" * 30_000_000
    course = a_book(by=ada, texts=["One page."], body=large)
    adas = browser.as_(ada)
    adas.get(f"/read/{course.id}").expect(200)
    tracemalloc.start()
    try:
        answer = adas.client.get(bytes_of(course), buffered=False)
        taken = sum(len(piece) for piece in answer.response)
        answer.close()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert taken == len(large)
    assert peak < 8_000_000, f"{peak:,} bytes at the peak"


def test_who_leaves_early_leaves_nothing_open(bens: Browser, book: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = type(services().storage)
    opens, opened = storage.open_range, []

    def noting(self: Any, *given: Any) -> Any:
        opened.append(opens(self, *given))
        return opened[-1]

    monkeypatch.setattr(storage, "open_range", noting)
    for taken in (0, 1):
        answer = bens.client.get(bytes_of(book), buffered=False)
        for _ in range(taken):
            next(iter(answer.response))
        answer.close()
    assert [stream.closed for stream in opened] == [True, True]


def test_pieces_are_small(bens: Browser, book: Course) -> None:
    answer = bens.client.get(bytes_of(book), buffered=False)
    assert max(len(piece) for piece in answer.response) <= ranges._PIECE


def test_many_read_at_once(together: Any, app: Any, ben: Any, book: Course) -> None:
    """Twenty browsers with one file each get their own part."""
    address, person = bytes_of(book), ben.id
    lock = threading.Lock()

    def read(number: int) -> bool:
        from coursehub.accounts.models import Customer

        with lock:
            browser = Browser(app).as_(db.session.get_one(Customer, person))
        first = number * 1000
        answer = browser.get(address, headers={"Range": f"bytes={first}-{first + 999}"}).expect(206)
        return body(answer) == BODY[first : first + 1000]

    assert together(20, read) == [True] * 20


def test_pictures_are_for_those_who_may_read(bens: Browser, book: Course) -> None:
    for size in ("small", "large"):
        answer = bens.get(f"/read/{book.id}/pages/2.webp?size={size}").expect(200)
        assert body(answer) == f"{size} 2".encode()
        assert answer.headers["Content-Type"] == "image/webp"
        assert answer.headers["Cache-Control"] == "private, no-cache"
        tag = answer.headers["ETag"]
        bens.get(f"/read/{book.id}/pages/2.webp?size={size}", headers={"If-None-Match": tag}).expect(304)
    for wrong in ("0.webp", "4.webp", "99999999999.webp", "1.webp?size=huge", "x.webp"):
        bens.get(f"/read/{book.id}/pages/{wrong}").expect(404)


def test_the_worker_alone_may_compile(browser: Browser) -> None:
    worker = browser.head("/static/vendor/pdfjs/pdf.worker.min.mjs?v=1").expect(200)
    assert "script-src 'self' 'wasm-unsafe-eval';" in worker.headers["Content-Security-Policy"]
    for path, media_type in (
        ("/static/vendor/pdfjs/pdf.min.mjs", "text/javascript"),
        ("/static/vendor/pdfjs/pdf_viewer.mjs", "text/javascript"),
        ("/static/vendor/pdfjs/wasm/openjpeg.wasm", "application/wasm"),
    ):
        answer = browser.head(path).expect(200)
        assert answer.headers["Content-Type"].startswith(media_type)
        assert "wasm-unsafe-eval" not in answer.headers["Content-Security-Policy"]
    for path in ("/", "/static/vendor/pdfjs/pdf.worker.min.mjs.map", "/login"):
        assert "unsafe" not in browser.get(path).headers["Content-Security-Policy"]
