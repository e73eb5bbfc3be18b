"""Status: the legal moves only, and only with everything a sale needs."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from coursehub.accounts.models import Customer
from coursehub.catalog import search
from coursehub.courses import drafting, publishing, queries
from coursehub.courses.models import STATUSES, Course
from coursehub.kernel.db import db, transaction
from coursehub.kernel.errors import Conflict, DomainError, Invalid
from coursehub.kernel.moves import StatusMove
from coursehub.kernel.outbox import OutboxMessage
from tests.factories import a_course, a_purchase
from tests.people import a_person

# Said once more in full, so that a change of the table is a change of this test.
LEGAL = {
    ("draft", "published"),
    ("draft", "unlisted"),
    ("published", "draft"),
    ("published", "unlisted"),
    ("published", "archived"),
    ("unlisted", "draft"),
    ("unlisted", "published"),
    ("unlisted", "archived"),
    ("archived", "published"),
    ("archived", "unlisted"),
}


def recorded(name: str) -> list[OutboxMessage]:
    return list(db.session.scalars(select(OutboxMessage).where(OutboxMessage.name == name)))


def found(course: Course) -> bool:
    db.session.rollback()
    return course.id in {card.id for card in search.find(search.Filters()).page.items}


@pytest.mark.parametrize("before", STATUSES)
@pytest.mark.parametrize("after", STATUSES)
def test_each_move_is_legal_or_refused(ada: Customer, before: str, after: str) -> None:
    course = a_course(by=ada, status=before)
    try:
        with transaction():
            publishing.move_to(course, after, ada)
        moved = True
    except Conflict:
        moved = False
    assert moved == ((before, after) in LEGAL or before == after)
    db.session.rollback()
    assert queries.get(course.id).status == (after if moved else before)
    moves = db.session.scalars(select(StatusMove).where(StatusMove.subject_id == course.id)).all()
    assert [(move.from_status, move.to_status) for move in moves] == (
        [(before, after)] if (before, after) in LEGAL else []
    )


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wishes=st.lists(st.sampled_from([*STATUSES, "gone", ""]), max_size=8))
def test_whatever_is_wished_for_a_course_only_walks_legal_moves(ada: Customer, wishes: list[str]) -> None:
    course = a_course(by=ada, status="draft")
    for wish in wishes:
        before = course.status
        try:
            with transaction():
                publishing.move_to(course, wish, ada)
        except Conflict:
            pass
        db.session.rollback()
        after = queries.get(course.id).status
        assert after == before or (before, after) in LEGAL
        assert found(course) == (after == "published")


def test_a_published_course_is_found_at_once_and_said_so(ada: Customer) -> None:
    course = a_course(by=ada, status="draft")
    assert not found(course)
    with transaction():
        publishing.publish(course, ada)
    assert found(course)
    (message,) = recorded("course.published")
    assert message.payload["course_id"] == str(course.id)
    with transaction():
        publishing.unpublish(course, ada)
    assert not found(course)


def test_publishing_again_does_not_make_a_course_new(ada: Customer) -> None:
    course = a_course(by=ada)
    first = course.published_at
    with transaction():
        publishing.unpublish(course, ada)
    with transaction():
        publishing.publish(course, ada)
    assert course.published_at == first


def test_publishing_what_is_published_changes_nothing(ada: Customer) -> None:
    course = a_course(by=ada)
    with transaction():
        publishing.publish(course, ada)
    assert recorded("course.published") == []


def test_a_draft_without_a_file_cannot_be_sold(ada: Customer) -> None:
    with transaction():
        course = drafting.create(ada, title="No file")
    for move in (publishing.publish, publishing.unlist):
        with pytest.raises(Invalid, match="Upload a PDF first"), transaction():
            move(course, ada)
    assert queries.get(course.id).status == "draft"


@pytest.mark.parametrize(
    ("trouble", "sentence"),
    [({"email_verified_at": None}, "Confirm your e-mail"), ({"status": "banned"}, "may not publish")],
)
def test_an_author_who_may_not_sell_cannot_publish(app: Any, trouble: dict[str, Any], sentence: str) -> None:
    dora = a_person("Dora Lind", role="creator")
    course = a_course(by=dora, status="draft")
    with transaction() as session:
        for name, value in trouble.items():
            setattr(session.get_one(Customer, dora.id), name, value)
    with pytest.raises(Invalid, match=sentence), transaction():
        publishing.publish(course, dora)


def test_a_price_that_cannot_be_charged_stops_the_sale(ada: Customer) -> None:
    course = a_course(by=ada, status="draft", price=10)
    with pytest.raises(Invalid, match="free"), transaction():
        publishing.publish(course, ada)


def test_advice_never_stops_publishing(ada: Customer) -> None:
    course = a_course(by=ada, status="draft", title=drafting.UNTITLED, sample_pages=0, cover_image_url=None)
    with transaction() as session:
        session.get_one(Course, course.id).description = ""
    advice = {check.name for check in publishing.preflight(course) if not check.fine}
    assert advice == {"title", "description", "cover", "sample"}
    with transaction():
        publishing.publish(course, ada)


def test_a_sold_course_can_leave_the_shop_but_not_vanish(ada: Customer, ben: Customer) -> None:
    course = a_course(by=ada)
    a_purchase(course, by=ben)
    with transaction():
        publishing.archive(course, ada)
    with pytest.raises(DomainError), transaction():
        drafting.destroy(course)
    assert queries.get(course.id).current_version_id is not None


def test_two_moves_at_once_are_one_after_the_other(ada: Customer, together: Any) -> None:
    course_id = a_course(by=ada).id

    def move(number: int) -> str:
        with transaction():
            course = queries.get(course_id)
            return publishing.move_to(course, ("archived", "draft")[number % 2], ada).status

    results = together(8, move)
    assert {str(result) for result in results if isinstance(result, str)} in ({"archived"}, {"draft"})
    db.session.rollback()
    moves = db.session.scalars(select(StatusMove).where(StatusMove.subject_id == course_id)).all()
    assert len(moves) == 1
