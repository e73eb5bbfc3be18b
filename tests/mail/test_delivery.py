"""A mail asked for once leaves once: whatever is repeated, crashes, or goes wrong with the server in between."""

import threading
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, text

from coursehub.infra.smtp import MailRefused, MailUnavailable
from coursehub.kernel.db import NotInTransaction, db, in_transaction, transaction
from coursehub.kernel.encryption import open_text
from coursehub.kernel.errors import Invalid, Unavailable
from coursehub.kernel.ids import new_id
from coursehub.kernel.outbox import OutboxMessage
from coursehub.mail import delivery, kinds, messages, preferences
from coursehub.mail.events import TO, EmailRequested
from coursehub.mail.models import MailMessage

SAMPLE = {name: dict(kind.sample) for name, kind in kinds.KINDS.items()}


class Post:
    """A mailer that keeps what it is given, or does what the test wants instead."""

    def __init__(self, *faults: Exception | None, before: Callable[[], Any] = lambda: None) -> None:
        self.sent: list[EmailMessage] = []
        self.faults = list(faults)
        self.before = before

    def send(self, message: EmailMessage) -> None:
        self.before()
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None:
            raise fault
        self.sent.append(message)


def ask(kind: str = "receipt", *, to: str = "ben@example.com", key: str = "order-1", **more: Any) -> UUID | None:
    """Ask for a mail; the id of its row."""
    with transaction():
        delivery.request_email(kind, to=to, subject_key=key, data=more.pop("data", SAMPLE[kind]), **more)
    found = row_of(kind, key)
    return found.id if found else None


def row_of(kind: str = "receipt", key: str = "order-1") -> MailMessage | None:
    with transaction() as session:
        return session.scalar(
            select(MailMessage)
            .where(MailMessage.kind == kind, MailMessage.subject_key == key)
            .execution_options(populate_existing=True)
        )


def row(kind: str = "receipt", key: str = "order-1") -> MailMessage:
    found = row_of(kind, key)
    assert found is not None
    return found


def outgoing() -> list[dict[str, Any]]:
    with transaction() as session:
        return [message.payload for message in session.scalars(select(OutboxMessage).order_by(OutboxMessage.id))]


# Asking


def test_ben_is_asked_for_once_however_often_the_order_is_fulfilled(app: Flask) -> None:
    for _ in range(3):
        ask()
    assert len(outgoing()) == 1
    with transaction() as session:
        assert len(session.scalars(select(MailMessage)).all()) == 1


def test_twenty_workers_at_once_ask_for_one_receipt(app: Flask, together: Any) -> None:
    def request(_number: int) -> None:
        with transaction():
            delivery.request_email("receipt", to="ben@example.com", subject_key="order-1", data=SAMPLE["receipt"])

    assert together(20, request) == [None] * 20
    assert len(outgoing()) == 1


def test_another_kind_or_another_subject_is_another_mail(app: Flask) -> None:
    ask(key="order-1")
    ask(key="order-2")
    ask("password_changed", key="order-1")
    assert [payload["template"] for payload in outgoing()] == ["receipt", "receipt", "password_changed"]


def test_what_rolls_back_sends_nothing(app: Flask) -> None:
    with pytest.raises(ZeroDivisionError), transaction():
        delivery.request_email("receipt", to="ben@example.com", subject_key="order-1", data=SAMPLE["receipt"])
        raise ZeroDivisionError
    assert row_of() is None and outgoing() == []
    ask()
    assert row().status == "queued"


def test_a_mail_cannot_be_asked_for_outside_a_transaction(app: Flask) -> None:
    with pytest.raises(NotInTransaction):
        delivery.request_email("receipt", to="ben@example.com", subject_key="order-1", data=SAMPLE["receipt"])


def test_a_mistake_in_the_data_is_found_when_asking_not_when_sending(app: Flask) -> None:
    incomplete = {name: value for name, value in SAMPLE["receipt"].items() if name != "items"}
    with pytest.raises(ValueError, match="items"):
        ask(data=incomplete)
    with pytest.raises(ValueError, match="no_such_mail"), transaction():
        delivery.request_email("no_such_mail", to="ben@example.com", subject_key="x", data={})
    with pytest.raises(Invalid):
        ask(to="ben@example.com\r\nBcc: cleo@example.com")
    assert outgoing() == []


def test_data_that_no_template_reads_is_not_kept(app: Flask) -> None:
    ask(data={**SAMPLE["receipt"], "card_number": "4242"})
    assert set(row().data) == set(kinds.known("receipt").fields)


def test_no_address_name_or_token_leaves_the_shop_in_the_clear(app: Flask) -> None:
    ask("verify_email", key="proof-1")
    ask("receipt", key="order-1")
    payloads = outgoing()
    for secret in ("ben@example.com", "Ben", SAMPLE["verify_email"]["token"], SAMPLE["verify_email"]["code"]):
        assert secret not in str(payloads)
        with transaction() as session:
            stored = session.execute(text("SELECT mail_log::text FROM mail_log")).scalars().all()
        assert secret not in str(stored)
    assert payloads[1]["data"] == {"order_id": SAMPLE["receipt"]["order_id"]}
    assert payloads[0]["data"] == {}
    assert open_text(payloads[0]["to"], TO) == "ben@example.com"
    assert EmailRequested.model_validate(payloads[0]).name == "email.send"


# Sending


def test_ben_gets_his_receipt_and_only_once(app: Flask) -> None:
    mail_id = ask()
    assert mail_id
    post = Post()
    for _ in range(3):  # the broker may deliver a message any number of times
        delivery.deliver(mail_id, mailer=post)
    assert [str(mail["To"]) for mail in post.sent] == ["ben@example.com"]
    assert row().status == "sent" and row().attempts == 1 and row().sent_at is not None


def test_the_server_is_spoken_to_outside_any_transaction(app: Flask) -> None:
    mail_id = ask()
    assert mail_id
    seen: list[Any] = []
    post = Post(before=lambda: seen.append((in_transaction(), _open_transactions())))
    delivery.deliver(mail_id, mailer=post)
    assert seen == [(False, 0)]


def _open_transactions() -> int:
    """How many connections of this database sit in a transaction, this look aside."""
    db.session.remove()
    with db.engine.connect() as connection:
        return int(
            connection.scalar(
                text(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                    " AND state LIKE 'idle in transaction%' AND pid <> pg_backend_pid()"
                )
            )
            or 0
        )


def test_while_it_is_being_sent_the_log_says_so(app: Flask) -> None:
    mail_id = ask()
    assert mail_id
    seen: list[str] = []
    delivery.deliver(mail_id, mailer=Post(before=lambda: seen.append(row().status)))
    assert seen == ["sending"]


def test_twenty_workers_with_the_same_message_send_it_once(app: Flask, together: Any) -> None:
    mail_id = ask()
    assert mail_id
    post = Post(before=lambda: time.sleep(0.3))

    def work(_number: int) -> str:
        try:
            delivery.deliver(mail_id, mailer=post)
        except MailUnavailable:
            return "later"
        return "done"

    outcomes = together(20, work)
    assert len(post.sent) == 1
    assert set(outcomes) <= {"done", "later"} and "done" in outcomes
    assert row().status == "sent"


def test_without_the_lock_the_twenty_would_send_more(
    app: Flask, together: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the test above."""
    from contextlib import contextmanager

    @contextmanager
    def nobody_waits(_mail_id: UUID) -> Iterator[None]:
        yield

    monkeypatch.setattr(delivery, "_alone", nobody_waits)
    mail_id = ask()
    assert mail_id
    post = Post(before=lambda: time.sleep(0.3))
    together(8, lambda _number: delivery.deliver(mail_id, mailer=post))
    assert len(post.sent) > 1


def test_a_worker_that_dies_while_sending_does_not_bury_the_mail(app: Flask) -> None:
    mail_id = ask()
    assert mail_id
    # What a killed process leaves behind: the row says `sending`, its lock went with its connection.
    with transaction() as session:
        session.execute(text("UPDATE mail_log SET status = 'sending', attempts = 1"))
    post = Post()
    delivery.deliver(mail_id, mailer=post)
    assert len(post.sent) == 1 and row().status == "sent" and row().attempts == 2


def test_a_mail_sent_twice_by_a_crash_is_one_mail_to_its_reader(app: Flask) -> None:
    mail_id = ask()
    assert mail_id
    first, second = Post(MailUnavailable("reset after DATA")), Post()
    lost: list[EmailMessage] = []
    first.send = lambda message: (lost.append(message), _raise(MailUnavailable("reset after DATA")))  # type: ignore[method-assign,return-value]
    with pytest.raises(MailUnavailable):
        delivery.deliver(mail_id, mailer=first)
    delivery.deliver(mail_id, mailer=second)
    assert lost[0]["Message-ID"] == second.sent[0]["Message-ID"]
    assert lost[0].as_bytes() == second.sent[0].as_bytes()


def _raise(error: Exception) -> None:
    raise error


def test_different_mails_have_different_names(app: Flask) -> None:
    post = Post()
    for key in ("order-1", "order-2"):
        mail_id = ask(key=key)
        assert mail_id
        delivery.deliver(mail_id, mailer=post)
    assert post.sent[0]["Message-ID"] != post.sent[1]["Message-ID"]


def test_an_outage_keeps_the_mail_queued_until_the_server_is_back(app: Flask) -> None:
    mail_id = ask()
    assert mail_id
    post = Post(MailUnavailable("451 later"), MailUnavailable("451 later"))
    for _ in range(2):
        with pytest.raises(Unavailable):  # what makes the worker come again without using up its tries
            delivery.deliver(mail_id, mailer=post)
        assert row().status == "queued" and row().error == "MailUnavailable: 451 later"
    delivery.deliver(mail_id, mailer=post)
    assert row().status == "sent" and row().attempts == 3 and row().error is None


def test_a_refused_address_is_not_tried_again(app: Flask) -> None:
    mail_id = ask(to="Nobody@example.com")
    assert mail_id
    post = Post(MailRefused("550 <nobody@example.com> unknown here"))
    delivery.deliver(mail_id, mailer=post)
    delivery.deliver(mail_id, mailer=post)
    assert post.sent == []
    assert row().status == "failed" and row().attempts == 1
    assert row().error == "550 <(the address)> unknown here"


def test_a_broken_template_does_not_lose_the_mail(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    mail_id = ask()
    assert mail_id
    with monkeypatch.context() as broken:
        broken.setattr(messages, "render", lambda *_a, **_k: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            delivery.deliver(mail_id, mailer=Post())
        assert row().status == "queued"
    post = Post()
    delivery.deliver(mail_id, mailer=post)
    assert len(post.sent) == 1


def test_a_link_into_the_account_is_forgotten_once_it_is_mailed(app: Flask) -> None:
    for kind in ("verify_email", "reset_password", "confirm_address"):
        mail_id = ask(kind, key="proof-1")
        assert mail_id
        with pytest.raises(MailUnavailable):
            delivery.deliver(mail_id, mailer=Post(MailUnavailable("later")))
        assert row(kind, "proof-1").data["token"]
        delivery.deliver(mail_id, mailer=Post())
        assert row(kind, "proof-1").data == {}
    mail_id = ask()
    assert mail_id
    delivery.deliver(mail_id, mailer=Post())
    assert row().data == SAMPLE["receipt"]


def test_a_mail_whose_person_is_gone_is_no_error(app: Flask) -> None:
    post = Post()
    delivery.deliver(new_id(), mailer=post)
    assert post.sent == []


def test_a_mail_is_written_in_its_own_language_whoever_asks(app: Flask) -> None:
    """Money and dates follow the mail's locale; sentences do as soon as there is a translation."""
    mail_id = ask(locale="de", data={**SAMPLE["receipt"], "currency": "EUR"})
    assert mail_id
    post = Post()
    delivery.deliver(mail_id, mailer=post)
    part = post.sent[0].get_body(("plain",))
    assert part is not None
    assert "43,80\xa0€" in part.get_content() and "23.11.2026" in part.get_content()


# Who does not want it


def test_ada_who_refused_sale_notices_gets_none(app: Flask) -> None:
    mail_id = ask("course_sold", to="ada@example.com", key="sale-1")
    assert mail_id
    with transaction():  # she unsubscribes after the sale, before the worker comes
        preferences.choose("Ada@Example.com", {"course_sold": False})
    post = Post()
    delivery.deliver(mail_id, mailer=post)
    assert post.sent == [] and row("course_sold", "sale-1").status == "suppressed"
    with transaction():
        preferences.choose("ada@example.com", {"course_sold": True})
    delivery.deliver(mail_id, mailer=post)
    assert post.sent == []  # an old notice does not come late


def test_nobody_can_refuse_receipts(app: Flask) -> None:
    with transaction():
        preferences.choose("ben@example.com", {"receipt": False})
    mail_id = ask()
    assert mail_id
    post = Post()
    delivery.deliver(mail_id, mailer=post)
    assert len(post.sent) == 1


# Through the real actor


def test_the_worker_sends_what_was_asked_for(app: Flask, work: Any, mailbox: Any) -> None:
    ask()
    work("email.send")
    assert str(mailbox.newest("ben@example.com")["Subject"]) == "Your receipt for order CH-7K3QP2MX"
    assert work("email.send") == 0


def test_a_mail_asked_for_while_others_are_stuck_is_not_held_up(app: Flask) -> None:
    stuck, quick = ask(key="order-1"), ask(key="order-2")
    assert stuck and quick
    let_go, post = threading.Event(), Post()
    slow = Post(before=lambda: let_go.wait(10))

    def send_slowly() -> None:
        with app.app_context():
            delivery.deliver(stuck, mailer=slow)

    thread = threading.Thread(target=send_slowly)
    thread.start()
    try:
        delivery.deliver(quick, mailer=post)
        assert len(post.sent) == 1
    finally:
        let_go.set()
        thread.join()
    assert len(slow.sent) == 1
