"""The person behind the token."""

from typing import Any

from sqlalchemy import func, select

from coursehub.accounts.models import Customer
from coursehub.audit.models import AuditRecord
from coursehub.catalog import search
from coursehub.kernel.db import db, transaction
from coursehub.library import archiving
from tests.api.program import Program
from tests.factories import a_course, a_purchase
from tests.people import a_person


def test_ben_sees_himself(bens: Program, ben: Any) -> None:
    me = bens.get("/me").expect(200).json
    assert (me["id"], me["name"], me["email_verified"]) == (str(ben.id), "Ben Okafor", True)
    assert "password_hash" not in me
    assert bens.get("/me").headers["Cache-Control"] == "private, no-store"


def test_a_stranger_is_nobody(program: Program) -> None:
    for method, path in [("GET", "/me"), ("PUT", "/me"), ("POST", "/me/creator"), ("GET", "/me/purchases")]:
        program.ask(method, path).expect(401)


def test_what_is_left_out_stays(bens: Program) -> None:
    bens.put("/me", {"bio": "Reads on trains.", "city": "Lagos", "country": "NG"}).expect(200)
    me = bens.put("/me", {"name": "Benjamin Okafor"}).expect(200).json
    assert (me["name"], me["bio"], me["city"], me["country"]) == ("Benjamin Okafor", "Reads on trains.", "Lagos", "NG")
    assert bens.put("/me", {"city": ""}).expect(200).json["city"] is None
    assert bens.put("/me").expect(200).json["name"] == "Benjamin Okafor"


def test_only_the_named_fields_can_be_set(bens: Program, ben: Any) -> None:
    before = bens.get("/me").json
    sent = {"role": "admin", "status": "banned", "email": "new@example.com", "email_verified": False, "id": "1"}
    sent |= {"email_verified_at": None, "password_hash": "x", "stripe_customer_id": "cus_1", "is_admin": True}
    assert bens.put("/me", sent).expect(200).json == before
    found = db.session.get_one(Customer, ben.id, populate_existing=True)
    assert (found.role, found.status, found.email, found.stripe_customer_id) == ("buyer", "active", ben.email, None)


def test_a_name_that_is_none_is_refused(bens: Program) -> None:
    for name in ("", " ", "\u202e", "x" * 121, None, 7, {}, "\ud800"):
        bens.put("/me", {"name": name}).expect(422).blames("name")
    bens.put("/me", {"country": "ZZ"}).expect(422).blames("country")


def test_search_knows_an_authors_new_name(adas: Program, ada: Any, work: Any) -> None:
    a_course(by=ada, title="Quiet Typography")
    adas.put("/me", {"name": "Adelheid Brandt"}).expect(200)
    assert work("customer.renamed") == 1
    assert len(search.find(search.Filters(q="adelheid")).page.items) == 1


def test_ben_becomes_a_creator_in_one_step(bens: Program) -> None:
    assert bens.post("/me/creator").expect(200).json["role"] == "creator"
    assert bens.post("/me/creator").expect(200).json["role"] == "creator"
    records = select(func.count()).select_from(AuditRecord).where(AuditRecord.action == "role.changed")
    assert db.session.scalar(records) == 1
    bens.post("/courses", {"title": "My first"}).expect(201)


def test_an_unconfirmed_person_does_not(program: Program) -> None:
    eve = a_person("Eve Lind", verified=False)
    program.as_(eve).post("/me/creator").expect(403)


def test_ben_lists_what_he_owns(bens: Program, cleos: Program, ada: Any, ben: Any) -> None:
    course = a_course(by=ada, title="Quiet Typography")
    purchase = a_purchase(course, by=ben)
    listed = bens.get("/me/purchases").expect(200).json
    assert listed["next_cursor"] is None
    [one] = listed["items"]
    assert one["id"] == str(purchase.id)
    assert (one["order_id"], one["course_id"]) == (str(purchase.order_id), str(course.id))
    assert (one["license_key"], one["downloads_left"], one["refund_status"]) == (purchase.license_key, 5, "none")
    assert cleos.get("/me/purchases").expect(200).json["items"] == []


def test_purchases_come_page_by_page_archived_ones_too(bens: Program, ada: Any, ben: Any, queries: Any) -> None:
    owned = [a_purchase(a_course(by=ada), by=ben) for _ in range(7)]
    with transaction():
        archiving.archive(owned[0])
    ids = [str(one.id) for one in reversed(owned)]
    seen, cursor, costs = [], "", set()
    while True:
        with queries() as ran:
            page = bens.get(f"/me/purchases?limit=3&cursor={cursor}").expect(200).json
        costs.add(ran.count)
        seen += [one["id"] for one in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == ids
    assert len(costs) == 1
    bens.get("/me/purchases?cursor=nonsense").expect(422)
    bens.get("/me/purchases?limit=0").expect(422)
