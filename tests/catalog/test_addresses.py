"""The address of a course follows its title; every address it had while public leads there, for good."""

import threading
import time
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from coursehub.accounts.models import Customer
from coursehub.courses import drafting, publishing, queries, slugs
from coursehub.courses.models import Course, CourseSlug
from coursehub.kernel.db import db, transaction
from tests.browser import Browser
from tests.courses.intake import a_draft
from tests.factories import a_course


def renamed(course: Course, title: str) -> str:
    with transaction():
        return drafting.update(queries.get(course.id), title=title).slug


@pytest.fixture
def course(ada: Customer) -> Course:
    made = a_course(by=ada, title="Start")
    assert renamed(made, "Quiet Typography") == "quiet-typography"
    return made


def test_an_old_address_leads_to_the_new_one(browser: Browser, course: Course) -> None:
    assert renamed(course, "Loud Typography") == "loud-typography"
    for rest in (
        "",
        "?ref=mail&x=%22",
        "/cover.webp?v=1",
        "/pages/1.webp?size=small",
        "/related",
        "/look-inside?q=a+b",
    ):
        moved = browser.get(f"/courses/quiet-typography{rest}").expect(301)
        assert moved.location == f"/courses/loud-typography{rest}"
        assert "immutable" not in moved.headers["Cache-Control"], "the course may take its old address back"
    browser.get("/courses/loud-typography").expect(200)


def test_the_query_cannot_send_people_elsewhere(browser: Browser, course: Course) -> None:
    renamed(course, "Loud Typography")
    for query in ("_external=1&_scheme=https&_anchor=x", "slug=evil", "_method=POST", "_scheme=javascript"):
        moved = browser.get(f"/courses/quiet-typography?{query}").expect(301)
        assert moved.location == f"/courses/loud-typography?{query}"


def test_through_many_names_each_leads_to_the_last_in_one_step(browser: Browser, course: Course) -> None:
    for title in ("Two", "Three", "Four"):
        renamed(course, title)
    for old in ("quiet-typography", "two", "three"):
        assert browser.get(f"/courses/{old}").expect(301).location == "/courses/four"


def test_a_course_takes_its_old_address_back(browser: Browser, course: Course) -> None:
    renamed(course, "Loud Typography")
    assert renamed(course, "Quiet Typography") == "quiet-typography"
    browser.get("/courses/quiet-typography").expect(200)
    assert browser.get("/courses/loud-typography").expect(301).location == "/courses/quiet-typography"


def test_a_small_change_of_the_title_keeps_the_address(course: Course) -> None:
    assert renamed(course, "Quiet  typography!") == "quiet-typography"
    db.session.rollback()
    assert db.session.scalars(select(CourseSlug.slug).where(CourseSlug.slug == "quiet-typography")).all() == []


def test_nobody_else_gets_an_address_that_leads_to_a_course(
    browser: Browser, ada: Customer, cleo: Customer, course: Course
) -> None:
    renamed(course, "Loud Typography")
    other = a_draft(ada, title="Quiet Typography")
    assert other.slug == "quiet-typography-2"
    public = a_course(by=ada, title="Third")
    assert renamed(public, "Quiet Typography") == "quiet-typography-3"
    assert browser.get("/courses/quiet-typography").expect(301).location == "/courses/loud-typography"


def test_two_that_pass_the_address_on_at_one_moment(app: Flask, ada: Customer, course: Course) -> None:
    """A course gives its address up while another one takes it: the taker waits, sees, and takes another."""
    given_up, taken = threading.Event(), {}
    course_id, ada_id = course.id, ada.id
    db.session.remove()

    def give_up() -> None:
        with app.app_context(), transaction():
            drafting.update(queries.get(course_id), title="Loud Typography")
            given_up.set()
            time.sleep(0.6)  # the other one is waiting for the index by now

    def take() -> None:
        given_up.wait(10)
        with app.app_context(), transaction() as session:
            taken["slug"] = drafting.create(session.get_one(Customer, ada_id), title="Quiet Typography").slug

    threads = [threading.Thread(target=each) for each in (give_up, take)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert taken == {"slug": "quiet-typography-2"}
    assert getattr(slugs.find("quiet-typography"), "id", None) == course_id


def test_without_the_second_look_the_address_would_mean_two_courses(
    app: Flask, ada: Customer, course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the two above."""
    renamed(course, "Loud Typography")
    monkeypatch.setattr(slugs, "_leads_elsewhere", lambda slug, course: False)
    assert a_draft(ada, title="Quiet Typography").slug == "quiet-typography"


@pytest.mark.parametrize("title", ["Suggestions", "New", "Search"])
def test_a_title_that_is_a_page_of_the_shop_gets_another_address(ada: Customer, title: str) -> None:
    assert a_draft(ada, title=title).slug == f"{title.lower()}-2"


def test_a_deleted_draft_gives_its_addresses_back(ada: Customer, course: Course) -> None:
    renamed(course, "Loud Typography")
    with transaction():
        publishing.unpublish(queries.get(course.id), ada)
    with transaction():
        drafting.destroy(queries.get(course.id))
    assert slugs.find("quiet-typography") is None
    assert a_draft(ada, title="Quiet Typography").slug == "quiet-typography"


@pytest.mark.parametrize("status", ["draft", "archived"])
def test_an_old_address_of_what_is_not_public_tells_nothing(
    browser: Browser, ada: Customer, cleo: Customer, course: Course, status: str
) -> None:
    renamed(course, "Loud Typography")
    with transaction():
        publishing.move_to(queries.get(course.id), status, ada)
    for who in (browser, browser.as_(cleo)):
        for rest in ("", "/cover.webp", "/pages/1.webp", "/reviews", "/related", "/look-inside?q=x"):
            who.get(f"/courses/quiet-typography{rest}").expect(404)
    assert browser.as_(ada).get("/courses/quiet-typography").expect(301).location == "/courses/loud-typography"


def test_an_address_in_strange_letters_is_none(browser: Browser, course: Course) -> None:
    strange: Any = ("é", "a" * 300, "quiet-typography%00", "%F0%9F%93%9A", "Quiet-Typography")
    for slug in strange:
        browser.get(f"/courses/{slug}").expect(404)
