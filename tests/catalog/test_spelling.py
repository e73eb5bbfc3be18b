"""Misspelt words find what was meant: with the database's own trigrams, and on a database that has none."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_migrate import upgrade

from coursehub.app import create_app
from coursehub.catalog import spelling
from coursehub.catalog.filters import Filters
from coursehub.catalog.search import Results, find
from coursehub.catalog.suggestions import suggest
from coursehub.courses import search_upkeep
from coursehub.kernel.db import db, transaction
from tests.browser import Browser
from tests.conftest import empty_database
from tests.factories import a_course
from tests.people import a_person
from tests.stack import Stack

DEBIAN = Path("/usr/lib/postgresql/15/bin")  # its contrib comes with it


@pytest.fixture(scope="module")
def trigram_app(settings: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The same shop on a PostgreSQL that has pg_trgm."""
    if not (DEBIAN.parent.parent.parent.parent / "share/postgresql/15/extension/pg_trgm.control").exists():
        pytest.skip("No PostgreSQL with contrib is installed.")
    folder = tmp_path_factory.mktemp("trigrams")
    for parent in (folder, folder.parent, folder.parent.parent):
        parent.chmod(0o755)
    stack = Stack(folder)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("COURSEHUB_TEST_PG_BIN", str(DEBIAN))
            url = stack.postgres().format(name="postgres")
        app = create_app(settings.model_copy(update={"database_url": url}))
        with app.app_context():
            upgrade()
        yield app
    finally:
        stack.stop()


@pytest.fixture(params=["vocabulary", "trigrams"])
def shop(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """A shop with some titles in it, on either kind of database."""
    app = request.getfixturevalue("app" if request.param == "vocabulary" else "trigram_app")
    with app.app_context():
        if request.param == "vocabulary":
            monkeypatch.setattr(spelling, "knows_trigrams", lambda engine: False)
        else:
            assert spelling.knows_trigrams(db.engine)
        ada = a_person("Ada Brandt", role="creator")
        for title in ("Python Basics", "Quokka", "Watercolour for Beginners", "Größe und Übung", "The Quiet Page"):
            a_course(by=ada, title=title)
        a_course(by=ada, title="Pythagoras", status="draft")
        yield app
        db.session.remove()
        empty_database()


def look(query: str, **more: Any) -> Results:
    return find(Filters(q=query, **more))


@pytest.mark.parametrize(
    ("typed", "title"),
    [
        ("pyhton basics", "Python Basics"),
        ("pyton", "Python Basics"),
        ("phyton bascis", "Python Basics"),
        ("Pythn Basics!", "Python Basics"),
        ("qoukka", "Quokka"),
        ("quoka", "Quokka"),
        ("watercolor beginers", "Watercolour for Beginners"),
        ("wattercol", "Watercolour for Beginners"),
        ("größse", "Größe und Übung"),
        ('"quiet pgae"', "The Quiet Page"),
    ],
)
def test_a_misspelt_title_is_found(shop: Flask, typed: str, title: str) -> None:
    results = look(typed)
    assert [card.title for card in results.page.items] == [title]
    assert results.corrected and results.corrected != typed
    assert results.total == 1


@pytest.mark.parametrize("typed", ["quok", "pyth", "water", "python ba"])
def test_a_beginning_needs_no_correction(shop: Flask, typed: str) -> None:
    results = look(typed)
    assert len(results.page.items) == 1
    assert results.corrected == ""


@pytest.mark.parametrize("typed", ["zeppelin", "xqzw", "pythagoras", "ab", "12345", "!!!", "🎉🎉🎉"])
def test_what_is_near_nothing_stays_as_it_is(shop: Flask, typed: str) -> None:
    """A draft's title is nobody's business: its words are not offered either."""
    results = look(typed)
    assert (results.page.items, results.corrected, results.meant) == ([], "", "")


def test_filters_hold_for_what_was_meant(shop: Flask) -> None:
    assert look("pyhton", category="music").page.items == []
    assert look("pyhton", category="design").corrected == "python"


def test_a_rare_slip_of_an_author_does_not_hide_the_word(shop: Flask) -> None:
    """Somebody wrote "pyhton" in a description: that course is found, and the right word is offered."""
    carl = a_person("Carl Dent", role="creator")
    a_course(by=carl, title="Snakes", subtitle="not the pyhton one")
    for number in range(3):
        a_course(by=carl, title=f"More Python {number}")
    results = look("pyhton")
    assert [card.title for card in results.page.items] == ["Snakes"]
    assert (results.corrected, results.meant) == ("", "python")


def test_the_commoner_of_two_near_words_is_meant(shop: Flask) -> None:
    carl = a_person("Carl Dent", role="creator")
    a_course(by=carl, title="Bread")
    a_course(by=carl, title="Broad")
    for _ in range(2):
        a_course(by=carl, title="Broad Beans")
    with transaction():
        assert search_upkeep.recount_words() >= 1
    assert look("brxad").corrected == "broad"


def test_suggestions_forgive_too(shop: Flask) -> None:
    found = suggest("pyhto")
    assert [one.title for one in found.courses] == ["Python Basics"]
    assert found.meant == "python"


def test_the_pages_of_what_was_meant_follow_each_other(shop: Flask) -> None:
    carl = a_person("Carl Dent", role="creator")
    for number in range(5):
        a_course(by=carl, title=f"Sourdough {number}")
    seen: list[str] = []
    cursor = None
    for _ in range(4):
        results = find(Filters(q="sourdoguh"), cursor=cursor, limit=2)
        seen += [card.title for card in results.page.items]
        cursor = results.page.next_cursor
        if cursor is None:
            break
    assert sorted(seen) == [f"Sourdough {number}" for number in range(5)]


def test_a_misspelt_search_costs_the_same_for_ten_times_the_courses(
    app: Flask, ada: Any, queries: Callable[[], Any]
) -> None:
    a_course(by=ada, title="Python 0")
    spelling.knows_trigrams(db.engine)  # asked once per process
    with queries() as one:
        assert look("pyhton").corrected
    for number in range(1, 12):
        a_course(by=ada, title=f"Python {number}")
    with queries() as many:
        assert look("pyhton").total == 12
    assert many.count == one.count <= 6


def test_the_page_says_what_it_looked_for_instead(app: Flask, browser: Browser, ada: Any) -> None:
    for number in range(30):
        a_course(by=ada, title=f"Python {number:02}")
    page = browser.get("/courses?q=pyhton").expect(200)
    page.says("Nothing has the words “pyhton”. Showing results for “python”", "30 courses for “python”")
    # Whatever leads on from here asks for the right word.
    assert 'name="q" value="python"' in page.text and "q=pyhton" not in page.text
    browser.get("/courses?q=Python+00").expect(200).is_silent_about("Showing results for", "Did you mean")


def test_the_page_asks_whether_something_else_was_meant(app: Flask, browser: Browser, ada: Any) -> None:
    a_course(by=ada, title="Snakes", subtitle="not the pyhton one")
    for number in range(3):
        a_course(by=ada, title=f"Python {number}", category="design")
    page = browser.get("/courses?q=pyhton&category=design").expect(200).says("Did you mean “python”", "Snakes")
    assert 'href="/courses?q=python&amp;category=design"' in page.text
