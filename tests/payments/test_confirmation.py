"""Paid once, however the news comes: webhooks in any order and number, the return page, the clock, all at once."""

import random
from typing import Any

import pytest

from coursehub.audit.models import AuditRecord
from coursehub.courses.models import Course
from coursehub.entitlements import grants
from coursehub.entitlements.models import Purchase
from coursehub.infra.services import services
from coursehub.kernel.db import db, transaction
from coursehub.kernel.moves import StatusMove
from coursehub.kernel.outbox import FailedJob, OutboxMessage
from coursehub.mail.models import MailMessage
from coursehub.orders import lifecycle
from coursehub.orders.models import Order
from coursehub.payments import confirmation, reconciliation
from coursehub.payments.models import WebhookReceipt
from tests.browser import Browser
from tests.factories import a_course, a_purchase
from tests.payments.helpers import count, fill_cart, go_to_payment, order_of, paid_session, purchases
from tests.payments.test_webhooks import deliver, signed


def _events(stripe: Any) -> list[bytes]:
    """The bodies of the events the sale caused, as Stripe would deliver them."""
    import requests

    events = requests.get(
        f"{stripe.address}/v1/events", params={"limit": 100}, auth=("sk_test_simulator", ""), timeout=10
    ).json()["data"]
    import json

    return [json.dumps(one).encode() for one in reversed(events)]


def _final_rows(link: Any) -> dict[str, Any]:
    """What must be the same after any history of one sale."""
    order = order_of(link)
    return {
        "status": order.status,
        "flag": order.flag,
        "receipt": bool(order.receipt_url),
        "purchases": [(one.access, one.fulfillment_status, bool(one.license_key)) for one in purchases(order.id)],
        "receipts mailed": count(MailMessage, MailMessage.kind == "receipt"),
        "creator told": count(MailMessage, MailMessage.kind == "course_sold"),
        "sales": sorted(db.session.scalars(db.select(Course.sales_count))),
        "moves": sorted(
            (one.machine, one.from_status or "", one.to_status) for one in db.session.scalars(db.select(StatusMove))
        ),
        "failed jobs": count(FailedJob),
        "unapplied": count(WebhookReceipt, WebhookReceipt.status.in_(["received", "deferred", "failed"])),
    }


def test_a_clean_sale(browser: Browser, stripe: Any, work: Any, ada: Any, ben: Any, mailbox: Any) -> None:
    link = paid_session(stripe, ben, a_course(by=ada, title="Quiet Typography"), a_course(by=ada, title="Loud Colour"))
    for body in _events(stripe):
        deliver(browser, body, signed(body)).expect(200)
    work()
    rows = _final_rows(link)
    assert rows["status"] == "payment_succeeded"
    assert rows["purchases"] == [("active", "ready", True)] * 2
    assert rows["receipts mailed"] == 1
    assert rows["sales"] == [1, 1]
    assert rows["receipt"]
    assert rows["unapplied"] == 0
    text = mailbox.text(mailbox.newest("ben@example.com"))
    assert "Quiet Typography" in text and "Loud Colour" in text


@pytest.mark.parametrize("seed", range(4))
def test_chaos_ends_like_the_clean_run(
    app: Any, browser: Browser, stripe: Any, work: Any, together: Any, ada: Any, ben: Any, seed: int
) -> None:
    """Every event tenfold and shuffled, deliveries in parallel, the return page racing, every message run again."""
    link = paid_session(stripe, ben, a_course(by=ada), a_course(by=ada))
    events = _events(stripe)
    for body in events:
        deliver(browser, body, signed(body)).expect(200)
    work()
    clean = _final_rows(link)

    from tests.conftest import empty_database
    from tests.people import a_person

    db.session.remove()
    empty_database()
    db.session.remove()
    stripe.control("reset")
    stripe.control("webhooks", paused=True)
    ada2, ben2 = a_person("Ada Two", role="creator"), a_person("Ben Two")
    link = paid_session(stripe, ben2, a_course(by=ada2), a_course(by=ada2))
    shuffled = _events(stripe) * 10
    random.Random(seed).shuffle(shuffled)
    bens = [Browser(app).as_(ben2) for _ in range(4)]

    def one(number: int) -> int:
        if number < 4:
            return bens[number].get(f"/checkout/return?session_id={link.session_id}").status
        return max(deliver(Browser(app), body, signed(body)).status for body in shuffled[number - 4 :: 8])

    statuses = together(12, one)
    assert [status for status in statuses if not isinstance(status, int) or status >= 500] == []
    work()
    # The broker delivers everything again.
    with transaction() as session:
        session.execute(db.delete(OutboxMessage).where(OutboxMessage.name == "nothing"))
        session.execute(db.update(OutboxMessage).values(finished_at=None, due_at=db.func.now()))
    work()
    chaos = _final_rows(link)
    assert chaos == clean


def test_webhook_and_success_page_by_fifty_threads_make_one_purchase(
    app: Any, stripe: Any, together: Any, work: Any, ada: Any, ben: Any
) -> None:
    link = paid_session(stripe, ben, a_course(by=ada))
    checkout = services().gateway.get_checkout(str(link.session_id))

    def settle(number: int) -> bool:
        with transaction():
            return confirmation.settle(link.order_id, checkout, cause=f"thread {number}", actor="test")

    results = together(50, settle)
    assert [one for one in results if isinstance(one, BaseException)] == []
    assert sum(results) == 1
    work()
    assert len(purchases(link.order_id)) == 1
    assert count(MailMessage, MailMessage.kind == "receipt") == 1


def test_without_the_guards_fifty_threads_make_more(
    app: Any, stripe: Any, together: Any, ada: Any, ben: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: no row lock and no unique index, and the same race doubles the purchase."""
    link = paid_session(stripe, ben, a_course(by=ada))
    checkout = services().gateway.get_checkout(str(link.session_id))
    monkeypatch.setattr(lifecycle, "locked", lambda order_id: db.session.get_one(Order, order_id))
    with db.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE purchases DROP CONSTRAINT uq_purchases_order_id_course_id")
        connection.exec_driver_sql("DROP INDEX uq_purchases_living")

    def settle(number: int) -> bool:
        with transaction():
            return confirmation.settle(link.order_id, checkout, cause=f"thread {number}", actor="test")

    try:
        together(50, settle)
        assert len(purchases(link.order_id)) > 1
    finally:
        from tests.conftest import empty_database

        db.session.remove()
        empty_database()
        with db.engine.begin() as connection:
            connection.exec_driver_sql(
                "ALTER TABLE purchases ADD CONSTRAINT uq_purchases_order_id_course_id UNIQUE (order_id, course_id)"
            )
            connection.exec_driver_sql(
                "CREATE UNIQUE INDEX uq_purchases_living ON purchases (customer_id, course_id)"
                " WHERE access <> 'revoked'"
            )


def test_the_return_page_confirms_before_any_webhook(
    browser: Browser, stripe: Any, ada: Any, ben: Any, work: Any
) -> None:
    link = paid_session(stripe, ben, a_course(by=ada, title="Quiet Typography"))
    bens = browser.as_(ben)
    answer = bens.get(f"/checkout/return?session_id={link.session_id}").expect(303)
    bens.get(answer.location).expect(200).says("Thank you, Ben Okafor", "Quiet Typography", "Open my library")
    work()
    bens.get(answer.location).expect(200)
    assert count(MailMessage, MailMessage.kind == "receipt") == 1


def test_cleo_sees_nothing_of_bens_session(browser: Browser, stripe: Any, ada: Any, ben: Any, cleo: Any) -> None:
    link = paid_session(stripe, ben, a_course(by=ada))
    browser.as_(cleo).get(f"/checkout/return?session_id={link.session_id}").expect(404)
    browser.as_(cleo).get(f"/orders/{link.order_id}/thanks").expect(404)
    browser.as_(cleo).get(f"/orders/{link.order_id}/status").expect(404)
    assert browser.get(f"/checkout/return?session_id={link.session_id}").expect(303).location.startswith("/login")
    assert order_of(link).status == "purchase_started"


def test_the_return_page_before_the_money_waits_and_polls(browser: Browser, stripe: Any, ada: Any, ben: Any) -> None:
    fill_cart(ben, a_course(by=ada))
    link = go_to_payment(ben)
    bens = browser.as_(ben)
    where = bens.get(f"/checkout/return?session_id={link.session_id}").expect(303).location
    bens.get(where).expect(200).says("Confirming your payment")
    assert 'hx-trigger="every 2s"' in bens.get(f"/orders/{link.order_id}/status", htmx=True).text
    stripe.pay(link.url)
    with db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE orders SET asked_at = asked_at - interval '6 seconds'")
    settled = bens.get(f"/orders/{link.order_id}/status", htmx=True).expect(200)
    settled.says("Payment received")
    assert "hx-trigger" not in settled.text


def test_stripe_away_on_the_return_page_is_no_error(browser: Browser, stripe: Any, ada: Any, ben: Any) -> None:
    link = paid_session(stripe, ben, a_course(by=ada))
    stripe.control("faults", path="/v1/checkout/sessions", status=500, when="before", times=2)
    answer = browser.as_(ben).get(f"/checkout/return?session_id={link.session_id}").expect(303)
    assert answer.location.endswith("/thanks")
    assert order_of(link).status == "purchase_started"


def test_the_clock_confirms_when_no_webhook_ever_comes(stripe: Any, ada: Any, ben: Any, work: Any) -> None:
    link = paid_session(stripe, ben, a_course(by=ada))
    assert reconciliation.reconcile_open_orders(services().gateway) == 0  # young orders are left alone
    with db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE orders SET updated_at = now() - interval '3 minutes'")
    assert reconciliation.reconcile_open_orders(services().gateway) == 1
    assert order_of(link).status == "payment_succeeded"


def test_expired_after_paid_changes_nothing(stripe: Any, ada: Any, ben: Any) -> None:
    link = paid_session(stripe, ben, a_course(by=ada))
    checkout = services().gateway.get_checkout(str(link.session_id))
    with transaction():
        confirmation.settle(link.order_id, checkout, cause="webhook", actor="test")
    from dataclasses import replace

    late = replace(checkout, status="expired", payment_status="unpaid")
    with transaction():
        assert not confirmation.settle(link.order_id, late, cause="webhook", actor="test")
    assert order_of(link).status == "payment_succeeded"


def test_money_after_the_end_is_honoured_and_flagged(stripe: Any, ada: Any, ben: Any) -> None:
    link = paid_session(stripe, ben, a_course(by=ada))
    with transaction():
        lifecycle.expire(lifecycle.locked(link.order_id), cause="test", actor="test")
    checkout = services().gateway.get_checkout(str(link.session_id))
    with transaction():
        assert confirmation.settle(link.order_id, checkout, cause="late", actor="test")
    order = order_of(link)
    assert order.status == "payment_succeeded"
    assert order.flag == "paid after it was expired"
    assert len(purchases(order.id)) == 1


@pytest.mark.parametrize("change", ["amount_total", "currency", "customer_id", "order_id"])
def test_money_that_does_not_fit_gives_no_right_and_is_flagged(stripe: Any, ada: Any, ben: Any, change: str) -> None:
    from dataclasses import replace

    link = paid_session(stripe, ben, a_course(by=ada))
    checkout = services().gateway.get_checkout(str(link.session_id))
    wrong = {"amount_total": 1, "currency": "EUR", "customer_id": str(ada.id), "order_id": str(ada.id)}
    with transaction():
        odd = replace(checkout, **{change: wrong[change]})
        assert not confirmation.confirm(link.order_id, odd, cause="webhook", actor="test")
    order = order_of(link)
    assert order.status == "purchase_started"
    assert order.flag
    assert purchases(order.id) == []
    assert count(AuditRecord, AuditRecord.action == "order.flagged") == 1


def test_a_course_owned_meanwhile_is_flagged_and_gives_no_second_right(stripe: Any, ada: Any, ben: Any) -> None:
    course = a_course(by=ada)
    link = paid_session(stripe, ben, course)
    a_purchase(course, by=ben)
    checkout = services().gateway.get_checkout(str(link.session_id))
    with transaction():
        confirmation.settle(link.order_id, checkout, cause="webhook", actor="test")
    assert [(one.access, one.access_reason) for one in purchases(link.order_id)] == [("revoked", "duplicate")]
    assert "refund this line" in str(order_of(link).flag)
    assert count(Purchase, Purchase.access == "active") == 1


def test_a_delayed_payment_grants_only_when_it_arrives(
    browser: Browser, stripe: Any, ada: Any, ben: Any, work: Any
) -> None:
    import requests

    fill_cart(ben, a_course(by=ada))
    link = go_to_payment(ben)
    later = requests.post(str(link.url), data={"pay_by": "bank_debit"}, timeout=10, allow_redirects=False)
    assert later.status_code == 303
    for body in _events(stripe):
        deliver(browser, body, signed(body))
    work()
    assert order_of(link).status == "purchase_started"
    assert purchases(link.order_id) == []
    stripe.control(f"sessions/{link.session_id}/async", succeed=True)
    for body in _events(stripe):
        deliver(browser, body, signed(body))
    work()
    assert order_of(link).status == "payment_succeeded"


def test_a_duplicated_grant_is_the_same_purchase(ada: Any, ben: Any, app: Any) -> None:
    purchase = a_purchase(a_course(by=ada), by=ben)
    with transaction():
        again = grants.grant(
            purchase.order_id, ben.id, purchase.course_id, purchase.version_id, reason="paid", actor="test"
        )
        assert (again.id, again.license_key) == (purchase.id, purchase.license_key)
