"""Making an account and confirming its address."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text, update

from coursehub.accounts import addresses, email_tokens, passwords, registration
from coursehub.accounts.models import BrowserSession, Consent, Customer, EmailToken
from coursehub.kernel import clock
from coursehub.kernel.db import db, transaction
from coursehub.kernel.errors import Conflict, Invalid
from coursehub.kernel.outbox import OutboxMessage
from coursehub.web.pages import TERMS_VERSION
from tests.browser import Answer, Browser
from tests.factories import a_course
from tests.people import a_person

NEW = {"name": "Dora Lind", "email": "dora@example.com", "password": "blue kettle on the hob"}
STALE = "This link has been used or is too old"
NOT_THE_CODE = "That is not the code, or it is too old."


def register(browser: Browser, **changes: str) -> Answer:
    return browser.post("/account/register", {**NEW, **changes})


def without_secrets(answer: Answer) -> str:
    """The answer but for what is random in it by design."""
    return re.sub(r'(name="csrf_token" value|name="csrf-token" content)="[^"]*"', "", answer.text)


# Making it


def test_dora_makes_an_account_and_is_asked_for_the_code(browser: Browser, mails: Any) -> None:
    browser.get("/account/register").expect(200).says("Create an account", "At least 10 characters")
    assert register(browser, next="/cart").expect(303).location == "/account/verify?next=/cart"
    browser.get("/account/verify?next=/cart").expect(200).says("dora@example.com", "six digits")
    dora = db.session.scalars(select(Customer)).one()
    assert (dora.name, dora.email, dora.role, dora.email_verified) == ("Dora Lind", "dora@example.com", "buyer", False)
    assert not passwords.needs_rehash(dora.password_hash)
    assert [mail.kind for mail in mails(to="dora@example.com")] == ["verify_email"]


def test_where_she_came_from_survives_with_its_query(browser: Browser, mails: Any) -> None:
    place = "/courses?q=type&tag=design"
    assert (
        register(browser, next=place).expect(303).location == "/account/verify?next=/courses%3Fq%3Dtype%26tag%3Ddesign"
    )
    assert (
        'value="/courses?q=type&amp;tag=design"'
        in browser.get("/account/verify?next=/courses%3Fq%3Dtype%26tag%3Ddesign").text
    )
    code = mails("verify_email")[-1].data["code"]
    assert browser.post("/account/verify", {"code": code, "next": place}).expect(303).location == place


def test_what_she_agreed_to_and_that_she_came_is_recorded(browser: Browser) -> None:
    register(browser).expect(303)
    agreed = db.session.execute(select(Consent.kind, Consent.version, Consent.given)).all()
    assert sorted(map(tuple, agreed)) == [("privacy", TERMS_VERSION, True), ("terms", TERMS_VERSION, True)]
    facts = db.session.scalars(select(OutboxMessage).where(OutboxMessage.name == "customer.registered")).all()
    assert [fact.payload["customer_id"] for fact in facts] == [str(db.session.scalars(select(Customer.id)).one())]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": ""}, "Enter your name."),
        ({"name": " \t "}, "Enter your name."),
        ({"name": "x" * 121}, "At most 120 characters fit here."),
        ({"name": "Dora\u202eLind"}, "This contains a character that cannot be used here."),
        ({"email": ""}, "Enter your e-mail address."),
        ({"email": "dora"}, "Enter an e-mail address such as name@example.com."),
        ({"email": "dora@example.com, ben@example.com"}, "Enter an e-mail address"),
        ({"password": ""}, "Choose a password of at least 10 characters."),
        ({"password": "ninechars"}, "Choose a password of at least 10 characters."),
        ({"password": "x" * 64 + "y" * 65}, "Choose a password of at most 128 characters."),
        ({"password": "dora@example.com"}, "not your name or your e-mail address"),
        ({"password": "1234567890"}, "one of the most common"),
    ],
)
def test_what_makes_no_sense_is_said_beside_its_field(browser: Browser, changes: dict[str, str], sentence: str) -> None:
    answer = register(browser, **changes).expect(422).says("There is a problem", sentence)
    assert answer.text.count(f'value="{NEW["name"]}"') == (0 if "name" in changes else 1)
    assert NEW["password"] not in answer.text
    assert db.session.scalars(select(Customer)).all() == []


def test_a_name_cannot_steer_a_mail(browser: Browser) -> None:
    register(browser, name="Dora\r\nBcc: everybody@example.com").expect(303)
    assert db.session.scalars(select(Customer.name)).one() == "Dora Bcc: everybody@example.com"


def test_nobody_gives_themselves_a_role(browser: Browser) -> None:
    more = {
        "role": "admin",
        "status": "banned",
        "email_verified_at": "2026-01-01",
        "id": "1",
        "stripe_customer_id": "x",
    }
    register(browser, **more).expect(303)
    dora = db.session.scalars(select(Customer)).one()
    assert (dora.role, dora.status, dora.email_verified_at, dora.stripe_customer_id) == ("buyer", "active", None, None)


def test_registering_needs_the_page_it_came_from(browser: Browser) -> None:
    browser.post("/account/register", NEW, token=False).expect(400)
    assert db.session.scalars(select(Customer)).all() == []


def test_who_is_signed_in_makes_no_second_account(browser: Browser, ben: Customer) -> None:
    bens = browser.as_(ben)
    bens.get("/account/register").expect(303)
    register(bens).expect(303)
    assert db.session.scalars(select(Customer.id)).all() == [ben.id]


# Telling nobody which addresses are known


def test_a_known_and_an_unknown_address_are_answered_alike(
    app: Flask, ben: Customer, mails: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_person("Una Twin", verified=False, email="twin@example.com")
    hashed: list[str] = []
    real = passwords.hash_password
    monkeypatch.setattr(passwords, "hash_password", lambda password: hashed.append(password) or real(password))
    seen = {}
    for email in ("ben@example.com", "twin@example.com", "dora@example.com"):
        hashed.clear()
        browser = Browser(app)
        answer = register(browser, email=email).expect(303)
        page = browser.get("/account/verify").expect(200)
        wrong = browser.post("/account/verify", {"code": "000000"})
        again = browser.post("/account/verify/resend")
        headers = sorted(name for name, _ in answer.headers)
        bodies = [without_secrets(one).replace(email, "…") for one in (page, wrong, again)]
        seen[email] = (
            answer.location,
            headers,
            without_secrets(answer),
            bodies,
            wrong.status,
            again.status,
            len(hashed),
        )
    assert seen["ben@example.com"] == seen["dora@example.com"] == seen["twin@example.com"]
    assert seen["dora@example.com"][-1] == 1
    assert [mail.kind for mail in mails(to="ben@example.com")] == ["you_have_an_account"] * 2
    assert [mail.kind for mail in mails(to="dora@example.com")] == ["verify_email"] * 2


def test_registering_with_bens_address_gives_nothing_of_bens(browser: Browser, ben: Customer) -> None:
    register(browser, email="ben@example.com").expect(303)
    browser.get("/account").expect(200).says("Dora Lind").is_silent_about("Ben Okafor")
    accounts = db.session.execute(select(Customer.name, Customer.email_verified_at)).all()
    assert {name: bool(verified) for name, verified in accounts} == {"Ben Okafor": True, "Dora Lind": False}


def test_one_address_gets_only_so_many_mails(app: Flask, mails: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "LIMIT_FACTOR", 1)
    statuses = []
    for number in range(6):
        monkeypatch.setenv("COURSEHUB_LIMIT_REGISTER", "1000/minute")
        statuses.append(register(Browser(app), name=f"Dora {number}").status)
    assert statuses == [303] * 5 + [429]
    assert len(mails()) == 5


# Confirming it


def make_dora(browser: Browser, mails: Any) -> dict[str, str]:
    register(browser).expect(303)
    return dict(mails("verify_email")[-1].data)


def test_the_link_asks_before_it_acts(browser: Browser, mails: Any, app: Flask) -> None:
    proof = make_dora(browser, mails)
    elsewhere = Browser(app)
    for _ in range(3):  # mail scanners open links
        page = elsewhere.get(f"/account/verify?token={proof['token']}").expect(200)
        page.says("Dora Lind", "dora@example.com", "Confirm my address")
    elsewhere.head(f"/account/verify?token={proof['token']}").expect(200)
    assert db.session.scalars(select(Customer.email_verified_at)).one() is None


def test_the_link_works_on_another_device_and_signs_nobody_in_there(browser: Browser, mails: Any, app: Flask) -> None:
    proof = make_dora(browser, mails)
    phone = Browser(app)
    assert phone.post("/account/verify", {"token": proof["token"]}).expect(303).location == "/login"
    phone.get("/login").expect(200).says("Your e-mail address is confirmed. Sign in to go on.")
    phone.get("/account").expect(303)
    browser.get("/account/email").expect(200).says("Confirmed")  # the browser she registered with


def test_the_link_works_once(browser: Browser, mails: Any, app: Flask) -> None:
    proof = make_dora(browser, mails)
    browser.post("/account/verify", {"token": proof["token"]}).expect(303)
    Browser(app).post("/account/verify", {"token": proof["token"]}).expect(422).says(STALE)
    Browser(app).get(f"/account/verify?token={proof['token']}").expect(200).says(STALE)


def test_confirming_gives_the_browser_a_new_session(browser: Browser, mails: Any, app: Flask) -> None:
    proof = make_dora(browser, mails)
    before = browser.client.get_cookie("coursehub")
    assert before is not None
    browser.post("/account/verify", {"token": proof["token"]}).expect(303)
    thief = Browser(app)
    thief.client.set_cookie("coursehub", before.value)
    thief.get("/account").expect(303)
    browser.get("/account").expect(200)


@pytest.mark.parametrize("token", ["", "x", "a" * 43, "ä" * 43, "\0", "%00", "../../etc", "1" * 9000])
def test_a_token_that_never_was_is_refused(browser: Browser, token: str) -> None:
    if token:
        browser.post("/account/verify", {"token": token}).expect(422).says(STALE)
    else:
        browser.post("/account/verify", {"token": token}).expect(303)


def test_the_link_lives_for_a_day(browser: Browser, mails: Any) -> None:
    proof = make_dora(browser, mails)
    token = db.session.scalars(select(EmailToken)).one()
    assert abs(token.expires_at - clock.now() - timedelta(hours=24)) < timedelta(minutes=1)
    with transaction():
        db.session.execute(update(EmailToken).values(expires_at=clock.now()))
    browser.post("/account/verify", {"token": proof["token"]}).expect(422).says(STALE)


def test_ben_may_open_doras_link_and_stays_ben(browser: Browser, mails: Any, ben: Customer) -> None:
    proof = make_dora(browser, mails)
    bens = browser.as_(ben)
    bens.post("/account/verify", {"token": proof["token"]}).expect(303)
    bens.get("/account").says("Ben Okafor")


def test_the_code_confirms_in_the_browser_she_registered_with(browser: Browser, mails: Any) -> None:
    proof = make_dora(browser, mails)
    spaced = f" {proof['code'][:3]} {proof['code'][3:]} "
    assert browser.post("/account/verify", {"code": spaced, "next": "/cart"}).expect(303).location == "/cart"
    assert db.session.scalars(select(Customer.email_verified_at)).one() is not None
    assert browser.get("/account/verify").expect(303).location == "/account"


@pytest.mark.parametrize(
    ("typed", "sentence"), [("", "Enter the six digits"), ("12345", "six digits"), ("abcdef", "six digits")]
)
def test_what_is_no_code_is_said_so(browser: Browser, mails: Any, typed: str, sentence: str) -> None:
    make_dora(browser, mails)
    browser.post("/account/verify", {"code": typed}).expect(422).says(sentence)


def test_five_wrong_codes_use_the_right_one_up(browser: Browser, mails: Any) -> None:
    proof = make_dora(browser, mails)
    wrong = f"{(int(proof['code']) + 1) % 1_000_000:06}"
    for _ in range(5):
        browser.post("/account/verify", {"code": wrong}).expect(422).says(NOT_THE_CODE)
    browser.post("/account/verify", {"code": proof["code"]}).expect(422).says(NOT_THE_CODE)
    browser.post("/account/verify/resend").expect(303)
    browser.post("/account/verify", {"code": mails("verify_email")[-1].data["code"]}).expect(303)


def test_codes_guessed_in_parallel_are_counted_one_by_one(
    app: Flask, browser: Browser, mails: Any, together: Callable[..., list[Any]]
) -> None:
    proof = make_dora(browser, mails)
    dora_id = db.session.scalars(select(Customer.id)).one()
    wrong = f"{(int(proof['code']) + 1) % 1_000_000:06}"

    def guess(number: int) -> bool:
        with transaction() as session:
            dora = session.get_one(Customer, dora_id)
            return registration.verify_code(dora, proof["code"] if number > 18 else wrong) is not None

    together(12, lambda number: guess(0))
    assert guess(19) is False
    db.session.remove()
    assert db.session.scalars(select(EmailToken.code_attempts)).one() == email_tokens.CODE_TRIES


def test_the_code_is_nobody_elses(browser: Browser, mails: Any, app: Flask) -> None:
    proof = make_dora(browser, mails)
    mallory = browser.as_(a_person("Mallory", verified=False))
    mallory.post("/account/verify", {"code": proof["code"]}).expect(422)
    assert Browser(app).post("/account/verify", {"code": proof["code"]}).expect(303).location.startswith("/login")
    assert db.session.scalars(select(Customer).where(Customer.email_verified_at.is_not(None))).all() == []


def test_a_new_mail_makes_the_old_code_useless_but_not_the_old_link(browser: Browser, mails: Any, app: Flask) -> None:
    old = make_dora(browser, mails)
    browser.post("/account/verify/resend").expect(303)
    new = mails("verify_email")[-1].data
    if old["code"] != new["code"]:
        browser.post("/account/verify", {"code": old["code"]}).expect(422)
    Browser(app).post("/account/verify", {"token": old["token"]}).expect(303)
    Browser(app).post("/account/verify", {"token": new["token"]}).expect(422)


def test_the_confirmed_get_no_more_mails(browser: Browser, ben: Customer, mails: Any) -> None:
    browser.as_(ben).post("/account/verify/resend").expect(303)
    assert mails() == []


def test_only_who_is_signed_in_asks_for_another_mail(browser: Browser) -> None:
    assert browser.post("/account/verify/resend").expect(303).location.startswith("/login")


def test_nothing_in_the_database_lets_a_reader_confirm(browser: Browser, mails: Any) -> None:
    proof = make_dora(browser, mails)
    row = db.session.execute(text("SELECT * FROM email_tokens")).mappings().one()
    stored = b" ".join(
        bytes(value) if isinstance(value, memoryview | bytes) else str(value).encode() for value in row.values()
    )
    assert proof["token"].encode() not in stored and proof["code"].encode() not in stored


# One address, several accounts


def test_the_first_to_confirm_owns_the_address_and_the_others_are_gone(app: Flask, mails: Any) -> None:
    first, second = Browser(app), Browser(app)
    register(first, name="Squatter").expect(303)
    register(second, name="Dora Lind").expect(303)
    squatters, doras = (mail.data["token"] for mail in mails("verify_email"))
    second.post("/account/verify", {"token": doras}).expect(303)
    assert db.session.scalars(select(Customer.name)).all() == ["Dora Lind"]
    first.get("/account").expect(303)  # signed out: the account is gone
    first.post("/account/verify", {"token": squatters}).expect(422).says(STALE)
    second.get("/account").expect(200)


def confirm_all(together: Callable[..., list[Any]], tokens: list[str]) -> list[Any]:
    def confirm(number: int) -> Any:
        with transaction():
            return registration.verify(tokens[number]).id

    return together(len(tokens), confirm)


def rivals(count: int) -> list[str]:
    tokens = []
    for number in range(count):
        person = a_person(f"Rival {number}", verified=False, email="rivals@example.com")
        with transaction():
            tokens.append(email_tokens.issue(person, "verify", person.email).token)
    return tokens


def owners() -> int:
    db.session.remove()
    return len(db.session.scalars(select(Customer).where(Customer.email_verified_at.is_not(None))).all())


def test_of_many_who_confirm_at_once_one_owns_the_address(together: Callable[..., list[Any]]) -> None:
    for _ in range(3):
        outcome = confirm_all(together, rivals(8))
        refused = [one for one in outcome if isinstance(one, Invalid | Conflict)]
        assert len(refused) == 7, outcome
        assert owners() == 1
        with transaction() as session:
            session.execute(text("DELETE FROM customers"))


def test_without_the_guard_the_same_race_goes_wrong(
    together: Callable[..., list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: no lock and no unique index, and the race is lost in at least one of ten rounds."""
    monkeypatch.setattr(addresses, "lock", lambda email: None)
    with transaction() as session:
        session.execute(text("DROP INDEX uq_customers_verified_email"))
    wrong = 0
    try:
        for _ in range(10):
            outcome = confirm_all(together, rivals(8))
            refused = [one for one in outcome if isinstance(one, Invalid | Conflict)]
            wrong += owners() != 1 or len(refused) != 7
            with transaction() as session:
                session.execute(text("DELETE FROM customers"))
            if wrong:
                break
    finally:
        with transaction() as session:
            session.execute(text("DELETE FROM customers"))
            session.execute(
                text(
                    "CREATE UNIQUE INDEX uq_customers_verified_email ON customers (email_index)"
                    " WHERE email_verified_at IS NOT NULL AND status <> 'deleted'"
                )
            )
    assert wrong


def test_the_database_itself_allows_one_owner_an_address(ben: Customer) -> None:
    from sqlalchemy.exc import IntegrityError

    with pytest.raises(IntegrityError, match="uq_customers_verified_email"):
        a_person("Other Ben", email="BEN@example.com")


# Accounts that nobody confirms


def test_after_a_week_an_unconfirmed_account_is_gone_unless_something_hangs_on_it(ben: Customer) -> None:
    old, young, author = (a_person(name, verified=False) for name in ("Old", "Young", "Author"))
    a_course(by=author)
    long_ago = clock.now() - timedelta(days=7, minutes=1)
    with transaction():
        db.session.execute(
            update(Customer).where(Customer.id.in_([old.id, author.id, ben.id])).values(registration_date=long_ago)
        )
    with transaction():
        assert registration.sweep_unverified() == 1
    left = set(db.session.scalars(select(Customer.id)))
    assert left == {young.id, author.id, ben.id}
    with transaction():
        assert registration.sweep_unverified() == 0


def test_the_sessions_of_a_swept_account_end_with_it(browser: Browser) -> None:
    register(browser).expect(303)
    with transaction():
        db.session.execute(update(Customer).values(registration_date=clock.now() - timedelta(days=8)))
    with transaction():
        registration.sweep_unverified()
    assert db.session.scalars(select(BrowserSession)).all() == []
    browser.get("/account").expect(303)


# Sign-in must not tell either


def test_whether_ones_own_new_password_lets_one_in_tells_nothing(
    browser: Browser, ben: Customer, app: Flask, mails: Any
) -> None:
    answers = {}
    for email in ("ben@example.com", "unknown@example.com"):
        register(Browser(app), email=email).expect(303)
        visitor = Browser(app)
        answers[email] = visitor.post("/login", {"email": email, "password": NEW["password"]}).status
        visitor.get("/account").expect(200).says("Dora Lind")
    assert answers == {"ben@example.com": 303, "unknown@example.com": 303}
    assert [mail.kind for mail in mails(to="ben@example.com")] == ["you_have_an_account"]


def test_who_stands_beside_the_owner_can_neither_buy_nor_confirm(
    browser: Browser, ada: Customer, ben: Customer, mails: Any
) -> None:
    course = a_course(by=ada)
    register(browser, email="ben@example.com").expect(303)
    twin = db.session.scalars(select(Customer).where(Customer.name == "Dora Lind")).one()
    browser.post("/cart/items", {"course_id": str(course.id)}).expect(303)
    assert browser.post("/checkout", {"total_cents": "1900"}).status in (303, 403)
    with transaction():
        proof = email_tokens.issue(twin, "verify", twin.email)
    with pytest.raises(Conflict), transaction():
        registration.verify(proof.token)
    with pytest.raises(Conflict), transaction():
        registration.verify_code(db.session.get_one(Customer, twin.id), proof.code or "")
    assert not db.session.get_one(Customer, twin.id).email_verified
