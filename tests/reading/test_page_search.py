"""Searching the pages of everything Ben owns: what is found, what never is, and how it is found."""

import re
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from sqlalchemy import text

from coursehub.courses.models import Course, PageText
from coursehub.entitlements import grants
from coursehub.entitlements.models import Purchase
from coursehub.kernel.db import db, transaction
from coursehub.reading import page_search
from coursehub.reading import queries as page_queries
from tests.browser import Browser
from tests.factories import a_purchase
from tests.reading.shelf import a_book, a_new_version


@pytest.fixture
def book(app: Any, ada: Any, ben: Any) -> Course:
    course = a_book(by=ada, title="Quiet Typography")
    a_purchase(course, by=ben)
    return course


@pytest.fixture
def bens(browser: Browser, ben: Any, book: Course) -> Browser:
    return browser.as_(ben)


def search(browser: Browser, words: str, **more: Any) -> Any:
    extra = "".join(f"&{name}={value}" for name, value in more.items())
    return browser.get(f"/library/search?q={quote(words)}{extra}").expect(200)


def found(person: Any, words: str) -> list[tuple[str, list[int]]]:
    db.session.rollback()
    return [(one.source.title, [hit.page for hit in one.hits]) for one in page_search.find(person, words).books]


def test_a_hit_leads_to_its_page_with_the_words_marked(bens: Browser, book: Course) -> None:
    page = search(bens, "space letters").says("Quiet Typography", "Ada Brandt", "Page 1", "1 page")
    assert "<mark>space</mark>" in page.text and "<mark>letters</mark>" in page.text
    assert f'href="/read/{book.id}?page=1&amp;q=space+letters"' in page.text
    bens.get(f"/read/{book.id}?page=1&q=space+letters").expect(200)


@pytest.mark.parametrize(
    ("words", "pages"),
    [
        ("kerning", [1]),
        ("KERNING", [1]),
        ("space", [1, 2]),
        ("lett", [1]),  # a beginning
        ("letter", [1]),  # a stem
        ("margin", [3]),
        ("framed", [3]),
        ('"space between lines"', [2]),
        ('"lines between space"', []),
        ("space -letters", [2]),
        ("kerning or frame", [1, 3]),
        ("zebra", []),
    ],
)
def test_words_are_found(ben: Any, book: Course, words: str, pages: list[int]) -> None:
    hits = found(ben, words)
    assert sorted(hits[0][1] if hits else []) == pages


@pytest.mark.parametrize("language", ["Größe über Äpfel", "Привет мир", "日本語 テキスト", "naïve café"])
def test_words_of_other_languages_are_found(ada: Any, ben: Any, language: str) -> None:
    course = a_book(by=ada, texts=["Nothing.", f"Before {language} after."])
    a_purchase(course, by=ben)
    assert found(ben, language.split()[0]) == [(course.title, [2])]


def test_the_best_book_comes_first_and_shows_three_pages(ada: Any, ben: Any, bens: Browser, book: Course) -> None:
    full = a_book(by=ada, title="All about kerning", texts=["Kerning, kerning and kerning."] * 6)
    a_purchase(full, by=ben)
    assert [title for title, _ in found(ben, "kerning")] == ["All about kerning", "Quiet Typography"]
    page = search(bens, "kerning").says("7 pages", "Show all 6 pages in this book")
    assert page.text.count('class="reading-hit"') == 4
    alone = search(bens, "kerning", **{"in": full.id}).says("All about kerning", "Search everything you own")
    assert alone.text.count('class="reading-hit"') == 6
    alone.is_silent_about("Quiet Typography")


def test_many_books_and_many_pages_come_in_turns(ada: Any, ben: Any, bens: Browser) -> None:
    long = a_book(by=ada, title="Long", texts=["The word quokka."] * 45)
    a_purchase(long, by=ben)
    for number in range(9):
        a_purchase(a_book(by=ada, title=f"Short {number}", texts=["A quokka."]), by=ben)
    first, second = search(bens, "quokka"), search(bens, "quokka", page=2)
    assert first.text.count('class="reading-book"') == 8 and second.text.count('class="reading-book"') == 2
    assert first.text.count('aria-label="Next page"') == 1
    pages = [
        search(bens, "quokka", **{"in": long.id}, page=page).text.count('class="reading-hit"') for page in (1, 2, 3)
    ]
    assert pages == [20, 20, 5]
    assert search(bens, "quokka", page=99).text.count('class="reading-book"') == 2


def test_only_what_ben_may_read_now_is_searched(ada: Any, ben: Any, cleo: Any, book: Course) -> None:
    a_book(by=ada, title="Not his", texts=["Kerning for others."])
    assert [title for title, _ in found(ben, "kerning")] == ["Quiet Typography"]
    assert found(cleo, "kerning") == []
    assert found(ada, "kerning") == []
    purchase = db.session.query(Purchase).one()
    for how, shown in (("suspend", False), ("restore", True), ("revoke", False)):
        with transaction() as session:
            getattr(grants, how)(session.get_one(Purchase, purchase.id), reason="test", actor="test")
        assert bool(found(ben, "kerning")) is shown


def test_only_the_version_he_reads_is_searched(ben: Any, book: Course) -> None:
    a_new_version(book, 2, ["Nothing of that.", "Ligatures instead."])
    a_new_version(book, 3, ["Unreleased swashes."], released=False)
    assert found(ben, "kerning") == []
    assert found(ben, "ligatures") == [("Quiet Typography", [2])]
    assert found(ben, "swashes") == []


def test_a_page_that_names_a_version_is_not_taken_for_a_page_of_it(ada: Any, ben: Any, book: Course) -> None:
    a_book(by=ada, title="Spy", texts=[f"Kerning {book.current_version_id} kerning"])
    assert [title for title, _ in found(ben, "kerning")] == ["Quiet Typography"]


def test_what_stands_on_a_page_stays_text(bens: Browser, ada: Any, ben: Any) -> None:
    evil = "<script>alert(1)</script> kerning \x02<b>bold</b>\x03 & </mark><img src=x onerror=alert(1)>"
    course = a_book(by=ada, title="<b>Evil</b>", texts=[evil])
    a_purchase(course, by=ben)
    page = search(bens, "kerning")
    assert "<script>alert" not in page.text and "<img src=x" not in page.text and "<b>" not in page.text
    assert page.text.count("<mark>") == 2
    bens.get(f"/read/{course.id}").expect(200).is_silent_about("<script>alert", "<img src=x")


@pytest.mark.parametrize(
    "words",
    [
        "", " ", '"', '""', '"open', "'", "''", "%", "_", "\\", ":*", "&", "|", "!", "!!", "()", "(", "a & | b", "<->",
        "-", "--", "- -", "-kerning", "or", "or or", "the", "the a of", "🦘", "👩‍🚀 kerning", "\u202e", "é" * 300,
        "x" * 5000, "a " * 2500, "\x01\x02\x03", "ker\x00ning", "' OR 1=1 --", "kerning:*", "kern'ing", "a:b:c*",
        "1" * 400, "-1.5e999", "http://example.org/a?b=c", "a@b.c", "/etc/passwd", "<b>kerning</b>", "\ud83e",
    ],
)  # fmt: skip
def test_no_query_is_an_error(bens: Browser, words: str) -> None:
    encoded = quote(words.encode("utf-8", "surrogatepass"))
    for more in ("", "&page=-1", "&page=x", "&in=x"):
        bens.get(f"/library/search?q={encoded}{more}").expect(200)
    bens.get(f"/library/search?q={encoded}", htmx=True).expect(200)


def test_htmx_gets_the_results_alone(bens: Browser) -> None:
    part = bens.get("/library/search?q=kerning", htmx=True).expect(200)
    assert part.text.lstrip().startswith('<section class="reading-results" id="reading_results"')
    assert "HX-Request" in part.headers["Vary"]


def test_nothing_found_and_nothing_owned_are_told_apart(bens: Browser, browser: Browser, cleo: Any) -> None:
    search(bens, "zebra").says("No page has these words")
    search(browser.as_(cleo), "zebra").says("There is nothing to search yet", "Find a course")
    search(bens, "").says("Type a word or two")


def test_a_page_of_any_length_is_kept(app: Any, ada: Any, ben: Any) -> None:
    """PostgreSQL refuses a row whose words need more than 1 MB; none of these does."""
    texts = [
        " ".join(f"w{number}x" for number in range(60_000)),
        " ".join(chr(0x4E00 + number % 20_000) for number in range(100_000)),
        "-".join(f"𐐀{number}" for number in range(30_000)),
        "/".join(f"http://a{number}.example/b{number}" for number in range(10_000)),
        "x" * 300_000,
    ]
    course = a_book(by=ada, texts=texts)
    a_purchase(course, by=ben)
    assert db.session.query(PageText).count() == 5
    assert found(ben, "w17x") == [(course.title, [1])]


def test_a_search_costs_the_same_however_many_books(ada: Any, ben: Any, bens: Browser, queries: Any) -> None:
    search(bens, "kerning")
    with queries() as few:
        search(bens, "kerning")
    for number in range(6):
        a_purchase(a_book(by=ada, title=f"Book {number}"), by=ben)
    with queries() as many:
        search(bens, "kerning")
    assert many.count == few.count


def test_the_index_finds_the_pages_of_a_few_versions_among_those_of_all(
    app: Any, ada: Any, ben: Any, book: Course
) -> None:
    """With 40,000 pages of others that have the word too, the plan goes through the one index, to Ben's three."""
    other = a_book(by=ada, title="Others", texts=["x"])
    many = text(
        "INSERT INTO page_texts (version_id, page_number, text) SELECT :version, number,"
        " 'the space between ' || number FROM generate_series(2, 40000) AS number"
    )
    with transaction() as session:
        session.execute(text("SET LOCAL statement_timeout = '120s'"))
        session.execute(many, {"version": other.current_version_id})
    with db.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM ANALYZE page_texts"))
    assert book.current_version_id is not None
    plan = _plan("space", [book.current_version_id])
    assert "ix_page_texts_search" in plan and "Seq Scan on page_texts" not in plan, plan
    assert re.search(r"Bitmap Index Scan.*rows=2(\.00)? ", plan), plan  # nobody else's pages were even looked at
    assert [(title, sorted(pages)) for title, pages in found(ben, "space")] == [("Quiet Typography", [1, 2])]


def _plan(words: str, versions: list[UUID]) -> str:
    compiled = page_queries.pages_of_versions(words, versions).compile(db.engine)
    explain = f"EXPLAIN (ANALYZE, COSTS OFF) {compiled}"
    explained = db.session.connection().exec_driver_sql(explain, compiled.params)
    return "\n".join(row[0] for row in explained)
