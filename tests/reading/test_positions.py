"""Where Ben left off: one place in each book, on every device."""

from datetime import timedelta
from typing import Any

import pytest

from coursehub.courses.models import Course
from coursehub.entitlements import grants
from coursehub.entitlements.models import Purchase
from coursehub.kernel import clock
from coursehub.kernel.db import transaction
from coursehub.reading.models import ReadingPosition
from tests.browser import Browser
from tests.factories import a_purchase
from tests.reading.shelf import a_book, a_new_version, rows

BY_SCRIPT = {"X-Requested-With": "fetch"}


@pytest.fixture
def book(app: Any, ada: Any, ben: Any) -> Course:
    course = a_book(by=ada, title="Quiet Typography", texts=[f"Words of page {page}." for page in range(1, 21)])
    a_purchase(course, by=ben)
    return course


@pytest.fixture
def bens(browser: Browser, ben: Any, book: Course) -> Browser:
    return browser.as_(ben)


def keep(browser: Browser, book: Course, page: Any, **more: Any) -> Any:
    return browser.post(f"/read/{book.id}/position", {"page": page, **more}, headers=BY_SCRIPT)


def page_of(*, nth: int = 0) -> int:
    return int(rows(ReadingPosition)[nth].page_number)


def test_the_book_opens_where_it_was_left_on_any_device(bens: Browser, ben: Any, book: Course, app: Any) -> None:
    bens.get(f"/read/{book.id}").expect(200).says("Words of page 1.")
    keep(bens, book, 14, version_id=book.current_version_id).expect(204)
    phone = Browser(app).as_(ben)
    page = phone.get(f"/read/{book.id}").expect(200).says("Words of page 14.")
    assert 'data-kept="14"' in page.text and 'data-page="14"' in page.text


def test_the_page_in_the_address_comes_first(bens: Browser, book: Course) -> None:
    keep(bens, book, 14).expect(204)
    bens.get(f"/read/{book.id}?page=3&thread=7").expect(200).says("Words of page 3.")
    for asked, shown in (
        ("0", 1),
        ("21", 20),
        ("99999999", 20),
        ("999999999999", 14),
        ("x", 14),
        ("-4", 14),
        ("", 14),
        ("²", 14),
    ):
        bens.get(f"/read/{book.id}?page={asked}").expect(200).says(f"Words of page {shown}.")
    assert page_of() == 14, "looking changes nothing"


def test_reading_on_moves_the_one_place(bens: Browser, book: Course) -> None:
    for page in (2, 3, 20, 5, 5):
        keep(bens, book, page).expect(204)
    assert len(rows(ReadingPosition)) == 1
    assert page_of() == 5
    kept = rows(ReadingPosition)[0]
    assert (kept.pages_count, kept.version_id, kept.course_id) == (20, book.current_version_id, book.id)


def test_the_newest_wins_not_the_last_to_arrive(bens: Browser, book: Course) -> None:
    """A phone that was offline for an hour tells late of an older place."""
    keep(bens, book, 12, seconds_ago=60).expect(204)
    keep(bens, book, 4, seconds_ago=3600).expect(204)
    assert page_of() == 12
    keep(bens, book, 13, seconds_ago=1).expect(204)
    assert page_of() == 13
    for nonsense in ("-50", "soon", "", "9" * 40):
        keep(bens, book, 6, seconds_ago=nonsense).expect(204)
    assert page_of() == 6


def test_nothing_older_than_a_month_is_waited_for_and_nothing_is_from_the_future(bens: Browser, book: Course) -> None:
    keep(bens, book, 4, seconds_ago=9_999_999).expect(204)
    at = rows(ReadingPosition)[0].updated_at
    assert timedelta(days=29) < clock.now() - at < timedelta(days=31)


@pytest.mark.parametrize("page", ["", "0", "21", "-1", "x", "1.5", "²", "9" * 30])
def test_a_page_that_is_not_there_is_refused(bens: Browser, book: Course, page: str) -> None:
    keep(bens, book, page).expect(422)
    assert rows(ReadingPosition) == []


def test_without_a_token_nothing_is_kept(bens: Browser, book: Course) -> None:
    bens.post(f"/read/{book.id}/position", {"page": "3"}, token=False).expect(400)
    assert rows(ReadingPosition) == []


def test_cleo_keeps_no_place_in_what_she_does_not_own(browser: Browser, cleo: Any, book: Course) -> None:
    keep(browser.as_(cleo), book, 3).expect(403)
    assert rows(ReadingPosition) == []


def test_each_reader_has_a_place_of_their_own(bens: Browser, browser: Browser, ada: Any, book: Course) -> None:
    keep(bens, book, 3).expect(204)
    keep(browser.as_(ada), book, 9).expect(204)
    assert sorted(row.page_number for row in rows(ReadingPosition)) == [3, 9]


def test_without_javascript_a_button_remembers_the_page(bens: Browser, book: Course) -> None:
    page = bens.get(f"/read/{book.id}?page=7").expect(200).says("Remember this page")
    assert f'action="/read/{book.id}/position"' in page.text
    after = bens.post(f"/read/{book.id}/position", {"page": "7"}).expect(303)
    assert after.location == f"/read/{book.id}?page=7"
    bens.get(after.location).expect(200).says("Page 7 is remembered")
    assert page_of() == 7


def test_two_devices_at_once_leave_one_place(together: Any, app: Any, ben: Any, book: Course) -> None:
    browsers = [Browser(app).as_(ben) for _ in range(8)]
    answers = together(8, lambda number: keep(browsers[number], book, number + 1).status)
    assert answers == [204] * 8
    assert len(rows(ReadingPosition)) == 1


def test_a_shorter_version_opens_at_its_last_page(bens: Browser, book: Course) -> None:
    keep(bens, book, 18).expect(204)
    a_new_version(book, 2, ["Only page one.", "Only page two."])
    bens.get(f"/read/{book.id}").expect(200).says("Only page two.")


def test_continue_reading_shows_the_last_four(bens: Browser, ben: Any, ada: Any, book: Course) -> None:
    bens.get("/reading/recent").expect(200).says("Nothing opened yet", "Go to your library")
    empty = bens.get("/reading/recent", htmx=True).expect(200)
    assert empty.visible == "" and 'id="reading_recent"' in empty.text
    keep(bens, book, 14).expect(204)
    for number in range(1, 5):
        other = a_book(by=ada, title=f"Book {number}")
        a_purchase(other, by=ben)
        keep(bens, other, number if number < 4 else 3).expect(204)
    page = bens.get("/reading/recent", htmx=True).expect(200).says("Continue reading", "Page 3 of 3", "Ada Brandt")
    titles = [title for title in ("Book 4", "Book 3", "Book 2", "Book 1", "Quiet Typography") if title in page.visible]
    assert titles == ["Book 4", "Book 3", "Book 2", "Book 1"]
    assert page.visible.index("Book 4") < page.visible.index("Book 1")
    whole = bens.get("/reading/recent").expect(200)
    assert "<h1" in whole.text


def test_what_may_not_be_read_any_more_is_not_offered(bens: Browser, ben: Any, book: Course) -> None:
    keep(bens, book, 14).expect(204)
    bens.get("/reading/recent").expect(200).says("Page 14 of 20")
    purchase = rows(Purchase)[0]
    for how, shown in (("suspend", False), ("restore", True), ("revoke", False)):
        with transaction() as session:
            getattr(grants, how)(session.get_one(Purchase, purchase.id), reason="test", actor="test")
        assert ("Page 14 of 20" in bens.get("/reading/recent").visible) is shown


def test_the_author_and_staff_continue_too(browser: Browser, ada: Any, root: Any, book: Course) -> None:
    for person in (ada, root):
        keep(browser.as_(person), book, 2).expect(204)
        browser.as_(person).get("/reading/recent").expect(200).says("Page 2 of 20")


def test_continue_reading_asks_as_often_for_four_as_for_one(
    bens: Browser, ben: Any, ada: Any, book: Course, queries: Any
) -> None:
    keep(bens, book, 2)
    bens.get("/reading/recent", htmx=True)
    with queries() as one:
        bens.get("/reading/recent", htmx=True).expect(200)
    for number in range(3):
        other = a_book(by=ada, title=f"Book {number}")
        a_purchase(other, by=ben)
        keep(bens, other, 1)
    with queries() as four:
        bens.get("/reading/recent", htmx=True).expect(200)
    assert four.count == one.count
