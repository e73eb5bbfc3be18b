"""Accounts and tokens over the API: made, confirmed, used, renewed, ended, and never forged."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from sqlalchemy import select, update

from coursehub.accounts.models import ApiToken, Customer
from coursehub.kernel.db import db, transaction
from tests.api.program import Program
from tests.people import PASSWORD, a_person
from tests.stack import JWT

EVE = {"email": "eve@example.com", "password": "a very long walk", "name": "Eve Lind"}


def test_eve_makes_an_account_confirms_it_and_signs_in(program: Program, work: Any, mailbox: Any) -> None:
    made = program.post("/auth/register", EVE).expect(201).json
    assert set(made) == {"access_token", "refresh_token", "token_type", "expires_in", "user"}
    assert made["expires_in"] == 900
    assert (made["user"]["role"], made["user"]["email_verified"]) == ("buyer", False)
    work("email.send")
    token = mailbox.token(mailbox.newest("eve@example.com"))
    assert program.post("/auth/verify", {"token": token}).expect(200).json["user"]["email_verified"] is True
    program.post("/auth/verify", {"token": token}).expect(422).blames("token")
    signed_in = program.post("/auth/login", EVE).expect(200).json
    me = Program(program.app, signed_in).get("/me").expect(200).json
    assert me["email"] == "eve@example.com"


def test_a_known_address_is_answered_like_a_new_one(program: Program, ben: Any, work: Any, mailbox: Any) -> None:
    known = program.post("/auth/register", EVE | {"email": "BEN@example.com"}).expect(201)
    new = program.post("/auth/register", EVE).expect(201)

    def shape(reply: Any) -> Any:
        user = reply.json["user"]
        same = {name: value for name, value in user.items() if name not in ("id", "email", "registration_date")}
        return sorted(reply.json), same, sorted(name for name, _value in reply.headers)

    assert shape(known) == shape(new)
    work("email.send")
    assert "account" in str(mailbox.newest("ben@example.com")["Subject"])
    # The second account is not Ben's: it sees nothing of his.
    assert Program(program.app, known.json).get("/me").json["id"] != str(ben.id)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"email": "no address"}, "email"),
        ({"password": "short"}, "password"),
        ({"password": "password1234"}, "password"),
        ({"name": " "}, "name"),
        ({"name": "\0"}, "name"),
        ({"email": None}, "email"),
        ({"password": 1234567890}, "password"),
        ({"name": ["Eve"]}, "name"),
    ],
)
def test_what_does_not_fit_is_blamed_on_its_field(program: Program, change: dict[str, Any], field: str) -> None:
    program.post("/auth/register", EVE | change).expect(422).blames(field)


def test_nobody_registers_as_staff(program: Program) -> None:
    extra = {"role": "admin", "status": "active", "email_verified_at": "2026-01-01T00:00:00Z", "id": "x"}
    user = program.post("/auth/register", EVE | extra).expect(201).json["user"]
    assert (user["role"], user["email_verified"]) == ("buyer", False)


def test_a_wrong_password_and_an_unknown_address_are_one_answer(program: Program, ben: Any) -> None:
    wrong = program.post("/auth/login", {"email": ben.email, "password": "not his password"}).expect(401).json
    unknown = (
        program.post("/auth/login", {"email": "nobody@example.com", "password": "whatever it is"}).expect(401).json
    )
    for problem in (wrong, unknown):
        problem.pop("request_id")
    assert wrong == unknown


def test_guessing_is_slowed_down_per_account(program: Program, ben: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSEHUB_LIMIT_LOGIN_ACCOUNT", "3/hour")
    monkeypatch.setitem(program.app.config, "LIMIT_FACTOR", 1)
    monkeypatch.setenv("COURSEHUB_LIMIT_LOGIN", "100/minute")
    for _ in range(3):
        program.post("/auth/login", {"email": ben.email, "password": "not his password"}).expect(401)
    program.post("/auth/login", {"email": ben.email.upper(), "password": PASSWORD}).expect(429)


def test_sign_ins_are_limited_per_address(program: Program, ben: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(program.app.config, "LIMIT_FACTOR", 1)
    monkeypatch.setenv("COURSEHUB_LIMIT_LOGIN", "3/hour")
    for number in range(3):
        program.post("/auth/login", {"email": f"p{number}@example.com", "password": "some password"}).expect(401)
    program.post("/auth/login", {"email": ben.email, "password": PASSWORD}).expect(429)


def test_the_whole_api_is_limited(program: Program, bens: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(program.app.config, "LIMIT_FACTOR", 1)
    monkeypatch.setenv("COURSEHUB_LIMIT_API", "4/hour")
    statuses = [bens.get("/me").status for _ in range(6)]
    assert statuses == [200] * 4 + [429] * 2


def test_refresh_rotates_and_reuse_ends_the_family(program: Program, bens: Program) -> None:
    first = bens.tokens["refresh_token"]
    second = program.post("/auth/refresh", {"refresh_token": first}).expect(200).json
    assert second["refresh_token"] != first
    renewed = Program(program.app, second)
    renewed.get("/me").expect(200)
    # Two tabs within ten seconds: both live.
    assert program.post("/auth/refresh", {"refresh_token": first}).expect(200).json["refresh_token"]
    with transaction() as session:
        session.execute(
            update(ApiToken)
            .where(ApiToken.used_at.is_not(None))
            .values(used_at=datetime.now(UTC) - timedelta(minutes=1))
        )
    program.post("/auth/refresh", {"refresh_token": first}).expect(401)
    program.post("/auth/refresh", {"refresh_token": second["refresh_token"]}).expect(401)
    renewed.get("/me").expect(401)


def test_fifty_refreshes_at_once_make_one_chain(program: Program, bens: Program, together: Any) -> None:
    first = bens.tokens["refresh_token"]
    replies = together(50, lambda _n: program.post("/auth/refresh", {"refresh_token": first}).status)
    assert replies == [200] * 50
    db.session.rollback()
    assert len(db.session.scalars(select(ApiToken)).all()) == 2


def test_signing_out_ends_both_tokens(program: Program, bens: Program, ben: Any) -> None:
    elsewhere = program.as_(ben)
    bens.post("/auth/logout").expect(200)
    bens.get("/me").expect(401)
    program.post("/auth/refresh", {"refresh_token": bens.tokens["refresh_token"]}).expect(401)
    bens.post("/auth/logout").expect(401)
    elsewhere.get("/me").expect(200)


def test_signing_out_works_with_the_refresh_token_alone(program: Program, bens: Program) -> None:
    body = {"refresh_token": bens.tokens["refresh_token"]}
    program.post("/auth/logout", body).expect(200)
    bens.get("/me").expect(401)
    program.post("/auth/logout", body).expect(200)
    program.post("/auth/logout").expect(401)


def test_a_deleted_persons_token_counts_no_more(bens: Program, ben: Any) -> None:
    with transaction() as session:
        session.get_one(Customer, ben.id).status = "deleted"
    bens.get("/me").expect(401)
    bens.post("/auth/refresh", {"refresh_token": bens.tokens["refresh_token"]}).expect(401)


def _claims(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


def _forged(claims: dict[str, Any], *, key: str = JWT, algorithm: str = "HS256", **header: Any) -> str:
    return jwt.encode(claims, key, algorithm, headers={"typ": "at+jwt", **header})


def _unsigned(claims: dict[str, Any], algorithm: str) -> str:
    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': algorithm, 'typ': 'at+jwt'})}.{part(claims)}."


def test_a_token_made_like_ours_is_taken(program: Program, bens: Program) -> None:
    """The control for the forgeries below: nothing but the named fault makes them fail."""
    forged = _forged(_claims(bens.tokens["access_token"]))
    program.get("/me", headers={"Authorization": f"Bearer {forged}"}).expect(200)


@pytest.mark.parametrize("missing", ["exp", "iat", "aud", "iss", "jti", "sub", "family"])
def test_a_token_without_one_of_its_claims_is_refused(program: Program, bens: Program, missing: str) -> None:
    claims = _claims(bens.tokens["access_token"])
    del claims[missing]
    program.get("/me", headers={"Authorization": f"Bearer {_forged(claims)}"}).expect(401)


@pytest.mark.parametrize(
    "change",
    [
        {"aud": "another"},
        {"iss": "another"},
        {"exp": 1},
        {"iat": 99999999999},
        {"type": "refresh"},
        {"sub": "not-an-id"},
        {"sub": 7},
        {"sub": "00000000-0000-7000-8000-000000000000"},
        {"family": "00000000-0000-7000-8000-000000000000"},
        {"family": None},
        {"nbf": 99999999999},
        {"aud": ["coursehub-api\0"]},
        {"exp": "soon"},
    ],
)
def test_a_token_that_says_something_else_is_refused(program: Program, bens: Program, change: dict[str, Any]) -> None:
    forged = _forged(_claims(bens.tokens["access_token"]) | change)
    program.get("/me", headers={"Authorization": f"Bearer {forged}"}).expect(401)


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "RS256", "HS512", "ES256", ""])
def test_the_algorithm_is_ours_to_choose(program: Program, bens: Program, algorithm: str) -> None:
    claims = _claims(bens.tokens["access_token"])
    token = _forged(claims, algorithm="HS512") if algorithm == "HS512" else _unsigned(claims, algorithm)
    program.get("/me", headers={"Authorization": f"Bearer {token}"}).expect(401)


def test_another_key_a_key_id_or_another_kind_of_token_is_refused(program: Program, bens: Program) -> None:
    claims = _claims(bens.tokens["access_token"])
    for token in (
        _forged(claims, key="another secret of enough characters"),
        _forged(claims, key="root:x:0:0:root:/root:/bin/bash-and-more", kid="/dev/null"),
        _forged(claims, typ="rt+jwt"),
        _forged(claims, typ="JWT"),
        bens.tokens["refresh_token"],
    ):
        program.get("/me", headers={"Authorization": f"Bearer {token}"}).expect(401)
    # And an access token refreshes nothing.
    program.post("/auth/refresh", {"refresh_token": bens.tokens["access_token"]}).expect(401)


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer a.b.c",
        "Bearer a b",
        "bearer x",
        "Basic YmVuOmJlbg==",
        "Bearer " + "ÿ" * 20,
        "Bearer " + base64.urlsafe_b64encode(b"[" * 6000).decode() + ".e30.x",
        "Bearer " + base64.urlsafe_b64encode(b"\xff\xfe").decode() + ".e30.x",
        "Bearer ..",
        "Bearer null",
    ],
)
def test_a_strange_header_is_a_401(program: Program, header: str) -> None:
    program.get("/me", headers={"Authorization": header}).expect(401)


def test_a_bad_token_is_refused_also_where_none_is_needed(program: Program) -> None:
    program.get("/courses", headers={"Authorization": "Bearer nonsense"}).expect(401)
    # But it does not stand in the way of signing in again.
    a_person("Eve Lind")
    stale = {"Authorization": "Bearer stale"}
    program.post("/auth/login", {"email": "eve@example.com", "password": PASSWORD}, headers=stale).expect(200)


def test_a_browsers_cookie_opens_nothing_here(browser: Any, ben: Any) -> None:
    signed_in = browser.as_(ben)
    assert signed_in.get("/account").status == 200
    assert signed_in.get("/api/v1/me").status == 401
    assert signed_in.post("/api/v1/me/creator").status == 401
