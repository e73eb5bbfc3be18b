"""Every actor survives being run twice: the rows and the mails are those of one run."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from coursehub.accounts.events import CustomerRegistered, CustomerRenamed
from coursehub.courses.events import CoursePublished, ThumbnailsRequested, VersionPublished
from coursehub.courses.models import Course
from coursehub.entitlements import grants
from coursehub.entitlements.models import Purchase
from coursehub.infra.payments import StripeEvent
from coursehub.kernel.db import Base, db, transaction
from coursehub.kernel.encryption import seal_text
from coursehub.kernel.events import Event, known_events, record
from coursehub.kernel.outbox import OutboxMessage
from coursehub.library.events import FilePagesRequested, FulfilledItem, FulfillmentRequested
from coursehub.mail import delivery, kinds
from coursehub.orders.events import OrderDownloaded, OrderExpired, OrderStarted
from coursehub.payments import receipts
from coursehub.payments.events import PaymentSucceeded
from coursehub.reviews import writing
from coursehub.reviews.models import Review
from tasks import runtime
from tasks.schedule import NIGHTLY, OFTEN
from tests.courses.intake import a_draft, a_pdf, received
from tests.factories import a_course, a_purchase
from tests.library.intake import sent
from tests.mailbox import Mailbox

# Rows that say how often something ran, not what came of it.
_BOOKKEEPING = {"outbox", "processed_events"}


@dataclass
class World:
    """What a scene may use: the people, a course of Ada's, Ben's purchase of it, a folder."""

    ada: Any
    ben: Any
    course: Course
    purchase: Purchase
    folder: Path

    def record(self, fact: Event) -> None:
        with transaction():
            record(fact)


def an_upload(world: World) -> None:
    received(a_draft(world.ada, title="Fresh"), a_pdf(pages=2), world.folder)


def drawn_pages(world: World) -> None:
    version_id = received(a_draft(world.ada, title="Fresh"), a_pdf(pages=2), world.folder)
    runtime.run_due(["course.inspect.request"])
    course_id = db.session.scalars(select(Course.id).where(Course.title == "Fresh")).one()
    world.record(ThumbnailsRequested(course_id=course_id, version_id=version_id, first=1, last=2))


def a_private_file(world: World) -> None:
    sent(world.ben, a_pdf(pages=2), world.folder)


def drawn_private_pages(world: World) -> None:
    file_id = sent(world.ben, a_pdf(pages=2), world.folder)
    runtime.run_due(["library.file.inspect.request"])
    world.record(FilePagesRequested(file_id=file_id, first=1, last=2))


def a_mail(world: World) -> None:
    with transaction():
        sample = dict(kinds.known("receipt").sample)
        delivery.request_email("receipt", to=world.ben.email, subject_key="twice", data=sample)


def a_new_name(world: World) -> None:
    with transaction() as session:
        session.get_one(type(world.ada), world.ada.id).name = "Adelheid Brandt"
        record(CustomerRenamed(customer_id=world.ada.id))


def a_webhook(world: World) -> None:
    with transaction():
        assert receipts.store_once(StripeEvent("evt_1", "plan.created", "plan_1", False, {"id": "evt_1"}))


def a_fulfillment(world: World) -> None:
    with transaction() as session:
        session.get_one(Purchase, world.purchase.id).fulfillment_status = "none"
    item = FulfilledItem(course_id=world.course.id, version_id=world.purchase.version_id)
    sealed = seal_text(world.ben.email, "purchase.fulfill.email")
    world.record(FulfillmentRequested(order_id=world.purchase.order_id, items=(item,), email=sealed))


def a_review(world: World) -> None:
    with transaction() as session:
        person, course = session.get_one(type(world.ben), world.ben.id), session.get_one(Course, world.course.id)
        writing.write(person, course, 4, "Clear and short.")


def an_answer(world: World) -> None:
    a_review(world)
    with transaction() as session:
        course = session.get_one(Course, world.course.id)
        review = session.scalars(select(Review)).one()
        writing.reply(session.get_one(type(world.ada), world.ada.id), course, review, "Thank you.")


def a_review_taken_back(world: World) -> None:
    a_review(world)
    with transaction() as session:
        writing.remove(world.ben, session.scalars(select(Review)).one())


def a_lost_right(world: World) -> None:
    a_review(world)
    with transaction() as session:
        grants.revoke(session.get_one(Purchase, world.purchase.id), reason="refunded", actor="stripe")


def a_fact(make: Callable[[World], Event]) -> Callable[[World], None]:
    return lambda world: world.record(make(world))


def published(world: World) -> dict[str, Any]:
    course = world.course
    return {"course_id": course.id, "author_id": course.author_id, "version_id": course.current_version_id}


SCENES: dict[str, Callable[[World], None]] = {
    "course.inspect.request": an_upload,
    "course.thumbnails.request": drawn_pages,
    "library.file.inspect.request": a_private_file,
    "library.file.pages.request": drawn_private_pages,
    "course.published": a_fact(lambda w: CoursePublished(**published(w), title=w.course.title, slug=w.course.slug)),
    "course.version.published": a_fact(lambda w: VersionPublished(**published(w), version_number=1, changelog="")),
    "customer.access_changed": a_lost_right,
    "customer.registered": a_fact(lambda w: CustomerRegistered(customer_id=w.ben.id)),
    "customer.renamed": a_new_name,
    "email.send": a_mail,
    "order.started": a_fact(
        lambda w: OrderStarted(
            order_id=w.purchase.order_id,
            customer_id=w.ben.id,
            status="purchase_started",
            stripe_checkout_session_id="cs_1",
        )
    ),
    "order.expired": a_fact(lambda w: OrderExpired(order_id=w.purchase.order_id, customer_id=w.ben.id)),
    "order.downloaded": a_fact(lambda w: OrderDownloaded(order_id=w.purchase.order_id, customer_id=w.ben.id)),
    "payment.succeeded": a_fact(
        lambda w: PaymentSucceeded(
            order_id=w.purchase.order_id, payment_intent_id="pi_1", amount_cents=1900, currency="USD"
        )
    ),
    "purchase.fulfill": a_fulfillment,
    "review.written": a_review,
    "review.answered": an_answer,
    "review.removed": a_review_taken_back,
    "stripe.event.received": a_webhook,
    **{kind.name: a_fact(lambda _, kind=kind: kind()) for kind in (*OFTEN, *NIGHTLY)},
}


def test_every_actor_has_its_scene(session_app: Flask) -> None:
    assert set(SCENES) == set(runtime.actors())


@pytest.mark.parametrize("name", sorted(SCENES))
def test_run_twice_is_as_run_once(name: str, app: Flask, ada: Any, ben: Any, mailbox: Mailbox, tmp_path: Path) -> None:
    course = a_course(by=ada)
    world = World(ada, ben, course, a_purchase(course, by=ben), tmp_path)
    SCENES[name](world)
    db.session.rollback()
    message = db.session.scalars(
        select(OutboxMessage).where(OutboxMessage.name == name, OutboxMessage.finished_at.is_(None))
    ).first()
    assert message is not None
    payload = dict(message.payload)

    assert runtime.handle(name, payload) is True
    runtime.run_due()
    rows, mails = digest(), len(mailbox.all())

    # Past the look at `processed_events` that would turn the second one away: as two workers that both took it.
    event, event_id = known_events()[name].model_validate(payload), UUID(payload["event_id"])
    runtime.actors()[name].function(event, event_id)
    runtime.run_due()
    assert digest() == rows
    assert len(mailbox.all()) == mails


def digest() -> dict[str, str]:
    """Each table's content, boiled down."""
    db.session.rollback()
    found = {}
    for table in Base.metadata.sorted_tables:
        if table.name in _BOOKKEEPING:
            continue
        rows = db.session.connection().exec_driver_sql(f'SELECT t::text FROM "{table.name}" t ORDER BY 1').scalars()
        found[table.name] = hashlib.sha256("\n".join(rows).encode()).hexdigest()
    db.session.rollback()
    return found


def test_the_digest_notices_a_changed_row(app: Flask, ben: Any) -> None:
    before = digest()
    with transaction() as session:
        session.get_one(type(ben), ben.id).name = "Ben O."
    assert {table for table, value in digest().items() if value != before[table]} == {"customers"}
