"""Flags, the machine room and the audit trail."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select, text

from coursehub.accounts import events
from coursehub.audit import records
from coursehub.audit.models import AuditRecord
from coursehub.flags import toggles
from coursehub.flags.models import Flag
from coursehub.kernel import dead_letters
from coursehub.kernel.db import db, transaction
from coursehub.kernel.events import record
from coursehub.kernel.outbox import FailedJob, OutboxMessage
from coursehub.payments.models import WebhookReceipt
from tests.browser import Browser
from tests.people import a_person


@pytest.fixture
def roots(browser: Browser, root: Any) -> Browser:
    return browser.as_(root)


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    toggles.forget()
    yield
    toggles.forget()


def _records(action: str) -> list[AuditRecord]:
    db.session.rollback()
    return list(db.session.scalars(select(AuditRecord).where(AuditRecord.action == action)))


# Flags


def test_a_flag_is_set_for_everyone_roles_and_people_on_record(roots: Browser, root: Any, ben: Any, cleo: Any) -> None:
    roots.get("/admin/flags").expect(200).says("No flag has been set yet.")
    form = {"name": "builder", "roles": ["creator"], "people": "BEN@example.com\nben@example.com", "reason": "Pilot"}
    roots.post("/admin/flags", form).expect(303)
    assert toggles.is_enabled("builder", ben)
    assert not toggles.is_enabled("builder", cleo)
    [first] = _records("flag.set")
    assert (first.actor_id, first.reason, first.subject_id) == (root.id, "Pilot", "builder")
    assert first.details["before"] == {"enabled": False, "roles": [], "customer_ids": []}
    assert first.details["after"] == {"enabled": False, "roles": ["creator"], "customer_ids": [str(ben.id)]}
    roots.get("/admin/flags").says("builder", "creator", "Ben Okafor")
    page = roots.get("/admin/flags/builder").expect(200)
    assert "ben@example.com" in page.text
    roots.post("/admin/flags", {"name": "builder", "enabled": "y", "reason": "Ready"}).expect(303)
    assert toggles.is_enabled("builder")
    assert _records("flag.set")[1].details["before"] == first.details["after"]


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"name": "Builder"},
        {"name": "b"},
        {"name": "a b"},
        {"name": "../x"},
        {"name": "x" * 80},
        {"roles": ["owner"]},
        {"people": "nobody@example.com"},
        {"people": "not an address"},
        {"people": "eve@example.com"},
        {"reason": ""},
        {"people": "a\0b"},
    ],
)
def test_what_makes_no_sense_changes_no_flag(roots: Browser, change: dict[str, Any]) -> None:
    a_person("Eve Lind", verified=False)
    form = {"name": "builder", "enabled": "y", "people": "", "reason": "Pilot"} | change
    roots.post("/admin/flags", form).expect(422).says("There is a problem")
    assert db.session.scalars(select(Flag)).all() == []
    assert _records("flag.set") == []


def test_a_refused_change_keeps_what_was_typed(roots: Browser) -> None:
    with transaction():
        toggles.set_flag("builder", False)
    page = roots.post("/admin/flags", {"name": "builder", "people": "nobody@example.com", "reason": "Pilot"}).expect(
        422
    )
    assert "nobody@example.com" in page.text
    page.says("No confirmed account has the address")


# Failed jobs


@pytest.fixture
def job(app: Any, ben: Any) -> FailedJob:
    with transaction():
        event_id = record(events.CustomerRegistered(customer_id=ben.id))
    with transaction() as session:
        message = session.get_one(OutboxMessage, event_id)
        dead_letters.keep(
            event_id,
            "customer.registered",
            queue="facts.q",
            payload=dict(message.payload) | {"to": "somebody@example.com"},
            attempts=9,
            error="Traceback…\nRuntimeError: nobody answers at ben@example.com",
        )
    return db.session.scalars(select(FailedJob)).one()


def test_a_failed_job_is_shown_without_addresses(roots: Browser, job: FailedJob) -> None:
    roots.get("/admin/system").expect(200).says("customer.registered", "facts.q", "RuntimeError: nobody answers")
    page = roots.get(f"/admin/system/jobs/{job.id}").expect(200)
    page.says("customer.registered", "Payload", "customer_id", "9")
    page.is_silent_about("somebody@example.com", "ben@example.com")
    roots.get("/admin").says("Failed jobs 1 Needs a look")


def test_a_job_is_sent_again_once_on_record(roots: Browser, root: Any, job: FailedJob) -> None:
    path = f"/admin/system/jobs/{job.id}"
    roots.post(f"{path}/replays", {"replay-reason": ""}).expect(422)
    roots.post(f"{path}/replays", {"replay-reason": "The server is back"}).expect(303)
    roots.post(f"{path}/replays", {"replay-reason": "The server is back"}).expect(409)
    roots.post(f"{path}/drops", {"drop-reason": "Not needed"}).expect(409)
    message = db.session.get_one(OutboxMessage, job.event_id, populate_existing=True)
    assert message.finished_at is None
    [kept] = _records("job.replayed")
    assert (kept.actor_id, kept.reason, kept.details["name"]) == (root.id, "The server is back", "customer.registered")
    roots.get("/admin/system").says("Nothing has been given up.")
    roots.get(path).expect(200).is_silent_about("/replays", "/drops")


def test_a_job_is_let_go_on_record(roots: Browser, job: FailedJob) -> None:
    path = f"/admin/system/jobs/{job.id}"
    roots.post(f"{path}/drops", {"drop-reason": "Not needed"}).expect(303)
    assert db.session.get_one(FailedJob, job.id, populate_existing=True).status == "dropped"
    assert [one.reason for one in _records("job.dropped")] == ["Not needed"]


def test_webhooks_that_wait_are_listed_without_their_content(roots: Browser) -> None:
    with transaction() as session:
        for number, status in enumerate(("received", "failed", "applied")):
            session.add(
                WebhookReceipt(
                    event_id=f"evt_{number}", event_type="charge.refunded", object_id=f"ch_{number}",
                    payload={"email": "ben@example.com"}, signature_valid=True, status=status, error="no such order",
                )
            )  # fmt: skip
    roots.get("/admin/system").says("ch_0", "ch_1", "no such order").is_silent_about("ch_2", "ben@example.com")
    roots.get("/admin").says("Stripe's events given up 1 Needs a look", "not applied yet 1 Under way")


# The audit trail


def test_the_trail_is_read_newest_first_and_page_by_page(roots: Browser, root: Any) -> None:
    from coursehub.admin import queries

    with transaction():
        for number in range(7):
            records.write(root.id, "test.done", "thing", f"t{number}", f"Reason {number}", {"before": 1, "after": 2})
    page = roots.get("/admin/audit").expect(200)
    page.says("test.done", "Root Adler", "Reason 6", "before: 1; after: 2")
    assert page.text.index("Reason 6") < page.text.index("Reason 0")
    roots.get("/admin/audit?q=t3").says("Reason 3").is_silent_about("Reason 4")
    some = queries.audit_trail(limit=3)
    seen = [row.record.number for row in some.items]
    while some.next_cursor:
        some = queries.audit_trail(limit=3, cursor=some.next_cursor)
        seen += [row.record.number for row in some.items]
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == 7


def test_the_chain_is_verified_and_a_break_is_named(roots: Browser, root: Any) -> None:
    with transaction():
        for number in range(5):
            records.write(root.id, "test.done", "thing", f"t{number}")
    roots.post("/admin/audit/verifications").expect(303)
    roots.get("/admin/audit").says("The chain is whole")
    with db.engine.connect() as connection:  # whoever owns the database can do this; the chain tells
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(text("UPDATE audit_log SET reason = 'forged' WHERE number = 3"))
        connection.execute(text("SET session_replication_role = DEFAULT"))
        connection.commit()
    roots.post("/admin/audit/verifications").expect(303)
    roots.get("/admin/audit").says("The chain is broken at 1 records, first at: 3.")
