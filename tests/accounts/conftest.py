"""What the account tests share: reading what was mailed."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from coursehub.kernel.db import db
from coursehub.mail.models import MailMessage


@pytest.fixture
def mails(app: Flask) -> Callable[..., list[MailMessage]]:
    """Mails asked for, oldest first: `mails("verify_email", to="ben@example.com")`."""

    def found(kind: str | None = None, *, to: str | None = None) -> list[MailMessage]:
        rows = db.session.scalars(select(MailMessage).order_by(MailMessage.id)).all()
        return [row for row in rows if kind in (None, row.kind) and to in (None, row.to_address)]

    return found
