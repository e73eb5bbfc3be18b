"""Stripe's webhooks: what is not signed changes nothing, what is signed is stored once."""

import gzip
import hashlib
import hmac
import json
import time
from typing import Any

import pytest

from coursehub.kernel.db import db, transaction
from coursehub.kernel.outbox import OutboxMessage
from coursehub.payments import receipts
from coursehub.payments.models import WebhookReceipt
from tests.browser import Answer, Browser
from tests.payments.helpers import count

SECRET = "whsec_simulator"
URL = "/api/v1/webhooks/stripe"


def an_event(kind: str = "customer.created", event_id: str = "evt_1", **more: Any) -> bytes:
    body = {"id": event_id, "object": "event", "type": kind, "livemode": False, "data": {"object": {"id": "cus_1"}}}
    return json.dumps({**body, **more}).encode()


def signed(body: bytes, secret: str = SECRET, at: float | None = None, scheme: str = "v1") -> str:
    stamp = int(time.time() if at is None else at)
    mac = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={stamp},{scheme}={mac}"


def deliver(browser: Browser, body: bytes, signature: str | None, **headers: str) -> Answer:
    found = {"Content-Type": "application/json", **headers}
    if signature is not None:
        found["Stripe-Signature"] = signature
    return browser._ask("POST", URL, data=body, headers=found)


def test_a_signed_event_is_stored_and_handed_on(browser: Browser) -> None:
    body = an_event()
    deliver(browser, body, signed(body)).expect(200)
    receipt = db.session.query(WebhookReceipt).one()
    assert (receipt.event_id, receipt.status, receipt.signature_valid) == ("evt_1", "received", True)
    assert count(OutboxMessage, OutboxMessage.name == "stripe.event.received") == 1


def test_the_payload_is_sealed_in_the_database(browser: Browser) -> None:
    body = an_event(data={"object": {"id": "cs_1", "customer_email": "ben@example.com"}})
    deliver(browser, body, signed(body)).expect(200)
    with db.engine.connect() as connection:
        raw = connection.exec_driver_sql("SELECT payload FROM webhooks").scalar_one()
    assert b"ben@example.com" not in bytes(raw)
    assert db.session.query(WebhookReceipt).one().payload["data"]["object"]["customer_email"] == "ben@example.com"


BODY = an_event()
FORGERIES = {
    "no signature": (BODY, lambda: None),
    "an empty one": (BODY, lambda: ""),
    "another secret": (BODY, lambda: signed(BODY, "whsec_other")),
    "a live secret": (BODY, lambda: signed(BODY, "whsec_live")),
    "301 seconds old": (BODY, lambda: signed(BODY, at=time.time() - 301)),
    "301 seconds ahead": (BODY, lambda: signed(BODY, at=time.time() + 310)),
    "a changed byte": (BODY.replace(b"cus_1", b"cus_2"), lambda: signed(BODY)),
    "the JSON written anew": (json.dumps(json.loads(BODY), indent=1).encode(), lambda: signed(BODY)),
    "only v0": (BODY, lambda: signed(BODY, scheme="v0")),
    "no time": (BODY, lambda: signed(BODY).split(",")[1]),
    "nonsense": (BODY, lambda: "t=now,v1=yes"),
    "two joined headers": (BODY, lambda: signed(BODY, "whsec_other") + "," + signed(BODY, "whsec_third")),
    "signed, but no JSON": (b"hello", lambda: signed(b"hello")),
    "signed, but a list": (b"[1]", lambda: signed(b"[1]")),
    "gzip": (gzip.compress(BODY), lambda: signed(BODY)),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_what_stripe_did_not_sign_changes_nothing(browser: Browser, name: str) -> None:
    body, signature = FORGERIES[name]
    answer = deliver(browser, body, signature()).expect(400)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert count(WebhookReceipt) == 0
    assert count(OutboxMessage) == 0


def test_a_second_v1_signature_may_be_the_good_one(browser: Browser) -> None:
    good = signed(BODY)
    stamp = good.split(",")[0]
    both = f"{stamp},v1={'0' * 64},{good.split(',')[1]}"
    deliver(browser, BODY, both).expect(200)


def test_a_megabyte_is_refused(browser: Browser) -> None:
    body = an_event(padding="x" * 1_000_000)
    deliver(browser, body, signed(body)).expect(413)
    assert count(WebhookReceipt) == 0


def test_a_repeat_answers_200_and_stores_nothing_more(browser: Browser) -> None:
    for _ in range(5):
        deliver(browser, BODY, signed(BODY)).expect(200)
    assert count(WebhookReceipt) == 1
    assert count(OutboxMessage) == 1


def test_ten_at_once_store_one(together: Any, app: Any) -> None:
    answers = together(10, lambda _number: deliver(Browser(app), BODY, signed(BODY)).status)
    assert answers == [200] * 10
    assert count(WebhookReceipt) == 1
    assert count(OutboxMessage) == 1


def test_events_of_the_other_mode_are_not_ours(browser: Browser) -> None:
    body = an_event(livemode=True)
    deliver(browser, body, signed(body)).expect(200)
    assert count(WebhookReceipt) == 0


def test_unknown_types_are_recorded_and_ignored(browser: Browser, work: Any) -> None:
    body = an_event("something.new.entirely")
    deliver(browser, body, signed(body)).expect(200)
    work()
    assert db.session.query(WebhookReceipt).one().status == "ignored"


def test_an_event_about_an_object_stripe_does_not_know_fails_visibly(browser: Browser, stripe: Any, work: Any) -> None:
    body = an_event("checkout.session.completed", data={"object": {"id": "cs_unknown"}})
    deliver(browser, body, signed(body)).expect(200)
    work()
    receipt = db.session.query(WebhookReceipt).one()
    assert (receipt.status, receipt.error) == ("failed", "Stripe does not know this object")


def test_what_was_not_applied_within_a_minute_is_handed_on_again(browser: Browser) -> None:
    deliver(browser, BODY, signed(BODY)).expect(200)
    _age("2 minutes")
    assert _sweep() == 0  # its message is on its way
    _lose_messages()
    assert _sweep() == 1
    assert _sweep() == 0  # it was just handed on
    assert count(OutboxMessage) == 2


def test_a_young_one_is_left_alone(browser: Browser) -> None:
    deliver(browser, BODY, signed(BODY)).expect(200)
    _lose_messages()
    assert _sweep() == 0


def test_an_outage_of_hours_loses_nothing(browser: Browser) -> None:
    deliver(browser, BODY, signed(BODY)).expect(200)
    for _ in range(40):
        _age("1 hour")
        _lose_messages()
        _sweep()
    assert db.session.query(WebhookReceipt).one().status == "received"


def test_after_three_days_a_person_must_look(browser: Browser) -> None:
    deliver(browser, BODY, signed(BODY)).expect(200)
    _age("73 hours")
    _lose_messages()
    _sweep()
    assert db.session.query(WebhookReceipt).one().status == "failed"


def _sweep() -> int:
    with transaction():
        return receipts.sweep()


def _lose_messages() -> None:
    with db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE outbox SET finished_at = now()")


def _age(by: str) -> None:
    with db.engine.begin() as connection:
        connection.exec_driver_sql(
            f"UPDATE webhooks SET received_at = received_at - interval '{by}',"
            f" processed_at = processed_at - interval '{by}'"
        )
