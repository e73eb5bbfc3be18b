"""Who may say what of a course, and what the figures on it come to: always the sum of the reviews that count."""

import threading
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from coursehub.accounts.models import Customer
from coursehub.courses.models import Course
from coursehub.entitlements import grants
from coursehub.entitlements.models import Purchase
from coursehub.kernel.db import db, transaction
from coursehub.kernel.errors import Invalid, NotAllowed, NotFound
from coursehub.kernel.outbox import OutboxMessage
from coursehub.mail.models import MailMessage
from coursehub.reviews import policies, queries, statistics, writing
from coursehub.reviews.models import Review
from tests.factories import a_course, a_purchase
from tests.payments.helpers import count
from tests.people import a_person
from tests.reviews.conftest import figures


def review(person: Customer, course: Course, rating: int = 4, text: str = "Clear and short.") -> Review:
    with transaction() as session:
        return writing.write(session.get_one(Customer, person.id), session.get_one(Course, course.id), rating, text)


def test_ben_reviews_what_he_bought(course: Course, ben: Customer, bens_purchase: Purchase) -> None:
    before = course.updated_at
    written = review(ben, course, 4, "  Clear\r\nand short. ")
    assert (written.rating, written.text, written.purchase_id) == (4, "Clear\nand short.", bens_purchase.id)
    assert figures(course) == (4, 1, pytest.approx((10 * 3.9 + 4) / 11))
    assert db.session.get_one(Course, course.id).updated_at == before, "a rating is no edit of the course"


def test_each_person_has_one_review_and_may_change_it(course: Course, ben: Customer, bens_purchase: Purchase) -> None:
    first = review(ben, course, 2, "Hm.")
    again = review(ben, course, 5, "On second thoughts.")
    assert again.id == first.id and again.edited_at is not None and again.created_at == first.created_at
    assert count(Review) == 1
    assert figures(course)[:2] == (5, 1)


def test_saying_the_same_again_changes_nothing(course: Course, ben: Customer, bens_purchase: Purchase) -> None:
    review(ben, course)
    facts = count(OutboxMessage)
    assert review(ben, course).edited_at is None
    assert count(OutboxMessage) == facts


@pytest.mark.parametrize("access", ["active", "suspended"])
def test_a_right_on_hold_is_still_a_purchase(course: Course, cleo: Customer, access: str) -> None:
    a_purchase(course, by=cleo, access=access)
    assert review(cleo, course).counts


def test_nobody_else_reviews(course: Course, ada: Customer, cleo: Customer, root: Customer) -> None:
    lost = a_person("Lost Right")
    a_purchase(course, by=lost, access="revoked")
    unknown = a_person("Uma Verified", verified=False)
    a_purchase(course, by=unknown)
    banned = a_person("Bad Sort")
    a_purchase(course, by=banned)
    refunded = a_person("Ray Fund")
    paid_back = a_purchase(course, by=refunded)
    with transaction() as session:
        session.get_one(Customer, banned.id).status = "banned"
        session.get_one(Purchase, paid_back.id).refund_status = "refunded"
    for person in (ada, cleo, root, lost, unknown, banned, refunded):
        with pytest.raises(NotAllowed):
            review(person, course)
    assert count(Review) == 0 and figures(course) == (0, 0, 3.9)


@pytest.mark.parametrize("rating", [0, 6, -1, 99])
def test_stars_are_one_to_five(course: Course, ben: Customer, bens_purchase: Purchase, rating: int) -> None:
    with pytest.raises(Invalid, match="between one and five") as refused:
        review(ben, course, rating)
    assert refused.value.field == "rating"


@pytest.mark.parametrize("text", ["x" * 5001, "nul\0", "turned \u202e around", "bell \x07"])
def test_words_that_cannot_be_shown_are_refused(
    course: Course, ben: Customer, bens_purchase: Purchase, text: str
) -> None:
    with pytest.raises(Invalid) as refused:
        review(ben, course, 4, text)
    assert refused.value.field == "text"


def test_only_its_writer_takes_a_review_back(course: Course, ben: Customer, cleo: Customer, bens_purchase: Any) -> None:
    written = review(ben, course)
    with pytest.raises(NotAllowed), transaction():
        writing.remove(cleo, written)
    with transaction():
        writing.remove(ben, written)
        writing.remove(ben, written)
    assert count(Review) == 0 and figures(course) == (0, 0, 3.9)
    facts = db.session.scalars(select(OutboxMessage.name).where(OutboxMessage.name == "review.removed")).all()
    assert len(facts) == 1


# Ada answers


def test_ada_answers_changes_and_takes_back(course: Course, ada: Customer, ben: Customer, bens_purchase: Any) -> None:
    written = review(ben, course)
    with transaction():
        writing.reply(ada, course, written, " Thank you. ")
    with transaction():
        changed = writing.reply(ada, course, written, "Thank you, Ben.")
    assert changed.reply == "Thank you, Ben." and changed.replied_at is not None
    with transaction():
        silent = writing.remove_reply(ada, course, written)
    assert (silent.reply, silent.replied_at) == ("", None)


def test_nobody_else_answers(course: Course, ada: Customer, ben: Customer, root: Customer, bens_purchase: Any) -> None:
    written = review(ben, course)
    other = a_course(by=ada, title="Another one")
    for person in (ben, root, a_person("Eve Else", role="creator")):
        assert not policies.may_answer(person, course)
        with pytest.raises(NotAllowed), transaction():
            writing.reply(person, course, written, "Me too.")
        with pytest.raises(NotAllowed), transaction():
            writing.remove_reply(person, course, written)
    with pytest.raises(NotFound), transaction():
        writing.reply(ada, other, written, "Wrong course.")
    with pytest.raises(Invalid), transaction():
        writing.reply(ada, course, written, "   ")
    with transaction() as session:
        session.get_one(Customer, ada.id).status = "banned"
    with pytest.raises(NotAllowed), transaction() as session:
        writing.reply(session.get_one(Customer, ada.id), course, written, "Banned.")


# Mails


def test_ada_hears_of_a_new_review_once_and_ben_of_the_answer_once(
    course: Course, ada: Customer, ben: Customer, bens_purchase: Any, work: Any, mailbox: Any
) -> None:
    written = review(ben, course, 4, "More about tables, please.")
    review(ben, course, 5, "And now there is.")
    work()
    (mail,) = mailbox.to(ada.email)
    text = mailbox.text(mail)
    assert mail["Subject"] == "Ben Okafor reviewed “Quiet Typography”"
    assert "And now there is." in text and f"/courses/{course.slug}#review_{written.id}" in text
    for answer in ("Thank you.", "Thank you, Ben."):
        with transaction():
            writing.reply(ada, course, written, answer)
        work()
    (reply,) = mailbox.to(ben.email)
    assert "Ada Brandt replied" in reply["Subject"] and "Thank you." in mailbox.text(reply)
    with transaction():
        writing.remove(ben, written)
    review(ben, course, 1, "Written anew.")
    work()
    assert len(mailbox.to(ada.email)) == 1, "the same buyer does not fill her mailbox"


def test_a_review_that_is_gone_before_the_mail_is_written_sends_none(
    course: Course, ada: Customer, ben: Customer, bens_purchase: Any, work: Any, mailbox: Any
) -> None:
    written = review(ben, course)
    with transaction():
        writing.reply(ada, course, written, "Thank you.")
    with transaction():
        writing.remove(ben, written)
    work()
    assert mailbox.all() == []
    assert count(MailMessage, MailMessage.kind.in_(["review_written", "review_answered"])) == 0


def test_whoever_said_no_to_these_mails_gets_none(
    course: Course, ada: Customer, ben: Customer, bens_purchase: Any, work: Any, mailbox: Any
) -> None:
    from coursehub.mail import preferences

    with transaction():
        preferences.choose(ada.email, {"review_written": False})
        preferences.choose(ben.email, {"review_answered": False})
    written = review(ben, course)
    with transaction():
        writing.reply(ada, course, written, "Thank you.")
    work()
    assert mailbox.all() == []


# Rights that end and come back


def test_a_review_leaves_the_figures_with_the_right_and_comes_back_with_a_new_one(
    app: Flask, course: Course, ben: Customer, cleo: Customer, bens_purchase: Purchase, work: Any
) -> None:
    a_purchase(course, by=cleo)
    review(ben, course, 1)
    review(cleo, course, 5)
    assert figures(course)[:2] == (6, 2)
    with transaction() as session:
        grants.revoke(session.get_one(Purchase, bens_purchase.id), reason="refunded", actor="stripe")
    work("customer.access_changed")
    assert figures(course) == (5, 1, pytest.approx((39 + 5) / 11))
    assert [read.name for read in queries.page(course.id).items] == ["Cleo Marsh"]
    with pytest.raises(NotAllowed):
        review(ben, course, 3)

    again = a_purchase(course, by=ben)
    with transaction():
        statistics.follow_rights(ben.id, [course.id])
    assert figures(course)[:2] == (6, 2)
    with transaction() as session:
        mine = session.scalars(select(Review).where(Review.customer_id == ben.id)).one()
        assert mine.purchase_id == again.id and mine.counts


def test_a_dispute_holds_the_right_and_leaves_the_review(
    course: Course, ben: Customer, bens_purchase: Purchase, work: Any
) -> None:
    review(ben, course, 4)
    for move in (grants.suspend, grants.restore):
        with transaction() as session:
            move(session.get_one(Purchase, bens_purchase.id), reason="dispute", actor="stripe")
        assert work("customer.access_changed") == 1
        assert figures(course)[:2] == (4, 1)


def test_money_given_back_in_full_takes_the_review_along(
    course: Course, ben: Customer, bens_purchase: Purchase
) -> None:
    review(ben, course, 4)
    with transaction() as session:
        session.get_one(Purchase, bens_purchase.id).refund_status = "refunded"
    for _ in range(2):
        with transaction():
            statistics.recount(course.id)
        assert figures(course) == (0, 0, 3.9)


def test_recount_mends_what_somebody_broke(course: Course, ben: Customer, bens_purchase: Purchase) -> None:
    review(ben, course, 4)
    with transaction() as session:
        session.execute(update(Course).values(rating_sum=999, rating_count=7, rating_score=1.0))
    with transaction():
        statistics.recount(course.id)
    assert figures(course)[:2] == (4, 1)


# Twenty at once


@pytest.fixture
def twenty(course: Course) -> list[Customer]:
    buyers = [a_person(f"Buyer {number}", email=f"buyer{number}@example.com") for number in range(20)]
    for buyer in buyers:
        a_purchase(course, by=buyer)
    return buyers


def _all_at_once(course: Course, twenty: list[Customer], together: Any) -> None:
    ids, course_id = [buyer.id for buyer in twenty], course.id

    def write(number: int) -> None:
        with transaction() as session:
            person = session.get_one(Customer, ids[number])
            writing.write(person, session.get_one(Course, course_id), 1 + number % 5, f"Number {number}")

    assert [error for error in together(20, write) if error is not None] == []


def test_twenty_reviews_at_once_are_all_counted(course: Course, twenty: list[Customer], together: Any) -> None:
    _all_at_once(course, twenty, together)
    assert figures(course)[:2] == (60, 20)


def test_without_the_lock_they_are_not(
    course: Course, twenty: list[Customer], together: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: each adds up what it sees, and nobody sees the others."""
    everybody, here = threading.Barrier(20, timeout=30), threading.local()

    def no_lock(course_id: Any) -> Course:
        here.calls = getattr(here, "calls", 0) + 1
        if here.calls == 2:  # before adding up: all twenty rows are written, none is committed
            db.session.flush()
            everybody.wait()
        return db.session.get_one(Course, course_id)

    monkeypatch.setattr(statistics, "lock", no_lock)
    _all_at_once(course, twenty, together)
    monkeypatch.undo()
    assert figures(course)[1] < 20
    with transaction():
        statistics.recount(course.id)
    assert figures(course)[:2] == (60, 20)


def test_one_person_in_twenty_tabs_has_one_review(
    course: Course, ben: Customer, bens_purchase: Purchase, together: Any
) -> None:
    ben_id, course_id = ben.id, course.id

    def write(number: int) -> None:
        with transaction() as session:
            person = session.get_one(Customer, ben_id)
            writing.write(person, session.get_one(Course, course_id), 1 + number % 5, "")

    assert [error for error in together(20, write) if error is not None] == []
    assert count(Review) == 1
    row = db.session.scalars(select(Review)).one()
    assert figures(course)[:2] == (row.rating, 1)


def test_the_score_of_few_ratings_stays_near_the_middle() -> None:
    assert statistics.score(0, 0) == pytest.approx(3.9)
    assert statistics.score(5, 1) == pytest.approx(4.0)
    assert statistics.score(500, 100) > statistics.score(50, 10) > statistics.score(5, 1)
