"""Cart, checkout, orders, downloads over the API."""

import threading
from typing import Any
from urllib.parse import urlsplit

import pytest

from coursehub.courses.models import Course
from coursehub.entitlements import grants
from coursehub.infra.services import services
from coursehub.kernel.db import db, transaction
from coursehub.kernel.errors import Unavailable
from coursehub.kernel.idempotency import IdempotencyKey
from coursehub.kernel.ids import new_id
from coursehub.library.models import Download
from coursehub.orders.models import Order
from coursehub.payments import reconciliation, sessions
from tests.api.program import Program
from tests.factories import a_course, a_purchase, stored_pdf
from tests.payments.helpers import count, fill_cart
from tests.people import a_person

# Cart


def test_ben_fills_and_empties_his_cart(bens: Program, ada: Any) -> None:
    assert bens.get("/cart").expect(200).json == {"id": None, "items": [], "total_cents": 0, "currency": "USD"}
    first, second = a_course(by=ada, price=1900), a_course(by=ada, price=900)
    item = bens.post("/cart/items", {"course_id": str(first.id)}).expect(201).json
    assert (item["title"], item["price_cents"], item["trouble"]) == (first.title, 1900, None)
    assert bens.post("/cart/items", {"course_id": str(first.id)}).expect(201).json["id"] == item["id"]
    bens.post("/cart/items", {"course_id": str(second.id)}).expect(201)
    cart = bens.get("/cart").expect(200).json
    assert (len(cart["items"]), cart["total_cents"], cart["currency"]) == (2, 2800, "USD")
    assert bens.delete(f"/cart/items/{item['id']}").expect(204).body == b""
    bens.delete(f"/cart/items/{item['id']}").expect(404)
    assert bens.get("/cart").json["total_cents"] == 900


def test_carts_are_private(program: Program, bens: Program, cleos: Program, ada: Any) -> None:
    course = a_course(by=ada)
    item = bens.post("/cart/items", {"course_id": str(course.id)}).json
    assert cleos.get("/cart").json["items"] == []
    cleos.delete(f"/cart/items/{item['id']}").expect(404)
    for method, path in [("GET", "/cart"), ("POST", "/cart/items"), ("DELETE", f"/cart/items/{item['id']}")]:
        program.ask(method, path).expect(401)
    assert len(bens.get("/cart").json["items"]) == 1


def test_own_owned_and_unsold_courses_are_refused(adas: Program, bens: Program, ada: Any, ben: Any) -> None:
    course = a_course(by=ada)
    adas.post("/cart/items", {"course_id": str(course.id)}).expect(409)
    a_purchase(course, by=ben)
    bens.post("/cart/items", {"course_id": str(course.id)}).expect(409)
    bens.post("/cart/items", {"course_id": str(a_course(by=ada, status="archived").id)}).expect(409)
    bens.post("/cart/items", {"course_id": str(a_course(by=ada, status="draft").id)}).expect(404)
    bens.post("/cart/items", {"course_id": str(new_id())}).expect(404)
    bens.post("/cart/items", {"course_id": "x"}).expect(422).blames("course_id")
    bens.post("/cart/items", {}).expect(422).blames("course_id")
    bens.post("/cart/items", {"course_id": str(course.id), "price_cents": 1}).expect(409)


# Checkout


def test_ben_is_given_the_payment_page_pays_and_owns(bens: Program, stripe: Any, ada: Any) -> None:
    course = a_course(by=ada, price=1900)
    bens.post("/cart/items", {"course_id": str(course.id)}).expect(201)
    opened = bens.post("/checkout/session", {}, headers={"Idempotency-Key": "k1"}).expect(201).json
    assert set(opened) == {"order_id", "checkout_session_id", "url"}
    assert opened["url"].startswith(stripe.address)
    assert bens.get(f"/orders/{opened['order_id']}").json["status"] == "purchase_started"
    stripe.pay(opened["url"])
    assert reconciliation.reconcile(new_uuid(opened["order_id"]), opened["checkout_session_id"], services().gateway)
    order = bens.get(f"/orders/{opened['order_id']}").expect(200).json
    assert (order["status"], order["total_cents"], order["currency"]) == ("payment_succeeded", 1900, "USD")
    assert (order["discount_cents"], order["tax_cents"], order["coupon_code"]) == (0, 0, None)
    assert order["items"] == [
        {
            "course_id": str(course.id),
            "title": course.title,
            "version_id": str(course.current_version_id),
            "unit_price_cents": 1900,
        }
    ]
    assert [one["course_id"] for one in bens.get("/me/purchases").json["items"]] == [str(course.id)]


def new_uuid(text: str) -> Any:
    from uuid import UUID

    return UUID(text)


def test_a_free_order_needs_no_page(bens: Program, ben: Any, ada: Any) -> None:
    fill_cart(ben, a_course(by=ada, price=0))
    opened = bens.post("/checkout/session").expect(201).json
    assert (opened["url"], opened["checkout_session_id"]) == (None, None)
    assert bens.get(f"/orders/{opened['order_id']}").json["status"] == "payment_succeeded"


def test_checkout_refuses_with_the_reason(program: Program, bens: Program, stripe: Any, ada: Any, ben: Any) -> None:
    program.post("/checkout/session", {}).expect(401)
    bens.post("/checkout/session", {}).expect(409)
    course = a_course(by=ada)
    fill_cart(ben, course)
    bens.post("/checkout/session", {"coupon_code": "NOPE"}).expect(422).blames("coupon_code")
    eve = a_person("Eve Lind", verified=False)
    fill_cart(eve, course)
    program.as_(eve).post("/checkout/session", {}).expect(403)
    with transaction() as session:
        session.get_one(type(ben), ben.id).status = "banned"
    bens.post("/checkout/session", {}).expect(403)
    assert count(Order) == 0


def test_a_changed_price_is_told_and_then_taken(bens: Program, stripe: Any, ada: Any, ben: Any) -> None:
    course = a_course(by=ada, price=1900)
    fill_cart(ben, course)
    with transaction() as session:
        session.get_one(Course, course.id).price_cents = 2900
    assert bens.get("/cart").json["items"][0]["price_changed"] is True
    assert "$29.00" in bens.post("/checkout/session", {}).expect(409).json["detail"]
    opened = bens.post("/checkout/session", {}).expect(201).json
    assert bens.get(f"/orders/{opened['order_id']}").json["total_cents"] == 2900


def test_nothing_sent_along_changes_a_price(bens: Program, stripe: Any, ada: Any, ben: Any) -> None:
    fill_cart(ben, a_course(by=ada, price=1900))
    sent = {"total_cents": 1, "expected_cents": 1, "price_cents": 1, "currency": "JPY", "customer_id": str(new_id())}
    opened = bens.post("/checkout/session", sent).expect(201).json
    assert bens.get(f"/orders/{opened['order_id']}").json["total_cents"] == 1900


# The same request again


def test_a_repeat_is_answered_byte_for_byte(bens: Program, stripe: Any, ada: Any, ben: Any) -> None:
    fill_cart(ben, a_course(by=ada))
    first = bens.post("/checkout/session", {}, headers={"Idempotency-Key": "once"}).expect(201)
    stripe.pay(first.json["url"])  # the world has moved on meanwhile
    reconciliation.reconcile(new_uuid(first.json["order_id"]), first.json["checkout_session_id"], services().gateway)
    again = bens.post("/checkout/session", {}, headers={"Idempotency-Key": "once"}).expect(201)
    assert again.body == first.body
    assert again.headers["Content-Type"] == first.headers["Content-Type"]
    assert again.headers["Idempotent-Replayed"] == "true"
    # Without the key it is another question.
    bens.post("/checkout/session", {}).expect(409)


def test_a_key_belongs_to_one_request_of_one_person(
    bens: Program, cleos: Program, stripe: Any, ada: Any, ben: Any, cleo: Any
) -> None:
    course = a_course(by=ada)
    fill_cart(ben, course)
    fill_cart(cleo, course)
    key = {"Idempotency-Key": "shared"}
    bens_order = bens.post("/checkout/session", {}, headers=key).expect(201).json
    bens.post("/checkout/session", {"coupon_code": ""}, headers=key).expect(422).blames("Idempotency-Key")
    cleos_order = cleos.post("/checkout/session", {}, headers=key).expect(201).json
    assert bens_order["order_id"] != cleos_order["order_id"]


def test_a_strange_key_is_refused(bens: Program) -> None:
    for key in ("x" * 201, "ü", "a\tb"):
        bens.post("/checkout/session", {}, headers={"Idempotency-Key": key}).expect(422)
    assert count(IdempotencyKey) == 0


def test_a_second_request_while_the_first_runs_waits(
    bens: Program, stripe: Any, ada: Any, ben: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_cart(ben, a_course(by=ada))
    running, go_on = threading.Event(), threading.Event()
    really = sessions.open_checkout

    def slowly(*args: Any, **kwargs: Any) -> Any:
        running.set()
        assert go_on.wait(20)
        return really(*args, **kwargs)

    monkeypatch.setattr(sessions, "open_checkout", slowly)
    key = {"Idempotency-Key": "slow"}
    replies: list[Any] = []

    def first() -> None:
        with bens.app.app_context():
            replies.append(bens.post("/checkout/session", {}, headers=key))

    thread = threading.Thread(target=first)
    thread.start()
    assert running.wait(20)
    second = bens.post("/checkout/session", {}, headers=key).expect(409)
    assert int(second.headers["Retry-After"]) > 0
    go_on.set()
    thread.join(30)
    answered = replies[0].expect(201)
    assert bens.post("/checkout/session", {}, headers=key).expect(201).body == answered.body


def test_twenty_at_once_with_one_key_open_one_page(
    bens: Program, stripe: Any, ada: Any, ben: Any, together: Any
) -> None:
    fill_cart(ben, a_course(by=ada))
    key = {"Idempotency-Key": "race"}
    replies = together(20, lambda _n: bens.post("/checkout/session", {}, headers=key))
    assert {reply.status for reply in replies} <= {201, 409}
    assert len({reply.body for reply in replies if reply.status == 201}) == 1
    assert count(Order) == 1


def test_a_failure_of_ours_is_not_kept(
    bens: Program, stripe: Any, ada: Any, ben: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_cart(ben, a_course(by=ada))

    def away(*_args: Any, **_kwargs: Any) -> Any:
        raise Unavailable("The payment page does not open. Your cart is kept.")

    with monkeypatch.context() as broken:
        broken.setattr(sessions, "open_checkout", away)
        bens.post("/checkout/session", {}, headers={"Idempotency-Key": "k"}).expect(503)
    assert count(IdempotencyKey) == 0
    bens.post("/checkout/session", {}, headers={"Idempotency-Key": "k"}).expect(201)


# Orders


def test_ben_lists_his_orders_by_status_and_page(bens: Program, cleos: Program, ada: Any, ben: Any) -> None:
    orders = [a_purchase(a_course(by=ada), by=ben).order_id for _ in range(5)]
    seen, cursor = [], ""
    while True:
        page = bens.get(f"/orders?status=payment_succeeded&limit=2&cursor={cursor}").expect(200).json
        seen += [one["id"] for one in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert sorted(seen) == sorted(str(one) for one in orders)
    assert bens.get("/orders?status=expired").expect(200).json == {"items": [], "next_cursor": None}
    assert cleos.get("/orders").expect(200).json["items"] == []
    bens.get("/orders?status=paid").expect(422).blames("status")
    bens.get("/orders?cursor=x").expect(422)


def test_an_order_is_its_buyers_and_staffs(
    program: Program, bens: Program, cleos: Program, roots: Program, ada: Any, ben: Any
) -> None:
    path = f"/orders/{a_purchase(a_course(by=ada), by=ben).order_id}"
    bens.get(path).expect(200)
    roots.get(path).expect(200)
    cleos.get(path).expect(404)
    program.get(path).expect(401)
    program.get("/orders").expect(401)
    bens.get(f"/orders/{new_id()}").expect(404)
    bens.get("/orders/x").expect(404)


# Downloads


@pytest.fixture
def bought(ada: Any, ben: Any) -> Any:
    course = a_course(by=ada, title="Quiet Typography")
    assert course.current_version_id is not None
    stored_pdf(course.current_version_id)
    return a_purchase(course, by=ben)


def test_ben_downloads_with_his_token(program: Program, bens: Program, cleos: Program, bought: Any) -> None:
    body = {"course_id": str(bought.course_id)}
    granted = bens.post(f"/orders/{bought.order_id}/download", body).expect(200).json
    assert set(granted) == {"url", "expires_at", "downloads_left"}
    assert granted["downloads_left"] == 4
    path = urlsplit(granted["url"]).path
    assert path.startswith("/d/")
    client = program.app.test_client(use_cookies=False)
    answer = client.get(path, headers={"Authorization": f"Bearer {bens.tokens['access_token']}"})
    assert answer.status_code == 303
    assert client.get(urlsplit(answer.location).path).data.startswith(b"%PDF-")
    # Nobody else, with no token, with another person's, or with a refresh token.
    assert client.get(path).location.startswith("/login")
    assert client.get(path, headers={"Authorization": f"Bearer {cleos.tokens['access_token']}"}).status_code == 404
    refresh = {"Authorization": f"Bearer {bens.tokens['refresh_token']}"}
    assert client.get(path, headers=refresh).location.startswith("/login")
    assert bens.get(f"/orders/{bought.order_id}").json["status"] == "course_downloaded"
    bens.post("/auth/logout").expect(200)
    signed_out = client.get(path, headers={"Authorization": f"Bearer {bens.tokens['access_token']}"})
    assert signed_out.location.startswith("/login")


def test_the_same_key_is_the_same_download(bens: Program, bought: Any) -> None:
    path, body = f"/orders/{bought.order_id}/download", {"course_id": str(bought.course_id)}
    replies = [bens.post(path, body, headers={"Idempotency-Key": "once"}).expect(200) for _ in range(4)]
    assert len({reply.body for reply in replies}) == 1
    assert count(Download) == 1
    with transaction() as session:  # the kept answers are gone after a day: the grant is still the same
        session.query(IdempotencyKey).delete()
    again = bens.post(path, body, headers={"Idempotency-Key": "once"}).expect(200)
    assert again.json["url"] == replies[0].json["url"]
    assert count(Download) == 1


def test_the_sixth_is_refused(bens: Program, bought: Any) -> None:
    path, body = f"/orders/{bought.order_id}/download", {"course_id": str(bought.course_id)}
    left = [bens.post(path, body).expect(200).json["downloads_left"] for _ in range(5)]
    assert left == [4, 3, 2, 1, 0]
    bens.post(path, body).expect(409)
    assert count(Download) == 5


def test_others_download_nothing(program: Program, bens: Program, cleos: Program, ada: Any, bought: Any) -> None:
    path, body = f"/orders/{bought.order_id}/download", {"course_id": str(bought.course_id)}
    program.post(path, body).expect(401)
    cleos.post(path, body).expect(404)
    bens.post(path, {"course_id": str(a_course(by=ada).id)}).expect(404)
    bens.post(path, {"course_id": "x"}).expect(422).blames("course_id")
    bens.post(path, {}).expect(422)
    with transaction():
        grants.revoke(db.session.merge(bought), reason="refund", actor="test")
    bens.post(path, body).expect(403)
    assert count(Download) == 0


def test_an_unpaid_order_gives_nothing(bens: Program, stripe: Any, ada: Any, ben: Any) -> None:
    course = a_course(by=ada)
    fill_cart(ben, course)
    opened = bens.post("/checkout/session", {}).expect(201).json
    bens.post(f"/orders/{opened['order_id']}/download", {"course_id": str(course.id)}).expect(409)


def test_a_missing_file_costs_nothing(bens: Program, bought: Any) -> None:
    from coursehub.entitlements.models import Purchase

    version_id = db.session.get_one(Purchase, bought.id).version_id
    services().storage.delete(f"versions/{version_id}.pdf")
    bens.post(f"/orders/{bought.order_id}/download", {"course_id": str(bought.course_id)}).expect(503)
    assert count(Download) == 0
