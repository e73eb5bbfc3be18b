"""The words of a course: written in the moment they change, those of its pages too, however many pages."""

import time
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from coursehub.accounts.models import Customer
from coursehub.admin import bans
from coursehub.catalog.filters import Filters
from coursehub.catalog.search import find
from coursehub.courses import drafting, publishing, queries, search_text, search_upkeep, versions
from coursehub.courses.events import ThumbnailsRequested
from coursehub.courses.models import Course, CourseSearch, CourseVersion, PageText, TitleWord
from coursehub.kernel.db import db, transaction
from coursehub.kernel.events import record
from coursehub.kernel.maintenance import SearchRefresh
from tests.factories import a_course, a_version


def titles(q: str, **more: Any) -> list[str]:
    return [card.title for card in find(Filters(q=q, **more)).page.items]


def write_pages(course: Course, *texts: str) -> None:
    """Give the current version of `course` these pages, as its drawing does."""
    with transaction() as session:
        for number, words in enumerate(texts, 1):
            session.add(PageText(version_id=course.current_version_id, page_number=number, text=words))
        session.flush()
        search_text.reindex(session.get_one(Course, course.id))


def test_words_of_the_pages_find_the_course(ada: Customer) -> None:
    course = a_course(by=ada, title="Baking", pages=2)
    write_pages(course, "Knead the dough.", "Banneton and couche.")
    for words in ("banneton", "dough", "kneading", "brandt couche", "baking banneton"):
        assert titles(words) == ["Baking"], words
    # Every word must be somewhere; only whole words are looked for inside; side by side is no question to hidden pages.
    for words in ("banneton zeppelin", "bannet", '"banneton and couche"', "baking -baking"):
        assert titles(words) == [], words


def test_a_word_of_a_page_excludes_nothing(ada: Customer) -> None:
    """Who wants Python without Java means what courses are about, not what is mentioned on page 57."""
    write_pages(a_course(by=ada, title="Python"), "Other people use java.")
    assert titles("python -java") == ["Python"]


def test_titles_come_before_descriptions_before_pages(ada: Customer) -> None:
    write_pages(a_course(by=ada, title="Third", sales_count=900), "All about watercolour.")
    a_course(by=ada, title="Second", subtitle="with watercolour")
    a_course(by=ada, title="Watercolour")
    assert titles("watercolour") == ["Watercolour", "Second", "Third"]


def test_pages_of_a_draft_are_read_when_it_is_published(ada: Customer) -> None:
    course = a_course(by=ada, title="Secret", status="draft")
    write_pages(course, "Banneton.")
    assert db.session.scalar(select(CourseSearch.pages_of).where(CourseSearch.course_id == course.id)) is None
    with transaction() as session:
        publishing.publish(session.get_one(Course, course.id), ada)
    assert titles("banneton") == ["Secret"]


def test_a_new_version_brings_its_own_pages(ada: Customer) -> None:
    course = a_course(by=ada, title="Baking")
    write_pages(course, "Banneton.")
    second = a_version(course, number=2)
    second.released_at = None
    with transaction() as session:
        session.add(second)
        session.flush()
        session.add(PageText(version_id=second.id, page_number=1, text="Brotform."))
    assert titles("brotform") == []
    with transaction() as session:
        versions.make_current(session.get_one(CourseVersion, second.id))
    assert (titles("brotform"), titles("banneton")) == (["Baking"], [])


def test_pages_that_are_read_after_publishing_are_found_then(ada: Customer, tmp_path: Any, work: Any) -> None:
    from tests.courses.intake import a_draft, a_pdf, received

    course = a_draft(ada, title="Quick one", price_cents=1900)
    version_id = received(course, a_pdf(2), tmp_path)
    work("course.inspect.request")
    with transaction():
        publishing.publish(queries.get(course.id), ada)
    before = _words(course)
    work("course.thumbnails.request")
    said = db.session.scalars(select(PageText.text).where(PageText.version_id == version_id)).all()
    assert any(said), "the pages of the sample say nothing: the test proves nothing"
    assert len(_words(course)) > len(before)
    # Drawn once more, nothing changes.
    after = _words(course)
    with transaction():
        record(ThumbnailsRequested(course_id=course.id, version_id=version_id, first=1, last=2))
    work("course.thumbnails.request")
    assert _words(course) == after


def _words(course: Course) -> str:
    db.session.rollback()
    return str(
        db.session.scalar(text("SELECT words::text FROM course_search WHERE course_id = :id"), {"id": course.id})
    )


@pytest.mark.parametrize("letters", [200, 2_000])
def test_a_book_of_three_thousand_pages_fits(ada: Customer, letters: int) -> None:
    """Every word another: what would be 48 MB of words. It is written in time, and its first title is found still."""
    course = a_course(by=ada, title="Encyclopaedia", pages=3_000)
    with transaction() as session:
        session.execute(
            text(
                "INSERT INTO page_texts (version_id, page_number, text)"
                " SELECT :version, page, (SELECT string_agg(md5(page || '/' || n), ' ') || ' common'"
                "   FROM generate_series(1, :words) AS n)"
                " FROM generate_series(1, 3000) AS page"
            ),
            {"version": course.current_version_id, "words": letters // 33},
        )
    started = time.monotonic()
    with transaction() as session:
        search_text.reindex(session.get_one(Course, course.id))
    assert time.monotonic() - started < 5, "a page that waits so long is given up"
    assert titles("encyclopaedia") == ["Encyclopaedia"]
    if letters == 200:
        assert titles("common") == ["Encyclopaedia"]
    size, words = db.session.execute(
        text("SELECT pg_column_size(words), length(words) FROM course_search WHERE course_id = :id"), {"id": course.id}
    ).one()
    assert size < 1_000_000
    assert search_text.MOST_PAGE_WORDS <= words < search_text.MOST_PAGE_WORDS + 100


def test_one_page_of_a_megabyte_and_one_endless_word_fit_too(ada: Customer) -> None:
    course = a_course(by=ada, title="Long", pages=2)
    write_pages(course, "x" * 1_000_000, " ".join(f"w{n}" for n in range(150_000)))
    assert titles("w1") == ["Long"]


def test_every_way_out_of_the_shop_is_a_way_out_of_search(ada: Customer, root: Customer) -> None:
    course = a_course(by=ada, title="Astrolabe")
    for leave in (publishing.unlist, publishing.archive, publishing.unpublish):
        with transaction() as session:
            if leave is publishing.unpublish:
                publishing.publish(session.get_one(Course, course.id), ada)
            leave(session.get_one(Course, course.id), ada)
        assert titles("astrolabe") == find(Filters()).page.items == []
        with transaction() as session:
            publishing.publish(session.get_one(Course, course.id), ada)
        assert titles("astrolabe") == ["Astrolabe"]
    with transaction() as session:
        bans.ban(session.get_one(Customer, ada.id), root, "spam")
    assert titles("astrolabe") == []
    with transaction() as session:
        bans.unban(session.get_one(Customer, ada.id), root, "a mistake")
    assert titles("astrolabe") == ["Astrolabe"]


def test_a_draft_of_the_banned_stays_out_when_the_ban_ends(ada: Customer, root: Customer) -> None:
    a_course(by=ada, title="Astrolabe", status="draft")
    for deed in (bans.ban, bans.unban):
        with transaction() as session:
            deed(session.get_one(Customer, ada.id), root, "x")
    assert titles("astrolabe") == []


def test_a_ban_and_a_publication_at_the_same_moment_leave_nothing_in_the_shop(
    ada: Customer, together: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The publication has seen an active author and is about to commit; the ban commits first."""
    made = [a_course(by=ada, title=f"Astrolabe {n}", status="draft").id for n in range(6)]

    def either(number: int) -> None:
        with transaction() as session:
            if number == 6:
                time.sleep(0.02)
                session.execute(text("UPDATE customers SET status = 'banned' WHERE id = :id"), {"id": ada.id})
                time.sleep(0.05)
            else:
                time.sleep(0.02 * (number % 3))
                session.execute(text("UPDATE courses SET status = 'published' WHERE id = :id"), {"id": made[number]})
                time.sleep(0.03)

    assert [error for error in together(7, either) if error] == []
    db.session.rollback()
    assert find(Filters()).total == 0


def test_a_title_that_changes_is_found_by_its_new_words_alone(ada: Customer) -> None:
    course = a_course(by=ada, title="Astrolabe")
    with transaction():
        drafting.update(course, title="Sextant")
    assert (titles("sextant"), titles("astrolabe")) == (["Sextant"], [])


# What is done at night


def test_the_night_gives_back_what_was_missed(app: Flask, ada: Customer, work: Any) -> None:
    course = a_course(by=ada, title="Astrolabe")
    with transaction() as session:
        session.execute(text("UPDATE course_search SET words = NULL, headline = NULL, topic = NULL, pages_of = NULL"))
    assert titles("astrolabe") == []
    with transaction():
        record(SearchRefresh())
    work("maintenance.search.refresh")
    assert titles("astrolabe") == ["Astrolabe"]
    assert search_upkeep.missed() == []
    with transaction():
        search_upkeep.catch_up(course.id)


def test_the_night_forgets_words_that_stand_in_no_title_any_more(ada: Customer) -> None:
    course = a_course(by=ada, title="Astrolabe brass")
    a_course(by=ada, title="Brass")
    with transaction():
        drafting.update(course, title="Sextant brass")
        assert search_upkeep.recount_words() >= 1
    db.session.expire_all()
    known = {row.word: row.courses for row in db.session.scalars(select(TitleWord))}
    assert known == {"sextant": 1, "brass": 2}


def test_the_head_is_who_is_popular_or_new(ada: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    old = "UPDATE courses SET published_at = now() - interval '60 days' WHERE sales_count > 0"
    for sales in (0, 1, 2, 3):
        a_course(by=ada, title=f"Sold {sales}", sales_count=sales)
    with transaction() as session:
        session.execute(text(old))
    monkeypatch.setattr(search_upkeep, "_SWAPS", search_upkeep._SWAPS.replace("<= 10000", "<= 2"))
    moved = 0
    for _ in range(5):
        with transaction():
            moved += search_upkeep.move_head()
    assert moved == 1
    heads = select(CourseSearch.popularity).where(CourseSearch.head).order_by(CourseSearch.popularity)
    assert db.session.scalars(heads).all() == [0, 2, 3]
    # Who is not at the head is found all the same.
    assert sorted(titles("sold")) == [f"Sold {sales}" for sales in (0, 1, 2, 3)]
