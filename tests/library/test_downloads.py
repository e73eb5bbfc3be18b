"""Downloads: five rights for each version, counted as rights and not as GETs, checked at every use."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from coursehub.courses.models import Course
from coursehub.entitlements import grants
from coursehub.infra.services import services
from coursehub.kernel.db import db, transaction
from coursehub.kernel.errors import Conflict, Unavailable
from coursehub.kernel.ids import new_id
from coursehub.library import downloads
from coursehub.library.models import Download, DownloadAllowance, DownloadGrant
from coursehub.orders.models import Order
from tests.browser import Browser
from tests.factories import a_course, a_purchase, a_version, stored_pdf
from tests.payments.helpers import count


@pytest.fixture
def bought(app: Any, ada: Any, ben: Any) -> Any:
    """Ben's purchase, with a file behind it."""
    course = a_course(by=ada, title="Quiet Typography")
    stored_pdf(course.current_version_id)
    return a_purchase(course, by=ben)


def _used() -> int:
    db.session.rollback()
    return db.session.scalar(select(DownloadAllowance.used)) or 0


def test_ben_downloads_what_he_bought(browser: Browser, ben: Any, bought: Any) -> None:
    bens = browser.as_(ben)
    bens.get(f"/library/{bought.id}").expect(200).says("Download PDF", "5 of 5")
    grant = bens.post(f"/library/{bought.id}/downloads", {"nonce": "n-1"}).expect(303)
    assert grant.location.startswith("/d/")
    storage = bens.get(grant.location).expect(303)
    file = bens.get(storage.location.replace(str(browser.app.config["SETTINGS"].base_url), "")).expect(200)
    assert file.response.get_data().startswith(b"%PDF-")
    assert "attachment" in file.headers["Content-Disposition"]
    assert db.session.get_one(Order, bought.order_id, populate_existing=True).status == "course_downloaded"
    assert count(Download) == 1


def test_the_same_nonce_is_the_same_grant(browser: Browser, ben: Any, bought: Any) -> None:
    bens = browser.as_(ben)
    places = {bens.post(f"/library/{bought.id}/downloads", {"nonce": "same"}).location for _ in range(4)}
    assert len(places) == 1
    assert _used() == 1
    assert count(Download) == 1


def test_gets_heads_and_ranges_cost_nothing(browser: Browser, ben: Any, bought: Any) -> None:
    bens = browser.as_(ben)
    place = bens.post(f"/library/{bought.id}/downloads", {"nonce": "n"}).location
    for _ in range(20):
        bens.get(place).expect(303)
        bens.head(place).expect(303)
        bens.get(place, headers={"Range": "bytes=0-99"}).expect(303)
    assert _used() == 1


def test_the_sixth_is_refused_and_the_page_says_so(browser: Browser, ben: Any, bought: Any) -> None:
    bens = browser.as_(ben)
    for number in range(5):
        bens.post(f"/library/{bought.id}/downloads", {"nonce": f"n-{number}"}).expect(303)
    bens.post(f"/library/{bought.id}/downloads", {"nonce": "n-6"}).expect(409).says(
        "All downloads of this version are used"
    )
    bens.get(f"/library/{bought.id}").expect(200).says("All 5 downloads")
    assert count(Download) == 5


def test_support_extends(app: Any, ben: Any, bought: Any) -> None:
    with transaction():
        downloads.extend(bought.id, bought.version_id, 2)
    assert downloads.left(bought.id, bought.version_id) == 7


def test_fifty_at_once_grant_exactly_five(together: Any, ben: Any, bought: Any) -> None:
    version = downloads.version_for(bought)

    def grab(number: int) -> str:
        with transaction():
            return downloads.grant(bought, version, nonce=f"n-{number}", ip=None, user_agent="").token

    results = together(50, grab)
    assert sum(isinstance(one, str) for one in results) == 5
    assert sum(isinstance(one, Conflict) for one in results) == 45
    assert count(Download) == count(DownloadGrant) == _used() == 5


def test_without_the_guard_fifty_at_once_grant_more(
    together: Any, ben: Any, bought: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: read, then write, without lock and condition: more than five get through."""
    import threading

    version = downloads.version_for(bought)
    gate = threading.Barrier(50, timeout=20)

    def naive(purchase: Any, version: Any) -> None:
        free = downloads.left(purchase.id, version.id)
        gate.wait()
        if free <= 0:
            raise downloads.DownloadLimitReached("none left")

    monkeypatch.setattr(downloads, "_use_one", naive)
    monkeypatch.setattr(downloads, "_mark_downloaded", lambda purchase, granted: None)
    real = downloads.select
    monkeypatch.setattr(downloads, "select", lambda *what: _Unlocked(real(*what)))

    def grab(number: int) -> str:
        with transaction():
            return downloads.grant(bought, version, nonce=f"n-{number}", ip=None, user_agent="").token

    results = together(50, grab)
    assert sum(isinstance(one, str) for one in results) > 5


class _Unlocked:
    """A select whose row lock does nothing."""

    def __init__(self, statement: Any) -> None:
        self.statement = statement

    def where(self, *what: Any) -> Any:
        narrowed = self.statement.where(*what)
        narrowed.with_for_update = lambda **more: narrowed
        return narrowed


def test_ten_clicks_with_one_nonce_at_once_are_one_grant(together: Any, ben: Any, bought: Any) -> None:
    version = downloads.version_for(bought)

    def grab(_number: int) -> str:
        with transaction():
            return downloads.grant(bought, version, nonce="one", ip=None, user_agent="").token

    results = together(10, grab)
    assert len(set(results)) == 1
    assert _used() == 1


def test_cleo_and_visitors_get_nothing(browser: Browser, ben: Any, cleo: Any, bought: Any) -> None:
    place = browser.as_(ben).post(f"/library/{bought.id}/downloads", {"nonce": "n"}).location
    cleos = browser.as_(cleo)
    cleos.get(place).expect(404)
    cleos.get(f"/library/{bought.id}").expect(404)
    cleos.post(f"/library/{bought.id}/downloads", {"nonce": "n"}).expect(404)
    assert browser.get(place).expect(303).location.startswith("/login")
    assert browser.post(f"/library/{bought.id}/downloads").expect(303).location.startswith("/login")
    assert _used() == 1


@pytest.mark.parametrize("token", ["", "x", "a.b", "%00", "A" * 22 + "." + "0" * 43, "é.é"])
def test_forged_tokens_are_not_found(browser: Browser, ben: Any, token: str) -> None:
    browser.as_(ben).get(f"/d/{token}").expect(404)


def test_a_refunded_buyers_next_request_is_refused(browser: Browser, ben: Any, bought: Any) -> None:
    bens = browser.as_(ben)
    place = bens.post(f"/library/{bought.id}/downloads", {"nonce": "n"}).location
    with transaction():
        grants.revoke(bought, reason="refund", actor="test")
    bens.get(place).expect(403).says("no access any more")
    bens.post(f"/library/{bought.id}/downloads", {"nonce": "m"}).expect(403)
    bens.get(f"/library/{bought.id}").expect(404)


def test_a_suspended_right_waits(browser: Browser, ben: Any, bought: Any) -> None:
    with transaction():
        grants.suspend(bought, reason="dispute", actor="test")
    bens = browser.as_(ben)
    bens.post(f"/library/{bought.id}/downloads", {"nonce": "n"}).expect(403).says("on hold")
    with transaction():
        grants.restore(bought, reason="won", actor="test")
    bens.post(f"/library/{bought.id}/downloads", {"nonce": "n"}).expect(303)


def test_a_grant_ends_after_24_hours(browser: Browser, ben: Any, bought: Any) -> None:
    bens = browser.as_(ben)
    place = bens.post(f"/library/{bought.id}/downloads", {"nonce": "n"}).location
    with transaction() as session:
        granted = session.scalars(select(DownloadGrant)).one()
        assert (
            timedelta(hours=23, minutes=59) < granted.expires_at - granted.created_at <= timedelta(hours=24, minutes=1)
        )
        granted.expires_at = granted.created_at
    bens.get(place).expect(403).says("24 hours")


def test_storage_away_counts_nothing(browser: Browser, ben: Any, bought: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(key: str) -> None:
        raise Unavailable("Files are not available right now.")

    monkeypatch.setattr(services().storage, "stat", away)
    bens = browser.as_(ben)
    for number in range(20):
        bens.post(f"/library/{bought.id}/downloads", {"nonce": f"n-{number}"}).expect(503)
    assert _used() == 0
    monkeypatch.undo()
    bens.post(f"/library/{bought.id}/downloads", {"nonce": "n"}).expect(303)


def test_a_new_version_brings_its_own_rights(browser: Browser, ben: Any, bought: Any) -> None:
    bens = browser.as_(ben)
    for number in range(5):
        bens.post(f"/library/{bought.id}/downloads", {"nonce": f"n-{number}"}).expect(303)
    with transaction() as session:
        course = session.get_one(Course, bought.course_id)
        newer = a_version(course, number=2)
        session.add(newer)
        session.flush()
        course.current_version_id = newer.id
    stored_pdf(newer.id)
    bens.get("/library").expect(200).says("New version 2", "5 of 5 downloads left")
    bens.post(f"/library/{bought.id}/downloads", {"nonce": "new"}).expect(303)


def test_downloads_need_a_token(browser: Browser, ben: Any, bought: Any) -> None:
    browser.as_(ben).post(f"/library/{bought.id}/downloads", {"nonce": "n"}, token=False).expect(400)


def test_the_library_does_not_grow_its_queries(browser: Browser, ada: Any, ben: Any, queries: Any) -> None:
    a_purchase(a_course(by=ada), by=ben)
    bens = browser.as_(ben)
    bens.get("/library")
    with queries() as few:
        bens.get("/library")
    for _ in range(10):
        a_purchase(a_course(by=ada), by=ben)
    with queries() as many:
        bens.get("/library")
    assert many.count == few.count


def test_an_empty_library_points_to_the_shop(browser: Browser, cleo: Any) -> None:
    browser.as_(cleo).get("/library").expect(200).says("Nothing here yet", "Find a course")


def test_a_random_purchase_is_not_found(browser: Browser, ben: Any) -> None:
    browser.as_(ben).get(f"/library/{new_id()}").expect(404)
