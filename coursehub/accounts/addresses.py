"""E-mail addresses: what counts as one, who owns one, and one claim to it at a time."""

import hashlib

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import delete, text

from coursehub.accounts import queries
from coursehub.accounts.models import Customer
from coursehub.kernel import clock
from coursehub.kernel.db import db
from coursehub.kernel.encryption import fold_email
from coursehub.kernel.errors import Conflict, Invalid

LONGEST = 254  # RFC 5321: what fits into SMTP's path


def check(email: str) -> str:
    """`email` in its normal form. Raises Invalid."""
    address = normal(email)
    if address is None:
        raise Invalid("Enter an e-mail address such as name@example.com.", field="email")
    return address


def normal(email: str) -> str | None:
    """`email` in its normal form (Unicode composed, domain lower-case), None where it is no address."""
    if len(email) > LONGEST or any(not c.isprintable() for c in email.strip()):
        return None
    try:
        return validate_email(email.strip(), check_deliverability=False, strict=True).normalized
    except EmailNotValidError:
        return None


def claim(customer: Customer, email: str) -> None:
    """Make `email` the confirmed address of `customer`: the first to confirm owns it, other claims end.

    Raises Conflict when another account owns it. Rivals in other transactions wait for this one to end.
    """
    lock(email)
    owner = queries.verified_by_email(email)
    if owner is not None and owner.id != customer.id:
        raise Conflict("This address was confirmed for another account. Sign in with that one.", field="email")
    customer.email = email
    customer.email_verified_at = clock.now()
    db.session.flush()
    db.session.execute(
        delete(Customer)
        .where(
            queries.has_email(email),
            Customer.id != customer.id,
            Customer.email_verified_at.is_(None),
            Customer.status != "deleted",
            *queries.may_vanish(),
        )
        .execution_options(synchronize_session="fetch")
    )


def lock(email: str) -> None:
    """Wait until nobody else is claiming `email`, then hold it to the end of the transaction.

    Row locks will not do: two accounts confirming at once would each wait for the other's row.
    """
    digest = hashlib.sha256(b"address\0" + fold_email(email).encode()).digest()
    key = int.from_bytes(digest[:8], "big", signed=True)
    db.session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
