"""Unsubscribing: by the mail's own link without signing in, by the mail program's button, at the account."""

import base64
import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from coursehub.kernel import encryption
from coursehub.kernel.db import transaction
from coursehub.kernel.encryption import KeyRing, key_ring
from coursehub.kernel.errors import NotFound
from coursehub.mail import kinds, preferences
from coursehub.mail.models import MailPreference
from tests.browser import Browser

ADA = "ada@example.com"
# Every kind that may be turned off comes until it is.
ALL = {kind.name: True for kind in kinds.optional() if kind.nature == "notice"}


def link(address: str = ADA, kind: str = "course_sold") -> str:
    return f"/mail/unsubscribe/{preferences.unsubscribe_token(address, kind)}"


def gets(address: str = ADA) -> dict[str, bool]:
    with transaction():
        return preferences.of_address(address)


def test_notices_come_until_refused_and_marketing_only_when_wanted(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    offer = kinds.Kind("offer", "marketing", fields={}, sample={})
    monkeypatch.setitem(kinds.KINDS, "offer", offer)
    assert gets() == {**ALL, "offer": False}
    with transaction():
        preferences.choose(ADA, {"offer": True, "course_sold": False})
    assert gets() == {**ALL, "course_sold": False, "offer": True}
    assert gets("ben@example.com")["course_sold"] is True


def test_the_choice_is_stored_without_the_address(app: Flask) -> None:
    with transaction():
        preferences.choose(ADA, {"course_sold": False})
    with transaction() as session:
        (row,) = session.scalars(select(MailPreference)).all()
    assert len(row.address_index) == 32 and b"ada" not in row.address_index
    assert "ada" not in link()


def test_opening_the_link_changes_nothing_pressing_the_button_does(app: Flask, browser: Browser) -> None:
    browser.get(link()).expect(200).says("e-mails about: Sales", "Unsubscribe")
    browser.head(link()).expect(200)
    assert gets()["course_sold"] is True
    browser.post(link(), token=False).expect(200).says("You are unsubscribed", "Undo")
    assert gets() == {**ALL, "course_sold": False}


def test_the_button_of_a_mail_program_works_without_cookie_or_token(app: Flask, browser: Browser) -> None:
    answer = browser.post(link(), {"List-Unsubscribe": "One-Click"}, token=False).expect(200)
    assert "Set-Cookie" not in answer.headers
    assert gets()["course_sold"] is False


def test_pressing_twice_is_the_same_and_undo_takes_it_back(app: Flask, browser: Browser) -> None:
    for _ in range(2):
        browser.post(link(), token=False).expect(200)
    assert gets()["course_sold"] is False
    browser.post(link(), {"again": "1"}, token=False).expect(200).says("You get these e-mails again")
    assert gets()["course_sold"] is True


def test_the_page_keeps_its_address_to_itself_and_starts_no_session(app: Flask, browser: Browser) -> None:
    for answer in (browser.get(link()), browser.post(link(), token=False)):
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert "Set-Cookie" not in answer.headers
        assert 'content="noindex"' in answer.text


def test_cleo_cannot_unsubscribe_ada(app: Flask, browser: Browser) -> None:
    token = preferences.unsubscribe_token(ADA, "course_sold")
    index, kind, signature = token.split(".")
    other = preferences.unsubscribe_token("cleo@example.com", "course_sold").split(".")
    forged = [
        f"{index}.{kind}.{other[2]}",
        f"{index}.course_ready.{signature}",
        f"{other[0]}.{kind}.{signature}",
        f"{index}.{kind}.{signature[:-1]}{'0' if signature[-1] != '0' else '1'}",
        f"{index}.{kind}",
        f"{index}.{kind}.",
        f"{index}.{kind}.é",
        "x",
        f"{index}.{kind}.{key_ring().sign(f'{index}.{kind}', 'files.link')}",
        f"{index}.{kind}.{KeyRing([('x', b'B' * 32)]).sign(f'{index}.{kind}', 'mail.unsubscribe')}",
    ]
    for token in forged:
        browser.get(f"/mail/unsubscribe/{token}").expect(404)
        browser.post(f"/mail/unsubscribe/{token}", token=False).expect(404)
    assert all(gets().values())


def test_a_link_to_a_kind_that_is_no_more_says_so(app: Flask) -> None:
    index = base64.urlsafe_b64encode(b"x" * 32).decode().rstrip("=")
    token = f"{index}.newsletter.{key_ring().sign(f'{index}.newsletter', 'mail.unsubscribe')}"
    with pytest.raises(NotFound, match="no longer exists"):
        preferences.subscription(token)


def test_old_links_and_choices_survive_a_new_key(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    old = app.config["SETTINGS"].key_ring()
    refused = link(kind="course_ready")
    with transaction():
        preferences.choose(ADA, {"course_sold": False})
    monkeypatch.setattr(encryption, "_ring", KeyRing([("new", b"N" * 32), *old]))
    assert gets()["course_sold"] is False
    with transaction():
        preferences.unsubscribe(refused.rpartition("/")[2])
    assert gets() == {**ALL, "course_ready": False, "course_sold": False}
    with transaction():  # the last word counts, whichever key it is under
        preferences.choose(ADA, {"course_sold": True, "course_ready": True})
    assert all(gets().values())


# At the account


def test_ada_chooses_at_her_account(app: Flask, browser: Browser, ada: Any) -> None:
    page = browser.as_(ada)
    shown = page.get("/account/mail").expect(200).says("E-mails we send you", "Sales", "Finished uploads")
    assert len(re.findall(r'type="checkbox"[^>]*checked', shown.text)) == len(ALL)
    page.post("/account/mail", {name: "y" for name in ALL if name != "course_sold"}).expect(303)
    assert gets(ada.email) == {**ALL, "course_sold": False}
    shown = page.get("/account/mail").says("Your choice is saved.")
    assert len(re.findall(r'type="checkbox"[^>]*checked', shown.text)) == len(ALL) - 1


def test_strangers_sign_in_first_and_forged_forms_are_refused(app: Flask, browser: Browser, ada: Any) -> None:
    assert browser.get("/account/mail").expect(303).location.startswith("/login?next=")
    browser.post("/account/mail", {}, token=False).expect(400)
    browser.as_(ada).post("/account/mail", {}, token=False).expect(400)
    assert all(gets(ada.email).values())
