"""Staff, customers and courses: found, banned and let back, taken down."""

from typing import Any

import pytest
from sqlalchemy import select

from coursehub.accounts.models import BrowserSession, Customer
from coursehub.audit.models import AuditRecord
from coursehub.courses.models import Course
from coursehub.kernel.db import db, transaction
from tests.api.program import Program
from tests.browser import Browser
from tests.factories import a_course, a_purchase
from tests.payments.helpers import count, fill_cart
from tests.people import a_person


@pytest.fixture
def roots(browser: Browser, root: Any) -> Browser:
    return browser.as_(root)


def _records(action: str) -> list[AuditRecord]:
    db.session.rollback()
    return list(db.session.scalars(select(AuditRecord).where(AuditRecord.action == action)))


def _status(person: Any) -> str:
    db.session.rollback()
    return db.session.get_one(Customer, person.id, populate_existing=True).status


# Customers


def test_people_are_found_by_whole_address_beginning_of_name_and_id(roots: Browser, ben: Any, cleo: Any) -> None:
    def find(words: str) -> Any:
        return roots.get("/admin/customers", query_string={"q": words}).expect(200)

    find("BEN@example.com").says("Ben Okafor").is_silent_about("Cleo Marsh")
    find("ben o").says("Ben Okafor").is_silent_about("Cleo Marsh")
    find(str(cleo.id)).says("Cleo Marsh").is_silent_about("Ben Okafor")
    for nothing in ("ben@", "@example.com", "%", "_en", "nobody@example.com"):
        find(nothing).says("Nobody fits.")
    roots.get("/admin/customers?status=banned").says("Nobody fits.")
    # The list shows no addresses: they are on a person's own page.
    roots.get("/admin/customers").says("Ben Okafor", "Cleo Marsh").is_silent_about("ben@example.com")


def test_pages_of_people_follow_each_other(roots: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    from coursehub.admin import queries

    for number in range(7):
        a_person(f"Person {number}", email=f"p{number}@example.com")
    page = queries.customers(limit=3)
    seen = [one.id for one in page.items]
    while page.next_cursor:
        page = queries.customers(limit=3, cursor=page.next_cursor)
        seen += [one.id for one in page.items]
    assert len(seen) == len(set(seen)) == 8


def test_one_person_is_shown_with_what_they_did(roots: Browser, ada: Any, ben: Any, queries: Any) -> None:
    page = f"/admin/customers/{ben.id}"
    roots.get(page).expect(200).says("Ben Okafor", "ben@example.com", "Orders 0", "No orders yet.")
    with queries() as few:
        roots.get(page)
    for _ in range(12):
        a_purchase(a_course(by=ada), by=ben)
    with queries() as many:
        roots.get(page).says("Orders 12", "All 12 orders")
    assert many.count == few.count
    roots.get(f"/admin/customers/{ada.id}").says("Courses made 12")


def test_a_ban_ends_every_session_and_token_and_what_was_bought_stays(
    roots: Browser, browser: Browser, app: Any, root: Any, ada: Any, ben: Any
) -> None:
    course = a_course(by=ada)
    a_purchase(course, by=ben)
    bens, program = browser.as_(ben), Program(app).as_(ben)
    roots.post(f"/admin/customers/{ben.id}/bans", {"ban-reason": "Chargeback fraud"}).expect(303)
    assert _status(ben) == "banned"
    assert bens.get("/library").expect(303).location.startswith("/login")
    program.get("/me").expect(401)
    program.post("/auth/refresh", {"refresh_token": program.tokens["refresh_token"]}).expect(401)
    assert count(BrowserSession, BrowserSession.customer_id == ben.id) == 0
    [record] = _records("customer.banned")
    assert (record.actor_id, record.reason, record.subject_id) == (root.id, "Chargeback fraud", str(ben.id))
    assert (record.details["before"], record.details["after"]) == ("active", "banned")
    assert record.ip_index is not None
    # Signing in again: the library is there, buying is not.
    again = Program(app).as_(ben)
    assert len(again.get("/me/purchases").expect(200).json["items"]) == 1
    fill_cart(ben, a_course(by=ada))
    again.post("/checkout/session", {}).expect(403)
    roots.get(f"/admin/customers/{ben.id}").says("Banned", "Chargeback fraud", "Lift the ban")


def test_a_ban_is_lifted_on_record(roots: Browser, ben: Any) -> None:
    path = f"/admin/customers/{ben.id}"
    roots.post(f"{path}/ban-removals", {"ban-reason": "Was a mistake"}).expect(409)
    roots.post(f"{path}/bans", {"ban-reason": "Chargeback fraud"}).expect(303)
    roots.post(f"{path}/bans", {"ban-reason": "Chargeback fraud"}).expect(409)
    roots.post(f"{path}/ban-removals", {"ban-reason": "Was a mistake"}).expect(303)
    assert _status(ben) == "active"
    [record] = _records("customer.unbanned")
    assert record.reason == "Was a mistake"


def test_a_ban_needs_a_reason(roots: Browser, ben: Any) -> None:
    roots.post(f"/admin/customers/{ben.id}/bans", {"ban-reason": " "}).expect(422).says("There is a problem")
    assert _status(ben) == "active"
    assert _records("customer.banned") == []


def test_nobody_bans_themselves_and_somebody_is_always_left(roots: Browser, root: Any, together: Any) -> None:
    roots.post(f"/admin/customers/{root.id}/bans", {"ban-reason": "Leaving"}).expect(409)
    roots.get(f"/admin/customers/{root.id}").expect(200).is_silent_about("/bans")
    second = a_person("Rosa Adler", role="admin")

    def ban(whom: Any, who: Any) -> Any:
        from coursehub.admin import bans

        with transaction() as session:
            actor, target = session.get_one(Customer, who.id), session.get_one(Customer, whom.id)
            return bans.ban(target, actor, "A quarrel")

    results = together(2, lambda number: ban(*((root, second) if number else (second, root))))
    assert sorted(_status(one) for one in (root, second)) == ["active", "banned"]
    assert len([one for one in results if isinstance(one, Exception)]) == 1


def test_nothing_sent_along_changes_anything_else(roots: Browser, ben: Any) -> None:
    sent = {"ban-reason": "Chargeback fraud", "role": "admin", "status": "deleted", "ban-status": "deleted"}
    roots.post(f"/admin/customers/{ben.id}/bans", sent).expect(303)
    assert _status(ben) == "banned"
    assert db.session.get_one(Customer, ben.id).role == "buyer"


def test_a_hostile_name_is_only_text(roots: Browser) -> None:
    person = a_person("<script>alert(1)</script>", email="x@example.com")
    roots.get("/admin/customers").is_silent_about("<script>alert")
    roots.get(f"/admin/customers/{person.id}").expect(200).is_silent_about("<script>alert")


# Courses


def test_courses_of_every_status_are_found(roots: Browser, ada: Any) -> None:
    a_course(by=ada, title="Quiet Typography")
    a_course(by=ada, title="Loud Drafts", status="draft")
    roots.get("/admin/courses").says("Quiet Typography", "Loud Drafts", "Ada Brandt", "$19.00")
    roots.get("/admin/courses?status=draft").says("Loud Drafts").is_silent_about("Quiet Typography")
    roots.get("/admin/courses?q=typo").says("Quiet Typography").is_silent_about("Loud Drafts")
    roots.get("/admin/courses?q=%25").says("No course fits.")


def test_a_course_is_taken_down_and_its_buyers_keep_it(
    roots: Browser, browser: Browser, root: Any, ada: Any, ben: Any
) -> None:
    course = a_course(by=ada, title="Quiet Typography")
    purchase = a_purchase(course, by=ben)
    page = f"/admin/courses/{course.id}"
    roots.get(page).expect(200).says("Take down", "Versions")
    roots.post(f"{page}/takedowns", {"takedown-reason": ""}).expect(422)
    roots.post(f"{page}/takedowns", {"takedown-reason": "Copied from a book"}).expect(303)
    assert db.session.get_one(Course, course.id, populate_existing=True).status == "archived"
    browser.get(f"/courses/{course.slug}").expect(404)
    browser.as_(ben).get(f"/library/{purchase.id}").expect(200)
    [record] = _records("course.taken_down")
    assert (record.actor_id, record.reason) == (root.id, "Copied from a book")
    assert record.details == {"before": "published", "after": "archived"}
    roots.get(page).says("Archived", "Copied from a book", "published", "archived").is_silent_about("/takedowns")
    roots.post(f"{page}/takedowns", {"takedown-reason": "Copied from a book"}).expect(409)


def test_a_draft_is_not_taken_down(roots: Browser, ada: Any) -> None:
    course = a_course(by=ada, status="draft")
    roots.post(f"/admin/courses/{course.id}/takedowns", {"takedown-reason": "Copied from a book"}).expect(409)
