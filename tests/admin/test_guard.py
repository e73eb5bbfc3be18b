"""The door of the back office: outside the network it does not exist, inside it staff alone come in."""

from typing import Any

import pytest

from coursehub.accounts.models import Customer
from coursehub.kernel.db import transaction
from coursehub.kernel.ids import new_id
from tests.browser import Browser

LISTS = ["/admin/orders", "/admin/customers", "/admin/courses", "/admin/system", "/admin/audit"]
GETS = ["/admin", "/admin/flags", *LISTS]


def _posts() -> list[str]:
    some = new_id()
    return [
        f"/admin/orders/{some}/reconciliations",
        f"/admin/orders/{some}/receipts",
        f"/admin/orders/{some}/downloads",
        f"/admin/orders/{some}/flag-removals",
        f"/admin/customers/{some}/bans",
        f"/admin/customers/{some}/ban-removals",
        f"/admin/courses/{some}/takedowns",
        f"/admin/courses/{some}/takedown-removals",
        "/admin/flags",
        f"/admin/system/jobs/{some}/replays",
        f"/admin/system/jobs/{some}/drops",
        "/admin/audit/verifications",
    ]


def test_this_list_of_acts_is_whole(app: Any) -> None:
    rules = [rule for rule in app.url_map.iter_rules() if str(rule.endpoint).startswith("admin.")]
    assert len([rule for rule in rules if "POST" in rule.methods]) == len(_posts())


def test_a_stranger_signs_in_first(browser: Browser) -> None:
    for path in GETS:
        assert browser.get(path).expect(303).location.startswith("/login?next=/admin")
    for path in _posts():
        assert browser.post(path).expect(303).location.startswith("/login")


def test_buyers_and_creators_stay_outside(browser: Browser, ben: Any, ada: Any) -> None:
    for person in (ben, ada):
        theirs = browser.as_(person)
        for path in GETS:
            theirs.get(path).expect(403)
        for path in _posts():
            theirs.post(path, {"reason": "because"}).expect(403)


def test_outside_the_network_nothing_is_here(browser: Browser, root: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(browser.app.config, "ADMIN_ALLOWLIST", ["10.0.0.0/8"])
    for someone in (browser, browser.as_(root)):
        for path in GETS:
            someone.get(path).expect(404)
        for path in _posts():
            someone.post(path).expect(404)
    # Claiming to come from inside changes nothing: no proxy is configured.
    forged = {"X-Forwarded-For": "10.1.2.3", "X-Real-IP": "10.1.2.3", "Forwarded": "for=10.1.2.3"}
    browser.as_(root).get("/admin", headers=forged).expect(404)


def test_staff_come_in_and_no_cache_keeps_what_they_see(browser: Browser, root: Any) -> None:
    roots = browser.as_(root)
    for path in GETS:
        answer = roots.get(path).expect(200)
        assert answer.headers["Cache-Control"] == "private, no-store"
        answer.says("Overview", "Orders", "Customers", "Courses", "Flags", "System", "Audit trail")


def test_a_banned_admin_is_no_staff(browser: Browser, root: Any) -> None:
    with transaction() as session:
        session.get_one(Customer, root.id).status = "banned"
    browser.as_(root).get("/admin").expect(403)


def test_a_form_without_its_token_does_nothing(browser: Browser, root: Any) -> None:
    for path in _posts():
        browser.as_(root).post(path, {"reason": "because"}, token=False).expect(400)


def test_what_is_not_there_is_not_there(browser: Browser, root: Any) -> None:
    roots = browser.as_(root)
    for kind in ("orders", "customers", "courses", "system/jobs"):
        roots.get(f"/admin/{kind}/{new_id()}").expect(404)
    roots.get("/admin/flags/nothing").expect(404)
    prefixes = {"reconciliations": "reconcile-", "receipts": "receipt-", "flag-removals": "flag-", "bans": "ban-"}
    prefixes |= {
        "ban-removals": "ban-",
        "takedowns": "takedown-",
        "takedown-removals": "takedown-",
        "replays": "replay-",
        "drops": "drop-",
    }
    for path in _posts():
        prefix = prefixes.get(path.rpartition("/")[2])
        if prefix:
            data = {f"{prefix}reason": "just because", f"{prefix}nonce": "n"}
            roots.post(path, data).expect(404)


def test_no_page_of_a_list_is_too_strange(browser: Browser, root: Any) -> None:
    roots = browser.as_(root)
    for path in LISTS:
        for query in ("cursor=x", "cursor=W10", "cursor=WyJ4Il0", "cursor=" + "W" * 5000, "cursor=%00"):
            roots.get(f"{path}?{query}").expect(422)
        for query in ("q=%00", "q=%FF", "q=%25_%5C", "q=" + "x" * 3000, "status=nonsense", "q=%ED%A0%80", "flagged=2"):
            roots.get(f"{path}?{query}").expect(200)
