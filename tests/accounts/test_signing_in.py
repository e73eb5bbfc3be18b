"""Signing in and out: who gets in, what a session is worth, what a copied cookie is worth."""

from datetime import timedelta

import pytest
from flask import Flask
from flask_login import user_logged_in
from sqlalchemy import select, update

from coursehub.accounts import passwords
from coursehub.accounts.models import BrowserSession, Customer
from coursehub.kernel import clock
from coursehub.kernel.db import db, transaction
from tests.browser import Browser
from tests.people import PASSWORD, a_person

REFUSED = "The e-mail address or the password is not right."


def sign_in(browser: Browser, email: str, password: str = PASSWORD, **more: str):  # type: ignore[no-untyped-def]
    return browser.post("/login", {"email": email, "password": password, **more})


def test_ben_signs_in_and_goes_back_to_where_he_was(browser: Browser, ben: Customer) -> None:
    browser.get("/login?next=/account/email").expect(200).says("Sign in")
    answer = sign_in(browser, "ben@example.com", next="/account/email").expect(303)
    assert answer.location == "/account/email"
    browser.get("/account/email").expect(200).says("ben@example.com")


def test_the_case_of_an_address_does_not_matter(browser: Browser, ben: Customer) -> None:
    sign_in(browser, " BEN@Example.COM ").expect(303)


def test_a_wrong_password_is_refused_and_the_address_stays_typed(browser: Browser, ben: Customer) -> None:
    answer = sign_in(browser, "ben@example.com", "not his password").expect(422)
    answer.says(REFUSED, "There is a problem")
    assert 'value="ben@example.com"' in answer.text
    assert "not his password" not in answer.text
    assert "<title>Error: Sign in" in answer.text


def test_an_unknown_address_is_refused_in_the_same_words(browser: Browser, ben: Customer) -> None:
    sign_in(browser, "nobody@example.com").expect(422).says(REFUSED)


@pytest.mark.parametrize("fields", [{}, {"email": "ben@example.com"}, {"password": PASSWORD}])
def test_a_form_with_gaps_names_them(browser: Browser, ben: Customer, fields: dict[str, str]) -> None:
    browser.post("/login", fields).expect(422).says("There is a problem")


@pytest.mark.parametrize("odd", ["ben\0@example.com", "x" * 5000, "ben@example.com\r\nBcc: x@y.example", "🐙@🐙"])
def test_odd_addresses_are_refused_politely(browser: Browser, ben: Customer, odd: str) -> None:
    sign_in(browser, odd).expect(422)


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "\t//evil.example",
        "/%09/x\n",
    ],
)
def test_next_never_leads_to_another_site(browser: Browser, ben: Customer, elsewhere: str) -> None:
    assert sign_in(browser, "ben@example.com", next=elsewhere).expect(303).location == "/"


def test_who_is_signed_in_needs_no_sign_in_page(browser: Browser, ben: Customer) -> None:
    assert browser.as_(ben).get("/login?next=/library").expect(303).location == "/library"


def test_a_banned_person_may_sign_in_and_a_deleted_one_not(browser: Browser, ben: Customer, cleo: Customer) -> None:
    with transaction():
        db.session.execute(update(Customer).where(Customer.id == ben.id).values(status="banned"))
        db.session.execute(update(Customer).where(Customer.id == cleo.id).values(status="deleted"))
    sign_in(browser, "ben@example.com").expect(303)
    sign_in(Browser(browser.app), "cleo@example.com").expect(422).says(REFUSED)


def test_signing_in_hashes_an_outdated_password_anew(browser: Browser, ben: Customer) -> None:
    assert passwords.needs_rehash(ben.password_hash)
    sign_in(browser, "ben@example.com").expect(303)
    stored = db.session.scalars(select(Customer.password_hash)).one()
    assert not passwords.needs_rehash(stored)
    assert passwords.verify(stored, PASSWORD)


def test_every_sign_in_costs_the_same_number_of_hashes(
    browser: Browser, ben: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        a_person("Una Twin", verified=False, email="twin@example.com")
        a_person("Una Twin", verified=False, email="owned@example.com")
    a_person("Una Owner", email="owned@example.com")
    tried: list[str] = []
    real = passwords.verify
    monkeypatch.setattr(passwords, "verify", lambda stored, typed: tried.append(stored) or real(stored, typed))
    counts = {}
    for email in ("ben@example.com", "twin@example.com", "owned@example.com", "nobody@example.com", "no address"):
        tried.clear()
        sign_in(Browser(browser.app), email, "a wrong password").expect(422)
        counts[email] = len(tried)
    assert set(counts.values()) == {3}, counts


def test_an_unconfirmed_account_is_found_by_its_own_password(browser: Browser, ben: Customer) -> None:
    first = a_person("First Twin", verified=False, email="twin@example.com")
    second = a_person("Second Twin", verified=False, email="twin@example.com")
    with transaction():
        db.session.execute(
            update(Customer)
            .where(Customer.id == first.id)
            .values(password_hash=passwords.hash_password("first and only"))
        )
    sign_in(browser, "twin@example.com", "first and only").expect(303)
    assert db.session.scalars(select(BrowserSession.customer_id)).all() == [first.id]
    other = Browser(browser.app)
    sign_in(other, "twin@example.com").expect(303)
    assert set(db.session.scalars(select(BrowserSession.customer_id))) == {first.id, second.id}


def test_an_unconfirmed_twin_signs_in_beside_the_owner_and_to_its_own_account_only(
    browser: Browser, ben: Customer
) -> None:
    twin = a_person("Not Ben", verified=False, email="ben@example.com")
    with transaction():
        db.session.execute(
            update(Customer).where(Customer.id == twin.id).values(password_hash=passwords.hash_password("of the twin"))
        )
    sign_in(browser, "ben@example.com", "of the twin").expect(303)
    assert db.session.scalars(select(BrowserSession.customer_id)).all() == [twin.id]
    sign_in(Browser(browser.app), "ben@example.com").expect(303)
    assert set(db.session.scalars(select(BrowserSession.customer_id))) == {twin.id, ben.id}


def test_the_owner_gets_in_however_many_twins_there_are(browser: Browser, ben: Customer) -> None:
    for number in range(5):
        a_person(f"Twin {number}", verified=False, email="ben@example.com")
    sign_in(browser, "ben@example.com").expect(303)
    assert db.session.scalars(select(BrowserSession.customer_id)).all() == [ben.id]


def test_signing_in_changes_the_session_id_and_ends_the_old_one(
    browser: Browser, ben: Customer, cleo: Customer
) -> None:
    sign_in(browser, "ben@example.com")
    before = browser.client.get_cookie("coursehub")
    assert before is not None
    sign_in(browser, "cleo@example.com").expect(303)
    browser.get("/account").says("Cleo")
    thief = Browser(browser.app)
    thief.client.set_cookie("coursehub", before.value)
    assert thief.get("/account").expect(303).location.startswith("/login")


def test_a_session_planted_before_sign_in_is_worth_nothing(browser: Browser, ben: Customer) -> None:
    with browser.client.session_transaction() as cookie:
        cookie["sid"] = "planted by somebody who waits"
    sign_in(browser, "ben@example.com").expect(303)
    thief = Browser(browser.app)
    with thief.client.session_transaction() as cookie:
        cookie["sid"] = "planted by somebody who waits"
    assert thief.get("/account").expect(303).location.startswith("/login")


def test_a_copied_cookie_dies_with_the_sign_out(browser: Browser, ben: Customer) -> None:
    sign_in(browser, "ben@example.com")
    copied = browser.client.get_cookie("coursehub")
    assert copied is not None
    thief = Browser(browser.app)
    thief.client.set_cookie("coursehub", copied.value)
    thief.get("/account").expect(200)  # the control: before, the copy works
    answer = browser.post("/logout").expect(303)
    assert answer.headers["Clear-Site-Data"] == '"cache"'
    assert answer.headers["Cache-Control"] == "no-store"
    thief.client.set_cookie("coursehub", copied.value)
    assert thief.get("/account").expect(303).location.startswith("/login")
    assert db.session.scalars(select(BrowserSession)).all() == []


def test_signing_out_needs_a_post_with_a_token_and_may_be_repeated(browser: Browser, ben: Customer) -> None:
    bens = browser.as_(ben)
    bens.get("/logout").expect(405)
    bens.post("/logout", token=False).expect(400)
    bens.get("/account").expect(200)
    bens.post("/logout").expect(303)
    bens.post("/logout").expect(303)


def test_nobody_can_be_signed_in_from_another_page(browser: Browser, ben: Customer) -> None:
    fields = {"email": "ben@example.com", "password": PASSWORD}
    browser.post("/login", fields, token=False).expect(400)


def test_a_session_ends_after_30_days_without_a_visit(browser: Browser, ben: Customer) -> None:
    bens = browser.as_(ben)
    with transaction():
        db.session.execute(update(BrowserSession).values(expires_at=clock.now() - timedelta(seconds=1)))
    assert bens.get("/account").expect(303).location.startswith("/login")


def test_a_visit_is_written_down_at_most_every_five_minutes(browser: Browser, ben: Customer) -> None:
    bens = browser.as_(ben)
    long_ago = clock.now() - timedelta(days=3)
    with transaction():
        db.session.execute(
            update(BrowserSession).values(last_seen_at=long_ago, expires_at=long_ago + timedelta(days=30))
        )
        db.session.execute(update(Customer).values(last_active_at=long_ago))
    answer = bens.get("/account").expect(200)
    seen = db.session.scalars(select(BrowserSession.last_seen_at)).one()
    active = db.session.scalars(select(Customer.last_active_at)).one()
    expires = db.session.scalars(select(BrowserSession.expires_at)).one()
    assert clock.now() - seen < timedelta(minutes=1)
    assert active == seen
    assert expires - clock.now() > timedelta(days=29, hours=23)
    assert "coursehub=" in answer.headers.get("Set-Cookie", "")  # the cookie lives on as long as the row
    again = bens.get("/account").expect(200)
    assert db.session.scalars(select(BrowserSession.last_seen_at)).one() == seen
    assert "Set-Cookie" not in again.headers


def test_others_hear_of_a_sign_in_and_see_the_person(app: Flask, browser: Browser, ben: Customer) -> None:
    from flask_login import current_user

    heard = []

    def listen(_app: Flask, user: Customer, **_more: object) -> None:
        heard.append((user.id, current_user.is_authenticated and current_user.id))

    user_logged_in.connect(listen)
    try:
        sign_in(browser, "ben@example.com").expect(303)
    finally:
        user_logged_in.disconnect(listen)
    assert heard == [(ben.id, ben.id)]


def test_the_session_cookie_opens_no_api_route(browser: Browser, ben: Customer, app: Flask) -> None:
    from flask_login import current_user

    from coursehub.accounts.views.blueprint import load_person

    bens = browser.as_(ben)
    cookie = bens.client.get_cookie("coursehub")
    assert cookie is not None
    with app.test_request_context("/api/v1/me", headers={"Cookie": f"coursehub={cookie.value}"}) as context:
        assert load_person(context.request) is None
    with app.test_request_context("/account", headers={"Cookie": f"coursehub={cookie.value}"}):
        assert current_user.id == ben.id


def test_guessing_is_slowed_down_and_ben_still_gets_in_with_his_own_browser(
    app: Flask, browser: Browser, ben: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(browser, "ben@example.com").expect(303)
    browser.post("/logout").expect(303)
    monkeypatch.setitem(app.config, "LIMIT_FACTOR", 1)
    monkeypatch.setenv("COURSEHUB_LIMIT_LOGIN", "1000000/minute")
    stranger = Browser(app)
    statuses = [sign_in(stranger, "ben@example.com", f"guess number {n}").status for n in range(25)]
    assert statuses == [422] * 20 + [429] * 5
    answer = sign_in(stranger, "ben@example.com").expect(429)
    assert int(answer.headers["Retry-After"]) > 0
    sign_in(browser, "ben@example.com").expect(303)


def test_one_address_cannot_try_many_accounts(
    app: Flask, browser: Browser, ben: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "LIMIT_FACTOR", 1)
    statuses = [sign_in(browser, f"person{n}@example.com", "a common guess").status for n in range(12)]
    assert statuses == [422] * 10 + [429] * 2


def test_when_the_session_has_ended_htmx_gets_the_whole_sign_in_page(browser: Browser, ben: Customer) -> None:
    bens = browser.as_(ben)
    with transaction():
        db.session.execute(update(BrowserSession).values(expires_at=clock.now() - timedelta(seconds=1)))
    answer = bens.post(
        "/account", {"name": "Ben"}, htmx=True, headers={"HX-Current-URL": "http://localhost/account"}
    ).expect(401)
    assert answer.headers["HX-Redirect"] == "/login?next=/account"


def test_when_the_database_is_away_the_page_says_so(
    browser: Browser, ben: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy.exc import OperationalError

    from coursehub.accounts import sessions

    bens = browser.as_(ben)

    def away(_id_hash: bytes) -> None:
        raise OperationalError("SELECT", {}, ConnectionError("gone"))

    monkeypatch.setattr(sessions, "load", away)
    answer = bens.get("/account").expect(503)
    assert answer.headers["Retry-After"]
    monkeypatch.undo()
    bens.get("/account").expect(200)
