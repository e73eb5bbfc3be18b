"""Look inside: it tells on which pages words stand, and nothing else of what is not free to see."""

import random
import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, update

from coursehub.accounts.models import Customer
from coursehub.catalog import look_inside
from coursehub.courses.models import Course, CourseVersion, PageText
from coursehub.kernel.db import db, transaction
from tests.browser import Browser
from tests.factories import a_course, a_purchase

SAMPLES = 2
# Pages 1 and 2 are free to see, the others are not.
PAGES = [
    "Margins are the first thing a reader feels. White space is not waste.",
    "A line of sixty letters reads well. Kerning comes later.",
    "Kerning means moving two letters until the eye forgets the gap between. The secret sauce: turn it upside down.",
    "Hyphens, dashes and minus signs are three different things, and kerning differs for each.",
    "The well-known rule of thirds. Write to secret@example.org for the file at https://example.org/thirds now.",
    "",
]


def set_pages(course: Course, texts: list[str]) -> None:
    with transaction() as session:
        session.execute(delete(PageText).where(PageText.version_id == course.current_version_id))
        for number, text in enumerate(texts, 1):
            session.add(PageText(version_id=course.current_version_id, page_number=number, text=text))
        session.execute(
            update(CourseVersion).where(CourseVersion.course_id == course.id).values(pages_drawn=len(texts))
        )


@pytest.fixture
def course(ada: Customer) -> Course:
    made = a_course(by=ada, title="Quiet Typography", pages=len(PAGES), sample_pages=SAMPLES)
    set_pages(made, PAGES)
    return made


def look(course: Course, words: str, *, reads_all: bool = False) -> look_inside.Look:
    db.session.rollback()
    version = db.session.get_one(CourseVersion, course.current_version_id)
    return look_inside.find(version, words, samples=SAMPLES, reads_all=reads_all)


def test_it_says_on_which_pages_the_words_stand(browser: Browser, course: Course) -> None:
    page = browser.get(f"/courses/{course.slug}/look-inside?q=Kerning").expect(200)
    page.says("On 3 pages", "2, 3, 4", "Kerning comes later", "Back to the course")
    assert "noindex" in page.text
    both = browser.get(f"/courses/{course.slug}/look-inside?q=kerning+hyphens", htmx=True).expect(200)
    both.says("On 1 page", "the words around it are for readers")
    assert both.text.lstrip().startswith('<div class="look" id="look"')


def test_every_word_must_be_on_the_page_in_any_order_and_any_form(course: Course) -> None:
    assert look(course, "kerning letters").pages == (2, 3)
    assert look(course, "letters kerning").pages == (2, 3)
    assert look(course, "hyphen").pages == (4,)
    assert look(course, "kern").pages == (2, 3, 4)
    assert look(course, "zebra").count == 0
    assert look(course, "margins kerning").count == 0


def test_words_that_are_nowhere_are_said_to_be_so(browser: Browser, course: Course) -> None:
    browser.get(f"/courses/{course.slug}/look-inside?q=zebra").says("No page has all of these words: “zebra”.")
    browser.get(f"/courses/{course.slug}/look-inside").expect(200).says("Type a word")
    set_pages(course, ["", ""])
    browser.get(f"/courses/{course.slug}/look-inside?q=zebra").says("there is no text to search")


# What it must not tell


def test_of_a_hidden_page_only_the_words_typed_are_shown(course: Course) -> None:
    for words in ("gap", "upside", "Secret sauce", "dashes kerning", "thirds"):
        snippet = look(course, words).snippet
        assert snippet is not None and not snippet.is_clear
        assert {part.text for part in snippet.parts if part.kind == "hit"} == set(words.split())
        assert all(part.text == "" for part in snippet.parts if part.kind == "block")
        assert {part.kind for part in snippet.parts} == {"hit", "block"}


def test_the_whole_answer_holds_no_other_word_of_a_hidden_page(browser: Browser, course: Course) -> None:
    answer = browser.get(f"/courses/{course.slug}/look-inside?q=gap", htmx=True).says("gap")
    for word in ("forgets", "between", "sauce", "upside", "moving"):
        answer.is_silent_about(word)


def test_a_snippet_in_clear_comes_from_free_pages_only_and_is_short(course: Course) -> None:
    free = " ".join(PAGES[:SAMPLES])
    set_pages(course, [*(f"{free} " * 40 for _ in range(SAMPLES)), *PAGES[SAMPLES:]])
    snippet = look(course, "margins").snippet
    assert snippet is not None and snippet.is_clear and snippet.page <= SAMPLES
    shown = "".join(part.text for part in snippet.parts)
    assert len(shown.split()) <= 40
    assert set(re.findall(r"\w+", shown)) <= set(re.findall(r"\w+", free))


QUERIES = [
    "gap",
    "letters",
    "kerning",
    "two letters",
    "letters two",
    "the gap",
    "gap the",
    "eye forgets",
    "forgets eye",
]
QUERIES += [
    "moving two",
    '"two letters"',
    "two <-> letters",
    "two & letters",
    "two letters until the eye",
    "letters.two",
]


def _answers(browser: Browser, course: Course) -> list[str]:
    return [
        browser.get(f"/courses/{course.slug}/look-inside", htmx=True, query_string={"q": words}).text
        for words in QUERIES
    ]


def test_in_whatever_order_the_words_of_a_hidden_page_stand_the_answers_are_the_same(
    browser: Browser, course: Course
) -> None:
    """So no number of looks tells which word follows which: a page cannot be rebuilt."""
    chance = random.Random(4)
    before = _answers(browser, course)
    assert any("On 1 page" in text for text in before)
    for _ in range(3):
        shuffled = []
        for text in PAGES[SAMPLES:]:
            words = text.split()
            chance.shuffle(words)
            shuffled.append(" ".join(words))
        set_pages(course, [*PAGES[:SAMPLES], *shuffled])
        assert _answers(browser, course) == before


def test_how_often_a_word_stands_on_a_hidden_page_is_not_told(browser: Browser, course: Course) -> None:
    before = _answers(browser, course)
    set_pages(course, [*PAGES[:SAMPLES], *(f"{text} {text}" for text in PAGES[SAMPLES:])])
    assert _answers(browser, course) == before


def test_the_comparison_would_see_a_leak(browser: Browser, course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: with snippets in clear, the order of the words shows."""
    monkeypatch.setattr(
        look_inside,
        "_masked",
        lambda version, page, words: look_inside._clear(version, page, look_inside._tsquery(words)),
    )
    before = _answers(browser, course)
    set_pages(course, [*PAGES[:SAMPLES], *(" ".join(reversed(text.split())) for text in PAGES[SAMPLES:])])
    assert _answers(browser, course) != before


@pytest.mark.parametrize(
    "query",
    ["'", '"', "\\", "%", "a:*", "a & b | !c", "\0kerning", "📚", "ß" * 300, "x" * 5000, "-" * 50, "<b>kerning</b>"],
)
def test_strange_words_are_only_words(browser: Browser, course: Course, query: str) -> None:
    page = browser.get(f"/courses/{course.slug}/look-inside", query_string={"q": query}).expect(200)
    page.is_silent_about("<b>kerning")


def test_few_words_count_and_none_is_endless() -> None:
    assert look_inside.words_of("one, two; three four five six seven") == "one two three four five"
    assert look_inside.words_of("x" * 99) == "x" * look_inside.LONGEST_WORD
    assert look_inside.words_of(" -- ") == ""


def test_only_so_many_page_numbers_are_named(course: Course) -> None:
    set_pages(course, ["nothing", "nothing", *("common word" for _ in range(30))])
    found = look(course, "common")
    assert (found.count, len(found.pages), found.more) == (30, look_inside.MOST_NUMBERS, 18)


# Who looks


def test_whoever_owns_it_reads_the_words_and_goes_to_the_page(
    browser: Browser, course: Course, ada: Customer, ben: Customer, root: Customer
) -> None:
    a_purchase(course, by=ben)
    for person in (ben, ada, root):
        page = browser.as_(person).get(f"/courses/{course.slug}/look-inside?q=sauce").expect(200)
        page.says("secret", "sauce", "turn it upside down")
        assert f'href="/read/{course.id}?page=3"' in page.text


def test_a_right_on_hold_or_lost_shows_no_more_than_a_stranger_sees(
    browser: Browser, course: Course, ben: Customer, cleo: Customer
) -> None:
    a_purchase(course, by=ben, access="suspended")
    a_purchase(course, by=cleo, access="revoked")
    for person in (ben, cleo):
        browser.as_(person).get(f"/courses/{course.slug}/look-inside?q=sauce").is_silent_about("upside", "/read/")


def test_what_is_not_public_is_not_looked_into(browser: Browser, course: Course, ada: Customer, cleo: Customer) -> None:
    with transaction() as session:
        session.get_one(Course, course.id).status = "archived"
    for who in (browser, browser.as_(cleo)):
        who.get(f"/courses/{course.slug}/look-inside?q=kerning").expect(404)
    browser.get("/courses/nothing/look-inside?q=kerning").expect(404)


def test_a_visitor_has_so_many_looks_an_hour(
    app: Flask, browser: Browser, course: Course, ben: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "LIMIT_FACTOR", 1)
    monkeypatch.setenv("COURSEHUB_LIMIT_LOOK_INSIDE", "3/hour")
    at = f"/courses/{course.slug}/look-inside"
    for word in ("one", "two", "three"):
        browser.get(f"{at}?q={word}").expect(200)
    refused = browser.get(f"{at}?q=four").expect(429)
    assert int(refused.headers["Retry-After"]) > 0
    browser.get(f"{at}?q=four", htmx=True).expect(429).says("Too many")
    browser.get(at).expect(200)
    other: Any = Browser(app)
    other.get(f"{at}?q=five").expect(429)  # another browser of the same address
    bens = browser.as_(ben)
    for word in ("one", "two", "three"):
        bens.get(f"{at}?q={word}").expect(200)
    bens.get(f"{at}?q=four").expect(429)
    a_purchase(course, by=ben)
    bens.get(f"{at}?q=four").expect(200)  # what is his is not counted
