"""The studio in a browser: Ada from a first line to the shop, and everyone else at the door."""

import io
import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image

from coursehub.accounts.models import Customer
from coursehub.courses import drafting, queries
from coursehub.courses.models import Course
from coursehub.infra.services import services
from coursehub.kernel.db import db, transaction
from coursehub.library import sweeping
from tests.browser import Answer, Browser
from tests.courses.intake import a_draft, a_pdf, needed_keys, stored_keys
from tests.factories import a_course, a_purchase

DETAILS = {
    "title": "Type in Practice",
    "subtitle": "For people who set books",
    "description": "Margins, *rhythm*, rest.",
    "category": "design",
    "tags": "Type, Books",
    "language": "en",
    "price": "19.00",
    "currency": "USD",
    "sample_pages": "2",
}
# Every page and deed about one course: method, path below /studio/courses/<id>.
ABOUT = [
    ("get", ""),
    ("get", "/details"),
    ("post", "/details"),
    ("post", "/cover"),
    ("post", "/cover/removal"),
    ("get", "/content"),
    ("post", "/uploads"),
    ("get", "/versions/{version}/progress"),
    ("post", "/title"),
    ("get", "/preview"),
    ("get", "/pages"),
    ("get", "/versions/{version}/pages/1.webp"),
    ("get", "/publish"),
    ("post", "/status"),
    ("post", "/deletion"),
    ("get", "/versions"),
    ("post", "/versions/{version}/release"),
]


@pytest.fixture
def adas(browser: Browser, ada: Customer) -> Browser:
    return browser.as_(ada)


class Unread:
    """A body of `length` bytes that nobody may read."""

    def __init__(self, length: int) -> None:
        self._length, self._place = length, 0

    def tell(self) -> int:
        return self._place

    def seek(self, place: int, whence: int = 0) -> None:
        self._place = self._length if whence == 2 else place

    def read(self, *_size: int) -> bytes:
        raise AssertionError("the body was read")

    readline = readinto = read


def upload(by: Browser, course: Course, body: bytes, name: str = "course.pdf") -> Answer:
    sent = {"file": (io.BytesIO(body), name, "application/pdf")}
    return by.post(f"/studio/courses/{course.id}/uploads", sent, content_type="multipart/form-data")


def a_picture(kind: str = "PNG", size: tuple[int, int] = (600, 800)) -> io.BytesIO:
    made = io.BytesIO()
    Image.new("RGB", size, "#7a3b2e").save(made, kind)
    made.seek(0)
    return made


def fresh(course: Course) -> Course:
    db.session.rollback()
    return queries.get(course.id)


def test_ada_goes_from_a_first_line_to_the_shop(adas: Browser, browser: Browser, work: Any) -> None:
    adas.get("/studio").expect(200).says("No course yet", "Make your first course")
    adas.get("/studio/courses/new").expect(200).says("New course", "Save and continue")
    content = adas.post("/studio/courses", DETAILS).expect(303).location
    assert content.endswith("/content")
    course = db.session.scalars(db.select(Course)).one()
    assert (course.title, course.price_cents, course.tags) == ("Type in Practice", 1900, ["type", "books"])
    adas.get(content).expect(200).says("Drop your PDF here")

    upload(adas, course, a_pdf(3)).expect(303)
    page = adas.get(content).expect(200).says("Looking at your PDF", "course.pdf")
    assert 'hx-trigger="every 2s"' in page.text
    progress = re.search(r'hx-get="([^"]+/progress)"', page.text)
    assert progress
    assert 'hx-trigger="every 2s"' in adas.get(progress[1], htmx=True).expect(200).text
    work()
    done = adas.get(progress[1], htmx=True).expect(200).says("Version 1 is ready")
    assert "hx-trigger" not in done.text

    adas.get(f"/studio/courses/{course.id}/preview").expect(200).says("Version 1 · 3 pages")
    adas.get(f"/studio/courses/{course.id}/publish").expect(200).says("Before it is sold", "What buyers will see")
    browser.get(f"/courses/{course.slug}").expect(404)
    adas.post(f"/studio/courses/{course.id}/status", {"status": "published"}).expect(303)
    adas.get(f"/studio/courses/{course.id}/publish").says("Your course is in the shop.", "In the shop")
    browser.get(f"/courses/{course.slug}").expect(200).says("Type in Practice", "$19.00")
    adas.get("/studio").says("Type in Practice", "In the shop")


def test_reloading_comes_back_to_the_step_that_is_next(adas: Browser, ada: Customer) -> None:
    draft = a_draft(ada)
    assert adas.get(f"/studio/courses/{draft.id}").expect(303).location.endswith("/content")
    with_file = a_course(by=ada, status="draft")
    assert adas.get(f"/studio/courses/{with_file.id}").location.endswith("/preview")
    public = a_course(by=ada)
    assert adas.get(f"/studio/courses/{public.id}").location.endswith("/publish")


@pytest.mark.parametrize(("method", "path"), ABOUT)
def test_a_strangers_course_is_as_if_there_were_none(
    browser: Browser, ada: Customer, cleo: Customer, method: str, path: str
) -> None:
    course = a_course(by=ada)
    with transaction() as session:
        session.get_one(Customer, cleo.id).role = "creator"
    stranger = browser.as_(cleo)
    at = [f"/studio/courses/{id_}{path.format(version=version)}" for id_, version in
          ((course.id, course.current_version_id), (uuid4(), uuid4()))]  # fmt: skip
    answers = [getattr(stranger, method)(address).expect(404) for address in at]
    changing = re.compile(r'[0-9a-f-]{12,}|(?<=name="csrf-token" content=")[^"]+|(?<=name="csrf_token" value=")[^"]+')
    shown = [changing.sub("…", answer.text) for answer in answers]
    assert shown[0] == shown[1]
    assert fresh(course).status == "published"


@pytest.mark.parametrize(("method", "path"), [("get", ""), ("get", "/courses/new"), ("post", "/courses")])
def test_the_signed_out_are_sent_to_sign_in(browser: Browser, method: str, path: str) -> None:
    assert getattr(browser, method)(f"/studio{path}").expect(303).location.startswith("/login?next=")


@pytest.mark.parametrize(("method", "path"), ABOUT)
def test_a_buyer_is_told_how_to_become_a_creator(
    browser: Browser, ada: Customer, ben: Customer, method: str, path: str
) -> None:
    course = a_course(by=ada)
    address = f"/studio/courses/{course.id}{path.format(version=course.current_version_id)}"
    getattr(browser.as_(ben), method)(address).expect(403).says("Become a creator first")


def test_a_buyer_who_looks_at_the_studio_is_invited(browser: Browser, ben: Customer) -> None:
    browser.as_(ben).get("/studio").expect(200).says("Become a creator")


def test_another_courses_version_is_no_version_of_this_one(adas: Browser, ada: Customer) -> None:
    one, other = a_course(by=ada), a_course(by=ada)
    for path in ("progress", "pages/1.webp"):
        adas.get(f"/studio/courses/{one.id}/versions/{other.current_version_id}/{path}").expect(404)
    adas.post(f"/studio/courses/{one.id}/versions/{other.current_version_id}/release").expect(404)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("price", "nineteen", "Enter the price as a number"),
        ("price", "0.20", "at least $0.50"),
        ("price", "", "Enter a price"),
        ("sample_pages", "many", "Not a valid integer value"),
        ("sample_pages", "99", "between 0 and 10"),
        ("category", "gardening", "Not a valid choice"),
        ("tags", ",".join(f"t{n}" for n in range(9)), "At most 8 tags"),
        ("title", "x" * 201, "200"),
        ("description", "nul \0", "cannot be stored"),
    ],
)
def test_a_bad_field_is_named_and_nothing_typed_is_lost(
    adas: Browser, ada: Customer, field: str, value: str, sentence: str
) -> None:
    course = a_draft(ada)
    for path, seen in (("/studio/courses", ""), (f"/studio/courses/{course.id}/details", str(course.revision))):
        typed = DETAILS | {"revision": seen, "subtitle": "Kept as typed", field: value}
        answer = adas.post(path, typed).expect(422).says("There is a problem", sentence)
        assert "<title>Error: " in answer.text
        assert "Kept as typed" in answer.text
    assert fresh(course).subtitle == ""


def test_the_details_can_be_read_typed_over_and_saved(adas: Browser, ada: Customer) -> None:
    course = a_draft(ada, price_cents=1250, currency="EUR", tags=["a", "b"])
    page = adas.get(f"/studio/courses/{course.id}/details").expect(200)
    for shown in ('value="12.50"', 'value="a, b"', 'value="Quiet Typography"', f'value="{course.revision}"'):
        assert shown in page.text
    saved = adas.post(f"/studio/courses/{course.id}/details", DETAILS | {"revision": "1", "next": "content"})
    assert saved.expect(303).location.endswith("/content")
    now = fresh(course)
    assert (now.title, now.currency, now.price_cents) == ("Type in Practice", "USD", 1900)


def test_a_late_tab_keeps_its_text_and_may_insist(adas: Browser, ada: Customer) -> None:
    course = a_draft(ada)
    with transaction():
        drafting.update(course, title="Saved in the first tab")
    late = DETAILS | {"title": "Typed in the second tab", "revision": "1"}
    answer = adas.post(f"/studio/courses/{course.id}/details", late).expect(409)
    answer.says("Saved elsewhere meanwhile")
    assert "Typed in the second tab" in answer.text
    assert fresh(course).title == "Saved in the first tab"
    revision = re.search(r'name="revision" value="(\d+)"', answer.text)
    assert revision and revision[1] == "2"
    adas.post(f"/studio/courses/{course.id}/details", late | {"revision": "2"}).expect(303)
    assert fresh(course).title == "Typed in the second tab"


def test_a_tampered_revision_is_not_a_crash(adas: Browser, ada: Customer) -> None:
    course = a_draft(ada)
    for revision in ("", "x", "-1", "9" * 40, "²"):
        answer = adas.post(f"/studio/courses/{course.id}/details", DETAILS | {"revision": revision})
        assert answer.status in (303, 409)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "This file is empty"),
        (b"PK\x03\x04 a zip", "This file is not a PDF"),
        (b"x" * 100 + a_pdf(), "This file is not a PDF"),
        (a_pdf()[5:], "This file is not a PDF"),
    ],
)
def test_what_is_no_pdf_is_refused_at_once_in_words(adas: Browser, ada: Customer, body: bytes, sentence: str) -> None:
    course = a_draft(ada)
    answer = upload(adas, course, body).expect(422).says("There is a problem", sentence)
    assert "<title>Error: " in answer.text
    assert stored_keys() == set()
    assert list(queries.versions_of(course.id)) == []


def test_forgetting_to_choose_a_file_is_said(adas: Browser, ada: Customer) -> None:
    course = a_draft(ada)
    adas.post(f"/studio/courses/{course.id}/uploads", {}).expect(422).says("Choose a PDF first.")
    adas.post(f"/studio/courses/{course.id}/cover", {}).expect(422).says("Choose a picture first.")


def test_too_large_is_refused_unread(adas: Browser, ada: Customer, app: Any) -> None:
    course = a_draft(ada)

    answer = adas.post(
        f"/studio/courses/{course.id}/uploads",
        None,
        input_stream=Unread(260_000_000),
        content_type="multipart/form-data; boundary=x",
        token=False,
    )
    answer.expect(413).says("at most 250 MB")
    assert list(queries.versions_of(course.id)) == []


def test_a_strangers_body_is_not_read(browser: Browser, ada: Customer) -> None:
    course = a_draft(ada)

    answer = browser.post(
        f"/studio/courses/{course.id}/uploads",
        None,
        input_stream=Unread(1_000_000),
        content_type="multipart/form-data; boundary=x",
        token=False,
    )
    assert answer.status in (400, 401)


def test_an_upload_lies_on_disk_while_it_comes_and_is_gone_after(
    adas: Browser, ada: Customer, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from coursehub.courses import uploads

    seen: list[str] = []
    real = uploads.stored

    def stored(path: Any, *rest: Any, **more: Any) -> Any:
        seen.append(str(path))
        assert path.stat().st_size == len(body)
        return real(path, *rest, **more)

    monkeypatch.setattr(uploads, "stored", stored)
    body = a_pdf(5)
    upload(adas, a_draft(ada), body).expect(303)
    folder = app.config["SETTINGS"].data.resolve() / "incoming"
    assert seen[0].startswith(str(folder))
    assert list(folder.iterdir()) == []
    assert folder.stat().st_mode & 0o077 == 0


def test_an_upload_while_storage_is_away_makes_no_version(
    adas: Browser, ada: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from coursehub.kernel.errors import Unavailable

    course = a_draft(ada)

    def away(*_rest: Any) -> None:
        raise Unavailable("The storage does not answer.")

    monkeypatch.setattr(type(services().storage), "put_file", away)
    upload(adas, course, a_pdf()).expect(503)
    assert list(queries.versions_of(course.id)) == []


def test_the_pdfs_own_title_is_offered_to_a_course_without_one(
    adas: Browser, browser: Browser, ada: Customer, work: Any
) -> None:
    course = a_draft(ada, title="")
    upload(adas, course, a_pdf(1, "Margins and Rhythm")).expect(303)
    work()
    adas.get(f"/studio/courses/{course.id}/content").says("The PDF calls itself “Margins and Rhythm”")
    adas.post(f"/studio/courses/{course.id}/title").expect(303)
    now = fresh(course)
    assert (now.title, now.slug) == ("Margins and Rhythm", "margins-and-rhythm")
    adas.get(f"/studio/courses/{course.id}/content").is_silent_about("calls itself")
    adas.post(f"/studio/courses/{course.id}/title").expect(404)


def test_a_failed_upload_says_why_on_the_page(adas: Browser, ada: Customer, work: Any) -> None:
    course = a_draft(ada)
    upload(adas, course, b"%PDF-1.7\nThis is a letter, really.\n", "<b>letter</b>.pdf").expect(303)
    work()
    page = adas.get(f"/studio/courses/{course.id}/content").expect(200)
    page.says("This file cannot be used", "This PDF is damaged").is_silent_about("<b>letter")
    adas.get("/studio").says("The last upload could not be used")


def test_the_pages_appear_as_they_are_drawn(adas: Browser, ada: Customer, work: Any) -> None:
    course = a_draft(ada)
    upload(adas, course, a_pdf(60)).expect(303)
    work("course.inspect.request")
    page = adas.get(f"/studio/courses/{course.id}/preview").expect(200).says("Drawing the pages: 0 of 60")
    assert 'hx-trigger="every 3s"' in page.text
    work("course.thumbnails.request")
    page = adas.get(f"/studio/courses/{course.id}/preview").expect(200)
    assert "every 3s" not in page.text
    assert page.text.count('alt="Page ') == 48
    second = adas.get(f"/studio/courses/{course.id}/preview?page=2").expect(200)
    assert second.text.count('alt="Page ') == 12
    for odd in ("page=0", "page=99", "page=x", "version=9", "version=x"):
        adas.get(f"/studio/courses/{course.id}/preview?{odd}").expect(200)
    picture = re.search(r'<img src="([^"]+size=small)"', page.text)
    assert picture
    answer = adas.get(picture[1]).expect(200)
    assert answer.headers["Cache-Control"] == "private, max-age=3600"
    etag = answer.headers["ETag"]
    adas.get(picture[1], headers={"If-None-Match": etag}).expect(304)
    for wrong in ("size=huge", "size=../x"):
        adas.get(picture[1].replace("size=small", wrong)).expect(404)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_cover_of_ones_own_is_shown_and_can_be_taken_back(
    adas: Browser, browser: Browser, ada: Customer, work: Any, kind: str
) -> None:
    course = a_draft(ada)
    upload(adas, course, a_pdf()).expect(303)
    work()
    for _again in range(2):
        sent = {"cover": (a_picture(kind), "c", "image/png")}
        adas.post(f"/studio/courses/{course.id}/cover", sent, content_type="multipart/form-data").expect(303)
        assert fresh(course).cover_is_own
        assert stored_keys() == needed_keys()
    cover = str(queries.cover_path(fresh(course)))
    assert adas.get(cover).expect(200).response.data[8:12] == b"WEBP"
    browser.get(cover).expect(404)
    adas.post(f"/studio/courses/{course.id}/cover/removal").expect(303)
    now = fresh(course)
    assert not now.cover_is_own
    assert str(now.cover_image_url).startswith("pages/")
    assert stored_keys() == needed_keys()


@pytest.mark.parametrize(
    ("body", "sentence"),
    [(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"), (b"not a picture", "picture"), (b"", "empty")],
)
def test_a_bad_cover_is_refused_in_words(adas: Browser, ada: Customer, body: bytes, sentence: str) -> None:
    course = a_draft(ada)
    sent = {"cover": (io.BytesIO(body), "c.png", "image/png")}
    answer = adas.post(f"/studio/courses/{course.id}/cover", sent, content_type="multipart/form-data")
    answer.expect(422).says("There is a problem", sentence)
    assert stored_keys() == set()


def test_a_course_that_is_not_ready_says_what_is_missing(adas: Browser, ada: Customer) -> None:
    course = a_draft(ada)
    page = adas.get(f"/studio/courses/{course.id}/publish").expect(200)
    page.says("Upload a PDF first", "Fix")
    answer = adas.post(f"/studio/courses/{course.id}/status", {"status": "published"}).expect(422)
    answer.says("There is a problem", "Upload a PDF first")
    assert fresh(course).status == "draft"


@pytest.mark.parametrize("status", ["", "sold", "published\0"])
def test_an_unknown_status_is_refused(adas: Browser, ada: Customer, status: str) -> None:
    course = a_course(by=ada)
    adas.post(f"/studio/courses/{course.id}/status", {"status": status}).expect(422)
    assert fresh(course).status == "published"


def test_an_illegal_move_is_409(adas: Browser, ada: Customer) -> None:
    course = a_course(by=ada, status="archived")
    adas.post(f"/studio/courses/{course.id}/status", {"status": "draft"}).expect(409).says("cannot become")


def test_taking_a_course_out_asks_first_and_names_it(
    adas: Browser, ada: Customer, ben: Customer, cleo: Customer, root: Customer
) -> None:
    course = a_course(by=ada, title="Quiet Type", sales_count=3)
    for buyer, access in ((ben, "active"), (cleo, "suspended"), (root, "revoked")):
        a_purchase(course, by=buyer, access=access)
    page = adas.get(f"/studio/courses/{course.id}/publish").expect(200)
    page.says("Archive “Quiet Type”?", "2 buyers keep the course.")
    for ask in ("draft", "archived"):  # without JavaScript the question is a page
        open_ = adas.get(f"/studio/courses/{course.id}/publish?ask={ask}").expect(200)
        assert f'id="confirm_{ask}" aria-labelledby="confirm_{ask}-title"' in open_.text
        assert re.search(rf'<dialog[^>]+id="confirm_{ask}"[^>]* open>', open_.text)
    adas.post(f"/studio/courses/{course.id}/status", {"status": "archived"}).expect(303)
    adas.get(f"/studio/courses/{course.id}/publish").says("Its buyers keep it.")


def test_a_draft_is_deleted_at_once_and_its_files_at_night(adas: Browser, ada: Customer, work: Any) -> None:
    course = a_draft(ada, title="Second thoughts")
    upload(adas, course, a_pdf(2)).expect(303)
    work()
    assert stored_keys()
    adas.get(f"/studio/courses/{course.id}/publish?ask=delete").says("Delete “Second thoughts”?")
    before = stored_keys()
    adas.post(f"/studio/courses/{course.id}/deletion").expect(303)
    assert stored_keys() == before, "thousands of objects would keep the person waiting"
    assert needed_keys() == set()
    sweeping.sweep_storage(services().storage, older_than=timedelta(seconds=-5))
    assert stored_keys() == set()
    adas.get(f"/studio/courses/{course.id}").expect(404)


def test_a_sold_course_is_not_deleted(adas: Browser, ada: Customer, ben: Customer) -> None:
    course = a_course(by=ada, status="draft")
    a_purchase(course, by=ben)
    adas.get(f"/studio/courses/{course.id}/publish").expect(200).is_silent_about("Delete this draft")
    adas.post(f"/studio/courses/{course.id}/deletion").expect(409).says("buyers keep it")


def test_the_next_version_is_published_with_what_is_new(
    adas: Browser, browser: Browser, ada: Customer, work: Any
) -> None:
    course = a_draft(ada)
    upload(adas, course, a_pdf(2)).expect(303)
    work()
    adas.post(f"/studio/courses/{course.id}/status", {"status": "published"}).expect(303)
    upload(adas, course, a_pdf(4), "second.pdf").expect(303)
    work()
    adas.get(f"/studio/courses/{course.id}/content").says("Publish version 2")
    page = adas.get(f"/studio/courses/{course.id}/versions").expect(200)
    page.says("Version 2 waits to be published", "second.pdf", "Current")
    release = re.search(r'action="([^"]+/release)"', page.text)
    assert release
    too_long = adas.post(release[1], {"changelog": "x" * 5001}).expect(422)
    too_long.says("There is a problem")
    adas.post(release[1], {"changelog": "Two more chapters."}).expect(303)
    adas.get(f"/studio/courses/{course.id}/versions").says("Version 2 is published.", "Two more chapters.")
    browser.get(f"/courses/{course.slug}").says("Two more chapters.", "4")
    adas.post(release[1], {"changelog": "again"}).expect(409)


def test_staff_may_edit_anybodys_course(browser: Browser, ada: Customer, root: Customer) -> None:
    course = a_course(by=ada)
    browser.as_(root).get(f"/studio/courses/{course.id}/details").expect(200)
    browser.as_(root).post(f"/studio/courses/{course.id}/status", {"status": "archived"}).expect(303)


def test_a_deed_without_its_token_is_refused(adas: Browser, ada: Customer) -> None:
    course = a_course(by=ada)
    adas.post(f"/studio/courses/{course.id}/status", {"status": "archived"}, token=False).expect(400)
    assert fresh(course).status == "published"
