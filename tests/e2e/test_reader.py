"""The reader in Chromium: opens at once, turns, searches, comes back to its page; by keys, on a phone, unscripted."""

import hashlib
import os
import re
from collections.abc import Iterator
from typing import Any

import pikepdf
import pytest
from flask import Flask

from coursehub.accounts import sessions
from coursehub.courses import queries
from coursehub.courses.models import Course, CourseVersion, PageText
from coursehub.entitlements import grants
from coursehub.entitlements.models import Purchase
from coursehub.infra.pdf import PdfWorkshop
from coursehub.infra.services import services
from coursehub.kernel.db import db, transaction
from coursehub.kernel.ids import new_token
from coursehub.reading.models import ReadingPosition
from coursehub.web.sessions import hashed
from tests.e2e.conftest import ROOT
from tests.factories import a_course, a_purchase
from tests.stack import wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
CHAPTERS = 20
QUOKKA_PAGES = (7, 12, 13)


@pytest.fixture(scope="module")
def short_pdf() -> bytes:
    """Twenty chapters with an outline, links and text; three of them know the quokka."""
    pages = "".join(
        f"<h1>Chapter {n}</h1><p>Words of chapter {n} about kerning.</p>"
        + ("<p>Here sits a quokka, and a second quokka.</p>" if n in QUOKKA_PAGES else "")
        for n in range(1, CHAPTERS + 1)
    )
    css = "h1 { break-before: page } body { font-size: 16pt }"
    return PdfWorkshop().typeset(f"<html lang=en><title>Kerning</title><body>{pages}</body></html>", {}, css)


@pytest.fixture(scope="module")
def long_pdf(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Three hundred pages, each with a picture of its own that does not pack: 18 MB, linearised as uploads are."""
    folder = tmp_path_factory.mktemp("long")
    with pikepdf.new() as pdf:
        for number in range(1, 301):
            pdf.add_blank_page(page_size=(595, 842))
            page = pdf.pages[-1]
            noise = pikepdf.Stream(pdf, os.urandom(200 * 100 * 3))
            noise.Type, noise.Subtype = pikepdf.Name.XObject, pikepdf.Name.Image
            noise.Width, noise.Height, noise.BitsPerComponent = 200, 100, 8
            noise.ColorSpace = pikepdf.Name.DeviceRGB
            font = pikepdf.Dictionary(
                Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica
            )
            page.Resources = pikepdf.Dictionary(XObject={"/P": noise}, Font={"/F": font})
            text = f"q 400 0 0 200 97 500 cm /P Do Q BT /F 24 Tf 97 400 Td (Sheet {number}) Tj ET"
            page.Contents = pikepdf.Stream(pdf, text.encode())
        pdf.save(folder / "raw.pdf")
    list(PdfWorkshop().sanitise(folder / "raw.pdf", folder / "clean.pdf").removed)
    return (folder / "clean.pdf").read_bytes()


class Room:
    """A shop in this process with books in it, and windows for people to read them in."""

    def __init__(self, app: Flask, address: str, chromium: Any) -> None:
        self.app, self.address, self.chromium = app, address, chromium
        self.contexts: list[Any] = []
        self.complaints: list[str] = []

    def window(self, person: Any = None, *, js: bool = True, width: int = 1280, height: int = 800, **more: Any) -> Any:
        context = self.chromium.new_context(
            base_url=self.address, java_script_enabled=js, viewport={"width": width, "height": height}, **more
        )
        context.set_default_timeout(20_000)
        self.contexts.append(context)
        if person is not None:
            context.add_cookies([{"name": "coursehub", "value": self._cookie(person), "url": self.address}])
        page = context.new_page()
        page.on(
            "console", lambda said: self.complaints.append(said.text) if said.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return page

    def _cookie(self, person: Any) -> str:
        token = new_token()
        with transaction():
            sessions.open(person, hashed(token), "127.0.0.1", "test browser")
        serializer = self.app.session_interface.get_signing_serializer(self.app)  # type: ignore[attr-defined]
        return str(serializer.dumps({"sid": token}))

    def book(self, by: Any, pdf: bytes, pages: int, *, draw: bool = True, **details: Any) -> Course:
        """A published course with this file, its words and its pictures."""
        course = a_course(by=by, pages=pages, cover_image_url=None, **details)
        version_id = course.current_version_id
        storage = services().storage
        storage.put(f"versions/{version_id}.pdf", pdf, "application/pdf")
        picture = (ROOT / "static" / "img" / "favicon.ico").read_bytes()
        for page in range(1, (pages if draw else 0) + 1):
            for size in queries.SIZES:
                storage.put(queries.page_key(version_id, page, size), picture, "image/webp")
        with transaction() as session:
            version = session.get_one(CourseVersion, version_id)
            version.byte_size, version.fingerprint = len(pdf), hashlib.sha256(pdf).hexdigest()
            version.pages_drawn = pages if draw else 0
            version.page_size = "595x842"
            version.outline = [
                {"title": f"Chapter {n}", "level": 1 if n % 5 == 1 else 2, "page": n} for n in range(1, pages + 1)
            ]
            session.add_all(
                PageText(version_id=version_id, page_number=n, text=f"Words of chapter {n} about kerning.")
                for n in range(1, pages + 1)
            )
        return course

    def place(self) -> int | None:
        db.session.rollback()
        return db.session.query(ReadingPosition.page_number).scalar()

    def close(self) -> None:
        """Closes the windows once they have told their last."""
        for context in self.contexts:
            for page in context.pages:
                page.goto("about:blank")
                page.wait_for_timeout(300)
            context.close()


@pytest.fixture
def room(app: Flask, live_server: str, chromium: Any) -> Iterator[Room]:
    opened = Room(app, live_server, chromium)
    yield opened
    opened.close()
    assert opened.complaints == []


@pytest.fixture
def book(room: Room, ada: Any, ben: Any, short_pdf: bytes) -> Course:
    course = room.book(ada, short_pdf, CHAPTERS, title="Quiet Kerning")
    a_purchase(course, by=ben)
    return course


def is_open(page: Any, at: int | None = None) -> Any:
    """Until the viewer stands, at this page, and has drawn it."""
    page.locator("#reader[data-state=ready]").wait_for()
    if at is not None:
        page.wait_for_function("at => document.querySelector('#reader_page').value === String(at)", arg=at)
        page.locator(f"#reader_pages .page[data-page-number='{at}'] canvas").first.wait_for()
    return page


def number(page: Any) -> int:
    return int(page.locator("#reader_page").input_value())


def words_marked(page: Any) -> list[str]:
    return list(page.locator("#reader_pages .highlight").all_inner_texts())


# Opening


def test_ben_opens_reads_and_turns_pages(room: Room, book: Course, ben: Any) -> None:
    page = room.window(ben)
    page.goto(f"/read/{book.id}")
    is_open(page, 1)
    page.locator("#reader_pages .textLayer", has_text="Words of chapter 1 about kerning").first.wait_for()
    page.get_by_role("link", name="Next page").click()
    is_open(page, 2)
    assert page.get_by_role("status").filter(has_text="Page 2 of 20").count() == 1
    page.get_by_label("Page", exact=True).fill("17")
    page.keyboard.press("Enter")
    is_open(page, 17)
    page.get_by_role("link", name="Previous page").click()
    is_open(page, 16)
    assert page.title() == "Page 16 of “Quiet Kerning” · CourseHub"
    for nonsense, shown in (("999", 20), ("0", 1), ("x", 1)):
        page.get_by_label("Page", exact=True).fill(nonsense)
        page.keyboard.press("Enter")
        assert number(page) == shown
    assert page.get_by_role("link", name="Previous page").get_attribute("aria-disabled") == "true"
    assert page.get_by_role("link", name="Download in your library").get_attribute("href").startswith("/library/")


def test_the_first_page_of_three_hundred_shows_before_the_rest_arrives(
    room: Room, ada: Any, ben: Any, long_pdf: bytes
) -> None:
    course = room.book(ada, long_pdf, 300, draw=False, title="A long book")
    a_purchase(course, by=ben)
    page = room.window(ben)
    taken: list[int] = []
    statuses: list[int] = []

    def note(response: Any) -> None:
        if response.url.endswith(".pdf"):
            statuses.append(response.status)
            taken.append(int(response.headers["content-length"]))

    page.on("response", note)
    page.goto(f"/read/{course.id}")
    is_open(page, 1)
    assert len(long_pdf) > 15_000_000
    assert sum(taken) < len(long_pdf) / 10, f"{sum(taken):,} bytes for page 1"
    page.get_by_label("Page", exact=True).fill("250")
    page.keyboard.press("Enter")
    is_open(page, 250)
    page.locator("#reader_pages .textLayer", has_text="Sheet 250").wait_for()
    assert sum(taken) < len(long_pdf) / 5, f"{sum(taken):,} bytes for pages 1 and 250"
    assert set(statuses) == {206}


def test_a_picture_in_jpeg_2000_is_unpacked_by_the_worker(room: Room, ada: Any, tmp_path: Any) -> None:
    """Only its file may compile; were it refused, pdf.js would say so and fetch the slow way."""
    from PIL import Image

    Image.new("RGB", (64, 64), (200, 30, 30)).save(tmp_path / "red.jp2")
    with pikepdf.new() as pdf:
        pdf.add_blank_page(page_size=(300, 300))
        picture = pikepdf.Stream(pdf, (tmp_path / "red.jp2").read_bytes())
        picture.Type, picture.Subtype = pikepdf.Name.XObject, pikepdf.Name.Image
        picture.Width, picture.Height = 64, 64
        picture.Filter = pikepdf.Name.JPXDecode
        pdf.pages[0].Resources = pikepdf.Dictionary(XObject={"/P": picture})
        pdf.pages[0].Contents = pikepdf.Stream(pdf, b"q 300 0 0 300 0 0 cm /P Do Q")
        pdf.save(tmp_path / "red.pdf")
    course = room.book(ada, (tmp_path / "red.pdf").read_bytes(), 1, draw=False)
    page = room.window(ada)
    fetched: list[str] = []
    page.context.on("request", lambda request: fetched.append(request.url))
    page.goto(f"/read/{course.id}")
    is_open(page, 1)
    canvas = page.locator("#reader_pages canvas").first
    middle = "c => [...c.getContext('2d').getImageData(c.width / 2, c.height / 2, 1, 1).data]"
    red = wait_for(lambda: (found := canvas.evaluate(middle))[0] > 150 and found[1] < 90 and found, 10, "a red page")
    assert red
    assert any("openjpeg.wasm" in url for url in fetched)
    assert not any("fallback" in url for url in fetched)


def test_until_the_viewer_stands_the_picture_of_the_page_does(room: Room, book: Course, ben: Any) -> None:
    page = room.window(ben)
    held: list[Any] = []
    page.route("**/pdf_viewer.mjs*", lambda route: held.append(route))
    page.goto(f"/read/{book.id}?page=4", wait_until="commit")
    page.locator("#reader_picture[src*='/pages/4.webp']").wait_for()
    page.get_by_text("Opening the file").first.wait_for()
    assert not page.get_by_role("button", name="Remember this page").is_visible()
    wait_for(lambda: page.wait_for_timeout(50) or held, 10, "the viewer to be asked for")
    held[0].continue_()
    is_open(page, 4)
    assert not page.locator("#reader_picture").is_visible()


# The place


def test_another_browser_opens_where_the_first_left_off(room: Room, book: Course, ben: Any) -> None:
    desk = room.window(ben)
    desk.goto(f"/read/{book.id}")
    is_open(desk, 1)
    desk.get_by_label("Page", exact=True).fill("14")
    desk.keyboard.press("Enter")
    is_open(desk, 14)
    wait_for(lambda: desk.wait_for_timeout(50) or room.place() == 14, 10, "the place to be kept")
    phone = room.window(ben, width=390, height=844)
    phone.goto(f"/read/{book.id}")
    is_open(phone, 14)
    phone.goto(f"/read/{book.id}?page=3")
    is_open(phone, 3)


def test_the_place_is_kept_when_the_page_is_left_at_once(room: Room, book: Course, ben: Any) -> None:
    page = room.window(ben)
    page.goto(f"/read/{book.id}")
    is_open(page, 1)
    page.keyboard.press("j")
    is_open(page, 2)
    page.goto("/library")
    wait_for(lambda: page.wait_for_timeout(50) or room.place() == 2, 10, "the place to be kept")


def test_a_window_left_open_does_not_take_the_place_back(room: Room, book: Course, ben: Any) -> None:
    old, new = room.window(ben), room.window(ben)
    old.goto(f"/read/{book.id}?page=4")
    is_open(old, 4)
    old.keyboard.press("j")
    wait_for(lambda: old.wait_for_timeout(50) or room.place() == 5, 10, "the first place")
    new.goto(f"/read/{book.id}?page=9")
    is_open(new, 9)
    new.keyboard.press("j")
    wait_for(lambda: new.wait_for_timeout(50) or room.place() == 10, 10, "the newer place")
    old.goto("/library")
    old.wait_for_timeout(500)
    assert room.place() == 10


def test_what_was_read_offline_is_told_later(room: Room, book: Course, ben: Any) -> None:
    page = room.window(ben)
    page.goto(f"/read/{book.id}")
    is_open(page, 1)
    wait_for(lambda: page.wait_for_timeout(50) or room.place() == 1, 10, "the first place")
    page.context.set_offline(True)
    page.keyboard.press("j")
    page.wait_for_timeout(1800)
    assert room.place() == 1
    page.context.set_offline(False)
    wait_for(lambda: page.wait_for_timeout(50) or room.place() == 2, 10, "the place to be told")
    room.complaints[:] = [said for said in room.complaints if "ERR_INTERNET_DISCONNECTED" not in said]


def test_the_address_says_the_page_and_is_followed(room: Room, book: Course, ben: Any) -> None:
    page = room.window(ben)
    page.goto(f"/read/{book.id}?page=5&thread=42")
    is_open(page, 5)
    assert page.url.endswith(f"/read/{book.id}#page=5&thread=42")
    page.keyboard.press("j")
    page.wait_for_url("**#page=6&thread=42")
    page.evaluate("location.hash = 'page=11'")
    is_open(page, 11)
    page.reload()
    is_open(page, 11)
    other = room.window(ben)
    other.goto(f"/read/{book.id}#page=14")
    is_open(other, 14)


# Keys and tools


def test_everything_by_keyboard(room: Room, book: Course, ben: Any) -> None:
    page = room.window(ben)
    page.goto(f"/read/{book.id}")
    is_open(page, 1)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    is_open(page, 2)
    before = page.locator("#reader_pages .page").first.bounding_box()["width"]
    page.keyboard.press("+")
    page.wait_for_function("w => document.querySelector('#reader_pages .page').offsetWidth > w", arg=before)
    page.keyboard.press("-")
    page.keyboard.press("-")
    page.wait_for_function("w => document.querySelector('#reader_pages .page').offsetWidth < w", arg=before)
    page.keyboard.press("0")
    page.wait_for_function("() => document.querySelector('#reader_scale').value === 'auto'")
    page.keyboard.press("g")
    assert page.evaluate("document.activeElement.id") == "reader_page"
    page.keyboard.type("9")
    page.keyboard.press("Enter")
    is_open(page, 9)
    page.keyboard.type("jk")  # in a field letters are letters
    assert number_text(page) == "jk"
    page.keyboard.press("Tab")
    is_open(page, 9)
    page.keyboard.press("r")
    page.wait_for_function("() => document.querySelector('#reader_pages .page canvas')?.offsetWidth > 0")
    box = page.locator("#reader_pages .page").first.bounding_box()
    assert box["width"] > box["height"]
    page.keyboard.press("?")
    page.get_by_role("dialog", name="Keyboard").get_by_text("Next page").wait_for()
    page.keyboard.press("j")
    page.keyboard.press("Escape")
    assert number(page) == 9
    page.keyboard.press("c")
    page.get_by_role("dialog", name="Contents and pages").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("dialog", name="Contents and pages").wait_for(state="hidden")
    assert page.evaluate("document.activeElement.id") == "reader_panel_button"
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "reader_words"
    page.keyboard.press("Control+j")


def number_text(page: Any) -> str:
    return str(page.locator("#reader_page").input_value())


def test_zoom_follows_the_choice_and_the_window(room: Room, book: Course, ben: Any) -> None:
    page = room.window(ben)
    page.goto(f"/read/{book.id}")
    is_open(page, 1)
    page.get_by_label("Zoom", exact=True).select_option("page-width")
    page.wait_for_function("() => document.querySelector('#reader_pages .page').offsetWidth > 1150")
    page.set_viewport_size({"width": 800, "height": 800})
    page.wait_for_function("() => document.querySelector('#reader_pages .page').offsetWidth < 800")
    page.set_viewport_size({"width": 1280, "height": 800})
    page.get_by_label("Zoom", exact=True).select_option("page-fit")
    page.wait_for_function("() => document.querySelector('#reader_pages .page').offsetHeight <= 760")
    page.get_by_role("button", name="Zoom in").click()
    page.wait_for_function("() => document.querySelector('#reader_scale').value === 'custom'")
    shown = page.locator("#reader_scale option:checked").inner_text()
    assert re.fullmatch(r"\d+\u00a0%", shown)


def test_full_screen_and_back(room: Room, book: Course, ben: Any) -> None:
    page = room.window(ben)
    page.goto(f"/read/{book.id}")
    is_open(page, 1)
    page.get_by_role("button", name="Full screen").click()
    page.wait_for_function("() => document.fullscreenElement !== null")
    page.locator("#reader_fullscreen[aria-pressed=true]").wait_for()
    page.keyboard.press("f")
    page.wait_for_function("() => document.fullscreenElement === null")


def test_contents_and_small_pictures_lead_to_pages(room: Room, book: Course, ben: Any) -> None:
    page = room.window(ben)
    pictures: list[str] = []
    page.on("request", lambda request: pictures.append(request.url) if "size=small" in request.url else None)
    page.goto(f"/read/{book.id}")
    is_open(page, 1)
    page.get_by_role("button", name="Contents and pages").click()
    panel = page.get_by_role("dialog", name="Contents and pages")
    panel.get_by_role("link", name="Chapter 18").click()
    is_open(page, 18)
    panel.locator("a[aria-current=page]", has_text="Chapter 18").wait_for()
    assert pictures == [], "small pictures are fetched when they are looked at"
    panel.get_by_role("button", name="Pages").click()
    panel.locator("a.reader__thumb[aria-current=page][data-page='18']").wait_for()
    panel.get_by_role("link", name="Page 17 of 20").click()
    is_open(page, 17)
    assert pictures
    panel.get_by_role("button", name="Close").click()
    panel.wait_for(state="hidden")


def test_links_inside_the_file_lead_where_they_say(room: Room, ada: Any) -> None:
    body = '<p><a href="#there">Go there</a> <a href="https://example.org/">Outside</a></p><h1 id="there">There</h1>'
    css = "h1 { break-before: page }"
    course = room.book(
        ada, PdfWorkshop().typeset(f"<html lang=en><title>L</title><body>{body}</body></html>", {}, css), 2
    )
    page = room.window(ada)
    page.goto(f"/read/{course.id}")
    is_open(page, 1)
    outside = page.locator("#reader_pages .annotationLayer a[href^='https://example.org']")
    outside.wait_for()
    assert outside.get_attribute("target") == "_blank"
    assert set((outside.get_attribute("rel") or "").split()) == {"noopener", "noreferrer", "nofollow"}
    page.locator("#reader_pages .annotationLayer a").first.click()
    is_open(page, 2)


# Search


def test_words_are_found_counted_and_gone_through(room: Room, book: Course, ben: Any) -> None:
    page = room.window(ben)
    page.goto(f"/read/{book.id}")
    is_open(page, 1)
    page.get_by_role("button", name="Search in this book").click()
    page.keyboard.type("quokka")
    page.get_by_text("1 of 6").wait_for()
    is_open(page, 7)
    wait_for(lambda: page.wait_for_timeout(50) or words_marked(page)[:2] == ["quokka", "quokka"], 10, "the marks")
    for shown in ("2 of 6", "3 of 6"):
        page.keyboard.press("Enter")
        page.get_by_text(shown).wait_for()
    is_open(page, 12)
    page.keyboard.press("Shift+Enter")
    page.get_by_text("2 of 6").wait_for()
    page.get_by_role("button", name="Next match").click()
    page.get_by_role("button", name="Previous match").click()
    page.get_by_text("2 of 6").wait_for()
    page.get_by_role("searchbox").fill("zebra")
    page.get_by_text("Not found").wait_for()
    page.get_by_role("searchbox").fill("")
    page.wait_for_function("() => document.querySelector('#reader_matches').textContent === ''")
    page.keyboard.press("Escape")
    page.locator("#reader_find").wait_for(state="hidden")
    assert page.evaluate("document.activeElement.id") == "reader_search_button"


def test_a_hit_in_the_library_opens_at_the_page_with_its_words_marked(room: Room, book: Course, ben: Any) -> None:
    with transaction() as session:
        place = (book.current_version_id, 12)
        session.get_one(PageText, place).text = "Here sits a quokka, and a second quokka, about kerning."
    page = room.window(ben)
    page.goto("/library/search")
    page.get_by_label("Words").fill("quokkas")
    page.get_by_role("button", name="Search", exact=True).click()
    page.wait_for_url("**q=quokkas*")
    page.locator("mark", has_text="quokka").first.wait_for()
    page.get_by_role("link", name="Page 12").click()
    is_open(page, 12)
    page.locator("#reader_matches", has_text="of 6").wait_for()
    assert page.get_by_role("searchbox").input_value() == "quokka"
    wait_for(lambda: page.wait_for_timeout(50) or "quokka" in words_marked(page), 10, "the marks")
    assert number(page) == 12


# When something breaks


def test_a_line_that_breaks_is_said_and_mended(room: Room, ada: Any, long_pdf: bytes) -> None:
    course = room.book(ada, long_pdf, 300, draw=False)
    page = room.window(ada)
    page.goto(f"/read/{course.id}")
    is_open(page, 1)
    page.route("**/*.pdf", lambda route: route.abort())
    page.get_by_label("Page", exact=True).fill("200")
    page.keyboard.press("Enter")
    page.get_by_text("The connection was lost").wait_for()
    assert page.locator("#reader[data-state=ready]").count() == 1, "what is open stays open"
    page.unroute("**/*.pdf")
    page.get_by_role("button", name="Try again").click()
    page.locator("#reader_pages .textLayer", has_text="Sheet 200").wait_for()
    page.get_by_text("The connection was lost").wait_for(state="hidden")
    room.complaints[:] = [said for said in room.complaints if "ERR_FAILED" not in said]


@pytest.mark.parametrize("broken", ["**/pdf.min.mjs*", "**/pdf_viewer.mjs*", "**/*.pdf", "**/pdf_viewer.css*"])
def test_without_the_viewer_the_pictures_stay(room: Room, book: Course, ben: Any, broken: str) -> None:
    page = room.window(ben)
    page.route(broken, lambda route: route.abort())
    page.goto(f"/read/{book.id}?page=4")
    page.get_by_role("button", name="Try again").wait_for()
    page.locator("#reader[data-state=still]").wait_for()
    assert page.locator("#reader_picture").is_visible()
    page.get_by_role("link", name="Next page").click()
    page.wait_for_url("**page=5")
    page.get_by_text("Text of page 5").wait_for()
    page.unroute(broken)
    page.get_by_role("button", name="Try again").click()
    is_open(page, 5)
    room.complaints[:] = [said for said in room.complaints if "ERR_FAILED" not in said]


def test_a_broken_file_is_said_to_be_broken(room: Room, ada: Any) -> None:
    course = room.book(ada, b"This is no PDF at all. " * 2000, 3)
    page = room.window(ada)
    page.goto(f"/read/{course.id}")
    page.get_by_text("The viewer could not open this file").wait_for()
    assert page.locator("#reader_picture").is_visible()
    room.complaints[:] = [said for said in room.complaints if "Invalid PDF" not in said and "Indexing" not in said]


def test_a_right_that_ends_while_reading_ends_the_reading(room: Room, ada: Any, ben: Any, long_pdf: bytes) -> None:
    course = room.book(ada, long_pdf, 300, draw=False)
    purchase = a_purchase(course, by=ben)
    page = room.window(ben)
    page.goto(f"/read/{course.id}")
    is_open(page, 1)
    with transaction() as session:
        grants.revoke(session.get_one(Purchase, purchase.id), reason="refund", actor="test")
    page.get_by_label("Page", exact=True).fill("200")
    page.keyboard.press("Enter")
    page.get_by_text("You may not read this any more").wait_for()
    page.get_by_role("button", name="Try again").click()
    page.get_by_text("refunded or withdrawn").wait_for()
    room.complaints[:] = [said for said in room.complaints if "status of 403" not in said]


def test_who_is_signed_out_meanwhile_is_told(room: Room, ada: Any, ben: Any, long_pdf: bytes) -> None:
    course = room.book(ada, long_pdf, 300, draw=False)
    a_purchase(course, by=ben)
    page = room.window(ben)
    page.goto(f"/read/{course.id}")
    is_open(page, 1)
    page.context.clear_cookies()
    page.get_by_label("Page", exact=True).fill("200")
    page.keyboard.press("Enter")
    page.get_by_text("You are signed out").wait_for()
    page.get_by_role("button", name="Try again").click()
    page.wait_for_url("**/login?next=/read/**")
    room.complaints[:] = [said for said in room.complaints if "status of 4" not in said]


# Without JavaScript, on phones, for everyone


def test_without_javascript_pages_are_pictures_to_go_through(room: Room, book: Course, ben: Any) -> None:
    page = room.window(ben, js=False)
    page.goto(f"/read/{book.id}")
    assert page.locator("#reader_picture").get_attribute("src").startswith(f"/read/{book.id}/pages/1.webp?size=large")
    page.get_by_role("link", name="Next page").click()
    page.get_by_text("Text of page 2").wait_for()
    page.get_by_label("Page", exact=True).fill("14")
    page.get_by_role("button", name="Go").click()
    page.get_by_text("Text of page 14").click()
    assert page.get_by_text("Words of chapter 14 about kerning.").is_visible()
    for of_script in ("Full screen", "Zoom in", "Search in this book", "Contents and pages"):
        assert not page.get_by_role("button", name=of_script).is_visible()
    page.get_by_role("button", name="Remember this page").click()
    page.get_by_text("Page 14 is remembered").wait_for()
    assert room.place() == 14
    page.goto(f"/read/{book.id}")
    page.get_by_text("Text of page 14").wait_for()
    page.get_by_role("navigation", name="Contents").get_by_role("link", name="Chapter 3").click()
    page.get_by_text("Text of page 3").wait_for()


@pytest.mark.parametrize("width", [320, 360, 768])
def test_everything_fits_a_phone_and_is_large_enough_to_touch(room: Room, book: Course, ben: Any, width: int) -> None:
    page = room.window(ben, width=width, height=700, has_touch=True, is_mobile=True)
    page.goto(f"/read/{book.id}?page=3")
    is_open(page, 3)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("link", name="Next page").tap()
    is_open(page, 4)
    page.get_by_role("button", name="More tools").tap()
    page.get_by_role("button", name="Zoom in").wait_for()
    small = page.evaluate(
        """() => [...document.querySelectorAll('#reader_bar :is(a, button, select, input)')]
          .filter((each) => each.checkVisibility() && !each.closest('.reader__submit'))
          .map((each) => [each.id || each.className, each.getBoundingClientRect()])
          .filter(([, box]) => box.width < 44 || box.height < 44 || box.right > innerWidth || box.left < 0)
          .map(([name, box]) => `${name} ${box.width}x${box.height} at ${box.left}`)"""
    )
    assert small == []
    page.get_by_role("button", name="More tools").tap()
    page.get_by_role("button", name="Contents and pages").tap()
    sheet = page.get_by_role("dialog", name="Contents and pages")
    box = sheet.bounding_box()
    assert box["width"] == width and box["y"] > 100
    sheet.get_by_role("link", name="Chapter 9").tap()
    sheet.wait_for(state="hidden")
    is_open(page, 9)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_axe_finds_nothing_in_any_state(room: Room, book: Course, ben: Any, width: int, scheme: str) -> None:
    page = room.window(ben, width=width, color_scheme=scheme)

    def check(state: str) -> list[str]:
        page.evaluate(AXE.read_text("utf-8"))
        # What pdf.js draws is its own.
        found = page.evaluate("axe.run({exclude: ['.pdfViewer']}, {resultTypes: ['violations']})")["violations"]
        return [f"{state}: {each['id']}: {node['html'][:160]}" for each in found for node in each["nodes"]]

    page.goto(f"/read/{book.id}?page=7&q=quokka")
    is_open(page, 7)
    page.locator("#reader_matches", has_text="of 6").wait_for()
    problems = check("search")
    page.keyboard.press("Escape")
    page.locator("#reader_panel_button").click()
    problems += check("contents")
    page.locator("#reader_show_thumbs").click()
    problems += check("pages")
    page.locator("#reader_panel_close").click()
    page.keyboard.press("?")
    page.locator("#reader_help").wait_for()
    problems += check("help")
    page.keyboard.press("Escape")
    if page.locator("#reader_more").is_visible():
        page.locator("#reader_more").click()
        problems += check("more")
    page.route("**/*.pdf", lambda route: route.abort())
    page.goto(f"/read/{book.id}?page=8")
    page.locator("#reader_retry").wait_for()
    problems += check("pictures")
    assert problems == []
    room.complaints[:] = [said for said in room.complaints if "ERR_FAILED" not in said]
