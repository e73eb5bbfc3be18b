"""RabbitMQ is stopped in the moment of payment, the worker is killed in each step of fulfilment: Ben gets his course
once, Ada hears of it once, nothing is lost and nothing doubled."""

import random
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from coursehub.cart.models import CartItem
from coursehub.courses.models import Course
from coursehub.entitlements.models import Purchase
from coursehub.kernel.db import db
from coursehub.kernel.moves import StatusMove
from coursehub.kernel.outbox import FailedJob, OutboxMessage, ProcessedEvent
from coursehub.mail.models import MailMessage
from coursehub.orders.models import Order
from coursehub.payments.models import WebhookReceipt
from tests.factories import a_course
from tests.faults.crew import Crew
from tests.faults.grip import Grip, held
from tests.faults.letters import Hesitation, PostOffice
from tests.messaging import empty_queues
from tests.payments.helpers import count, paid_session
from tests.people import a_person
from tests.rabbitmq import Node
from tests.stack import wait_for

pytestmark = [pytest.mark.rabbitmq, pytest.mark.slow, pytest.mark.timeout(900)]
SEED = 8_140
PATIENCE = 180  # seconds; ten times what a quiet machine needs


@dataclass
class Sale:
    """What Ben bought, by ids: the session of the test is emptied often."""

    order_id: UUID
    course_id: UUID


@dataclass
class Counter:
    """The shop at work: Stripe delivers to the live web server, a real relay and worker do the rest."""

    app: Flask
    crew: Crew
    stripe: Any
    post: PostOffice
    database_url: str

    def pay(self, person: Any, author: Any, title: str = "Quiet Typography") -> Sale:
        course_id = a_course(by=author, title=title).id
        return Sale(paid_session(self.stripe, person, db.session.get_one(Course, course_id)).order_id, course_id)

    def deliver(self) -> None:
        """Stripe sends what it has held back, and whatever follows."""
        self.stripe.control("webhooks", paused=False)

    def all_answered(self) -> bool:
        listed = self.stripe.deliveries()
        return bool(listed) and all(entry["last_status"] is not None for entry in listed)

    def wait(self, check: Callable[[], Any], what: str) -> None:
        """Until `check` says yes; meanwhile no transaction of the test stays open, which the server would end."""
        db.session.rollback()
        wait_for(check, PATIENCE, what)

    def settle(self, *sales: Sale) -> None:
        """Wait until every sale is fulfilled and nothing is on its way any more."""
        self.wait(lambda: self._is_quiet(sales), "the end of all sales")

    def _is_quiet(self, sales: tuple[Sale, ...]) -> bool:
        db.session.rollback()
        letters = db.session.scalars(select(MailMessage.status)).all()
        return (
            count(Purchase, Purchase.fulfillment_status == "ready") >= len(sales)
            and len(letters) >= 2 * len(sales)
            and set(letters) == {"sent"}
            and count(OutboxMessage, OutboxMessage.finished_at.is_(None)) == 0
        )


@pytest.fixture(scope="module")
def post() -> Iterator[PostOffice]:
    office = PostOffice().start()
    yield office
    office.stop()


@pytest.fixture
def counter(
    app: Flask, live_server: str, stripe: Any, rabbitmq: Node, post: PostOffice, tmp_path: Path
) -> Iterator[Counter]:
    """The shop with an empty broker and nobody at work yet."""
    settings = app.config["SETTINGS"]
    empty_queues(rabbitmq.url)
    post.accepted.clear()
    crew = Crew(settings, tmp_path, {"AMQP_URL": rabbitmq.url, "SMTP_URL": post.url, "OTEL_SDK_DISABLED": "true"})
    stripe.control("webhooks", url=f"{live_server}/api/v1/webhooks/stripe")
    try:
        yield Counter(app, crew, stripe, post, settings.database_url)
    finally:
        crew.dismiss()


def assert_sold_once(counter: Counter, *sales: Sale) -> None:
    """The rows and letters that a clean run leaves, for each sale."""
    db.session.rollback()
    for sale in sales:
        order = db.session.get_one(Order, sale.order_id, populate_existing=True)
        assert (order.status, order.flag) == ("payment_succeeded", None)
        bought = db.session.scalars(select(Purchase).where(Purchase.order_id == sale.order_id)).one()
        assert (bought.access, bought.fulfillment_status, bought.course_id) == ("active", "ready", sale.course_id)
        assert bought.license_key
        assert _moves(sale.order_id).count("payment_succeeded") == 1
        assert _moves(bought.id) == ["active", "ready"]
        assert db.session.get_one(Course, sale.course_id, populate_existing=True).sales_count == 1
        _mailed_once(counter, "receipt", str(sale.order_id))
        _mailed_once(counter, "course_sold", str(bought.id))
    assert count(Purchase) == len(sales)
    assert count(MailMessage) == 2 * len(sales)
    assert count(CartItem) == 0
    assert count(FailedJob) == 0
    assert count(WebhookReceipt, WebhookReceipt.status.in_(["received", "deferred", "failed"])) == 0
    assert len({letter["Message-ID"] for letter in counter.post.accepted}) == 2 * len(sales)
    for name in ("payment.succeeded", "purchase.fulfill"):
        assert count(OutboxMessage, OutboxMessage.name == name) == len(sales)
        assert count(ProcessedEvent, ProcessedEvent.actor == name) == len(sales)


def _moves(subject: UUID) -> list[str]:
    return list(
        db.session.scalars(select(StatusMove.to_status).where(StatusMove.subject_id == subject).order_by(StatusMove.id))
    )


def _mailed_once(counter: Counter, kind: str, key: str) -> None:
    row = db.session.scalars(select(MailMessage).where(MailMessage.kind == kind, MailMessage.subject_key == key)).one()
    assert row.status == "sent"
    letters = [letter for letter in counter.post.accepted if f"mail.{row.id}" in str(letter["Message-ID"])]
    assert letters, f"no {kind} arrived"


def letters_about(counter: Counter, kind: str) -> list[str]:
    """The Message-IDs of all letters of this kind that were taken, repeats included."""
    db.session.rollback()
    known = {f"mail.{row}" for row in db.session.scalars(select(MailMessage.id).where(MailMessage.kind == kind))}
    found = [str(letter["Message-ID"]) for letter in counter.post.accepted]
    return [one for one in found if any(row in one for row in known)]


def test_a_sale_with_everybody_at_work(counter: Counter, ada: Any, ben: Any) -> None:
    """The clean run: what all others must come out as."""
    counter.crew.start_relay()
    counter.crew.start_worker()
    sale = counter.pay(ben, ada)
    counter.deliver()
    counter.settle(sale)
    assert_sold_once(counter, sale)
    assert len(counter.post.accepted) == 2


def test_rabbitmq_is_stopped_in_the_moment_of_payment(counter: Counter, rabbitmq: Node, ada: Any, ben: Any) -> None:
    counter.crew.start_relay()
    worker = counter.crew.start_worker()
    counter.wait(lambda: counter.crew.is_at_work(worker), "the worker")
    rabbitmq.stop()
    try:
        sale = counter.pay(ben, ada)
        counter.deliver()
        counter.wait(counter.all_answered, "every webhook's answer")
        assert {entry["last_status"] for entry in counter.stripe.deliveries()} == {200}
        db.session.rollback()
        assert db.session.get_one(Order, sale.order_id, populate_existing=True).status == "purchase_started"
        assert count(OutboxMessage, OutboxMessage.finished_at.is_(None)) > 0
        assert count(OutboxMessage, OutboxMessage.name == "stripe.event.received", OutboxMessage.publishes > 0) == 0
    finally:
        db.session.rollback()
        rabbitmq.start()
    counter.settle(sale)
    assert_sold_once(counter, sale)
    assert len(counter.post.accepted) == 2


# Where the worker dies: the events that were applied before, what the test then holds so that the actor stands still in
# the middle of its transaction, and how many threads do.
INSIDE = {
    # Refetched from Stripe and claimed; about to lock the order that it will make paid.
    "stripe.event.received": ([], "SELECT id FROM orders FOR UPDATE", 1),
    # Claimed; about to count the sale.
    "payment.succeeded": (["stripe.event.received"], "SELECT id FROM courses FOR NO KEY UPDATE", 1),
    # Claimed; about to make the purchases ready.
    "purchase.fulfill": (["stripe.event.received"], "SELECT id FROM purchases FOR UPDATE", 1),
    # Everything is done but the asking for the mails, in both at once.
    "payment.succeeded and purchase.fulfill": (["stripe.event.received"], "LOCK TABLE mail_log IN SHARE MODE", 2),
}


@pytest.mark.parametrize("step", INSIDE)
def test_the_worker_is_killed_inside(counter: Counter, step: str, ada: Any, ben: Any, work: Callable[..., int]) -> None:
    before, statement, threads = INSIDE[step]
    sale = counter.pay(ben, ada)
    counter.deliver()
    counter.wait(counter.all_answered, "every webhook's answer")
    if before:
        work(*before)
    counter.crew.start_relay()
    worker = counter.crew.start_worker()
    with held(counter.database_url, statement) as grip:
        kill_inside(counter, worker, grip, threads)
    counter.crew.start_worker()
    counter.settle(sale)
    assert_sold_once(counter, sale)
    assert len(counter.post.accepted) == 2


def test_the_worker_is_killed_before_the_mail_server_takes_the_receipt(counter: Counter, ada: Any, ben: Any) -> None:
    counter.crew.start_relay()
    worker = counter.crew.start_worker()
    sale = counter.pay(ben, ada)
    hesitation = Hesitation(ben.email)
    with counter.post.deciding(hesitation):
        counter.deliver()
        counter.wait(hesitation.arrived.is_set, "the receipt at the mail server")
        counter.crew.kill(worker)
        hesitation.answer(takes=False)
        counter.crew.start_worker()
        counter.settle(sale)
    assert_sold_once(counter, sale)
    assert len(letters_about(counter, "receipt")) == 1
    assert _attempts("receipt") == 2


def test_the_worker_is_killed_after_the_mail_server_took_the_receipt(counter: Counter, ada: Any, ben: Any) -> None:
    """Nobody can know then whether it was taken, so it is sent again, as the same letter: mailboxes show it once."""
    counter.crew.start_relay()
    worker = counter.crew.start_worker()
    sale = counter.pay(ben, ada)
    hesitation = Hesitation(ben.email)
    with counter.post.deciding(hesitation):
        counter.deliver()
        counter.wait(hesitation.arrived.is_set, "the receipt at the mail server")
        with held(counter.database_url, "SELECT id FROM mail_log WHERE kind = 'receipt' FOR UPDATE") as grip:
            hesitation.answer(takes=True)
            kill_inside(counter, worker, grip, 1)
        assert len(letters_about(counter, "receipt")) >= 1
        counter.crew.start_worker()
        counter.settle(sale)
    assert_sold_once(counter, sale)
    copies = letters_about(counter, "receipt")
    assert len(copies) >= 2 and len(set(copies)) == 1
    assert _attempts("receipt") >= 2


def test_worker_and_relay_are_killed_again_and_again(counter: Counter, ada: Any, full_scale: bool) -> None:
    rounds, buyers = (40, 3) if full_scale else (4, 3)
    dice = random.Random(SEED)
    relay, worker = counter.crew.start_relay(), counter.crew.start_worker()
    counter.deliver()
    sales = []
    for number in range(rounds):
        for buyer in range(buyers):
            person = a_person(f"Buyer{number}-{buyer} Lind")
            sales.append(counter.pay(person, ada, f"Course {number}.{buyer}"))
        counter.wait(partial(counter.crew.is_at_work, worker), "the worker")
        time.sleep(dice.uniform(0.0, 0.4))  # nothing waits for this: it is where the axe falls
        counter.crew.kill(worker)
        if number % 2:
            counter.crew.kill(relay)
            relay = counter.crew.start_relay()
        worker = counter.crew.start_worker()
    counter.settle(*sales)
    assert_sold_once(counter, *sales)
    copies = len(counter.post.accepted) - 2 * len(sales)
    print(f"{len(sales)} sales, {rounds} workers and {rounds // 2} relays killed, {copies} letters came twice")


def kill_inside(counter: Counter, worker: subprocess.Popen[bytes], grip: Grip, threads: int) -> None:
    """Kill the worker while so many of its threads stand still in their transactions: seen before and after the kill.

    A thread waits for a lock for two seconds only, then fails and comes back; so a kill may miss, and is repeated.
    """
    for _ in range(10):
        counter.wait(lambda: len(grip.waiting()) >= threads, "an actor that stands still")
        before = grip.waiting()
        counter.crew.kill(worker)
        # PostgreSQL does not notice that its client is gone while it waits for the lock.
        if len(before & grip.waiting()) >= threads:
            return
        worker = counter.crew.start_worker()
    raise AssertionError("the worker was never caught inside the step")


def _attempts(kind: str) -> int:
    db.session.rollback()
    return db.session.scalars(select(MailMessage.attempts).where(MailMessage.kind == kind)).one()
