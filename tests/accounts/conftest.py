"""What the account tests share: forgetting who was signed in after each request, and reading what was mailed."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask, g, request_tearing_down
from sqlalchemy import select

from coursehub.kernel.db import db
from coursehub.mail.models import MailMessage


@pytest.fixture(autouse=True)
def one_person_a_request(app: Flask) -> Iterator[None]:
    """Requests share the test's app context, where Flask-Login keeps the person it loaded first."""

    def forget(_app: Flask, **_more: Any) -> None:
        for name in ("_login_user", "people_away"):
            g.pop(name, None)

    request_tearing_down.connect(forget, app)
    yield
    request_tearing_down.disconnect(forget, app)


@pytest.fixture
def mails(app: Flask) -> Callable[..., list[MailMessage]]:
    """Mails asked for, oldest first: `mails("verify_email", to="ben@example.com")`."""

    def found(kind: str | None = None, *, to: str | None = None) -> list[MailMessage]:
        rows = db.session.scalars(select(MailMessage).order_by(MailMessage.id)).all()
        return [row for row in rows if kind in (None, row.kind) and to in (None, row.to_address)]

    return found
