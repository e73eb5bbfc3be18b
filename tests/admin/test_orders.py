"""Staff and orders: found, understood, put right, each act on record."""

from typing import Any

import pytest
from sqlalchemy import select

from coursehub.audit.models import AuditRecord
from coursehub.infra.services import services
from coursehub.kernel.db import db, transaction
from coursehub.kernel.errors import Unavailable
from coursehub.library import downloads
from coursehub.library.models import DownloadAllowance
from coursehub.mail.models import MailMessage
from coursehub.orders.models import Order
from coursehub.payments.models import WebhookReceipt
from tests.browser import Browser
from tests.factories import a_course, a_purchase, stored_pdf
from tests.payments.helpers import count, fill_cart, go_to_payment, order_of, paid_session


@pytest.fixture
def roots(browser: Browser, root: Any) -> Browser:
    return browser.as_(root)


@pytest.fixture
def bought(ada: Any, ben: Any) -> Any:
    course = a_course(by=ada, title="Quiet Typography", price=1900)
    stored_pdf(course.current_version_id)
    return a_purchase(course, by=ben)


def _order(order_id: Any) -> Order:
    db.session.rollback()
    return db.session.get_one(Order, order_id, populate_existing=True)


def _record(action: str) -> AuditRecord:
    db.session.rollback()
    return db.session.scalars(select(AuditRecord).where(AuditRecord.action == action)).one()


def test_the_overview_counts_what_was_sold(roots: Browser, ada: Any, ben: Any, cleo: Any, bought: Any) -> None:
    a_purchase(a_course(by=ada, price=100, currency="EUR"), by=cleo)
    roots.get("/admin").expect(200).says("Today Paid orders 2", "€1.00 · $19.00", "Flagged orders 0 Fine")
    with transaction() as session:
        session.get_one(Order, bought.order_id).flag = "paid twice"
    roots.get("/admin").says("Flagged orders 1 Needs a look")


def test_orders_are_found_by_status_flag_number_and_id(roots: Browser, ada: Any, ben: Any, bought: Any) -> None:
    paid = _order(bought.order_id).number
    bought_id = bought.order_id
    other = a_purchase(a_course(by=ada), by=ben)
    with transaction() as session:
        session.get_one(Order, other.order_id).status = "failed"
        session.get_one(Order, other.order_id).flag = "odd"
        session.get_one(Order, other.order_id).stripe_payment_intent_id = "pi_77"
    failed = _order(other.order_id).number
    roots.get("/admin/orders").says(paid, failed, "Ben Okafor", "$19.00")
    roots.get("/admin/orders?status=failed").says(failed).is_silent_about(paid)
    roots.get("/admin/orders?flagged=1").says(failed).is_silent_about(paid)
    for words, found, absent in (
        (paid.lower(), paid, failed),
        (str(bought_id), paid, failed),
        ("pi_77", failed, paid),
    ):
        roots.get(f"/admin/orders?q={words}").says(found).is_silent_about(absent)
    roots.get("/admin/orders?q=nothing").says("No order fits.")


def test_a_hundred_orders_cost_no_more_than_ten(
    roots: Browser, ada: Any, ben: Any, queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from coursehub.admin import queries as rows

    course = a_course(by=ada)

    def cost(path: str) -> int:
        with queries() as seen:
            roots.get(path).expect(200)
        return int(seen.count)

    a_purchase(course, by=ben, access="revoked")
    roots.get("/admin/orders")
    few = cost("/admin/orders")
    for _ in range(9):
        a_purchase(course, by=ben, access="revoked")
    assert cost("/admin/orders") == few
    page = rows.orders(limit=4)
    seen = [row.order.id for row in page.items]
    while page.next_cursor:
        page = rows.orders(limit=4, cursor=page.next_cursor)
        seen += [row.order.id for row in page.items]
    assert len(seen) == len(set(seen)) == 10
    assert seen == sorted(seen, reverse=True)
    monkeypatch.setattr(rows.orders, "__kwdefaults__", rows.orders.__kwdefaults__ | {"limit": 4})
    first = roots.get("/admin/orders").expect(200)
    first.says("Next").is_silent_about("First page")


def test_one_order_is_told_from_all_sides(
    roots: Browser, browser: Browser, stripe: Any, ada: Any, ben: Any, work: Any, queries: Any
) -> None:
    course = a_course(by=ada, title="Quiet Typography")
    stored_pdf(course.current_version_id)
    more = [a_course(by=ada), a_course(by=ada)]
    bens = browser.as_(ben)
    link = paid_session(stripe, ben, course)
    order = order_of(link)
    roots.post(f"/admin/orders/{order.id}/reconciliations", {"reconcile-reason": "He says he paid"}).expect(303)
    work()
    with transaction() as session:
        session.add(
            WebhookReceipt(
                event_id="evt_1", event_type="checkout.session.completed", object_id=str(link.session_id), payload={},
                signature_valid=True, status="applied",
            )
        )  # fmt: skip
    [purchase] = list(db.session.scalars(select(downloads.Purchase)))
    bens.post(f"/library/{purchase.id}/downloads", {"nonce": "n"}).expect(303)
    page = roots.get(f"/admin/orders/{order.id}").expect(200)
    page.says(
        order.number,
        "checkout Ben Okafor",
        "Ben Okafor",
        "order: added_2_cart → purchase_started",
        "order: purchase_started → payment_succeeded",
        "order: payment_succeeded → course_downloaded",
        "entitlement: — → active",
        "checkout.session.completed: applied",
        "receipt: sent",
        "1 of 5",
        "order.reconciled",
        "He says he paid",
        "Root Adler",
        purchase.license_key,
    )
    with queries() as one:
        roots.get(f"/admin/orders/{order.id}")
    buyer = db.session.merge(ben)
    fill_cart(buyer, *(db.session.merge(one) for one in more))
    bigger = go_to_payment(buyer)
    with queries() as other:
        roots.get(f"/admin/orders/{bigger.order_id}")
    assert other.count <= one.count


def test_asking_stripe_heals_an_order_and_is_on_record(
    roots: Browser, root: Any, stripe: Any, ada: Any, ben: Any
) -> None:
    roots_id = root.id
    link = paid_session(stripe, ben, a_course(by=ada))
    assert order_of(link).status == "purchase_started"
    path = f"/admin/orders/{link.order_id}/reconciliations"
    roots.post(path, {"reconcile-reason": "The buyer wrote"}).expect(303)
    assert order_of(link).status == "payment_succeeded"
    record = _record("order.reconciled")
    assert (record.actor_id, record.reason, record.subject_id) == (roots_id, "The buyer wrote", str(link.order_id))
    assert record.details == {"before": "purchase_started", "after": "payment_succeeded"}
    assert record.ip_index is not None
    roots.post(path, {"reconcile-reason": "Once more"}).expect(303)
    roots.get(f"/admin/orders/{link.order_id}").says("Stripe says the same as we have.")


def test_an_order_that_never_reached_stripe_cannot_be_asked_about(roots: Browser, bought: Any) -> None:
    path = f"/admin/orders/{bought.order_id}/reconciliations"
    roots.post(path, {"reconcile-reason": "The buyer wrote"}).expect(409)


def test_stripe_away_changes_nothing(
    roots: Browser, stripe: Any, ada: Any, ben: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = paid_session(stripe, ben, a_course(by=ada))

    def away(*_args: Any) -> Any:
        raise Unavailable("Stripe does not answer.")

    monkeypatch.setattr(type(services().gateway), "get_checkout", away)
    roots.post(f"/admin/orders/{link.order_id}/reconciliations", {"reconcile-reason": "The buyer wrote"}).expect(503)
    assert count(AuditRecord, AuditRecord.action == "order.reconciled") == 0


def test_an_act_without_a_reason_is_asked_for_one(roots: Browser, bought: Any) -> None:
    order = f"/admin/orders/{bought.order_id}"
    for path, prefix in (("reconciliations", "reconcile"), ("receipts", "receipt"), ("flag-removals", "flag")):
        for reason in ("", "  ", "x", "x" * 501):
            answer = roots.post(f"{order}/{path}", {f"{prefix}-reason": reason, f"{prefix}-nonce": "n"})
            answer.expect(422)
    assert count(AuditRecord) == 0
    assert count(MailMessage) == 0


def test_a_receipt_goes_out_once_more_for_each_wish(roots: Browser, work: Any, mailbox: Any, bought: Any) -> None:
    path = f"/admin/orders/{bought.order_id}/receipts"
    form = {"receipt-reason": "Lost in spam", "receipt-nonce": "first"}
    roots.post(path, form).expect(303)
    roots.post(path, form).expect(303)  # a double click
    assert count(MailMessage) == 1
    roots.post(path, form | {"receipt-nonce": "second"}).expect(303)
    work("email.send")
    assert len(mailbox.to("ben@example.com")) == 2
    assert count(AuditRecord, AuditRecord.action == "order.receipt_sent") == 3
    roots.get(f"/admin/orders/{bought.order_id}").says("receipt: sent", "Lost in spam")


def test_an_unpaid_order_has_no_receipt(roots: Browser, stripe: Any, ada: Any, ben: Any) -> None:
    fill_cart(ben, a_course(by=ada))
    link = go_to_payment(ben)
    form = {"receipt-reason": "Wishes one", "receipt-nonce": "n"}
    roots.post(f"/admin/orders/{link.order_id}/receipts", form).expect(409)
    roots.get(f"/admin/orders/{link.order_id}").expect(200).is_silent_about("Send again")


def test_more_downloads_are_given_once(roots: Browser, bought: Any) -> None:
    path = f"/admin/orders/{bought.order_id}/downloads?line=1"
    form = {"purchase_id": str(bought.id), "allowed": "5", "more": "3", "reason": "New computer"}
    form = {f"downloads-1-{name}": value for name, value in form.items()}
    roots.get(f"/admin/orders/{bought.order_id}").says("0 of 5 are used.")
    roots.post(path, form).expect(303)
    roots.post(path, form).expect(409)  # a double click
    assert db.session.scalars(select(DownloadAllowance.allowed)).one() == 8
    record = _record("order.downloads_extended")
    assert record.details == {"purchase": str(bought.id), "before": 5, "after": 8}
    roots.get(f"/admin/orders/{bought.order_id}").says("0 of 8 are used.", "New computer")


def test_impossible_gifts_are_refused(roots: Browser, ada: Any, cleo: Any, bought: Any) -> None:
    path = f"/admin/orders/{bought.order_id}/downloads?line=1"
    good = {"purchase_id": str(bought.id), "allowed": "5", "more": "3", "reason": "New computer"}
    other = a_purchase(a_course(by=ada), by=cleo)

    def post(**change: str) -> int:
        return roots.post(path, {f"downloads-1-{name}": value for name, value in (good | change).items()}).status

    assert post(more="0") == post(more="21") == post(more="x") == post(more="-5") == post(reason="") == 422
    assert post(purchase_id=str(other.id)) == post(purchase_id="x") == post(purchase_id="") == 404
    assert post(allowed="99") == 409
    assert count(DownloadAllowance) == 0


def test_a_flag_is_taken_off_on_record(roots: Browser, bought: Any) -> None:
    with transaction() as session:
        session.get_one(Order, bought.order_id).flag = "paid twice: refund session cs_2"
    roots.get(f"/admin/orders/{bought.order_id}").says("Somebody must look at this order", "paid twice")
    path = f"/admin/orders/{bought.order_id}/flag-removals"
    roots.post(path, {"flag-reason": "Refunded by hand"}).expect(303)
    assert _order(bought.order_id).flag is None
    assert _record("order.flag_removed").details["before"] == "paid twice: refund session cs_2"
    roots.post(path, {"flag-reason": "Refunded by hand"}).expect(409)
