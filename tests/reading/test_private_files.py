"""Ben's own PDFs: he alone reads, searches and continues them; not even staff know of them."""

from typing import Any

import pytest

from coursehub.kernel.db import db, transaction
from coursehub.library import private_files
from coursehub.library.models import PrivateFile, PrivatePageText
from coursehub.reading import page_search
from coursehub.reading.models import ReadingPosition
from tests.browser import Browser
from tests.factories import a_purchase
from tests.reading.shelf import BODY, a_book, a_private_file, rows


@pytest.fixture
def notes(app: Any, ben: Any) -> PrivateFile:
    return a_private_file(ben)


@pytest.fixture
def bens(browser: Browser, ben: Any) -> Browser:
    return browser.as_(ben)


def ways_in(file: PrivateFile) -> list[str]:
    return [f"/read/files/{file.id}", f"/read/files/{file.id}.pdf", f"/read/files/{file.id}/pages/1.webp"]


def test_ben_reads_his_own_file(bens: Browser, notes: PrivateFile) -> None:
    page = bens.get(f"/read/files/{notes.id}?page=2").expect(200)
    page.says("Field notes", "of 3", "Leading is the space between lines.", "Remember this page")
    assert f'data-pdf="/read/files/{notes.id}.pdf"' in page.text
    assert f'src="/read/files/{notes.id}/pages/2.webp?size=large"' in page.text
    whole = bens.get(f"/read/files/{notes.id}.pdf").expect(200)
    assert whole.response.get_data() == BODY
    part = bens.get(f"/read/files/{notes.id}.pdf", headers={"Range": "bytes=5-9"}).expect(206)
    assert part.response.get_data() == BODY[5:10]
    picture = bens.get(f"/read/files/{notes.id}/pages/3.webp?size=small").expect(200)
    assert picture.response.get_data() == b"own small 3"
    bens.get(f"/read/files/{notes.id}/pages/4.webp").expect(404)


def test_nobody_else_knows_of_it(browser: Browser, ada: Any, cleo: Any, root: Any, notes: PrivateFile) -> None:
    for person in (ada, cleo, root):
        others = browser.as_(person)
        for address in ways_in(notes):
            others.get(address).expect(404)
        others.post(f"/read/files/{notes.id}/position", {"page": "2"}).expect(404)
        assert page_search.find(person, "kerning").books == []
    for address in ways_in(notes):
        browser.get(address).expect(303)
    assert rows(ReadingPosition) == []


@pytest.mark.parametrize("status", ["processing", "failed"])
def test_a_file_that_is_not_ready_says_so(bens: Browser, notes: PrivateFile, status: str) -> None:
    with transaction() as session:
        session.get_one(PrivateFile, notes.id).status = status
    for address in ways_in(notes):
        bens.get(address).expect(409)
    bens.get(f"/read/files/{notes.id}").says("cannot be read yet")


def test_its_place_is_kept_beside_those_of_courses(bens: Browser, ben: Any, ada: Any, notes: PrivateFile) -> None:
    course = a_book(by=ada, title="Quiet Typography")
    a_purchase(course, by=ben)
    by_script = {"X-Requested-With": "fetch"}
    bens.post(f"/read/{course.id}/position", {"page": "3"}, headers=by_script).expect(204)
    for page in ("1", "2"):
        bens.post(f"/read/files/{notes.id}/position", {"page": page}, headers=by_script).expect(204)
    assert len(rows(ReadingPosition)) == 2
    bens.get(f"/read/files/{notes.id}").expect(200).says("Leading is the space between lines.")
    recent = bens.get("/reading/recent", htmx=True).expect(200).says("Field notes", "Page 2 of 3", "Quiet Typography")
    assert recent.visible.index("Field notes") < recent.visible.index("Quiet Typography")
    assert f'href="/read/files/{notes.id}"' in recent.text


def test_a_file_that_is_removed_takes_its_place_along(bens: Browser, ben: Any, notes: PrivateFile) -> None:
    bens.post(f"/read/files/{notes.id}/position", {"page": "2"}).expect(303)
    with transaction():
        private_files.remove(ben, notes.id)
    assert rows(ReadingPosition) == []
    bens.get("/reading/recent").expect(200).says("Nothing opened yet")
    assert page_search.find(ben, "kerning").books == []


def test_a_search_finds_courses_and_files_alike(bens: Browser, ben: Any, ada: Any, notes: PrivateFile) -> None:
    course = a_book(by=ada, title="Quiet Typography")
    a_purchase(course, by=ben)
    page = bens.get("/library/search?q=kerning").expect(200).says("Field notes", "Quiet Typography", "2 pages")
    assert f'href="/read/files/{notes.id}?page=1&amp;q=kerning"' in page.text
    assert f'href="/read/{course.id}?page=1&amp;q=kerning"' in page.text
    alone = bens.get(f"/library/search?q=space&in={notes.id}").expect(200).says("Field notes", "2 pages")
    alone.is_silent_about("Quiet Typography")


def test_a_page_of_any_length_is_kept(ben: Any, app: Any) -> None:
    texts = [
        " ".join(f"w{number}x" for number in range(25_000))[:100_000],
        " ".join(chr(0x20000 + number) for number in range(42_000))[:100_000],
        "-".join(f"𐐀{number}" for number in range(30_000))[:100_000],
        "".join(f"http://a{number}.example/b{number} " for number in range(10_000))[:100_000],
    ]
    a_private_file(ben, texts=texts)
    assert db.session.query(PrivatePageText).count() == 4
