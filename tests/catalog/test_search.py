"""Search: finds what people mean, is never an error, and costs the same wherever it stands."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from coursehub.accounts.models import Customer
from coursehub.catalog import shelves
from coursehub.catalog.filters import SORTS, Filters
from coursehub.catalog.search import find
from coursehub.courses import drafting, publishing
from coursehub.kernel.db import db, transaction
from coursehub.kernel.errors import Invalid
from tests.browser import Browser
from tests.factories import a_course

TORTURE = [
    "'", '"', '"unclosed', "''", "%", "_", "%%%", "a%b_c", "\\", "\\'", "'; DROP TABLE courses; --",
    "' OR 1=1 --", "1 UNION SELECT password_hash FROM customers", "$$", ":*", "a:*", "!", "!!", "&", "|", "()", "((",
    "<->", "a <-> b", "-", "--", "-a", "- -", "or", "or or", "and", "not", "the", "the a of", "🎉", "👩‍👩‍👧", "日本語",
    "Привет", "עברית", "\u202eabc", "\u0000", "a\u0000b", "\ud800", "\n\t\r", " " * 300, "x" * 5_000, "x " * 2_500,
    '"' * 501, "(" * 900, "a" * 2_100, "é" * 300, "{}", "[]", "{{7*7}}", "<script>alert(1)</script>",
    "../../etc/passwd", "%00", "%s%s%n", "NaN", "null", "undefined", "__", "_ _", "a__", "ﬁ", "İ", "ß", "1e309", "0x41",
    "\x7f", "\x1b[31m",
]  # fmt: skip


def titles(**wanted: Any) -> list[str]:
    return [card.title for card in find(Filters(**wanted)).page.items]


@pytest.fixture
def library(ada: Customer) -> list[UUID]:
    made = [
        a_course(by=ada, title="Baking Bread at Home", category="other", price=1500, tags=["bread", "kitchen"]),
        a_course(by=ada, title="Python Basics", category="programming", price=2900, tags=["python"]),
        a_course(by=ada, title="Größe und Übung", category="languages", price=0),
        a_course(by=ada, title="The Quiet Page", category="design", price=4900, tags=["type"]),
    ]
    hidden = [a_course(by=ada, title=f"Python {status}", status=status) for status in ("draft", "unlisted", "archived")]
    assert hidden
    return [course.id for course in made]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("bread", ["Baking Bread at Home"]),
        ("bake", ["Baking Bread at Home"]),
        ("BAKING home", ["Baking Bread at Home"]),
        ('"bread at home"', ["Baking Bread at Home"]),
        ("pyth", ["Python Basics"]),
        ("python ba", ["Python Basics"]),
        ("bread or python", ["Python Basics", "Baking Bread at Home"]),
        ("python -basics", []),
        ("größe", ["Größe und Übung"]),
        ("kitchen", ["Baking Bread at Home"]),
        ("brandt quiet", ["The Quiet Page"]),
        ("bread python", []),
        ("gardening", []),
        ("bread -kitchen", []),
        ("- bread", ["Baking Bread at Home"]),
        ("bread --", ["Baking Bread at Home"]),
        ('"at home" -python', ["Baking Bread at Home"]),
        ('"home bread"', []),
        ('"home bake"', []),
        ('"kitchen ada"', []),
        ("kitch", ["Baking Bread at Home"]),
        ("brand", ["Baking Bread at Home", "Größe und Übung", "Python Basics", "The Quiet Page"]),
    ],
)
def test_what_people_type_finds_what_they_mean(library: list[UUID], query: str, expected: list[str]) -> None:
    assert sorted(titles(q=query)) == sorted(expected)


def test_the_title_counts_more_than_the_description(ada: Customer) -> None:
    a_course(by=ada, title="Something else", subtitle="with some watercolour in it")
    a_course(by=ada, title="Watercolour")
    assert titles(q="watercolour") == ["Watercolour", "Something else"]


def test_an_edit_is_found_in_the_moment_it_is_saved(ada: Customer) -> None:
    course = a_course(by=ada, title="Old words")
    with transaction():
        drafting.update(course, title="Astrolabes", description="Of brass.", tags=["stars"])
    for word in ("astrolabe", "brass", "stars"):
        assert titles(q=word) == ["Astrolabes"]
    assert titles(q="old words") == []
    with transaction():
        publishing.archive(course, ada)
    assert titles(q="astrolabe") == []


def test_filters_narrow_each_other(library: list[UUID]) -> None:
    assert titles(category="programming") == ["Python Basics"]
    assert titles(tag="BREAD") == ["Baking Bread at Home"]
    assert titles(price_max=0) == ["Größe und Übung"]
    assert sorted(titles(price_min=1500, price_max=2900)) == ["Baking Bread at Home", "Python Basics"]
    assert titles(q="python", category="design") == []
    assert titles(language="de") == titles(rating_min=1) == []
    assert titles(category="gardening") == titles(tag="nothing") == []


@pytest.mark.parametrize(
    ("sort", "first"), [("price", "Größe und Übung"), ("price_desc", "The Quiet Page"), ("newest", "The Quiet Page")]
)
def test_the_order_is_the_one_asked_for(library: list[UUID], sort: str, first: str) -> None:
    assert titles(sort=sort)[0] == first


def test_most_bought_first(ada: Customer) -> None:
    for sold in (3, 11, 7):
        a_course(by=ada, title=f"Sold {sold}", sales_count=sold)
    assert titles(sort="popular") == ["Sold 11", "Sold 7", "Sold 3"]


@pytest.mark.parametrize("sort", SORTS)
def test_page_after_page_shows_every_course_once(ada: Customer, sort: str) -> None:
    # Many of the same price, sales and rank, so that only the id tells them apart.
    made = {a_course(by=ada, title="Same words", price=1000 * (n % 3), sales_count=n % 2).id for n in range(11)}
    seen: list[UUID] = []
    cursor = None
    for _turn in range(20):
        results = find(Filters(q="words", sort=sort), cursor=cursor, limit=3)
        assert results.total == 11
        seen += [card.id for card in results.page.items]
        cursor = results.page.next_cursor
        if cursor is None:
            break
    assert len(seen) == 11
    assert set(seen) == made


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "bm9wZQ", "WzEsMl0", "W10", "WyJuZXdlc3QiLCJ4IiwieSJd", "e30", "WyJwcmljZSIsMWUzMDksIngiXQ", "é", "\0"],
)
def test_a_broken_cursor_is_invalid_not_a_crash(app: Any, browser: Browser, cursor: str) -> None:
    if cursor:
        with pytest.raises(Invalid):
            find(Filters(), cursor=cursor)
    assert browser.get("/courses", query_string={"cursor": cursor}).status in (200, 303)


def test_a_cursor_of_another_order_is_refused(ada: Customer) -> None:
    for _ in range(3):
        a_course(by=ada)
    cursor = find(Filters(sort="price"), limit=1).page.next_cursor
    with pytest.raises(Invalid):
        find(Filters(sort="newest"), cursor=cursor)


@pytest.mark.parametrize("query", TORTURE)
def test_nothing_that_can_be_typed_is_an_error(library: list[UUID], query: str) -> None:
    results = find(Filters(q=query, category=query, tag=query))
    assert results.page.items == []
    find(Filters(q=query))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=st.text(max_size=60))
@example(query="a &")
@example(query="'':*")
def test_any_text_at_all_is_a_query(library: list[UUID], query: str) -> None:
    find(Filters(q=query, tag=query[:5]))


def test_torture_over_http_answers_with_a_page(library: list[UUID], browser: Browser) -> None:
    for query in TORTURE:
        if "\ud800" in query:
            continue  # no browser can write it into an address; the raw bytes follow below
        answer = browser.get("/courses", query_string={"q": query, "price_min": query[:50], "sort": query[:50]})
        answer.expect(200).is_silent_about("<script>alert")
    browser.get("/courses?q=%ED%A0%80%FF%00&category=%00&tag=%FF").expect(200)


def queries_of(do: Any) -> int:
    count = 0

    def counted(*_arguments: Any) -> None:
        nonlocal count
        count += 1

    event.listen(db.engine, "before_cursor_execute", counted)
    try:
        do()
    finally:
        event.remove(db.engine, "before_cursor_execute", counted)
    return count


def test_the_number_of_queries_does_not_grow_with_the_courses(ada: Customer, browser: Browser) -> None:
    paths = ("/", "/courses", "/courses?q=type&category=design&sort=price")
    first = a_course(by=ada, title="Type 0")
    paths = (*paths, f"/courses/{first.slug}", f"/creators/{ada.id}")
    with_one = [queries_of(lambda at=path: browser.get(at).expect(200)) for path in paths]
    for number in range(1, 30):
        a_course(by=ada, title=f"Type {number}", category=("design", "music", "health")[number % 3])
    with_thirty = [queries_of(lambda at=path: browser.get(at).expect(200)) for path in paths]
    assert with_thirty == with_one
    *lists, creator = with_thirty
    assert max(lists) <= 3 and creator <= 4, dict(zip(paths, with_thirty, strict=True))


def test_the_shelves_of_the_home_page(ada: Customer) -> None:
    for number in range(4):
        a_course(by=ada, title=f"Design {number}", category="design", sales_count=number)
    a_course(by=ada, title="One of music", category="music")
    a_course(by=ada, title="Hidden", category="health", status="unlisted")
    shown = shelves.home()
    assert [subject.slug for subject in shown.subjects] == ["design", "music"]
    assert [subject.count for subject in shown.subjects] == [4, 1]
    assert [card.title for card in shown.popular] == ["Design 3", "Design 2", "Design 1"]
    assert shown.new[0].title == "One of music"
    assert [subject.slug for subject, _ in shown.by_subject] == ["design"]
    assert "Hidden" not in {card.title for card in shown.new}
