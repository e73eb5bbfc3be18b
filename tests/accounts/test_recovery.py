"""A forgotten password."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from coursehub.accounts import passwords, recovery, tokens
from coursehub.accounts.models import ApiToken, Customer, EmailToken
from coursehub.audit.models import AuditRecord
from coursehub.kernel import clock
from coursehub.kernel.db import db, transaction
from coursehub.kernel.outbox import OutboxMessage
from tests.accounts.test_registration import without_secrets
from tests.browser import Answer, Browser
from tests.people import PASSWORD, a_person

NEW = "an even quieter evening"
STALE = "This link has been used or is too old. Ask for a new one."


def ask(browser: Browser, email: str = "ben@example.com") -> Answer:
    return browser.post("/account/forgotten", {"email": email})


def bens_token(app: Flask, mails: Any) -> str:
    ask(Browser(app)).expect(200)
    return str(mails("reset_password")[-1].data["token"])


def open_link(browser: Browser, token: str) -> Answer:
    assert browser.get(f"/account/reset?token={token}").expect(303).location == "/account/reset"
    return browser.get("/account/reset").expect(200)


def set_password(browser: Browser, token: str, password: str = NEW) -> Answer:
    open_link(browser, token)
    return browser.post("/account/reset", {"password": password})


def test_ben_sets_a_new_password_by_the_mailed_link(app: Flask, browser: Browser, ben: Customer, mails: Any) -> None:
    browser.get("/account/forgotten").expect(200).says("Forgotten your password?")
    ask(browser).expect(200).says("If there is an account for ben@example.com")
    token = mails("reset_password", to="ben@example.com")[0].data["token"]
    open_link(browser, token).says("Choose a new password")
    assert browser.post("/account/reset", {"password": NEW}).expect(303).location == "/login"
    browser.get("/login").says("Your password is changed. Sign in with the new one.")
    browser.post("/login", {"email": "ben@example.com", "password": PASSWORD}).expect(422)
    browser.post("/login", {"email": "ben@example.com", "password": NEW}).expect(303)
    assert [mail.kind for mail in mails(to="ben@example.com")] == ["reset_password", "password_changed"]


def test_a_new_password_signs_ben_out_everywhere(app: Flask, browser: Browser, ben: Customer, mails: Any) -> None:
    phone = browser.as_(ben)
    with transaction():
        api = tokens.issue(ben).id
    token = bens_token(app, mails)
    set_password(browser, token).expect(303)
    phone.get("/account").expect(303)
    assert db.session.get_one(ApiToken, api).revoked_at is not None
    actions = db.session.scalars(select(AuditRecord.action).order_by(AuditRecord.number)).all()
    assert actions == ["sessions.ended", "password.reset"]


def test_the_address_bar_and_the_referer_do_not_keep_the_token(
    app: Flask, browser: Browser, ben: Customer, mails: Any
) -> None:
    token = bens_token(app, mails)
    answer = open_link(browser, token)
    assert token not in answer.text
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert "no-store" in answer.headers["Cache-Control"]


def test_the_link_works_once(app: Flask, browser: Browser, ben: Customer, mails: Any) -> None:
    token = bens_token(app, mails)
    set_password(browser, token).expect(303)
    stranger = Browser(app)
    open_link(stranger, token).says(STALE)
    stranger.post("/account/reset", {"password": "a third one altogether"}).expect(422).says(STALE)
    assert passwords.verify(db.session.scalars(select(Customer.password_hash)).one(), NEW)


def test_the_link_lives_for_half_an_hour(app: Flask, browser: Browser, ben: Customer, mails: Any) -> None:
    token = bens_token(app, mails)
    expires = db.session.scalars(select(EmailToken.expires_at)).one()
    assert abs(expires - clock.now() - timedelta(minutes=30)) < timedelta(minutes=1)
    with transaction():
        db.session.execute(update(EmailToken).values(expires_at=clock.now()))
    open_link(browser, token).says(STALE)
    browser.post("/account/reset", {"password": NEW}).expect(422)


def test_the_link_dies_when_ben_signs_in_after_all(app: Flask, browser: Browser, ben: Customer, mails: Any) -> None:
    token = bens_token(app, mails)
    other = Browser(app)
    other.post("/login", {"email": "ben@example.com", "password": PASSWORD}).expect(303)
    other.post("/logout").expect(303)
    set_password(browser, token).expect(422).says(STALE)


def test_the_link_dies_when_a_program_signs_in(app: Flask, browser: Browser, ben: Customer, mails: Any) -> None:
    token = bens_token(app, mails)
    with transaction():
        tokens.issue(ben)
    set_password(browser, token).expect(422).says(STALE)


def test_the_link_dies_when_the_password_changes_another_way(
    app: Flask, browser: Browser, ben: Customer, mails: Any
) -> None:
    token = bens_token(app, mails)
    with transaction():
        db.session.execute(update(Customer).values(password_hash=passwords.hash_password("set some other way")))
    set_password(browser, token).expect(422).says(STALE)


def test_of_two_links_one_use_ends_both(app: Flask, browser: Browser, ben: Customer, mails: Any) -> None:
    first, second = bens_token(app, mails), bens_token(app, mails)
    assert first != second
    set_password(browser, second).expect(303)
    set_password(Browser(app), first, "a third one altogether").expect(422)


@pytest.mark.parametrize("broken", ["", "x", "\0", "é" * 43, "1" * 5000])
def test_a_token_that_never_was_is_refused(browser: Browser, ben: Customer, broken: str) -> None:
    with browser.client.session_transaction() as cookie:
        cookie["reset_token"] = broken
    browser.get("/account/reset").expect(200).says(STALE)
    browser.post("/account/reset", {"password": NEW}).expect(422).says(STALE)


def test_part_of_a_token_is_no_token(app: Flask, browser: Browser, ben: Customer, mails: Any) -> None:
    set_password(browser, bens_token(app, mails)[:-1]).expect(422).says(STALE)


def test_a_confirmation_is_no_reset(app: Flask, browser: Browser, ben: Customer, mails: Any) -> None:
    from coursehub.accounts import email_tokens

    with transaction():
        token = email_tokens.issue(ben, "verify", ben.email).token
    set_password(browser, token).expect(422).says(STALE)


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("", "at least 10"),
        ("short", "at least 10"),
        ("1234567890", "most common"),
        ("ben@example.com", "not your name"),
    ],
)
def test_a_bad_password_is_refused_and_the_link_stays_good(
    app: Flask, browser: Browser, ben: Customer, mails: Any, password: str, sentence: str
) -> None:
    token = bens_token(app, mails)
    set_password(browser, token, password).expect(422).says(sentence)
    browser.post("/account/reset", {"password": NEW}).expect(303)


def test_known_and_unknown_addresses_are_answered_alike_and_only_the_owner_gets_mail(
    app: Flask, ben: Customer, mails: Any
) -> None:
    a_person("Una Twin", verified=False, email="twin@example.com")
    seen = []
    for email in ("ben@example.com", "twin@example.com", "nobody@example.com"):
        answer = ask(Browser(app), email).expect(200)
        seen.append((without_secrets(answer).replace(email, "…"), sorted(name for name, _ in answer.headers)))
    assert seen[0] == seen[1] == seen[2]
    assert [(mail.kind, mail.to_address) for mail in mails()] == [("reset_password", "ben@example.com")]
    assert db.session.scalars(select(EmailToken.customer_id)).all() == [ben.id]
    asked = db.session.scalars(select(OutboxMessage).where(OutboxMessage.name == "email.send")).all()
    assert len(asked) <= 1


def test_the_unknown_cost_as_many_statements_as_the_known_but_one(app: Flask, ben: Customer) -> None:
    from sqlalchemy import event

    counted: dict[str, int] = {}
    for email in ("ben@example.com", "nobody@example.com"):
        statements: list[str] = []

        def listen(*about: Any, seen: list[str] = statements) -> None:
            seen.append(about[2])

        event.listen(db.engine, "before_cursor_execute", listen)
        try:
            with transaction():
                recovery.request_reset(email)
        finally:
            event.remove(db.engine, "before_cursor_execute", listen)
        counted[email] = sum(statement.startswith("INSERT") for statement in statements)
    assert 0 < counted["ben@example.com"] - counted["nobody@example.com"] <= 1, counted


def test_what_is_no_address_is_said_so(browser: Browser) -> None:
    ask(browser, "no address").expect(422).says("There is a problem")
    ask(browser, "").expect(422).says("Enter your e-mail address.")


def test_the_pages_need_their_token(browser: Browser, ben: Customer, mails: Any) -> None:
    browser.post("/account/forgotten", {"email": "ben@example.com"}, token=False).expect(400)
    browser.post("/account/reset", {"password": NEW}, token=False).expect(400)
    assert mails() == []


def test_one_address_gets_only_so_many_links(
    app: Flask, browser: Browser, ben: Customer, mails: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "LIMIT_FACTOR", 1)
    statuses = [ask(browser, email).status for email in ["ben@example.com"] * 5 + ["BEN@example.com"]]
    assert statuses == [200] * 5 + [429]
    assert len(mails()) == 5
