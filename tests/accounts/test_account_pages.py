"""The account of somebody who is signed in: profile, password, address, browsers, becoming a creator."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text, update

from coursehub.accounts import email_tokens, passwords, policies, profile, sessions, tokens
from coursehub.accounts.models import ApiToken, BrowserSession, Customer, EmailToken
from coursehub.audit.models import AuditRecord
from coursehub.kernel import clock
from coursehub.kernel.db import db, transaction
from coursehub.kernel.errors import Invalid, NotAllowed
from tests.browser import Browser
from tests.factories import a_course
from tests.people import PASSWORD, a_person

PRIVATE = ["/account", "/account/password", "/account/email", "/account/sessions"]
NEW = "an even quieter evening"


def again(person: Customer) -> Customer:
    db.session.remove()
    return db.session.get_one(Customer, person.id)


def audited() -> list[str]:
    return list(db.session.scalars(select(AuditRecord.action).order_by(AuditRecord.number)))


@pytest.mark.parametrize("path", PRIVATE)
def test_the_signed_out_are_sent_to_sign_in_and_back(browser: Browser, path: str) -> None:
    assert browser.get(path).expect(303).location == f"/login?next={path}"
    assert browser.post(path, {"name": "x"}).expect(303).location.startswith("/login")


@pytest.mark.parametrize("path", PRIVATE)
def test_ben_sees_his_pages_and_nobody_stores_them(browser: Browser, ben: Customer, path: str) -> None:
    answer = browser.as_(ben).get(path).expect(200).says("Your account")
    assert answer.headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize(
    "path", ["/account", "/account/password", "/account/email", "/account/sessions", "/account/creator"]
)
def test_nothing_changes_without_the_pages_token(browser: Browser, ben: Customer, path: str) -> None:
    browser.as_(ben).post(path, {"name": "x"}, token=False).expect(400)


# Profile

FULL = {
    "name": "Ben Okafor-Lind",
    "bio": "Reads **everything**.",
    "address_line1": "12 Quiet Lane",
    "address_line2": "",
    "city": "Bergen",
    "region": "",
    "postal_code": "5003",
    "country": "NO",
}


def test_ben_changes_his_profile(browser: Browser, ben: Customer) -> None:
    bens = browser.as_(ben)
    assert bens.post("/account", FULL).expect(303).location == "/account"
    bens.get("/account").says("Your profile is saved.")
    stored = again(ben)
    assert (stored.name, stored.city, stored.country, stored.address_line2) == ("Ben Okafor-Lind", "Bergen", "NO", None)
    cleared = bens.post("/account", {"name": "Ben"}).expect(303)
    assert cleared.status == 303 and again(ben).address_line1 is None


def test_with_htmx_the_form_comes_back_alone_with_a_word_of_success(browser: Browser, ben: Customer) -> None:
    answer = browser.as_(ben).post("/account", FULL, htmx=True).expect(200).says("Your profile is saved.")
    assert "<html" not in answer.text and 'id="profile_form"' in answer.text
    assert again(ben).city == "Bergen"


@pytest.mark.parametrize("htmx", [False, True])
@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": ""}, "Enter your name."),
        ({"name": "x" * 121}, "At most 120 characters"),
        ({"bio": "x" * 2001}, "At most 2000 characters"),
        ({"country": "XX"}, "Choose a country from the list."),
        ({"city": "Ber\0gen"}, "This contains a character"),
        ({"name": "Ben\u202e"}, "This contains a character"),
    ],
)
def test_what_makes_no_sense_is_refused_and_stays_typed(
    browser: Browser, ben: Customer, htmx: bool, changes: dict[str, str], sentence: str
) -> None:
    answer = browser.as_(ben).post("/account", {**FULL, **changes}, htmx=htmx).expect(422)
    answer.says("There is a problem", sentence)
    assert "12 Quiet Lane" in answer.text
    assert ("<html" in answer.text) is not htmx
    assert again(ben).name == "Ben Okafor"


def test_the_profile_form_changes_nothing_else(browser: Browser, ben: Customer, cleo: Customer) -> None:
    more = {
        "role": "admin",
        "status": "banned",
        "email": "evil@example.com",
        "email_verified_at": "",
        "password_hash": "x",
        "id": str(cleo.id),
        "stripe_customer_id": "cus_evil",
    }
    browser.as_(ben).post("/account", {**FULL, **more}).expect(303)
    stored = again(ben)
    assert (stored.role, stored.status, stored.email, stored.email_verified, stored.stripe_customer_id) == (
        "buyer",
        "active",
        "ben@example.com",
        True,
        None,
    )
    assert again(cleo).name == "Cleo Marsh"


def test_a_program_may_change_one_field_alone(ben: Customer) -> None:
    with transaction():
        profile.update(db.session.get_one(Customer, ben.id), city=" Oslo ", country="no")
    stored = again(ben)
    assert (stored.name, stored.city, stored.country) == ("Ben Okafor", "Oslo", "NO")
    with pytest.raises(Invalid, match="Choose a country"), transaction():
        profile.update(db.session.get_one(Customer, ben.id), country="Norway")


# Becoming a creator


def test_one_step_makes_ben_a_creator(browser: Browser, ben: Customer, app: Flask) -> None:
    bens = browser.as_(ben)
    bens.get("/account").says("Become a creator")
    before = bens.client.get_cookie("coursehub")
    assert before is not None
    assert bens.post("/account/creator").expect(303).location == "/studio"
    assert again(ben).role == "creator"
    assert audited() == ["role.changed"]
    bens.get("/account").expect(200).says("Open the studio")
    thief = Browser(app)
    thief.client.set_cookie("coursehub", before.value)
    thief.get("/account").expect(303)  # a session id from before the step is worth nothing after it


def test_a_new_session_id_does_not_count_as_giving_the_password(browser: Browser, ben: Customer) -> None:
    bens = browser.as_(ben)
    an_hour_ago = clock.now() - timedelta(hours=1)
    with transaction():
        db.session.execute(update(BrowserSession).values(password_checked_at=an_hour_ago))
    bens.post("/account/creator").expect(303)
    assert db.session.scalars(select(BrowserSession.password_checked_at)).one() == an_hour_ago
    bens.post("/account/password", {"current": PASSWORD, "password": NEW}).expect(303)
    assert clock.now() - db.session.scalars(select(BrowserSession.password_checked_at)).one() < timedelta(minutes=1)


def test_a_second_step_changes_nothing(browser: Browser, ada: Customer, root: Customer) -> None:
    browser.as_(ada).post("/account/creator").expect(303)
    browser.as_(root).post("/account/creator").expect(303)
    assert (again(ada).role, again(root).role) == ("creator", "admin")
    assert audited() == []


def test_without_a_confirmed_address_nobody_becomes_a_creator(browser: Browser) -> None:
    dora = a_person("Dora Lind", verified=False)
    doras = browser.as_(dora)
    doras.get("/account").says("Confirm your e-mail address first.").is_silent_about('action="/account/creator"')
    doras.post("/account/creator").expect(403).says("Confirm your e-mail address first")
    assert again(dora).role == "buyer"


def test_a_banned_person_does_not_become_a_creator_nor_buys(ben: Customer) -> None:
    with transaction():
        person = db.session.get_one(Customer, ben.id)
        person.status = "banned"
        assert not policies.may_buy(person)
        with pytest.raises(NotAllowed, match="may not sell"):
            profile.become_creator(person)


def test_who_may_do_what(ben: Customer, ada: Customer, root: Customer) -> None:
    dora = a_person("Dora Lind", verified=False)
    assert [policies.may_buy(one) for one in (ben, ada, root, dora)] == [True, True, True, False]
    assert [policies.is_creator(one) for one in (ben, ada, root, dora)] == [False, True, True, False]
    assert [policies.is_admin(one) for one in (ben, ada, root, dora)] == [False, False, True, False]


# Password


def test_ben_changes_his_password_and_only_this_browser_stays(browser: Browser, ben: Customer, mails: Any) -> None:
    bens, phone = browser.as_(ben), browser.as_(ben)
    with transaction():
        program = tokens.issue(ben).id
        reset = email_tokens.issue(ben, "reset", ben.email).token
    bens.post("/account/password", {"current": PASSWORD, "password": NEW}).expect(303)
    bens.get("/account/password").expect(200).says("Your password is changed.")
    phone.get("/account").expect(303)
    assert db.session.get_one(ApiToken, program).revoked_at is not None
    assert email_tokens.find("reset", reset) is None
    assert audited() == ["sessions.ended", "password.changed"]
    assert [mail.kind for mail in mails(to="ben@example.com")] == ["password_changed"]
    browser.post("/login", {"email": "ben@example.com", "password": NEW}).expect(303)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"current": "not this one", "password": NEW}, "That is not your password."),
        ({"current": "", "password": NEW}, "Enter your current password."),
        ({"current": PASSWORD, "password": "short"}, "at least 10"),
        ({"current": PASSWORD, "password": "1234567890"}, "most common"),
        ({"current": PASSWORD, "password": "Ben Okafor"}, "not your name"),
    ],
)
def test_a_password_that_may_not_be_is_refused(
    browser: Browser, ben: Customer, fields: dict[str, str], sentence: str
) -> None:
    phone = browser.as_(ben)
    browser.as_(ben).post("/account/password", fields).expect(422).says("There is a problem", sentence)
    assert passwords.verify(again(ben).password_hash, PASSWORD)
    phone.get("/account").expect(200)
    assert audited() == []


# Address


def ask_for(browser: Browser, email: str, password: str = PASSWORD) -> Any:
    return browser.post("/account/email", {"email": email, "password": password})


def test_ben_changes_his_address_and_the_old_one_is_told(
    browser: Browser, ben: Customer, mails: Any, app: Flask
) -> None:
    bens = browser.as_(ben)
    ask_for(bens, "Ben@New.Example.com").expect(200).says("We have sent a link to Ben@new.example.com")
    assert again(ben).email == "ben@example.com"  # nothing changes before the link is used
    token = mails("confirm_address", to="Ben@new.example.com")[0].data["token"]
    elsewhere = Browser(app)
    elsewhere.get(f"/account/email/confirm?token={token}").expect(200).says("Ben@new.example.com", "Use this address")
    assert again(ben).email == "ben@example.com"
    assert elsewhere.post("/account/email/confirm", {"token": token}).expect(303).location == "/login"
    assert again(ben).email == "Ben@new.example.com"
    assert [mail.kind for mail in mails(to="ben@example.com")] == ["address_changed"]
    assert audited() == ["email.changed"]
    elsewhere.post("/login", {"email": "ben@example.com", "password": PASSWORD}).expect(422)
    elsewhere.post("/login", {"email": "ben@new.example.com", "password": PASSWORD}).expect(303)
    elsewhere.post("/account/email/confirm", {"token": token}).expect(422).says("This link has been used")


@pytest.mark.parametrize(
    ("email", "password", "sentence"),
    [
        ("ben@new.example.com", "not this one", "That is not your password."),
        ("ben@new.example.com", "", "Enter your password."),
        ("nonsense", PASSWORD, "Enter an e-mail address such as"),
        ("", PASSWORD, "Enter your new e-mail address."),
        ("BEN@example.com", PASSWORD, "This is your address already."),
    ],
)
def test_a_change_of_address_that_may_not_be_is_refused(
    browser: Browser, ben: Customer, mails: Any, email: str, password: str, sentence: str
) -> None:
    ask_for(browser.as_(ben), email, password).expect(422).says(sentence)
    assert mails() == []


def test_cleos_address_is_answered_like_a_free_one_and_stays_hers(
    browser: Browser, ben: Customer, cleo: Customer, mails: Any
) -> None:
    from tests.accounts.test_registration import without_secrets

    bens = browser.as_(ben)
    free = ask_for(bens, "free@example.com").expect(200)
    taken = ask_for(bens, "cleo@example.com").expect(200)
    assert without_secrets(free).replace("free@", "…") == without_secrets(taken).replace("cleo@", "…")
    assert [mail.kind for mail in mails(to="cleo@example.com")] == ["you_have_an_account"]


def test_who_took_the_address_meanwhile_keeps_it(browser: Browser, ben: Customer, mails: Any) -> None:
    bens = browser.as_(ben)
    ask_for(bens, "wanted@example.com").expect(200)
    token = mails("confirm_address")[0].data["token"]
    quicker = a_person("Quick Quinn", email="wanted@example.com")
    bens.post("/account/email/confirm", {"token": token}).expect(409).says("confirmed for another account")
    assert (again(ben).email, again(quicker).email) == ("ben@example.com", "wanted@example.com")


def test_only_the_newest_link_changes_the_address_and_a_new_password_ends_it(
    browser: Browser, ben: Customer, mails: Any
) -> None:
    bens = browser.as_(ben)
    ask_for(bens, "one@example.com")
    ask_for(bens, "two@example.com")
    one, two = (mail.data["token"] for mail in mails("confirm_address"))
    bens.post("/account/email/confirm", {"token": one}).expect(422)
    bens.post("/account/password", {"current": PASSWORD, "password": NEW}).expect(303)
    bens.post("/account/email/confirm", {"token": two}).expect(422)
    assert again(ben).email == "ben@example.com"


def test_dora_mends_a_mistyped_address_and_is_confirmed_by_it(browser: Browser, mails: Any) -> None:
    dora = a_person("Dora Lind", verified=False, email="dora@exmaple.com")
    squatter = a_person("Squatter", verified=False, email="dora@example.com")
    with transaction():
        mistyped = email_tokens.issue(dora, "verify", dora.email).token
    doras = browser.as_(dora)
    ask_for(doras, "dora@example.com").expect(200)
    doras.post("/account/email/confirm", {"token": mails("confirm_address")[0].data["token"]}).expect(303)
    stored = again(dora)
    assert (stored.email, stored.email_verified) == ("dora@example.com", True)
    assert db.session.get(Customer, squatter.id) is None
    assert mails("address_changed") == []
    doras.post("/account/verify", {"token": mistyped}).expect(422)


# Signed-in browsers


def test_ben_sees_his_browsers_and_signs_one_out(browser: Browser, ben: Customer, cleo: Customer) -> None:
    bens, phone, cleos = browser.as_(ben), browser.as_(ben), browser.as_(cleo)
    with transaction():
        db.session.execute(
            update(BrowserSession)
            .where(BrowserSession.id == sessions.of(ben)[1].id)
            .values(user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
        )
    bens.get("/account/sessions").expect(200).says("This browser", "127.0.0.1", "Firefox on Linux")
    mine = {row.id for row in sessions.of(ben)}
    with bens.client.session_transaction() as cookie:
        from coursehub.web.sessions import hashed

        here = hashed(cookie["sid"])
    other = next(row.id for row in sessions.of(ben) if bytes(row.id_hash) != here)
    cleos.post(f"/account/sessions/{other}/end").expect(404)
    assert {row.id for row in sessions.of(ben)} == mine
    bens.post(f"/account/sessions/{other}/end").expect(303)
    bens.post(f"/account/sessions/{other}/end").expect(404)
    bens.post("/account/sessions/nonsense/end").expect(404)
    phone.get("/account").expect(303)
    bens.get("/account").expect(200)


def test_ben_signs_out_everywhere_else(browser: Browser, ben: Customer, cleo: Customer) -> None:
    bens, phone, cleos = browser.as_(ben), browser.as_(ben), browser.as_(cleo)
    bens.post("/account/sessions").expect(303)
    phone.get("/account").expect(303)
    bens.get("/account").expect(200)
    cleos.get("/account").expect(200)
    assert audited() == ["sessions.ended"]


@pytest.mark.parametrize(
    ("told", "name"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0",
            "Edge on Windows",
        ),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
        ("curl/8", "A browser"),
        ("", "A browser"),
    ],
)
def test_a_browser_is_called_what_people_call_it(told: str, name: str) -> None:
    assert sessions.browser_name(told) == name


def test_what_ran_out_is_swept_away(ben: Customer) -> None:
    with transaction():
        sessions.open(ben, b"1" * 32, "not an address", "x\x00\n" * 400)
        sessions.open(ben, b"2" * 32, "::1", "")
        tokens.issue(ben)
        email_tokens.issue(ben, "verify", ben.email)
        kept = db.session.execute(text("SELECT ip, length(user_agent) AS size FROM sessions ORDER BY id_hash")).all()
        assert [(str(row.ip) if row.ip else None, row.size) for row in kept] == [(None, 300), ("::1", 0)]
    with transaction():
        long_ago = clock.now() - timedelta(days=8)
        for row in (BrowserSession, ApiToken, EmailToken):
            db.session.execute(update(row).values(expires_at=long_ago))
    with transaction():
        assert (sessions.sweep_expired(), tokens.sweep_expired(), email_tokens.sweep_expired()) == (2, 1, 1)
        assert (sessions.sweep_expired(), tokens.sweep_expired(), email_tokens.sweep_expired()) == (0, 0, 0)


def test_search_knows_an_author_by_the_name_given_on_the_account_page(
    browser: Browser, ada: Customer, work: Any
) -> None:
    course = a_course(by=ada)
    adas = browser.as_(ada)
    browser.get("/courses?q=brandt").says(course.title)
    adas.post("/account", {"name": "Adelheid Voss"}).expect(303)
    assert work("customer.renamed") == 1
    browser.get("/courses?q=voss").says(course.title, "Adelheid Voss")
    browser.get("/courses?q=brandt").says("No course found for “brandt”")
    adas.post("/account", {"name": "Adelheid Voss"}).expect(303)
    assert work("customer.renamed") == 0, "nothing was renamed"


def test_strangers_guessing_does_not_keep_ben_from_changing_his_password(
    app: Flask, browser: Browser, ben: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """His browser has tries of its own, also where a password is asked for after the sign-in page."""
    login = {"email": "ben@example.com", "password": PASSWORD}
    browser.post("/login", login).expect(303)
    elsewhere = browser.as_(ben)  # signed in too, but never with the password in this browser
    monkeypatch.setitem(app.config, "LIMIT_FACTOR", 1)
    monkeypatch.setenv("COURSEHUB_LIMIT_LOGIN", "1000000/minute")
    stranger = Browser(app)
    statuses = {stranger.post("/login", login | {"password": f"guess {n}"}).status for n in range(25)}
    assert statuses == {422, 429}
    change = {"current": PASSWORD, "password": NEW}
    elsewhere.post("/account/password", change).expect(429)
    ask_for(elsewhere, "new@example.com").expect(429)
    ask_for(browser, "new@example.com").expect(200)
    browser.post("/account/password", change).expect(303)


def test_the_mark_of_a_known_browser_goes_nowhere_but_where_passwords_are_asked_for(
    browser: Browser, ben: Customer
) -> None:
    browser.post("/login", {"email": "ben@example.com", "password": PASSWORD}).expect(303)
    paths = [path for path in ("/login", "/account") if browser.client.get_cookie("known_device", path=path)]
    assert paths == ["/login", "/account"]
    assert browser.client.get_cookie("known_device", path="/") is None
