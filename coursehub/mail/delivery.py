"""A mail's way out: asked for once inside a transaction, sent outside of any, its fate written down."""

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert

from coursehub.infra.smtp import Mailer, MailRefused, MailUnavailable
from coursehub.kernel.db import NotInTransaction, db, in_transaction, transaction
from coursehub.kernel.encryption import seal_text
from coursehub.kernel.events import record
from coursehub.kernel.ids import new_id, parse_id
from coursehub.mail import kinds, messages, preferences
from coursehub.mail.events import TO, EmailRequested
from coursehub.mail.models import MailMessage

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Waiting:
    """What must be known to send a mail, taken from its row."""

    mail_id: UUID
    kind: str
    to: str
    data: dict[str, Any]
    locale: str
    created_at: datetime


def request_email(
    kind: str,
    *,
    to: str,
    subject_key: str,
    data: Mapping[str, Any],
    customer_id: UUID | None = None,
    locale: str = "en",
) -> None:
    """Have one mail of `kind` about `subject_key` sent to `to`, after the open transaction commits.

    Asked again for the same kind and subject it does nothing, also when two ask at once: a receipt comes once.
    `data` holds the fields that `kinds` lists. Raises ValueError for an unknown kind or a missing field, Invalid for
    an impossible address, NotInTransaction outside `transaction()`.
    """
    if not in_transaction():
        raise NotInTransaction(f"The mail {kind} must be asked for inside transaction(), with its cause.")
    known = kinds.known(kind)
    missing = sorted(set(known.fields) - set(data))
    if missing:
        raise ValueError(f"The mail {kind} needs {', '.join(missing)}.")
    messages.one_address(to)
    kept = {name: data[name] for name in known.fields}
    mail_id = db.session.scalar(
        insert(MailMessage)
        .values(
            id=new_id(),
            kind=kind,
            subject_key=subject_key,
            customer_id=customer_id,
            to_address=to,
            data=kept,
            locale=locale,
            status="queued",
            attempts=0,
        )
        .on_conflict_do_nothing(index_elements=[MailMessage.kind, MailMessage.subject_key])
        .returning(MailMessage.id)
    )
    if mail_id is None:
        return
    ids = {name: value for name, value in kept.items() if name.endswith("_id") and parse_id(str(value))}
    record(EmailRequested(mail_id=mail_id, template=kind, to=seal_text(to, TO), data=ids))


def deliver(mail_id: UUID, *, mailer: Mailer) -> None:
    """Send the mail, unless it was sent before or is no longer wanted. Opens its own transactions.

    Refused for good it is marked failed. Raises MailUnavailable when it should be tried again: the server is away,
    or another worker is sending it this moment.
    """
    with _alone(mail_id):
        waiting = _begin(mail_id)
        if waiting is None:
            return
        try:
            mailer.send(
                messages.compose(
                    waiting.kind,
                    to=waiting.to,
                    data=waiting.data,
                    locale=waiting.locale,
                    message_id=f"mail.{waiting.mail_id}",
                    written_at=waiting.created_at,
                )
            )
        except MailRefused as refusal:
            _settle(waiting, "failed", str(refusal))
            log.warning("Mail %s (%s) was refused for good.", mail_id, waiting.kind)
        except BaseException as error:
            _settle(waiting, "queued", f"{type(error).__name__}: {error}")
            raise
        else:
            _settle(waiting, "sent")


@contextmanager
def _alone(mail_id: UUID) -> Iterator[None]:
    """Only one worker sends a mail at a time; the lock ends with its connection, so no crash leaves it behind.

    It is held outside any transaction: a mail server may take a minute.
    """
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        key = {"key": mail_id.int >> 64 ^ mail_id.int & 0xFFFFFFFFFFFFFFFF}
        key["key"] -= 1 << 63  # PostgreSQL's bigint has a sign
        if not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), key):
            raise MailUnavailable("This mail is being sent already.")
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), key)


def _begin(mail_id: UUID) -> _Waiting | None:
    """The mail, now `sending`; None when nothing is to be sent."""
    with transaction() as session:
        row = session.scalar(select(MailMessage).where(MailMessage.id == mail_id).with_for_update())
        if row is None:
            log.warning("Mail %s is not in the log; its person may be deleted.", mail_id)
            return None
        if row.status in ("sent", "failed", "suppressed"):
            return None
        if not preferences.wanted(row.to_address, row.kind):
            row.status = "suppressed"
            return None
        row.status = "sending"
        row.attempts += 1
        return _Waiting(row.id, row.kind, row.to_address, dict(row.data), row.locale, row.created_at)


def _settle(waiting: _Waiting, status: str, error: str | None = None) -> None:
    with transaction() as session:
        row = session.scalar(select(MailMessage).where(MailMessage.id == waiting.mail_id).with_for_update())
        if row is None:
            return
        row.status = status
        row.error = None if error is None else _without_address(error, waiting.to)
        if status == "sent":
            row.sent_at = func.now()
        if status != "queued" and kinds.known(waiting.kind).secret:
            row.data = {}  # a used or dead secret is not kept


def _without_address(error: str, address: str) -> str:
    """Servers repeat the address in what they say; the log of errors is not the place for it."""
    return re.sub(re.escape(address), "(the address)", error, flags=re.IGNORECASE)[:300]
