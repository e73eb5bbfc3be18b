"""Reviews as people read and write them: with htmx and without, page by page, and with every refusal in words."""

import re
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask

from coursehub.accounts.models import Customer
from coursehub.courses import drafting, publishing, queries
from coursehub.courses.models import Course
from coursehub.kernel import clock
from coursehub.kernel.db import transaction
from coursehub.reviews import statistics, writing
from coursehub.reviews.models import Review
from tests.browser import Browser
from tests.factories import a_course, a_purchase
from tests.payments.helpers import count
from tests.people import a_person
from tests.reviews.conftest import figures

GOOD = {"rating": "4", "text": "Clear and short."}


def at(course: Course) -> str:
    return f"/courses/{course.slug}/reviews"


def many(course: Course, number: int) -> list[Review]:
    """So many reviews, one a minute, the newest last."""
    from datetime import timedelta

    rows = []
    for place in range(number):
        person = a_person(f"Reader {place}", email=f"reader{place}@example.org")
        purchase = a_purchase(course, by=person)
        moment = clock.now() - timedelta(minutes=number - place)
        rows.append(
            Review(
                customer_id=person.id,
                course_id=course.id,
                purchase_id=purchase.id,
                rating=1 + place % 5,
                text=f"Word {place:02}.",
                created_at=moment,
            )
        )
    with transaction() as session:
        session.add_all(rows)
        session.flush()
        statistics.recount(course.id)
    return rows


def test_ben_writes_his_review_on_the_page(browser: Browser, course: Course, ben: Customer, bens_purchase: Any) -> None:
    bens = browser.as_(ben)
    bens.get(f"/courses/{course.slug}").says("You own this course. How is it?", "Publish review")
    answer = bens.post(at(course), GOOD).expect(303)
    assert answer.location == f"/courses/{course.slug}#reviews"
    page = bens.get(f"/courses/{course.slug}").says("Thank you: your review is published.", "Your review", "Edit")
    page.says("Clear and short.", "Verified buyer", "Rated 4.0 of 5", "(1 rating)")
    strangers = browser.get(f"/courses/{course.slug}").says("Ben Okafor", "Clear and short.", "Verified buyer")
    strangers.is_silent_about("Your review", "Publish review")
    assert "csrf" not in strangers.text.lower()


def test_with_htmx_the_section_comes_back_with_a_toast(
    browser: Browser, course: Course, ben: Customer, bens_purchase: Any
) -> None:
    bens = browser.as_(ben)
    part = bens.post(at(course), GOOD, htmx=True).expect(200).says("Your review", "Thank you")
    assert part.text.lstrip().startswith('<section class="reviews" id="reviews"')
    bens.post(at(course), {**GOOD, "rating": "5"}, htmx=True).says("edited")
    assert figures(course)[:2] == (5, 1)


@pytest.mark.parametrize("rating", ["", "0", "6", "five", "4.5"])
def test_without_stars_nothing_is_lost(
    browser: Browser, course: Course, ben: Customer, bens_purchase: Any, rating: str
) -> None:
    bens = browser.as_(ben)
    page = bens.post(at(course), {"rating": rating, "text": "A long and careful text."}).expect(422)
    page.says("There is a problem", "Choose between one and five stars.", "A long and careful text.")
    assert "<title>Error: " in page.text and 'href="#review_rating"' in page.text
    part = bens.post(at(course), {"rating": rating, "text": "A long and careful text."}, htmx=True).expect(422)
    part.says("Choose between one and five stars.", "A long and careful text.")
    assert count(Review) == 0


def test_too_long_a_text_keeps_stars_and_words(
    browser: Browser, course: Course, ben: Customer, bens_purchase: Any
) -> None:
    page = browser.as_(ben).post(at(course), {"rating": "3", "text": "x" * 5001}).expect(422)
    assert "x" * 5001 in page.text and re.search(r'value="3" checked', page.text)


def test_strange_characters_are_blamed_on_the_text(
    browser: Browser, course: Course, ben: Customer, bens_purchase: Any
) -> None:
    page = browser.as_(ben).post(at(course), {"rating": "3", "text": "turned \u202e around"}).expect(422)
    page.says("This contains a character that cannot be used here.")


def test_those_who_do_not_own_it_see_no_form_and_are_refused(
    browser: Browser, course: Course, ada: Customer, cleo: Customer
) -> None:
    for person, sentence in ((cleo, "Only people who own this course"), (ada, "This is your own course")):
        theirs = browser.as_(person)
        theirs.get(f"/courses/{course.slug}").is_silent_about("review_form")
        theirs.post(at(course), GOOD).expect(403).says(sentence)
        theirs.post(at(course), {"rating": "", "text": "x"}).expect(403)
    browser.post(at(course), GOOD).expect(303)
    assert "/login" in browser.post(at(course), GOOD).location
    assert browser.post(at(course), GOOD, htmx=True).expect(401).location.startswith("/login")
    assert count(Review) == 0


def test_the_review_of_what_is_not_public_is_as_if_there_were_none(
    browser: Browser, course: Course, ada: Customer, ben: Customer, cleo: Customer, bens_purchase: Any
) -> None:
    with transaction():
        publishing.move_to(queries.get(course.id), "archived", ada)
    for who in (browser, browser.as_(cleo)):
        who.get(at(course)).expect(404)
    browser.as_(cleo).post(at(course), GOOD).expect(404)
    browser.as_(ben).post(at(course), GOOD).expect(303)
    browser.as_(ben).get(at(course)).expect(200)
    browser.get("/courses/nothing/reviews").expect(404)


def test_ben_takes_it_back_and_nobody_else_can(
    browser: Browser, course: Course, ben: Customer, cleo: Customer, bens_purchase: Any
) -> None:
    a_purchase(course, by=cleo)
    with transaction() as session:
        mine = writing.write(session.get_one(Customer, ben.id), session.get_one(Course, course.id), 4, "Mine.")
    away = f"{at(course)}/{mine.id}/removal"
    browser.as_(cleo).post(away).expect(404)
    assert count(Review) == 1
    bens = browser.as_(ben)
    bens.post(away, htmx=True).expect(200).says("Your review is removed", "How is it?")
    bens.post(away).expect(404)
    assert count(Review) == 0 and figures(course)[1] == 0


def test_ada_replies_by_htmx_and_without(
    browser: Browser, course: Course, ada: Customer, ben: Customer, bens_purchase: Any
) -> None:
    with transaction() as session:
        written = writing.write(session.get_one(Customer, ben.id), session.get_one(Course, course.id), 4, "Good.")
    adas, here = browser.as_(ada), f"{at(course)}/{written.id}/reply"
    page = adas.get(f"/courses/{course.slug}").says("Good.", "Reply")
    assert f'href="{here}"' in page.text
    adas.get(here).expect(200).says("Reply to Ben Okafor", "Publish reply")
    form = adas.get(here, htmx=True).expect(200)
    assert form.text.lstrip().startswith(f'<div class="review__answer" id="reply_{written.id}"')
    adas.post(here, {"reply": ""}).expect(422).says("Write your reply.")
    adas.post(here, {"reply": " "}, htmx=True).expect(422).says("Write your reply.")
    kept = adas.post(here, {"reply": "turned \u202e around"}).expect(422)
    kept.says("cannot be used here", "turned")
    assert (
        adas.post(here, {"reply": "Thank you."}).expect(303).location == f"/courses/{course.slug}#review_{written.id}"
    )
    browser.get(f"/courses/{course.slug}").says("Reply from the creator", "Thank you.")
    adas.post(here, {"reply": "Thank you, Ben."}, htmx=True).expect(200).says("Thank you, Ben.", "Edit reply")
    adas.post(f"{here}/removal", htmx=True).expect(200).is_silent_about("Thank you, Ben.")
    browser.get(f"/courses/{course.slug}").is_silent_about("Reply from the creator")


def test_only_ada_replies(browser: Browser, course: Course, ben: Customer, root: Customer, bens_purchase: Any) -> None:
    with transaction() as session:
        written = writing.write(session.get_one(Customer, ben.id), session.get_one(Course, course.id), 4, "Good.")
    here = f"{at(course)}/{written.id}/reply"
    for person in (ben, root):
        theirs = browser.as_(person)
        theirs.get(here).expect(403)
        theirs.post(here, {"reply": "Me."}).expect(403)
        theirs.post(f"{here}/removal").expect(403)
    assert "/login" in browser.get(here).expect(303).location
    browser.as_(ben).get(f"{at(course)}/{uuid4()}/reply").expect(403)


def test_a_review_of_another_course_is_not_found(
    browser: Browser, ada: Customer, course: Course, ben: Customer, bens_purchase: Any
) -> None:
    other = a_course(by=ada, title="Another")
    with transaction() as session:
        written = writing.write(session.get_one(Customer, ben.id), session.get_one(Course, course.id), 4, "Good.")
    browser.as_(ada).get(f"{at(other)}/{written.id}/reply").expect(404)
    browser.as_(ada).post(f"{at(other)}/{written.id}/reply", {"reply": "x"}).expect(404)


def test_reviews_come_page_by_page_the_newest_first(browser: Browser, course: Course) -> None:
    rows = many(course, 23)
    page = browser.get(f"/courses/{course.slug}").says("Word 22.", "Word 13.", "More reviews", "(23 ratings)")
    page.is_silent_about("Word 12.")
    seen: list[str] = []
    where: str | None = at(course)
    while where:
        part = browser.get(where, htmx=True).expect(200)
        seen += re.findall(r"Word (\d\d)\.", part.text)
        found = re.search(r'hx-get="([^"]+cursor=[^"]+)"', part.text)
        where = found[1].replace("&amp;", "&") if found else None
    assert seen == [f"{number:02}" for number in range(22, -1, -1)]
    onward = re.search(r'href="(/courses/[^"]+cursor=[^"]+)"', page.text)
    assert onward
    second = browser.get(onward[1].replace("&amp;", "&")).expect(200).says("Word 12.", "Newest reviews")
    assert f'id="reviews_after_{rows[13].id}"' in second.text, "the part takes the place of the link that asked for it"


def test_an_old_cursor_leads_to_the_first_page(browser: Browser, course: Course) -> None:
    many(course, 1)
    for cursor in ("nonsense", "WzEsMl0", "x" * 600):
        assert browser.get(f"{at(course)}?cursor={cursor}").expect(303).location == at(course)


def test_the_number_of_queries_does_not_grow_with_the_reviews(browser: Browser, course: Course, queries: Any) -> None:
    many(course, 1)
    browser.get(f"/courses/{course.slug}")
    counts = []
    for extra in (0, 9):
        if extra:
            for number in range(extra):
                person = a_person(f"Later {number}", email=f"later{number}@example.org")
                a_purchase(course, by=person)
                with transaction() as session:
                    writing.write(session.get_one(Customer, person.id), session.get_one(Course, course.id), 5, "More.")
        with queries() as seen:
            browser.get(f"/courses/{course.slug}").expect(200)
            browser.get(at(course)).expect(200)
        counts.append(seen.count)
    assert counts[0] == counts[1] <= 9, counts


def test_the_bars_show_how_the_ratings_spread(browser: Browser, course: Course) -> None:
    many(course, 4)
    page = browser.get(f"/courses/{course.slug}").says("Rated 2.5 of 5", "(4 ratings)")
    assert re.findall(r'<rect class="review-bars__fill" width="(\d+)%"', page.text) == ["0", "25", "25", "25", "25"]


def test_what_a_buyer_writes_stays_text(browser: Browser, course: Course, ben: Customer, bens_purchase: Any) -> None:
    evil = "<script>alert(1)</script> [x](javascript:alert(1)) {{ 7*7 }}"
    browser.as_(ben).post(at(course), {"rating": "1", "text": evil}).expect(303)
    page = browser.get(f"/courses/{course.slug}").expect(200).says(evil)
    page.is_silent_about("<script>alert", 'href="javascript:')


def test_an_address_from_before_leads_to_the_reviews_of_now(
    browser: Browser, course: Course, ben: Customer, bens_purchase: Any
) -> None:
    before = course.slug
    with transaction():
        drafting.update(queries.get(course.id), title="Loud Typography")
    moved = browser.get(f"/courses/{before}/reviews?cursor=x").expect(301)
    assert moved.location == "/courses/loud-typography/reviews?cursor=x"
    answer = browser.as_(ben).post(f"/courses/{before}/reviews", GOOD).expect(303)
    assert answer.location == "/courses/loud-typography#reviews", "what is posted to the old address is not lost"


def test_whoever_writes_too_often_waits(
    app: Flask, browser: Browser, course: Course, ben: Customer, bens_purchase: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "LIMIT_FACTOR", 1)
    monkeypatch.setenv("COURSEHUB_LIMIT_REVIEW", "2/hour")
    bens = browser.as_(ben)
    for stars in ("1", "2"):
        bens.post(at(course), {"rating": stars}).expect(303)
    assert int(bens.post(at(course), {"rating": "3"}).expect(429).headers["Retry-After"]) > 0
    assert figures(course)[:2] == (2, 1)
