"""Who may read what: the owner, the author, staff; which version; and what everybody else is told."""

from typing import Any

import pytest

from coursehub.courses.models import Course
from coursehub.entitlements import grants
from coursehub.entitlements.models import Purchase
from coursehub.kernel.db import db, transaction
from tests.browser import Browser
from tests.factories import a_purchase
from tests.reading.shelf import a_book, a_new_version, bytes_of


@pytest.fixture
def book(app: Any, ada: Any) -> Course:
    return a_book(by=ada, title="Quiet Typography")


def ways_in(course: Course) -> list[str]:
    return [f"/read/{course.id}", bytes_of(course), f"/read/{course.id}/pages/1.webp"]


def hide(course: Course, status: str = "archived") -> None:
    with transaction() as session:
        session.get_one(Course, course.id).status = status


def move(purchase: Purchase, how: str) -> None:
    with transaction() as session:
        getattr(grants, how)(session.get_one(Purchase, purchase.id), reason="test", actor="test")


def test_ben_reads_what_he_bought(browser: Browser, ben: Any, book: Course) -> None:
    a_purchase(book, by=ben)
    bens = browser.as_(ben)
    page = bens.get(f"/read/{book.id}").expect(200)
    page.says("Quiet Typography", "of 3", "Kerning is the space between two letters.")
    for address in ways_in(book):
        bens.get(address).expect(200)


def test_the_author_and_staff_read_it_too(browser: Browser, ada: Any, root: Any, book: Course) -> None:
    hide(book, "draft")
    for person in (ada, root):
        for address in ways_in(book):
            browser.as_(person).get(address).expect(200)


def test_the_signed_out_are_sent_to_sign_in_and_back_to_the_page(browser: Browser, book: Course) -> None:
    answer = browser.get(f"/read/{book.id}?page=2&thread=7").expect(303)
    assert answer.location == f"/login?next=/read/{book.id}%3Fpage%3D2%26thread%3D7"
    for address in (*ways_in(book), "/reading/recent", "/library/search?q=x"):
        assert browser.get(address).expect(303).location.startswith("/login")
    assert browser.post(f"/read/{book.id}/position", {"page": "1"}).expect(303).location.startswith("/login")


def test_cleo_who_owns_nothing_is_shown_the_way(browser: Browser, cleo: Any, book: Course) -> None:
    cleos = browser.as_(cleo)
    page = cleos.get(f"/read/{book.id}").expect(403).says("stays closed", "for those who own it", "See the course")
    assert f'href="/courses/{book.slug}"' in page.text
    for address in ways_in(book):
        cleos.get(address).expect(403).is_silent_about("Kerning is")
    cleos.post(f"/read/{book.id}/position", {"page": "1"}).expect(403)


def test_a_course_that_is_not_public_does_not_exist_for_cleo(browser: Browser, cleo: Any, book: Course) -> None:
    for status in ("draft", "archived"):
        hide(book, status)
        for address in ways_in(book):
            browser.as_(cleo).get(address).expect(404)
        browser.as_(cleo).post(f"/read/{book.id}/position", {"page": "1"}).expect(404)


def test_buyers_of_an_archived_course_read_on(browser: Browser, ben: Any, book: Course) -> None:
    a_purchase(book, by=ben)
    hide(book)
    for address in ways_in(book):
        browser.as_(ben).get(address).expect(200)


def test_a_suspended_right_is_explained_and_comes_back(browser: Browser, ben: Any, book: Course) -> None:
    purchase = a_purchase(book, by=ben)
    bens = browser.as_(ben)
    move(purchase, "suspend")
    bens.get(f"/read/{book.id}").expect(403).says("on hold while your bank's question")
    for address in ways_in(book):
        bens.get(address).expect(403)
    move(purchase, "restore")
    for address in ways_in(book):
        bens.get(address).expect(200)


def test_a_revoked_right_ends_at_the_next_byte(browser: Browser, ben: Any, book: Course) -> None:
    purchase = a_purchase(book, by=ben)
    bens = browser.as_(ben)
    bens.get(bytes_of(book), headers={"Range": "bytes=0-99"}).expect(206)
    move(purchase, "revoke")
    bens.get(bytes_of(book), headers={"Range": "bytes=100-199"}).expect(403)
    bens.get(f"/read/{book.id}").expect(403).says("refunded or withdrawn")
    hide(book)
    bens.get(f"/read/{book.id}").expect(404)


def test_ben_reads_the_newest_released_version_or_the_one_he_bought(browser: Browser, ben: Any, book: Course) -> None:
    first = book.current_version_id
    a_purchase(book, by=ben)
    second = a_new_version(book, 2, ["Second edition."])
    third = a_new_version(book, 3, ["Third, unfinished."], released=False)
    bens = browser.as_(ben)
    bens.get(f"/read/{book.id}").expect(200).says("Second edition.", "of 1").is_silent_about("Third, unfinished.")
    for asked in ("1", str(first)):
        bens.get(f"/read/{book.id}?version={asked}").expect(200).says("Kerning", "Version 1", "of 3")
    bens.get(bytes_of(book, first)).expect(200)
    bens.get(bytes_of(book, second.id)).expect(200)
    for asked in ("3", str(third.id), "99", "no version", "²", "9" * 30):
        bens.get(f"/read/{book.id}?version={asked}").expect(404)
    bens.get(bytes_of(book, third.id)).expect(404)
    bens.get(f"/read/{book.id}/pages/1.webp?version={third.id}").expect(404)


def test_who_buys_later_does_not_read_what_was_before(browser: Browser, ben: Any, book: Course) -> None:
    first = book.current_version_id
    a_new_version(book, 2, ["Second edition."])
    a_purchase(db.session.get_one(Course, book.id, populate_existing=True), by=ben)
    browser.as_(ben).get(f"/read/{book.id}").expect(200).says("Second edition.")
    browser.as_(ben).get(bytes_of(book, first)).expect(404)


def test_ada_reads_every_version_of_hers(browser: Browser, ada: Any, book: Course) -> None:
    third = a_new_version(book, 2, ["Unfinished."], released=False)
    adas = browser.as_(ada)
    adas.get(f"/read/{book.id}").expect(200).says("Kerning")
    page = adas.get(f"/read/{book.id}?version=2").expect(200).says("Unfinished.", "Version 2")
    assert f"/read/{book.id}/{third.id}.pdf" in page.text
    adas.get(bytes_of(book, third.id)).expect(200)


def test_another_courses_version_opens_nothing(browser: Browser, ada: Any, ben: Any, book: Course) -> None:
    other = a_book(by=ada, title="Watercolour Skies", texts=["Blue."])
    a_purchase(book, by=ben)
    browser.as_(ben).get(f"/read/{book.id}/{other.current_version_id}.pdf").expect(404)


def test_a_draft_without_a_file_has_nothing_to_read(browser: Browser, ada: Any, app: Any) -> None:
    from tests.courses.intake import a_draft

    draft = a_draft(ada)
    browser.as_(ada).get(f"/read/{draft.id}").expect(404).says("no finished version")


def test_what_does_not_exist_is_not_found(browser: Browser, ben: Any, app: Any) -> None:
    nothing = "01999999-0000-7000-8000-000000000000"
    for address in (f"/read/{nothing}", f"/read/{nothing}/{nothing}.pdf", f"/read/{nothing}/pages/1.webp", "/read/x"):
        browser.as_(ben).get(address).expect(404)


def test_reading_costs_the_same_number_of_queries_however_many_versions(
    browser: Browser, ben: Any, book: Course, queries: Any
) -> None:
    a_purchase(book, by=ben)
    bens = browser.as_(ben)
    bens.get(f"/read/{book.id}").expect(200)
    with queries() as few:
        bens.get(bytes_of(book)).expect(200)
    for number in range(2, 8):
        a_new_version(book, number, ["Again."])
    with queries() as many:
        bens.get(bytes_of(book)).expect(200)
    assert many.count <= few.count + 1 <= 10
