"""A shop of many thousand courses: PostgreSQL goes by its indexes, and no page costs more statements."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from coursehub.catalog import matching, search
from coursehub.catalog.filters import Filters
from coursehub.catalog.search import find
from coursehub.kernel.db import db
from tests import many_courses
from tests.browser import Browser
from tests.many_courses import Many


@pytest.fixture(scope="module")
def many(session_app: Flask, full_scale: bool) -> Iterator[Many]:
    with session_app.app_context():
        if full_scale:
            yield many_courses.plant(100_000)
        else:
            yield many_courses.plant(12_000, text_words=12, head=3_000)
        many_courses.clear()


@pytest.fixture
def app(session_app: Flask, many: Many) -> Iterator[Flask]:
    """The shop as it is; nothing is emptied between these tests."""
    with session_app.app_context():
        yield session_app
        db.session.remove()


def plan(filters: Filters, *, facets: bool = True) -> str:
    """How PostgreSQL goes about it, in the way the shop asks."""
    if filters.words:
        search.use_indexes()
    values = matching.parameters(filters) | {"limit": 25, "odd": []}
    lines = db.session.execute(text("EXPLAIN (ANALYZE, BUFFERS) " + search._sql(filters, False, facets)), values)
    return "\n".join(line for (line,) in lines)


def ran(lines: str, what: str) -> bool:
    """Whether a node with `what` was executed, not merely planned."""
    return any(what in line and "never executed" not in line for line in lines.splitlines())


def test_the_shop_is_large(app: Flask, many: Many) -> None:
    assert find(Filters()).is_more
    assert find(Filters(q=many.words[0])).is_more
    assert 0 < find(Filters(q=many.words[-1])).total < 100


def test_a_word_is_looked_up_in_the_index_of_words(app: Flask, many: Many) -> None:
    found = plan(Filters(q=f"{many.words[30]} {many.words[40]}"))
    assert ran(found, "Bitmap Index Scan on ix_course_search_words_head")
    assert ran(found, "Bitmap Heap Scan on course_search")
    assert "Seq Scan on course_search" not in found


def test_a_beginning_is_looked_up_in_the_index_of_titles(app: Flask, many: Many) -> None:
    found = plan(Filters(q=many.words[200][:4]))
    assert ran(found, "Bitmap Index Scan on ix_course_search_headline_head")
    assert "Seq Scan on course_search" not in found


def test_quotes_are_looked_up_in_the_index_of_topics(app: Flask, many: Many) -> None:
    found = plan(Filters(q=f'"{many.words[1]} {many.words[2]}"'))
    assert ran(found, "Bitmap Index Scan on ix_course_search_topic")


def test_without_the_hint_a_common_word_would_be_looked_for_in_every_row(app: Flask, many: Many) -> None:
    """The control: it is the shop's asking that makes PostgreSQL use the index."""
    filters = Filters(q=many.words[0])
    values = matching.parameters(filters) | {"limit": 25, "odd": []}
    db.session.execute(text("SET LOCAL enable_bitmapscan = off"))
    lines = db.session.execute(text("EXPLAIN " + search._sql(filters, False, True)), values)
    assert any("Seq Scan on course_search" in line for (line,) in lines)


@pytest.mark.parametrize("order", ["newest", "popular", "rated", "priced"])
def test_the_whole_list_is_read_in_the_order_of_an_index(app: Flask, order: str) -> None:
    sort = {"newest": "newest", "popular": "popular", "rated": "rating", "priced": "price"}[order]
    found = plan(Filters(sort=sort))
    assert ran(found, f"ix_courses_{order}")
    assert "Seq Scan on courses" not in found


def test_of_a_common_word_only_some_rows_are_read(app: Flask, many: Many) -> None:
    """The first word stands in a large part of all courses, and a thousand of them are enough."""
    with db.engine.connect() as connection:
        matching_rows = connection.scalar(
            text("SELECT count(*) FROM course_search WHERE listed AND words @@ to_tsquery('simple', :word)"),
            {"word": many.words[0]},
        )
    assert matching_rows and matching_rows > 2_000
    found = find(Filters(q=many.words[0]), with_facets=True)
    assert found.total == 1001
    read = [line for line in plan(Filters(q=many.words[0])).splitlines() if "CTE Scan on main" in line]
    assert read and not any("rows=1002" in line for line in read)


def test_the_best_are_found_although_not_all_are_judged(app: Flask, many: Many) -> None:
    """Against the order that judging every match would give: most of the first page is the same."""
    shared = 0
    for place in (5, 20, 60):
        word = many.words[place]
        best = {
            row.course_id
            for row in db.session.execute(
                text(
                    f"WITH {matching.asked(Filters(q=word))} SELECT course_id,"
                    f" {matching.SCORE.format(words='topic')} AS score FROM course_search AS s"
                    f" WHERE listed AND {matching.found(Filters(q=word))} ORDER BY score DESC LIMIT 24"
                ),
                matching.parameters(Filters(q=word)),
            )
        }
        shared += len(best & {card.id for card in find(Filters(q=word)).page.items})
    assert shared >= 0.8 * 72


def test_the_list_costs_three_statements_whatever_the_rows(app: Flask, many: Many, queries: Callable[[], Any]) -> None:
    browser = Browser(app)
    for address in (
        "/courses",
        f"/courses?q={many.words[0]}",
        f"/courses?q={many.words[0]}&category=music&price_min=10&rating_min=4&language=de&tag=kind1&sort=popular",
    ):
        with queries() as seen:
            browser.get(address).expect(200)
        assert seen.count <= 3, seen.statements


def test_a_common_word_shows_that_there_are_more(app: Flask, many: Many) -> None:
    page = Browser(app).get(f"/courses?q={many.words[0]}").expect(200).says("More than 1,000 courses")
    assert "+</span>" in page.text
