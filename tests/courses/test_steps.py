"""The way from draft to shop: each step saves, goes on or waits, and says what is missing; then a buyer's view."""

import re
from typing import Any

import pytest

from coursehub.accounts.models import Customer
from coursehub.courses import drafting, queries
from coursehub.courses.models import Course, PageText
from coursehub.kernel.db import db, transaction
from coursehub.orders.models import Order
from tests.browser import Answer, Browser
from tests.courses.test_studio import DETAILS
from tests.factories import a_course, a_purchase

STEPS = ("details", "content", "preview", "publish")


@pytest.fixture
def adas(browser: Browser, ada: Customer) -> Browser:
    return browser.as_(ada)


def fresh(course: Course) -> Course:
    db.session.rollback()
    return queries.get(course.id)


def step(page: Answer) -> tuple[str, list[str]]:
    """The step that is current and those that are links."""
    way = re.search(r'<ol class="stepper".*?</ol>', page.text, re.S)
    assert way, "no steps"
    items = re.findall(r'<li class="stepper__step.*?</li>', way[0], re.S)
    assert len(items) == 4
    names = [re.sub(r"<[^>]+>|, done|\s", "", item) for item in items]
    current = [name for name, item in zip(names, items, strict=True) if 'aria-current="step"' in item]
    assert len(current) == 1
    return current[0], [name for name, item in zip(names, items, strict=True) if "<a " in item]


def test_the_steps_say_where_one_is_and_the_done_ones_are_links(adas: Browser, ada: Customer) -> None:
    with transaction():
        empty = drafting.create(ada, title="Letters")
    whole = a_course(by=ada, status="draft")
    assert step(adas.get("/studio/courses/new")) == ("Details", [])
    assert step(adas.get(f"/studio/courses/{empty.id}/content")) == ("Content", ["Details"])
    assert step(adas.get(f"/studio/courses/{whole.id}/publish")) == ("Publish", ["Details", "Content", "Preview"])
    assert step(adas.get(f"/studio/courses/{whole.id}/details")) == ("Details", ["Content", "Preview"])


@pytest.mark.parametrize("name", STEPS)
def test_every_step_can_be_gone_on_from_and_left(adas: Browser, ada: Customer, name: str) -> None:
    course = a_course(by=ada, status="draft")
    page = adas.get(f"/studio/courses/{course.id}/{name}").expect(200)
    page.says("Save draft", "Publish" if name == "publish" else "Save and continue")
    main = page.text[page.text.index("<main") : page.text.index("</main")]
    assert len(re.findall(r"btn--contained", main)) == 1, "one way on is the obvious one"


def test_save_draft_stays_and_save_and_continue_goes_on(adas: Browser, ada: Customer) -> None:
    assert adas.post("/studio/courses", DETAILS | {"next": ""}).expect(303).location.endswith("/details")
    course = db.session.scalars(db.select(Course)).one()
    path = f"/studio/courses/{course.id}"
    saved = DETAILS | {"revision": str(course.revision), "title": "Saved once"}
    assert adas.post(f"{path}/details", saved | {"next": ""}).expect(303).location == f"{path}/details"
    page = adas.get(f"{path}/details").says("Saved.")
    assert 'value="Saved once"' in page.text, "a reload shows what is saved"
    saved["revision"] = str(fresh(course).revision)
    assert adas.post(f"{path}/details", saved | {"next": "content"}).expect(303).location == f"{path}/content"


def test_sample_pages_are_chosen_beside_the_pages(adas: Browser, ada: Customer) -> None:
    course = a_course(by=ada, status="draft")
    path = f"/studio/courses/{course.id}/preview"
    sent = {"sample_pages": "5", "revision": str(course.revision), "next": "publish"}
    assert adas.post(path, sent).expect(303).location == f"/studio/courses/{course.id}/publish"
    assert fresh(course).sample_pages == 5
    late = adas.post(path, sent | {"sample_pages": "7"}).expect(409).says("Saved elsewhere meanwhile")
    assert 'value="7"' in late.text and fresh(course).sample_pages == 5
    for wrong in ("", "many", "11", "-1"):
        answer = adas.post(path, sent | {"sample_pages": wrong}).expect(422).says("There is a problem")
        assert "<title>Error: " in answer.text
    insisted = sent | {"sample_pages": "7", "revision": str(fresh(course).revision), "next": ""}
    assert adas.post(path, insisted).expect(303).location == path


def test_nobody_else_chooses_them(browser: Browser, ada: Customer, ben: Customer, cleo: Customer) -> None:
    course = a_course(by=ada, status="draft")
    path, sent = f"/studio/courses/{course.id}/preview", {"sample_pages": "9", "revision": "1"}
    browser.post(path, sent).expect(401).says("Sign in again")
    browser.as_(ben).post(path, sent).expect(403)
    with transaction() as session:
        session.get_one(Customer, cleo.id).role = "creator"
    browser.as_(cleo).post(path, sent).expect(404)
    browser.as_(ada).post(path, sent, token=False).expect(400)
    assert fresh(course).sample_pages == 3


def test_what_is_missing_links_to_where_it_is_mended(adas: Browser, ada: Customer) -> None:
    with transaction():
        course = drafting.create(ada)
    page = adas.get(f"/studio/courses/{course.id}/publish").expect(200)
    for fix in ("/content", "/details#title", "/details#description", "/details#cover_form"):
        assert f'href="/studio/courses/{course.id}{fix}"' in page.text
    page.says("A PDF that is ready Upload a PDF first: there is no finished version to sell.")
    marks = re.findall(r'<svg[^>]*checks__mark[^>]*aria-label="(\w+)"', page.text)
    assert (marks.count("Needed"), marks.count("Optional"), marks.count("Done")) == (1, 3, 3), marks


def test_the_publish_page_says_what_buyers_will_see(adas: Browser, ada: Customer) -> None:
    course = a_course(by=ada, status="draft", pages=12)
    adas.get(f"/studio/courses/{course.id}/publish").says(
        "people see the cover, the description, the first 3 of 12 pages",
        "Published, the course is found by search and on the shelves at once.",
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [("published", "draft"), ("published", "archived"), ("unlisted", "archived"), ("published", "unlisted")],
)
def test_a_move_can_be_undone_from_the_page_it_leads_to(adas: Browser, ada: Customer, before: str, after: str) -> None:
    course = a_course(by=ada, status=before)
    path = f"/studio/courses/{course.id}/status"
    there = adas.post(path, {"status": after}).expect(303).location
    offer = re.search(r'id="undo_status".*?name="status" value="(\w+)"', adas.get(there).expect(200).text, re.S)
    assert offer and offer[1] == before
    adas.post(path, {"status": offer[1]}).expect(303)
    assert fresh(course).status == before


def test_no_undo_is_offered_for_what_cannot_be(adas: Browser, ada: Customer) -> None:
    course = a_course(by=ada, status="archived")
    for was in ("draft", "nonsense", "archived", ""):
        adas.get(f"/studio/courses/{course.id}/publish?was={was}").expect(200).is_silent_about("undo_status")


# With a buyer's eyes


def test_ada_sees_her_page_as_a_buyer_and_nothing_happens(
    adas: Browser, browser: Browser, ada: Customer, ben: Customer
) -> None:
    course = a_course(by=ada, title="Quiet Typography")
    address = f"/courses/{course.slug}?as=buyer"
    page = adas.get(address).expect(200).says("as a buyer sees it", "Add to cart", "Buyers put it in their cart here.")
    page.is_silent_about('action="/cart/items"', "Edit<")
    assert re.search(r"<button[^>]*disabled[^>]*>(?:(?!</button>).)*Add to cart", page.text, re.S)
    adas.get(f"/courses/{course.slug}").says("Edit").is_silent_about("as a buyer sees it")
    assert db.session.scalars(db.select(Order)).all() == []


def test_with_buyers_eyes_nothing_is_offered_that_is_for_creators_only(
    adas: Browser, ada: Customer, ben: Customer
) -> None:
    course = a_course(by=ada)
    with transaction() as session:
        session.add_all(PageText(version_id=course.current_version_id, page_number=n, text="kerning") for n in (1, 9))
    plain, seen = (adas.get(f"/courses/{course.slug}{query}").expect(200) for query in ("", "?as=buyer"))
    plain.says("Nobody has reviewed your course yet.")
    seen.says("Nobody has reviewed this course yet.")
    assert '<input type="hidden" name="as" value="buyer">' in seen.text
    everything = adas.get(f"/courses/{course.slug}/look-inside?q=kerning", htmx=True).expect(200).visible
    masked = adas.get(f"/courses/{course.slug}/look-inside?q=kerning&as=buyer", htmx=True).expect(200).visible
    assert masked == adas.as_(ben).get(f"/courses/{course.slug}/look-inside?q=kerning", htmx=True).visible
    assert masked != everything


def test_a_draft_is_seen_with_buyers_eyes_by_its_maker_alone(
    adas: Browser, browser: Browser, ada: Customer, ben: Customer, root: Customer
) -> None:
    course = a_course(by=ada, status="draft")
    address = f"/courses/{course.slug}?as=buyer"
    adas.get(address).expect(200).says("only you can open it", "Add to cart")
    browser.as_(root).get(address).expect(200)
    browser.get(address).expect(404)
    browser.as_(ben).get(address).expect(404)


@pytest.mark.parametrize("who", ["anonymous", "ben", "owner"])
def test_for_everybody_else_the_words_mean_nothing(
    browser: Browser, ada: Customer, ben: Customer, cleo: Customer, who: str
) -> None:
    course = a_course(by=ada)
    a_purchase(course, by=cleo)
    visitor: Any = {"anonymous": browser, "ben": browser.as_(ben), "owner": browser.as_(cleo)}[who]
    plain, asked = (visitor.get(f"/courses/{course.slug}{query}").expect(200).visible for query in ("", "?as=buyer"))
    assert plain == asked
    assert "as a buyer sees it" not in asked


def test_the_pages_lead_there(adas: Browser, ada: Customer) -> None:
    for status in ("draft", "published"):
        course = a_course(by=ada, status=status)
        for path in ("/studio", f"/studio/courses/{course.id}/preview", f"/studio/courses/{course.id}/publish"):
            assert f'href="/courses/{course.slug}?as=buyer"' in adas.get(path).text
