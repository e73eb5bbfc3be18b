"""My courses: one card each with what it can still do, filtered, paged, put away and brought back."""

import html
import re
from typing import Any

import pytest

from coursehub.accounts.models import Customer
from coursehub.courses.models import Course
from coursehub.entitlements import grants
from coursehub.entitlements.models import Purchase
from coursehub.kernel import clock
from coursehub.kernel.db import transaction
from coursehub.kernel.ids import new_id
from coursehub.library import archiving, downloads
from coursehub.library.models import ArchivedPurchase, DownloadAllowance
from coursehub.mail.models import MailMessage
from coursehub.orders.models import Order
from tests.browser import Browser
from tests.factories import a_course, a_purchase, a_version, stored_pdf
from tests.mailbox import Mailbox
from tests.payments.helpers import count


@pytest.fixture
def bens(browser: Browser, ben: Customer) -> Browser:
    return browser.as_(ben)


@pytest.fixture
def bought(ada: Customer, ben: Customer) -> Purchase:
    """Ben's purchase, with a file behind it."""
    course = a_course(by=ada, title="Quiet Typography")
    assert course.current_version_id
    stored_pdf(course.current_version_id)
    return a_purchase(course, by=ben)


def release_another(course_id: Any, number: int = 2) -> None:
    with transaction() as session:
        course = session.get_one(Course, course_id)
        newer = a_version(course, number=number)
        session.add(newer)
        session.flush()
        course.current_version_id = newer.id
    stored_pdf(newer.id)


# Cards


def test_a_card_says_what_can_be_done(bens: Browser, bought: Purchase) -> None:
    page = bens.get("/library").expect(200)
    page.says("Quiet Typography", "Ada Brandt", "Version 1", "5 of 5 downloads left", "Read", "Download")
    assert f'href="/read/{bought.course_id}"' in page.text
    assert "New version" not in page.visible and "link valid until" not in page.visible


def test_a_link_under_way_is_on_the_card(bens: Browser, bought: Purchase) -> None:
    bens.post(f"/library/{bought.id}/downloads", {"nonce": "n"}).expect(303)
    bens.get("/library").expect(200).says("4 of 5 downloads left", "link valid until")


def test_a_new_version_is_news_until_it_was_downloaded(bens: Browser, bought: Purchase) -> None:
    release_another(bought.course_id)
    bens.get("/library").expect(200).says("New version 2", "Version 2, bought as version 1")
    bens.get(f"/library/{bought.id}").expect(200).says("You have version 1; version 2 is here and included")
    bens.post(f"/library/{bought.id}/downloads", {"nonce": "n"}).expect(303)
    bens.get("/library").expect(200).is_silent_about("New version").says("Version 2, bought as version 1")
    release_another(bought.course_id, 3)
    bens.get("/library").expect(200).says("New version 3")
    bens.get(f"/library/{bought.id}").says("You have version 2; version 3 is here")


def test_what_is_on_hold_says_so_and_offers_nothing(bens: Browser, bought: Purchase) -> None:
    with transaction():
        grants.suspend(bought, reason="dispute", actor="test")
    page = bens.get("/library").expect(200).says("On hold", "Your bank has a question")
    assert f'href="/read/{bought.course_id}"' not in page.text
    bens.get(f"/library/{bought.id}").expect(200).says("on hold").is_silent_about("Download PDF", "E-mail me")


def test_what_was_refunded_is_not_there(bens: Browser, bought: Purchase) -> None:
    with transaction():
        grants.revoke(bought, reason="refund", actor="test")
    bens.get("/library").expect(200).says("Nothing here yet")
    for deed in ("archive", "restoration", "mail"):
        bens.post(f"/library/{bought.id}/{deed}").expect(404)
    assert count(ArchivedPurchase) == 0


# Filter, order, pages


def test_the_filter_finds_parts_of_titles(bens: Browser, ada: Customer, ben: Customer) -> None:
    for title in ("Bread at Home", "100% Rye", "Maps"):
        a_purchase(a_course(by=ada, title=title), by=ben)
    bens.get("/library?title=rye").expect(200).says("100% Rye").is_silent_about("Bread at Home", "Maps")
    bens.get("/library?title=%25").expect(200).says("100% Rye").is_silent_about("Maps")
    bens.get("/library?title=_").expect(200).says("No course of yours is called “_”", "Show all courses")
    bens.get("/library?title=%00'\"%F0%9F%A6%98" + "x" * 4000).expect(200).says("No course of yours")
    part = bens.get("/library?title=maps", htmx=True).expect(200)
    assert part.text.strip().startswith("<div") and "<h1" not in part.text


def test_pages_hold_each_course_once_in_either_order(bens: Browser, ada: Customer, ben: Customer) -> None:
    titles = [f"{'É' if number % 3 else 'b'}tude {number % 7} " + "long " * 30 for number in range(50)]
    for title in titles:
        a_purchase(a_course(by=ada, title=title), by=ben)
    for sort in ("recent", "title"):
        seen, path = [], f"/library?sort={sort}"
        while path:
            page = bens.get(path).expect(200).text
            seen += re.findall(r'<article class="owned" id="purchase_([0-9a-f-]{36})"', page)
            more = re.search(r'href="(/library\?[^"]*cursor=[^"]+)"', page)
            path = html.unescape(more[1]) if more else ""
        assert len(seen) == len(set(seen)) == 50
    for odd in (
        "cursor=nonsense",
        "cursor=WyJ4IiwieCJd",
        "sort=title&cursor=WzEsMl0",
        "cursor=WyIyMDI2LTAxLTAxIiwieCJd",
    ):
        bens.get(f"/library?{odd}").expect(422)
    bens.get("/library?sort=price").expect(200)


def test_by_title_is_by_title(bens: Browser, ada: Customer, ben: Customer) -> None:
    for title in ("maps", "Bread", "Zebra"):
        a_purchase(a_course(by=ada, title=title), by=ben)
    page = bens.get("/library?sort=title").expect(200).visible
    assert page.index("Bread") < page.index("maps") < page.index("Zebra")
    newest = bens.get("/library").expect(200).visible
    assert newest.index("Zebra") < newest.index("Bread") < newest.index("maps")


def test_no_page_of_the_library_grows_its_queries(bens: Browser, ada: Customer, ben: Customer, queries: Any) -> None:
    first, second = (a_purchase(a_course(by=ada), by=ben) for _ in range(2))
    with transaction():
        archiving.archive(second)
    paths = ("/library", "/library/archived", "/library?sort=title&title=q")

    def cost() -> list[int]:
        counts = []
        for path in paths:
            bens.get(path).expect(200)
            with queries() as ran:
                bens.get(path)
            counts.append(ran.count)
        return counts

    before = cost()
    for _ in range(8):
        a_purchase(a_course(by=ada), by=ben)
        away = a_purchase(a_course(by=ada), by=ben)
        with transaction():
            archiving.archive(away)
    assert cost() == before
    assert first.id


# Putting away


def test_put_away_and_undone_at_the_same_place(bens: Browser, bought: Purchase) -> None:
    place = f"purchase_{bought.id}"
    away = bens.post(f"/library/{bought.id}/archive", htmx=True).expect(200)
    away.says("“Quiet Typography” is in your archive.", "Undo")
    assert f'<div id="{place}" hidden></div>' in away.text and 'data-timeout="10000"' in away.text
    assert f'hx-target="#{place}"' in away.text and f'action="/library/{bought.id}/restoration"' in away.text
    bens.get("/library").expect(200).says("Everything is put away", "Open the archive")
    bens.get("/library/archived").expect(200).says("Quiet Typography", "Restore")
    bens.get(f"/library/{bought.id}").expect(200).says("in your archive", "Download PDF")  # the right stays
    back = bens.post(f"/library/{bought.id}/restoration", htmx=True).expect(200)
    assert f'<article class="owned" id="{place}"' in back.text
    bens.get("/library").expect(200).says("Quiet Typography")


def test_without_script_and_twice(bens: Browser, bought: Purchase) -> None:
    for _ in range(2):
        assert bens.post(f"/library/{bought.id}/archive").expect(303).location == "/library"
    assert count(ArchivedPurchase) == 1
    bens.get("/library/archived").says("is in your archive.")
    for _ in range(2):
        assert bens.post(f"/library/{bought.id}/restoration").expect(303).location == "/library"
    assert count(ArchivedPurchase) == 0
    bens.get("/library").expect(200).says("“Quiet Typography” is back in your library.")


def test_the_archive_is_empty_at_first(bens: Browser) -> None:
    bens.get("/library/archived").expect(200).says("Nothing is put away", "Open my library")


@pytest.mark.parametrize("deed", ["archive", "restoration", "mail"])
def test_strangers_move_nothing(browser: Browser, cleo: Customer, bens: Browser, bought: Purchase, deed: str) -> None:
    path = f"/library/{bought.id}/{deed}"
    cleos = browser.as_(cleo)
    cleos.post(path).expect(404)
    cleos.post(f"/library/{new_id()}/{deed}").expect(404)
    assert browser.post(path).expect(303).location.startswith("/login")
    bens.post(path, token=False).expect(400)
    assert count(ArchivedPurchase) == 0


@pytest.mark.parametrize("path", ["/library", "/library/archived", "/library/files"])
def test_visitors_sign_in_first(browser: Browser, path: str) -> None:
    assert browser.get(path).expect(303).location.startswith("/login")
    assert browser.get(path, htmx=True).expect(401).location.startswith("/login")


def test_what_one_owns_stays_out_of_caches(bens: Browser, bought: Purchase) -> None:
    for path in ("/library", f"/library/{bought.id}", "/library/files", "/library/archived"):
        assert "private" in bens.get(path).expect(200).headers["Cache-Control"]


# The download page


def test_the_download_page_tells_everything(bens: Browser, bought: Purchase) -> None:
    with transaction() as session:
        from coursehub.courses.models import CourseVersion

        session.get_one(CourseVersion, bought.version_id).fingerprint = "ab" * 32
    page = bens.get(f"/library/{bought.id}").expect(200)
    page.says("Version 1", "Pages 12", "Size 1 KB", "5 of 5", "no link yet", "E-mail me the link instead", "View order")
    assert "ab" * 32 in page.text and bought.license_key in page.text
    assert "Payment receipt" not in page.visible
    with transaction() as session:
        session.get_one(Order, bought.order_id).receipt_url = "https://pay.stripe.com/receipts/x"
    bens.get(f"/library/{bought.id}").says("Payment receipt")


def test_all_used_says_what_to_do(bens: Browser, bought: Purchase) -> None:
    with transaction() as session:
        session.add(DownloadAllowance(purchase_id=bought.id, version_id=bought.version_id, used=5))
    page = bens.get(f"/library/{bought.id}").expect(200)
    page.says("All 5 downloads of this version are used", "You can still read it here", "reply to your receipt")
    page.is_silent_about("Download PDF")


def test_the_link_by_mail_is_the_pages_and_comes_once(
    bens: Browser, bought: Purchase, mailbox: Mailbox, work: Any
) -> None:
    for _ in range(2):
        bens.post(f"/library/{bought.id}/mail", {"nonce": "one"}).expect(303)
    bens.get(f"/library/{bought.id}").says("The link is on its way to ben@example.com.")
    assert mails("download_link") == 1
    work()
    (mail,) = [one for one in mailbox.to("ben@example.com") if "link" in str(one["Subject"])]
    text = mailbox.text(mail)
    assert any(line.endswith(f"/library/{bought.id}") for line in text.splitlines())
    assert "5 of 5 downloads left" in text
    assert "/files/" not in text and "/d/" not in text  # no way in for whoever finds the mail
    bens.post(f"/library/{bought.id}/mail", {"nonce": "two"}).expect(303)
    work()
    assert len([one for one in mailbox.to("ben@example.com") if "link" in str(one["Subject"])]) == 2
    assert count(DownloadAllowance) == 0  # asking costs no download
    bens.post(f"/library/{bought.id}/mail", {"nonce": "x" * 201}).expect(422)


def test_mailing_the_link_is_limited(
    app: Any, bens: Browser, bought: Purchase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "LIMIT_FACTOR", 1)
    answers = [bens.post(f"/library/{bought.id}/mail", {"nonce": f"n{number}"}).status for number in range(8)]
    assert answers[:5] == [303] * 5 and answers[-1] == 429


def test_a_link_that_has_ended_offers_another(bens: Browser, bought: Purchase) -> None:
    place = bens.post(f"/library/{bought.id}/downloads", {"nonce": "old"}).expect(303).location
    end_links()
    page = (
        bens.get(place)
        .expect(403)
        .says("This link has ended", "24 hours", "4 downloads of version 1", "Get a new link")
    )
    nonce = re.search(r'name="nonce" value="([^"]+)"', page.text)
    assert nonce
    fresh = bens.post(f"/library/{bought.id}/downloads", {"nonce": nonce[1]}).expect(303).location
    assert fresh != place
    bens.get(fresh).expect(303)


def test_a_link_that_has_ended_with_none_left_says_so(bens: Browser, bought: Purchase) -> None:
    place = bens.post(f"/library/{bought.id}/downloads", {"nonce": "old"}).expect(303).location
    end_links()
    with transaction() as session:
        session.get_one(DownloadAllowance, (bought.id, bought.version_id)).used = 5
    bens.get(place).expect(403).says("All 5 downloads of this version are used").is_silent_about("Get a new link")


def test_an_ended_link_of_bens_tells_cleo_nothing(
    browser: Browser, cleo: Customer, bens: Browser, bought: Purchase
) -> None:
    cleos = browser.as_(cleo)
    place = bens.post(f"/library/{bought.id}/downloads", {"nonce": "old"}).expect(303).location
    end_links()
    cleos.get(place).expect(404).is_silent_about("Quiet Typography")


def mails(kind: str) -> int:
    return count(MailMessage, MailMessage.kind == kind)


def end_links() -> None:
    with transaction() as session:
        for granted in session.query(downloads.DownloadGrant):
            granted.expires_at = min(granted.created_at, clock.now())
