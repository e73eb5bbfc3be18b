"""Files of one's own: sent, looked at, read by their owner alone, within a quota, gone when removed."""

import io
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from coursehub.accounts.models import Customer
from coursehub.courses.uploads import Received
from coursehub.infra.pdf import PdfRefused
from coursehub.infra.services import EXTENSION, services
from coursehub.kernel.db import db, transaction
from coursehub.kernel.errors import NotFound, Unavailable
from coursehub.kernel.ids import new_id
from coursehub.library import private_files, sweeping
from coursehub.library.models import PrivateFile, PrivatePageText
from coursehub.library.private_files import NoRoom, NotReady
from tasks import runtime
from tests.browser import Answer, Browser
from tests.corpora.odd_pdfs import odd_pdfs
from tests.corpora.pdf_sketch import document
from tests.courses.intake import a_pdf, stored_keys
from tests.library.intake import file, sent
from tests.payments.helpers import count

Work = Callable[..., int]
# Every page and deed about one file: method, path below /library/files/<id>.
ABOUT = [
    ("get", ""),
    ("post", "/title"),
    ("post", "/inspection"),
    ("post", "/removal"),
    ("post", "/archive"),
    ("post", "/restoration"),
    ("get", "/download"),
    ("get", "/cover.webp"),
]


@pytest.fixture
def bens(browser: Browser, ben: Customer) -> Browser:
    return browser.as_(ben)


@pytest.fixture
def notes(ben: Customer, tmp_path: Path, work: Work) -> PrivateFile:
    """Ben's file of two pages, ready to read."""
    file_id = sent(ben, a_pdf(pages=2), tmp_path)
    work()
    return file(file_id)


def upload(browser: Browser, body: bytes, name: str = "field_notes.pdf", **more: Any) -> Answer:
    return browser.post("/library/files", {"file": (io.BytesIO(body), name)}, **more)


# Sending


def test_ben_uploads_a_file_and_reads_about_it(bens: Browser, work: Work) -> None:
    bens.get("/library/files").expect(200).says("No files of your own yet", "Only you can see it", "0 KB of 500.0 MB")
    answer = upload(bens, a_pdf(pages=3)).expect(303)
    assert answer.location == "/library/files"
    page = bens.get("/library/files").expect(200)
    page.says("“field notes” has arrived", "Checking and cleaning the file", "1 of 200 files")
    assert 'hx-trigger="every 2s"' in page.text
    work()
    page = bens.get("/library/files").expect(200).says("A page of a course", "3 pages", "Read", "Download")
    assert 'hx-trigger="every' not in page.text
    (found,) = db.session.scalars(select(PrivateFile))
    assert (found.status, found.pages_count, found.pages_drawn) == ("ready", 3, 3)
    assert found.pdf_url == f"private/{found.customer_id}/{found.id}.pdf"
    assert f'href="/read/files/{found.id}"' in page.text


def test_the_browser_script_is_sent_on_as_a_page_is(bens: Browser) -> None:
    assert upload(bens, a_pdf(), htmx=True).expect(200).location == "/library/files"


def test_a_file_takes_the_title_its_pdf_gives_itself_unless_it_was_renamed(
    ben: Customer, bens: Browser, tmp_path: Path, work: Work
) -> None:
    named, renamed = (
        sent(ben, a_pdf(title="Mosses of the North"), tmp_path, "scan.pdf"),
        sent(ben, a_pdf(title="Mosses of the North"), tmp_path, "scan2.pdf"),
    )
    bens.post(f"/library/files/{renamed}/title", {"title": "  My   mosses "}).expect(303)
    work()
    assert file(named).title == "Mosses of the North"
    assert file(renamed).title == "My mosses"


def test_pages_have_pictures_of_both_sizes_and_searchable_text(
    ben: Customer, tmp_path: Path, work: Work, app: Any
) -> None:
    html = "<html lang=en><title>Ferns</title><body><p>Quokkas were seen baking.</p>"
    file_id = sent(ben, services().pdf.typeset(html, {}, ""), tmp_path)
    work()
    keys = {private_files.page_key(file_id, 1, size) for size in ("small", "large")}
    assert keys <= stored_keys()
    matching = select(PrivatePageText.page_number).where(PrivatePageText.file_id == file_id)
    for words, language in (("quokkas", "simple"), ("bake", "english")):
        found = db.session.scalars(matching.where(PrivatePageText.search.op("@@")(_words(words, language)))).all()
        assert found == [1], words
    assert db.session.scalars(matching.where(PrivatePageText.search.op("@@")(_words("wombat", "english")))).all() == []


def _words(words: str, language: str) -> Any:
    from sqlalchemy import func, literal_column

    return func.plainto_tsquery(literal_column(f"'{language}'::regconfig"), words)


@pytest.mark.parametrize(("body", "code"), [(b"", "empty_file"), (b"GIF89a not a pdf", "not_a_pdf")])
def test_what_is_no_pdf_is_refused_at_the_door(bens: Browser, body: bytes, code: str) -> None:
    answer = upload(bens, body).expect(422).says("There is a problem", PdfRefused.sentences[code])
    assert "<title>Error: " in answer.text and 'id="file-error"' in answer.text
    assert stored_keys() == set() and count(PrivateFile) == 0


def test_refusals_are_those_of_courses(ben: Customer, bens: Browser, tmp_path: Path, work: Work) -> None:
    locked = next(odd for odd in odd_pdfs() if odd.refused == "password")
    file_id = sent(ben, locked.make(), tmp_path)
    work()
    bens.get("/library/files").expect(200).says(PdfRefused.sentences["password"], "Try again", "Delete")
    assert file(file_id).status == "failed"


def test_no_file_chosen_is_said_at_the_field(bens: Browser) -> None:
    bens.post("/library/files", {}).expect(422).says("Choose a PDF first.")


def test_a_refused_file_says_why_and_can_be_looked_at_again(
    ben: Customer, bens: Browser, tmp_path: Path, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Moody:
        def __getattr__(self, name: str) -> Any:
            raise PdfRefused("too_complex")

    file_id = sent(ben, a_pdf(), tmp_path)
    now = bens.app.extensions[EXTENSION]
    monkeypatch.setitem(bens.app.extensions, EXTENSION, replace(now, pdf=Moody()))
    work()
    monkeypatch.undo()
    assert file(file_id).status == "failed"
    assert stored_keys() == {private_files.raw_key(file_id)}  # kept, to be looked at again
    page = bens.get("/library/files").expect(200).says(file(file_id).error or "no sentence", "Try again")
    assert f'href="/read/files/{file_id}"' not in page.text
    bens.get(f"/library/files/{file_id}/download").expect(409)
    again = bens.post(f"/library/files/{file_id}/inspection", htmx=True).expect(200)
    again.says("Checking and cleaning")
    bens.post(f"/library/files/{file_id}/inspection").expect(409)  # one at a time
    work()
    assert file(file_id).status == "ready"
    assert private_files.raw_key(file_id) not in stored_keys()


def test_an_upload_damaged_on_its_way_is_refused_and_not_forgotten(
    ben: Customer, tmp_path: Path, work: Work, bens: Browser
) -> None:
    file_id = sent(ben, a_pdf(), tmp_path)
    services().storage.put(private_files.raw_key(file_id), a_pdf(pages=2), "application/pdf")
    work()
    assert (file(file_id).status, file(file_id).error) == (
        "failed",
        "The upload did not arrive whole. Please upload the file once more.",
    )
    bens.post(f"/library/files/{file_id}/removal").expect(303)
    assert stored_keys() == set()


# For nobody else


@pytest.mark.parametrize(("method", "path"), ABOUT)
def test_strangers_staff_and_visitors_find_nothing(
    browser: Browser, cleo: Customer, root: Customer, notes: PrivateFile, method: str, path: str
) -> None:
    for other in [browser.as_(cleo), browser.as_(root)]:
        foreign = getattr(other, method)(f"/library/files/{notes.id}{path}").expect(404)
        unknown = getattr(other, method)(f"/library/files/{uuid4()}{path}").expect(404)
        assert foreign.visible.split("Reference")[0] == unknown.visible.split("Reference")[0]
    assert getattr(browser, method)(f"/library/files/{notes.id}{path}").expect(303).location.startswith("/login")
    assert file(notes.id).title == notes.title


def test_only_its_owner_may_read(ben: Customer, cleo: Customer, root: Customer, notes: PrivateFile) -> None:
    assert private_files.get_readable(ben, notes.id).id == notes.id
    for person in (cleo, root):
        with pytest.raises(NotFound):
            private_files.get_readable(person, notes.id)


def test_nothing_is_readable_before_it_was_looked_at(ben: Customer, tmp_path: Path) -> None:
    with pytest.raises(NotReady):
        private_files.get_readable(ben, sent(ben, a_pdf(), tmp_path))


def test_lists_show_ones_own_files_alone(browser: Browser, cleo: Customer, notes: PrivateFile) -> None:
    browser.as_(cleo).get("/library/files").expect(200).is_silent_about(str(notes.id), notes.title)


def test_visitors_and_newcomers_send_nothing(browser: Browser, app: Any) -> None:
    from tests.people import a_person

    assert upload(browser, a_pdf()).status == 401
    newcomer = browser.as_(a_person("Eve Lindt", verified=False))
    newcomer.get("/library/files").expect(200).says("Confirm your e-mail address first")
    upload(newcomer, a_pdf()).expect(403).says("Confirm your e-mail address")
    assert upload(browser.as_(a_person("Finn Ode")), a_pdf(), token=False).status == 400
    assert count(PrivateFile) == 0 and stored_keys() == set()


# The quota


def test_what_does_not_fit_is_refused_in_numbers(
    app: Any, bens: Browser, monkeypatch: pytest.MonkeyPatch, ben: Customer, tmp_path: Path
) -> None:
    settings = app.config["SETTINGS"].model_copy(update={"private_quota_mb": 1})
    monkeypatch.setitem(app.config, "SETTINGS", settings)
    big = document(pages=1)
    body = big.with_table() + b"%" + b"x" * 700_000
    upload(bens, body).expect(303)
    answer = upload(bens, body).expect(422)
    answer.says("This file has 0.7 MB, and 0.3 MB of your 1.0 MB are free")
    assert count(PrivateFile) == 1


def test_so_many_files_and_no_more(ben: Customer, bens: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private_files, "MOST", 2)
    for _ in range(2):
        upload(bens, a_pdf()).expect(303)
    upload(bens, a_pdf()).expect(422).says("You have 2 files")


def _received(size: int) -> Received:
    return Received(new_id(), "uploads/x.pdf", "x.pdf", size, "0" * 64)


def test_uploads_at_once_never_exceed_the_quota(together: Any, ben: Customer) -> None:
    def grab(_number: int) -> Any:
        with transaction():
            return private_files.accept(ben, _received(300), quota=1000).id

    results = together(12, grab)
    assert sum(isinstance(one, NoRoom) for one in results) == 9
    assert count(PrivateFile) == 3


def test_without_taking_turns_they_do(together: Any, ben: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: everybody looks before anybody has written."""
    gate, real = threading.Barrier(12, timeout=20), private_files.check_room

    def look_and_wait(room: Any, size: int) -> None:
        real(room, size)
        gate.wait()

    monkeypatch.setattr(private_files, "_locked", lambda customer_id: db.session.get_one(Customer, customer_id))
    monkeypatch.setattr(private_files, "check_room", look_and_wait)

    def grab(_number: int) -> Any:
        with transaction():
            return private_files.accept(ben, _received(300), quota=1000).id

    together(12, grab)
    assert count(PrivateFile) > 3


# Living with it


def test_ben_downloads_his_file_as_often_as_he_likes(bens: Browser, notes: PrivateFile) -> None:
    for _ in range(7):
        place = bens.get(f"/library/files/{notes.id}/download").expect(303)
        assert place.headers["Cache-Control"] == "private, no-store"
    fetched = bens.get(place.location.replace(str(bens.app.config["SETTINGS"].base_url), "")).expect(200)
    assert fetched.response.get_data().startswith(b"%PDF-")
    assert "A page of a course.pdf" in fetched.headers["Content-Disposition"]


def test_its_cover_is_page_one_for_its_owner(bens: Browser, notes: PrivateFile) -> None:
    picture = bens.get(f"/library/files/{notes.id}/cover.webp").expect(200)
    assert picture.headers["Content-Type"] == "image/webp"
    assert "private" in picture.headers["Cache-Control"]


def test_renaming(bens: Browser, notes: PrivateFile) -> None:
    bens.post(f"/library/files/{notes.id}/title", {"title": "Notes of <b>May</b>"}).expect(303)
    bens.get(f"/library/files/{notes.id}").expect(200).says("Notes of <b>May</b>")
    for title in ("", "   ", "x" * 201, "a\0b"):
        answer = bens.post(f"/library/files/{notes.id}/title", {"title": title}).expect(422)
        assert "Error: " in answer.text
    assert file(notes.id).title == "Notes of <b>May</b>"


def test_a_file_is_put_away_and_brought_back(bens: Browser, notes: PrivateFile) -> None:
    away = bens.post(f"/library/files/{notes.id}/archive", htmx=True).expect(200).says("is in your archive", "Undo")
    assert f'id="privatefile_{notes.id}" hidden' in away.text
    bens.post(f"/library/files/{notes.id}/archive").expect(303)  # again: nothing changes
    bens.get("/library/files").expect(200).is_silent_about(f"/read/files/{notes.id}")
    bens.get("/library/archived").expect(200).says(notes.title, "Restore")
    back = bens.post(f"/library/files/{notes.id}/restoration", htmx=True).expect(200)
    assert f'id="privatefile_{notes.id}"' in back.text and "hidden" not in back.text.split("<article")[0]
    bens.get("/library/files").expect(200).says(notes.title)


def test_what_is_removed_is_gone_with_its_objects(app: Any, bens: Browser, notes: PrivateFile, ben: Customer) -> None:
    bens.post(f"/library/files/{notes.id}/removal").expect(303)
    bens.get(f"/library/files/{notes.id}").expect(404)
    bens.post(f"/library/files/{notes.id}/removal").expect(404)
    assert count(PrivateFile) == count(PrivatePageText) == 0
    assert notes.pdf_url not in stored_keys()
    sweeping.sweep_storage(services().storage, older_than=timedelta(seconds=-5))
    assert stored_keys() == set()


def test_storage_away_does_not_stop_a_removal(
    bens: Browser, notes: PrivateFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(key: str) -> None:
        raise Unavailable("Files cannot be reached.")

    monkeypatch.setattr(services().storage, "delete", away)
    bens.post(f"/library/files/{notes.id}/removal").expect(303)
    monkeypatch.undo()
    sweeping.sweep_storage(services().storage, older_than=timedelta(seconds=-5))
    assert stored_keys() == set()


def test_the_sweeper_spares_every_living_file(ben: Customer, notes: PrivateFile, tmp_path: Path, work: Work) -> None:
    waiting = sent(ben, a_pdf(), tmp_path)
    before = stored_keys()
    services().storage.put("private/stray.pdf", b"%PDF-", "application/pdf")
    sweeping.sweep_storage(services().storage, older_than=timedelta(seconds=-5))
    assert stored_keys() == before and private_files.raw_key(waiting) in before
    work()
    assert file(waiting).status == "ready"


def test_removed_while_it_is_looked_at_leaves_nothing(
    ben: Customer, bens: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from coursehub.courses import uploads

    file_id = sent(ben, a_pdf(), tmp_path)
    real = uploads.examine

    def meanwhile(*what: Any) -> Any:
        examined = real(*what)
        with transaction():
            private_files.remove(ben, file_id)
        return examined

    monkeypatch.setattr(uploads, "examine", meanwhile)
    runtime.run_due(["library.file.inspect.request"])
    assert stored_keys() == set() and count(PrivateFile) == 0


def test_removed_while_its_pages_are_drawn_ends_the_drawing(ben: Customer, tmp_path: Path) -> None:
    file_id = sent(ben, a_pdf(pages=3), tmp_path)
    runtime.run_due(["library.file.inspect.request"])
    with transaction():
        private_files.remove(ben, file_id)
    runtime.run_due()
    assert count(PrivatePageText) == 0


def test_a_long_file_is_drawn_batch_by_batch(ben: Customer, tmp_path: Path, work: Work) -> None:
    file_id = sent(ben, a_pdf(pages=45), tmp_path)
    work()
    assert file(file_id).pages_drawn == 45
    assert count(PrivatePageText, PrivatePageText.file_id == file_id) == 45


def test_what_could_run_was_taken_out_and_is_said(bens: Browser, notes: PrivateFile) -> None:
    with transaction() as session:
        session.get_one(PrivateFile, notes.id).removed = ["JavaScript"]
    page = bens.get(f"/library/files/{notes.id}").expect(200).says("Removed: JavaScript.")
    assert str(notes.fingerprint) in page.text


# Lists


def test_files_are_filtered_sorted_and_paged(bens: Browser, ben: Customer, queries: Any) -> None:
    with transaction() as session:
        for number in range(60):
            session.add(_a_row(ben, f"{'Étude' if number % 2 else 'zebra 100%'} {number:02}"))
    bens.get("/library/files?title=100%25").expect(200).says("zebra").is_silent_about("Étude")
    bens.get("/library/files?title=nothing").expect(200).says("No file of yours is called “nothing”")
    for sort in ("recent", "title", "nonsense"):
        seen = _walk(bens, f"/library/files?sort={sort}")
        assert len(seen) == len(set(seen)) == 60
    for odd in ("cursor=nonsense", "cursor=WyJ4IiwieCJd", "sort=title&cursor=WzEsMl0"):
        bens.get(f"/library/files?{odd}").expect(422)
    bens.get("/library/files?title=%00%F0%9F%A6%98'\"" + "x" * 3000).expect(200)


def test_the_list_does_not_grow_its_queries(bens: Browser, ben: Customer, queries: Any) -> None:
    with transaction() as session:
        session.add(_a_row(ben, "One"))
    bens.get("/library/files")
    with queries() as few:
        bens.get("/library/files")
    with transaction() as session:
        session.add_all(_a_row(ben, f"More {number}") for number in range(20))
    with queries() as many:
        bens.get("/library/files")
    assert many.count == few.count


def test_an_htmx_filter_gets_the_list_alone(bens: Browser, notes: PrivateFile) -> None:
    part = bens.get("/library/files?title=field", htmx=True).expect(200)
    assert part.text.strip().startswith("<div") and 'id="file_list"' in part.text
    row = bens.get(f"/library/files/{notes.id}", htmx=True).expect(200)
    assert row.text.strip().startswith("<div") and "<h1" not in row.text


def _a_row(person: Customer, title: str) -> PrivateFile:
    file_id = new_id()
    return PrivateFile(
        id=file_id,
        customer_id=person.id,
        title=title,
        filename="x.pdf",
        pdf_url=private_files.pdf_key(person.id, file_id),
        byte_size=1000,
        received_sha256="0" * 64,
        status="ready",
        pages_count=1,
        pages_drawn=1,
    )


def _walk(browser: Browser, path: str) -> list[str]:
    import html
    import re

    seen: list[str] = []
    while path:
        page = browser.get(path).expect(200).text
        seen += re.findall(r'id="privatefile_([0-9a-f-]{36})"', page)
        more = re.search(r'href="(/library/files\?[^"]*cursor=[^"]+)"', page)
        path = html.unescape(more[1]) if more else ""
    return seen
