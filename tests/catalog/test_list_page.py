"""The list as a page: its filters are links, its address is all there is to it, and half a word brings suggestions."""

import re
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask import Flask

from coursehub.accounts.models import Customer
from coursehub.courses.models import Course
from coursehub.kernel import clock
from coursehub.kernel.db import transaction
from tests.browser import Answer, Browser
from tests.catalog.test_facets import rate
from tests.factories import a_course


@pytest.fixture
def shop(ada: Customer) -> list[Course]:
    made = [
        a_course(by=ada, title="Quiet Paper", price=0, category="design", tags=["paper"], language="en"),
        a_course(by=ada, title="Loud Paper", price=1900, category="music", tags=["paper", "brass"], language="de"),
        a_course(by=ada, title="Small Bread", price=4900, category="other", tags=["bread"], language="en"),
    ]
    rate(made[1], 54, 12)
    return made


def links(page: Answer, group: str) -> dict[str, tuple[str, str]]:
    """The choices of a group: label → (count, address)."""
    found = re.findall(
        rf'<a class="facet__choice" id="facet_{group}_[^>]*? href="([^"]+)".*?facet__label">(.*?)</span>'
        r'\s*<span class="facet__count">(.*?)</span>',
        page.text,
        re.S,
    )
    return {unescape(label): (count, unescape(address)) for address, label, count in found}


def shown(page: Answer) -> list[str]:
    return [unescape(one) for one in re.findall(r'course-card__link" href="[^"]+">(.*?)</a>', page.text)]


def test_every_choice_leads_to_as_many_courses_as_it_says(browser: Browser, shop: list[Course]) -> None:
    page = browser.get("/courses").expect(200)
    seen = 0
    for group in ("category", "price", "rating", "language", "tag"):
        for label, (count, address) in links(page, group).items():
            there = browser.get(address).expect(200)
            assert len(shown(there)) == int(count), label
            seen += 1
    assert seen >= 12
    assert links(page, "price")["Free"][0] == "1"
    assert links(page, "language")["Deutsch"] == ("1", "/courses?language=de")
    assert links(page, "rating")["4 stars and more"][0] == "1"


def test_filters_add_up_and_come_off_one_by_one(browser: Browser, shop: list[Course]) -> None:
    page = browser.get("/courses?q=paper&tag=paper&category=music&sort=price").expect(200)
    assert shown(page) == ["Loud Paper"]
    # The choice in force leads out of it; the others keep everything else.
    assert links(page, "category")["Music"][1] == "/courses?q=paper&tag=paper&sort=price"
    assert links(page, "category")["Design"][1] == "/courses?q=paper&category=design&tag=paper&sort=price"
    assert 'aria-current="true"' in page.text
    removals = [unescape(one) for one in re.findall(r'chip__remove" href="([^"]+)"', page.text)]
    assert removals == ["/courses?q=paper&tag=paper&sort=price", "/courses?q=paper&category=music&sort=price"]
    cleared = re.search(r'id="clear_filters" href="([^"]+)"', page.text)
    assert cleared and unescape(cleared[1]) == "/courses?q=paper&sort=price"
    assert shown(browser.get(unescape(cleared[1]))) == ["Quiet Paper", "Loud Paper"]


def test_the_forms_beside_the_list_carry_the_other_filters_on(browser: Browser, shop: list[Course]) -> None:
    page = browser.get("/courses?q=paper&category=music&price_min=5&sort=newest").expect(200)
    kept = {
        form: re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', text)
        for form, text in re.findall(r'<form [^>]*id="(sort_form|range_form)"(.*?)</form>', page.text, re.S)
    }
    assert kept["sort_form"] == [("q", "paper"), ("category", "music"), ("price_min", "5")]
    assert kept["range_form"] == [("q", "paper"), ("category", "music"), ("sort", "newest")]


def test_one_language_that_all_have_is_no_choice(browser: Browser, ada: Customer) -> None:
    a_course(by=ada, title="Only one")
    page = browser.get("/courses").expect(200)
    assert links(page, "language") == links(page, "category") == {}


def test_an_address_with_nonsense_is_a_page(browser: Browser, shop: list[Course]) -> None:
    page = browser.get("/courses?rating_min=lots&price_min=-1&language=xx&sort=up&category=&tag=%00").expect(200)
    page.says("Enter an amount such as 20.", "No course found")
    browser.get("/courses?rating_min=nan&price_max=99999999999999999999").expect(200).says("3 courses")


def test_htmx_gets_the_filters_with_the_results_and_the_title(browser: Browser, shop: list[Course]) -> None:
    part = browser.get("/courses?category=music", htmx=True).expect(200)
    assert part.text.count('id="results"') == part.text.count('id="filters"') == 1
    assert "<title>Courses · CourseHub</title>" in part.text
    assert "<h1" not in part.text
    title = browser.get("/courses?q=%3Cb%3E%26", htmx=True).text.partition("<title>")[2]
    assert title.startswith("“&lt;b&gt;&amp;” · Courses")


def test_only_the_plain_list_is_for_search_engines(browser: Browser, shop: list[Course]) -> None:
    browser.get("/courses").is_silent_about("noindex")
    for narrowed in ("?q=paper", "?category=music", "?rating_min=4"):
        assert "noindex" in browser.get(f"/courses{narrowed}").text
    assert 'rel="nofollow"' in browser.get("/courses").text


def test_nothing_found_shows_the_ways_on(browser: Browser, shop: list[Course]) -> None:
    with transaction() as session:
        session.get_one(Course, shop[2].id).sales_count = 3
    page = browser.get("/courses?q=paper&category=music&rating_min=4&price_max=0").expect(200)
    page.says("No course found for “paper”", "Clear filters", "Most bought", "Small Bread")
    ways = {
        unescape(label): unescape(address)
        for address, label in re.findall(r'<li><a href="([^"]+)">Without (.*?)</a>', page.text)
    }
    assert ways == {"“Free”": "/courses?q=paper&category=music&rating_min=4"}
    assert shown(browser.get(ways["“Free”"])) == ["Loud Paper"]
    browser.get("/courses?q=zeppelin").expect(200).says("No course found for “zeppelin”", "All courses")


def test_an_empty_shop_says_so(browser: Browser) -> None:
    browser.get("/courses").expect(200).says("The shelves are empty").is_silent_about("Most bought</h2>")


def test_cards_say_what_is_new_and_how_it_is_rated(browser: Browser, shop: list[Course]) -> None:
    with transaction() as session:
        session.get_one(Course, shop[0].id).published_at = clock.now() - timedelta(days=14, minutes=1)
        session.get_one(Course, shop[1].id).published_at = clock.now() - timedelta(days=13, hours=23)
    page = browser.get("/courses?q=paper").expect(200).says("4.5 (12)")
    cards = {
        title: card
        for card in page.text.split("<article")[1:]
        for title in ("Quiet Paper", "Loud Paper")
        if title in card
    }
    assert "course-card__badge" in cards["Loud Paper"] and "course-card__rating" in cards["Loud Paper"]
    assert "course-card__badge" not in cards["Quiet Paper"] and "course-card__rating" not in cards["Quiet Paper"]


def test_withdrawing_and_publishing_again_makes_nothing_new(browser: Browser, ada: Customer) -> None:
    from coursehub.courses import publishing

    course = a_course(by=ada, title="Old")
    with transaction() as session:
        row = session.get_one(Course, course.id)
        row.published_at = clock.now() - timedelta(days=90)
        publishing.unlist(row, ada)
        publishing.publish(row, ada)
    assert "course-card__badge" not in browser.get("/courses").text


# Suggestions


def suggested(browser: Browser, typed: str) -> list[str]:
    part = browser.get("/courses/suggestions", query_string={"q": typed}, htmx=True).expect(200)
    return [unescape(one) for one in re.findall(r'suggestions__title">(.*?)</span>', part.text)]


def test_half_a_word_brings_courses_and_the_search_itself(browser: Browser, shop: list[Course]) -> None:
    assert sorted(suggested(browser, "pap")) == ["Loud Paper", "Quiet Paper"]
    assert suggested(browser, "loud pa") == ["Loud Paper"]
    assert suggested(browser, "brand") != []  # by its author
    assert suggested(browser, "papre") != []  # misspelt
    assert suggested(browser, "zeppelin") == suggested(browser, "p") == suggested(browser, "") == []
    part = browser.get("/courses/suggestions?q=zeppelin", htmx=True).says("Search for “zeppelin”")
    assert 'href="/courses?q=zeppelin"' in part.text and 'data-count="0 suggestions"' in part.text
    assert part.headers["Cache-Control"] == "no-store"


def test_popular_courses_are_suggested_first_and_few_of_them(browser: Browser, ada: Customer) -> None:
    for sales in range(10):
        a_course(by=ada, title=f"Sourdough {sales}", sales_count=sales * 100)
    assert suggested(browser, "sourd") == [f"Sourdough {sales}" for sales in (9, 8, 7, 6, 5, 4)]


def test_what_is_hidden_is_not_suggested(browser: Browser, ada: Customer) -> None:
    for status in ("draft", "unlisted", "archived"):
        a_course(by=ada, title="Secret plans", status=status)
    assert suggested(browser, "secret") == suggested(browser, "secrte plans") == []


def test_without_a_script_suggestions_are_the_search(browser: Browser) -> None:
    assert browser.get("/courses/suggestions?q=a+b").expect(303).location == "/courses?q=a+b"
    assert browser.get("/courses/suggestions").expect(303).location == "/courses"


def test_anything_can_be_half_typed(browser: Browser, shop: list[Course]) -> None:
    from tests.catalog.test_search import TORTURE

    for query in TORTURE:
        if "\ud800" not in query:
            part = browser.get("/courses/suggestions", query_string={"q": query}, htmx=True).expect(200)
            part.is_silent_about("<script>alert")
    browser.get("/courses/suggestions?q=%ED%A0%80%FF%00", htmx=True).expect(200)


def test_suggestions_cost_the_same_for_ten_times_the_courses(browser: Browser, ada: Customer, queries: Any) -> None:
    a_course(by=ada, title="Paper 0")
    with queries() as one:
        suggested(browser, "pap")
    for number in range(20):
        a_course(by=ada, title=f"Paper {number}")
    with queries() as many:
        suggested(browser, "pap")
    assert many.count == one.count <= 2


def test_the_search_fields_ask_for_suggestions(browser: Browser) -> None:
    page = browser.get("/").expect(200)
    assert page.text.count('hx-get="/courses/suggestions"') == page.text.count("data-suggestions-count") == 2
    assert page.text.count('hx-sync="this:replace"') == 2


# Home


def test_home_has_a_place_for_what_one_reads_only_where_reading_is_there(
    app: Flask, browser: Browser, ben: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_there = "reading.recent" in app.view_functions
    assert ('id="reading_recent"' in browser.as_(ben).get("/").expect(200).text) == is_there
    browser.get("/").expect(200).is_silent_about('id="reading_recent"')


def test_an_address_says_what_it_shows(browser: Browser, shop: list[Course]) -> None:
    """Whoever opens a choice's address elsewhere sees the same: nothing is kept but the address."""
    page = browser.get("/courses?q=paper").expect(200)
    for _, address in links(page, "category").values():
        assert dict(parse_qsl(urlsplit(address).query))["q"] == "paper"
        assert shown(browser.get(address)) == shown(browser.get(address, htmx=True))
