"""`flask coursehub create-admin`."""

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from coursehub.accounts.models import Customer
from coursehub.audit.models import AuditRecord
from coursehub.kernel.db import db
from tests.browser import Browser
from tests.people import PASSWORD, a_person

GOOD = "a lighthouse in the fog"


def create_admin(app: Flask, *args: str, typed: str | None = None) -> Result:
    return app.test_cli_runner().invoke(args=["coursehub", "create-admin", *args], input=typed)


def test_a_new_admin_can_sign_in_at_once(app: Flask, browser: Browser) -> None:
    answer = create_admin(app, "root@example.com", "--name", "Root Adler", typed=f"{GOOD}\n{GOOD}\n")
    assert answer.exit_code == 0, answer.output
    assert GOOD not in answer.output
    person = db.session.scalars(select(Customer)).one()
    assert (person.role, person.email_verified, person.name) == ("admin", True, "Root Adler")
    actions = db.session.scalars(select(AuditRecord.action).order_by(AuditRecord.number)).all()
    assert actions == ["role.changed", "admin.created"]
    browser.post("/login", {"email": "root@example.com", "password": GOOD}).expect(303)


def test_a_script_hands_the_password_in(app: Flask, browser: Browser) -> None:
    answer = create_admin(app, "root@example.com", "--password-file", "-", typed=f"{GOOD}\n")
    assert answer.exit_code == 0, answer.output
    browser.post("/login", {"email": "root@example.com", "password": GOOD}).expect(303)


def test_an_existing_person_is_promoted_and_keeps_the_password(app: Flask, browser: Browser, ben: Customer) -> None:
    for _ in range(2):
        answer = create_admin(app, "BEN@example.com")
        assert answer.exit_code == 0, answer.output
    db.session.remove()
    assert db.session.scalars(select(Customer.role)).all() == ["admin"]
    assert db.session.scalars(select(AuditRecord.action)).all() == ["role.changed"]
    browser.post("/login", {"email": "ben@example.com", "password": PASSWORD}).expect(303)


def test_who_claimed_the_address_unconfirmed_gets_nothing(app: Flask) -> None:
    squatter = a_person("Squatter", verified=False, email="root@example.com").id
    assert create_admin(app, "root@example.com", typed=f"{GOOD}\n{GOOD}\n").exit_code == 0
    db.session.remove()
    assert db.session.get(Customer, squatter) is None


@pytest.mark.parametrize(
    ("email", "password", "sentence"),
    [
        ("nonsense", GOOD, "Enter an e-mail address"),
        ("root@example.com", "short", "at least 10"),
        ("root@example.com", "1234567890", "most common"),
    ],
)
def test_what_cannot_be_is_one_sentence(app: Flask, email: str, password: str, sentence: str) -> None:
    answer = create_admin(app, email, typed=f"{password}\n{password}\n")
    assert answer.exit_code == 1 and sentence in answer.output and "Traceback" not in answer.output
    assert db.session.scalars(select(Customer)).all() == []
