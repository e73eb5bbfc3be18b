"""What a list can be narrowed by: every count is what one finds there, whatever else narrows it already."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coursehub.accounts.models import Customer
from coursehub.catalog import facets, search
from coursehub.catalog.facets import BANDS, RATINGS, Facets
from coursehub.catalog.filters import Filters
from coursehub.catalog.search import find
from coursehub.courses.models import Course
from coursehub.kernel.db import transaction
from tests.factories import a_course

CATEGORIES = ("design", "music", "programming")
TAGS = ("paper", "ink", "type", "bread")
LANGUAGES = ("en", "de", "fr")


def rate(course: Course, total: int, count: int) -> None:
    with transaction() as session:
        row = session.get_one(Course, course.id)
        row.rating_sum, row.rating_count, row.rating_score = total, count, (39 + total) / (10 + count)


def shelf(ada: Customer) -> list[UUID]:
    """A few dozen courses, no two combinations alike."""
    made = []
    for n in range(36):
        course = a_course(
            by=ada,
            title=f"{('Quiet', 'Loud', 'Small')[n % 3]} {('Paper', 'Bread')[n % 2]} {n}",
            price=(0, 500, 1000, 1900, 2500, 4900, 5000, 12000)[n % 8],
            category=CATEGORIES[n % 3],
            tags=list(dict.fromkeys([TAGS[n % 4], TAGS[n // 4 % 4]])) if n % 5 else [],
            language=LANGUAGES[n % 7 % 3],
        )
        if n % 4:
            rate(course, (n % 5 + 1) * (n % 6 + 1), n % 6 + 1)
        made.append(course.id)
    a_course(by=ada, title="Quiet Paper draft", status="draft", category="design", tags=["paper"])
    a_course(by=ada, title="Quiet Paper unlisted", status="unlisted", category="design", tags=["paper"])
    return made


def each_value(filters: Filters, counted: Facets) -> list[tuple[Filters, int]]:
    """Every choice of every group: the filters it leads to, and the number that stands at it."""
    listed = [(replace(filters, category=one.value), one.number) for one in counted.category]
    listed += [(replace(filters, tag=one.value), one.number) for one in counted.tag]
    listed += [(replace(filters, language=one.value), one.number) for one in counted.language]
    listed += [(replace(filters, rating_min=float(one.value)), one.number) for one in counted.rating]
    listed += [(replace(filters, price_min=one.value[0], price_max=one.value[1]), one.number) for one in counted.price]
    return listed


@pytest.fixture
def shop(app: Flask, ada: Customer) -> list[UUID]:
    return shelf(ada)


wanted = st.builds(
    Filters,
    q=st.sampled_from(
        ["", "", "paper", "quiet", "quiet bread", "pap", '"quiet paper"', "paper -quiet", "loud or small"]
    ),
    category=st.sampled_from(["", "", *CATEGORIES, "gardening"]),
    tag=st.sampled_from(["", "", *TAGS]),
    language=st.sampled_from(["", "", *LANGUAGES]),
    price_min=st.sampled_from([None, None, 0, 1000, 1900]),
    price_max=st.sampled_from([None, None, 0, 2500, 5000]),
    rating_min=st.sampled_from([None, None, 3.0, 4.0]),
    sort=st.sampled_from(search.SORTS),
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(filters=wanted)
def test_every_count_is_what_one_finds_there(shop: list[UUID], filters: Filters) -> None:
    results = find(filters, limit=100, with_facets=True)
    assert results.facets is not None
    assert results.total == len(results.page.items)
    for narrowed, number in each_value(filters, results.facets):
        found = find(narrowed, limit=100)
        # What the words as typed find: a correction is another search.
        assert (0 if found.corrected else found.total) == number, narrowed
    for group, number in results.facets.without.items():
        found = find(filters.without(group), limit=100)
        assert (0 if found.corrected else found.total) == number, group


def test_all_values_there_are_can_be_chosen(shop: list[UUID]) -> None:
    counted = find(Filters(), with_facets=True).facets
    assert counted is not None
    assert [one.value for one in counted.category] == ["programming", "design", "music"]  # in the shop's order
    assert {one.value for one in counted.language} == set(LANGUAGES)
    assert {one.value for one in counted.tag} == set(TAGS)
    assert sum(one.number for one in counted.category) == 36
    assert not any(one.at_least for one in counted.category)


def test_another_value_of_the_same_group_stays_in_reach(shop: list[UUID]) -> None:
    """Who looks at design sees how many there are in music, not that none of them is both."""
    counted = find(Filters(category="design"), with_facets=True).facets
    assert counted is not None
    assert {one.value: one.number for one in counted.category} == dict.fromkeys(CATEGORIES, 12)
    assert counted.without == {"category": 36}


def test_the_chosen_value_is_listed_even_where_it_finds_nothing(shop: list[UUID]) -> None:
    counted = find(Filters(category="health", tag="zinc"), with_facets=True).facets
    assert counted is not None
    assert [one.number for one in counted.category if one.value == "health"] == [0]
    assert counted.without == {"category": 0, "tag": 0}


def test_beyond_the_cap_a_count_says_at_least(shop: list[UUID], monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (facets, search):
        monkeypatch.setattr(module, "COUNTED", 10)
    results = find(Filters(), with_facets=True)
    assert results.is_more and results.total == 11
    assert results.facets is not None
    for narrowed, number in each_value(Filters(), results.facets):
        assert number <= find(narrowed).total
    assert all(one.at_least for one in results.facets.category)
    # Twelve are in design: too many to know. Of those, the rated ones are fewer than the cap, and known again.
    few = find(Filters(category="design", rating_min=4), with_facets=True)
    assert few.facets is not None and not few.is_more
    assert not any(one.at_least for one in few.facets.language)
    assert any(one.at_least for one in few.facets.rating)


@pytest.mark.parametrize("sort", search.SORTS)
def test_beyond_the_cap_every_order_goes_on_page_after_page(
    shop: list[UUID], monkeypatch: pytest.MonkeyPatch, sort: str
) -> None:
    """Where not all matches are at hand another way leads through them; it finds the same in the same order."""
    if sort == "relevance":
        pytest.skip("The best thousand end there.")
    for q in ("", "paper"):
        whole = [card.id for card in find(Filters(q=q, sort=sort), limit=100).page.items]
        with monkeypatch.context() as patch:
            for module in (facets, search):
                patch.setattr(module, "COUNTED", 5)
            seen: list[UUID] = []
            cursor = None
            while True:
                page = find(Filters(q=q, sort=sort), cursor=cursor, limit=7).page
                seen += [card.id for card in page.items]
                cursor = page.next_cursor
                if cursor is None:
                    break
        assert seen == whole


def test_the_bands_leave_no_price_out() -> None:
    for cents in (0, 1, 999, 1000, 1001, 2500, 4999, 5000, 1_000_000):
        inside = [
            (low, high) for low, high in BANDS if (low is None or cents >= low) and (high is None or cents <= high)
        ]
        assert inside, cents
    assert RATINGS == (4, 3)


def test_ratings_order_the_list_by_what_many_said(ada: Customer) -> None:
    """One reader's five stars do not beat two hundred readers' 4.8."""
    for title, total, count in (("One", 5, 1), ("Many", 960, 200), ("Poor", 20, 10), ("None", 0, 0)):
        rate(a_course(by=ada, title=title), total, count)
    cards = find(Filters(sort="rating")).page.items
    assert [card.title for card in cards] == ["Many", "One", "None", "Poor"]
    assert [card.rating_average for card in cards] == [4.8, 5.0, None, 2.0]
    assert [card.rating_count for card in cards] == [200, 1, 0, 10]
    assert [card.title for card in find(Filters(rating_min=4, sort="rating")).page.items] == ["Many", "One"]
    assert [card.title for card in find(Filters(q="one or many or poor", sort="rating")).page.items] == [
        "Many",
        "One",
        "Poor",
    ]


def test_a_sale_and_a_rating_count_at_once(ada: Customer) -> None:
    """Whoever changes the course, in whatever way: lists and filters know it when that commits."""
    first, second = (a_course(by=ada, title=f"Same words {n}") for n in range(2))
    for course, sales in ((first, 5), (second, 3)):
        with transaction() as session:
            session.execute(Course.__table__.update().where(Course.id == course.id).values(sales_count=sales))
    assert [card.id for card in find(Filters(q="words", sort="popular")).page.items] == [first.id, second.id]
    assert find(Filters(rating_min=4)).total == 0
    rate(second, 9, 2)
    assert [card.id for card in find(Filters(rating_min=4)).page.items] == [second.id]
    rate(second, 0, 0)
    assert find(Filters(rating_min=4)).total == 0


def test_popularity_decides_between_titles_that_match_alike(ada: Customer) -> None:
    made: dict[int, Any] = {sales: a_course(by=ada, title="Sourdough", sales_count=sales) for sales in (0, 900, 40)}
    assert [card.id for card in find(Filters(q="sourdough")).page.items] == [made[900].id, made[40].id, made[0].id]
    a_course(by=ada, title="Bread", subtitle="made of sourdough", sales_count=50_000)
    # No number of sales lifts a mere mention above a title.
    assert find(Filters(q="sourdough")).page.items[-1].title == "Bread"
