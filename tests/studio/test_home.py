"""The studio's home: what sold, what is not yet published, every course, for its creator alone."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text, update

from coursehub.accounts.models import Customer
from coursehub.courses import drafting
from coursehub.courses.models import Course
from coursehub.kernel import clock
from coursehub.kernel.db import db, transaction
from coursehub.kernel.money import Money
from coursehub.studio import desk, sales
from tests.browser import Browser
from tests.factories import a_course, a_purchase, a_sale, a_version
from tests.people import a_person

# Half past midnight in Auckland is still yesterday in UTC.
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=ZoneInfo("UTC"))


@pytest.fixture
def adas(browser: Browser, ada: Customer) -> Browser:
    return browser.as_(ada)


@pytest.fixture
def buyers(app: Any) -> Callable[[], Customer]:
    """Somebody new at each call, since nobody buys a course twice."""
    numbers = iter(range(1, 1000))
    return lambda: a_person(f"Buyer {(number := next(numbers))}", email=f"buyer{number}@example.com")


@pytest.fixture
def at_noon(monkeypatch: pytest.MonkeyPatch) -> datetime:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    return NOW


def by_hand(author: Customer, begins: datetime) -> list[tuple[Any, ...]]:
    """The same sums in plain SQL: currency, how many, cents."""
    statement = """
        SELECT o.currency, count(*), sum(i.unit_price_cents)
        FROM orders o
        JOIN order_items i ON i.order_id = o.id
        JOIN courses c ON c.id = i.course_id
        LEFT JOIN purchases p ON p.order_id = o.id AND p.course_id = c.id
        WHERE c.author_id = :author AND o.status IN ('payment_succeeded', 'course_downloaded')
          AND coalesce(p.refund_status, 'none') <> 'refunded' AND o.paid_at >= :begins
        GROUP BY o.currency ORDER BY o.currency
    """
    return [tuple(row) for row in db.session.execute(text(statement), {"author": author.id, "begins": begins})]


# Figures


@pytest.mark.parametrize("timezone", ["UTC", "Pacific/Auckland", "America/Los_Angeles"])
def test_the_sums_are_those_of_hand_written_sql(
    ada: Customer, cleo: Customer, buyers: Any, timezone: str, at_noon: datetime
) -> None:
    mine = [a_course(by=ada, price=1900), a_course(by=ada, price=0), a_course(by=ada, price=2500, currency="EUR")]
    hers = a_course(by=cleo, price=9900)
    for hours in (0, 1, 11, 13, 20, 24, 30, 24 * 6 + 3, 24 * 7 + 1, 24 * 12, 24 * 29, 24 * 30 + 13, 24 * 40):
        for course in (*mine, hers):
            a_sale(course, by=buyers(), on=at_noon - timedelta(hours=hours), refunded=hours == 20)
    with transaction() as session:  # an order that was never paid is no sale
        lost = session.scalars(text_orders()).first()
        session.execute(text("UPDATE orders SET status = 'expired' WHERE id = :id"), {"id": lost})
    seen = sales.overview(ada.id, timezone)
    today = at_noon.astimezone(ZoneInfo(timezone)).replace(hour=0, minute=0, second=0, microsecond=0)
    for span in seen.spans:
        midnight = datetime.combine((today - timedelta(days=span.days - 1)).date(), today.time(), ZoneInfo(timezone))
        wanted = by_hand(ada, midnight)
        assert span.count == sum(row[1] for row in wanted)
        assert span.revenue == tuple(Money(int(row[2]), row[0]) for row in wanted if row[2])
    assert [span.days for span in seen.spans] == [1, 7, 30]
    assert len(seen.days) == 30
    assert sum(day.count for day in seen.days) == seen.spans[-1].count
    assert [day.begins for day in seen.days] == sorted(day.begins for day in seen.days)


def text_orders() -> Any:
    return text("SELECT id FROM orders ORDER BY paid_at DESC LIMIT 1")


def test_a_day_begins_at_midnight_where_the_shop_is(ada: Customer, ben: Customer, at_noon: datetime) -> None:
    a_sale(a_course(by=ada), by=ben, on=datetime(2026, 11, 22, 23, 30, tzinfo=ZoneInfo("UTC")))
    assert sales.overview(ada.id, "UTC").spans[0].count == 0
    assert sales.overview(ada.id, "Europe/Berlin").spans[0].count == 1


def test_money_that_went_back_is_no_revenue(ada: Customer, ben: Customer, cleo: Customer) -> None:
    course = a_course(by=ada, price=1900)
    a_sale(course, by=ben)
    a_sale(course, by=cleo, refunded=True)
    assert [(span.count, span.revenue) for span in sales.overview(ada.id, "UTC").spans] == [
        (1, (Money(1900, "USD"),))
    ] * 3
    assert sales.by_course(ada.id, [course.id]) == {course.id: (1, (Money(1900, "USD"),))}
    assert [sale.buyer for sale in sales.newest(ada.id).items] == ["Ben Okafor"]


def test_a_later_price_changes_nothing_that_was_sold(adas: Browser, ada: Customer, ben: Customer) -> None:
    course = a_course(by=ada, price=1900)
    a_sale(course, by=ben)
    with transaction():
        drafting.update(course, price_cents=9900)
    adas.get("/studio").says("$19.00 1 sold").is_silent_about("$99.00 1 sold")


# The page


def test_a_new_creator_reads_what_to_do_first(adas: Browser) -> None:
    page = adas.get("/studio").expect(200).says("No course yet", "Make your first course", "What comes when")
    page.is_silent_about('id="takings"', 'id="desk"')


def test_ada_sees_at_a_glance_what_sold_and_to_whom(adas: Browser, ada: Customer, ben: Customer) -> None:
    a_sale(a_course(by=ada, title="Quiet Typography", price=1900), by=ben)
    page = adas.get("/studio").expect(200)
    page.says("Today $19.00 1 sold", "Newest sales", "Ben Okafor", "Days begin at midnight, UTC")
    page.is_silent_about("ben@example.com")
    assert page.text.count('class="bars__bar') == 30
    assert page.text.count("<tr>") == 31, "the same numbers stand in a table"


def test_what_is_still_missing_stands_at_each_draft_and_drafts_come_first(adas: Browser, ada: Customer) -> None:
    a_course(by=ada, title="Long published")
    with transaction():
        drafting.create(ada, title="Half a draft")
    a_course(by=ada, status="draft", title="Whole draft")
    page = adas.get("/studio").expect(200)
    page.says("Add a PDF, a description, a cover.", "Ready to be published.")
    titles = re.findall(r'class="row__title"><a[^>]*>([^<]+)<', page.text)
    assert titles == ["Whole draft", "Half a draft", "Long published"]


def test_the_state_of_the_newest_file_is_said(adas: Browser, ada: Customer) -> None:
    for title, status in (("Being read", "processing"), ("Broken", "failed"), ("Waiting", "ready")):
        course = a_course(by=ada, title=title)
        with transaction() as session:
            session.add(a_version(course, number=2, status=status))
    adas.get("/studio").says(
        "Version 2 is being looked at", "The last upload could not be used", "Version 2 waits", "New version"
    )


def test_courses_are_found_by_words_status_and_order(adas: Browser, ada: Customer, ben: Customer) -> None:
    a_course(by=ada, title="Quiet Typography", sales_count=1)
    a_course(by=ada, title="Loud Colours", sales_count=9)
    a_course(by=ada, title="A draft of 100%", status="draft")

    def titles(query: str) -> list[str]:
        page = adas.get(f"/studio?{query}", htmx=True).expect(200)
        assert "<html" not in page.text and 'id="desk"' in page.text
        return re.findall(r'class="row__title"><a[^>]*>([^<]+)<', page.text)

    assert titles("q=typo") == ["Quiet Typography"]
    assert titles("q=%25") == ["A draft of 100%"]
    assert titles("status=draft") == ["A draft of 100%"]
    assert titles("sort=sold") == ["Loud Colours", "Quiet Typography", "A draft of 100%"]
    assert titles("sort=title") == ["A draft of 100%", "Loud Colours", "Quiet Typography"]
    assert titles("q=nothing") == []
    assert len(titles("status=nonsense&sort=nonsense&page=nonsense")) == 3
    adas.get("/studio?q=nothing").says("No course of yours is called “nothing”", "Show all courses")
    for strange in ("q=%00", "q=%ed%a0%80", "q=" + "x" * 5000, "page=-1", "page=999999999999999999999"):
        adas.get(f"/studio?{strange}").expect(200)


def test_many_courses_come_page_by_page(adas: Browser, ada: Customer) -> None:
    for number in range(desk.PAGE_SIZE + 3):
        a_course(by=ada, title=f"Course {number:02}")
    first = adas.get("/studio?sort=title").expect(200).says("Course 00").is_silent_about("Course 22")
    assert "sort=title&amp;page=2" in first.text
    adas.get("/studio?sort=title&page=2").says("Course 22").is_silent_about("Course 00")
    adas.get("/studio?sort=title&page=77").says("Course 22")


def test_the_home_asks_the_same_number_of_questions_whatever_it_shows(
    adas: Browser, ada: Customer, buyers: Any, queries: Any
) -> None:
    def asked() -> int:
        with queries() as seen:
            adas.get("/studio").expect(200)
        return int(seen.count)

    a_sale(a_course(by=ada), by=buyers())
    adas.get("/studio")
    few = asked()
    for number in range(12):
        course = a_course(by=ada, status=("draft", "published", "archived")[number % 3])
        a_sale(course, by=buyers())
        a_sale(course, by=buyers())
    assert asked() == few


def test_nobody_elses_sales_are_seen(adas: Browser, ada: Customer, cleo: Customer, ben: Customer) -> None:
    a_course(by=ada)
    a_sale(a_course(by=cleo, title="Not Ada’s"), by=ben)
    adas.get("/studio").expect(200).is_silent_about("Not Ada", "Ben Okafor")
    adas.get("/studio/sales").says("No sales yet").is_silent_about("Ben Okafor")


def test_the_signed_out_sign_in_first_and_a_buyer_is_invited(browser: Browser, ben: Customer) -> None:
    for path in ("/studio", "/studio/sales", "/studio/sales.csv"):
        assert browser.get(path).expect(303).location == f"/login?next={path}"
    bens = browser.as_(ben)
    bens.get("/studio").expect(200).says("Become a creator")
    for path in ("/studio/sales", "/studio/sales.csv"):
        bens.get(path).expect(403).says("Become a creator first")


def test_the_public_page_is_linked_once_there_is_one(adas: Browser, ada: Customer) -> None:
    course = a_course(by=ada, status="draft")
    adas.get("/studio").is_silent_about(f"/creators/{ada.id}")
    with transaction():
        db.session.execute(update(Course).where(Course.id == course.id).values(status="published"))
    page = adas.get("/studio").says("My public page")
    assert f'href="/creators/{ada.id}"' in page.text
    adas.get(f"/creators/{ada.id}").expect(200)


# Every sale


def test_all_sales_come_page_by_page_newest_first(adas: Browser, ada: Customer, buyers: Any) -> None:
    course, other = a_course(by=ada, title="Quiet Typography"), a_course(by=ada, title="Loud Colours")
    for number in range(33):
        a_sale(course, by=buyers(), on=clock.now() - timedelta(hours=number))
    a_sale(other, by=buyers(), on=clock.now() - timedelta(days=9))
    first = adas.get("/studio/sales").expect(200).says("Buyer 1", "Buyer 30").is_silent_about("Buyer 31<")
    after = re.search(r'href="(/studio/sales\?cursor=[^"]+)"', first.text)
    assert after
    rest = adas.get(after[1]).expect(200).says("Buyer 31", "Loud Colours", "Back to the first page")
    rest.is_silent_about("Buyer 30<")
    only = adas.get(f"/studio/sales?course={other.id}").expect(200).says("Sales of all courses", "Buyer 34")
    only.is_silent_about("Buyer 1<")
    assert adas.get("/studio/sales?cursor=nonsense").expect(303).location == "/studio/sales"


def test_the_sales_of_a_strangers_course_are_nobodys_business(adas: Browser, cleo: Customer) -> None:
    adas.get(f"/studio/sales?course={a_course(by=cleo).id}").expect(404)


def test_two_sales_of_one_moment_are_both_listed_once(ada: Customer, buyers: Any, at_noon: datetime) -> None:
    course = a_course(by=ada)
    for _ in range(5):
        a_sale(course, by=buyers(), on=at_noon)
    seen, cursor = [], None
    while True:
        page = sales.newest(ada.id, cursor=cursor, limit=2)
        seen += [sale.item_id for sale in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 5


def test_a_suspended_buyer_is_a_sale_all_the_same(ada: Customer, ben: Customer) -> None:
    a_purchase(a_course(by=ada), by=ben, access="suspended")
    assert sales.overview(ada.id, "UTC").spans[0].count == 1


def test_a_rated_course_says_how_good_it_is(adas: Browser, ada: Customer) -> None:
    a_course(by=ada, rating_count=4, rating_sum=18)
    adas.get("/studio").says("Rated 4.5 of 5", "4 ratings")


def test_an_unrated_course_is_silent_about_it(adas: Browser, ada: Customer) -> None:
    a_course(by=ada)
    adas.get("/studio").is_silent_about("Rated")
