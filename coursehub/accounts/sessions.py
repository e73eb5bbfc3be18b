"""Signed-in browsers: a row each, so that deleting the row signs the browser out at once."""

import ipaddress
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update

from coursehub.accounts import email_tokens
from coursehub.accounts.models import BrowserSession, Customer
from coursehub.audit import records
from coursehub.kernel import clock
from coursehub.kernel.db import db

LIFETIME = timedelta(days=30)
# A page view is written down at most this often, and the 30 days begin anew at most once a day.
SEEN_EVERY = timedelta(minutes=5)
EXTEND_EVERY = timedelta(days=1)

# The first mark found names it: Edge and Opera call themselves Chrome too, Chrome calls itself Safari.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def open(customer: Customer, id_hash: bytes, ip: str | None, user_agent: str) -> BrowserSession:
    """Remember a browser as signed in. Open password resets end: who signs in knows the password."""
    now = clock.now()
    session = BrowserSession(
        customer_id=customer.id,
        id_hash=id_hash,
        created_at=now,
        last_seen_at=now,
        password_checked_at=now,
        expires_at=now + LIFETIME,
        ip=_address(ip),
        user_agent="".join(c for c in user_agent if c.isprintable())[:300],
    )
    db.session.add(session)
    db.session.execute(update(Customer).where(Customer.id == customer.id).values(last_active_at=now))
    email_tokens.spend(customer, "reset")
    db.session.flush()
    return session


def find(id_hash: bytes) -> Customer | None:
    """Who is signed in with this session id; None when it ended or the account was deleted."""
    found = load(id_hash)
    return found[1] if found else None


def load(id_hash: bytes) -> tuple[BrowserSession, Customer] | None:
    """The session with this id and whose it is."""
    found = db.session.execute(
        select(BrowserSession, Customer)
        .join(Customer, Customer.id == BrowserSession.customer_id)
        .where(
            BrowserSession.id_hash == id_hash,
            BrowserSession.expires_at > clock.now(),
            Customer.status != "deleted",
        )
    ).first()
    return (found[0], found[1]) if found else None


def is_due(session: BrowserSession) -> bool:
    """Whether `touch` would write anything."""
    return session.last_seen_at < clock.now() - SEEN_EVERY


def touch(session: BrowserSession) -> bool:
    """Write down that the person is here. True when the 30 days began anew, so the cookie should too."""
    now = clock.now()
    extend = session.expires_at < now + LIFETIME - EXTEND_EVERY
    seen = db.session.execute(
        update(BrowserSession)
        .where(BrowserSession.id == session.id, BrowserSession.last_seen_at < now - SEEN_EVERY)
        .values(last_seen_at=now, expires_at=now + LIFETIME if extend else BrowserSession.expires_at)
        .returning(BrowserSession.customer_id)
    ).first()
    if seen is None:  # another request was quicker
        return False
    db.session.execute(update(Customer).where(Customer.id == seen.customer_id).values(last_active_at=now))
    return extend


def renew(id_hash: bytes, new_hash: bytes, *, password_checked: bool = False) -> None:
    """Give the session another id; the cookie with the old one is worth nothing any more."""
    values: dict[str, Any] = {"id_hash": new_hash}
    if password_checked:
        values["password_checked_at"] = clock.now()
    db.session.execute(update(BrowserSession).where(BrowserSession.id_hash == id_hash).values(values))


def end(id_hash: bytes) -> None:
    """Sign this browser out, wherever its cookie was copied to."""
    db.session.execute(delete(BrowserSession).where(BrowserSession.id_hash == id_hash))


def end_one(customer: Customer, session_id: UUID) -> bool:
    """Sign out one browser of `customer`. False: it is not theirs or has ended."""
    mine = delete(BrowserSession).where(BrowserSession.id == session_id, BrowserSession.customer_id == customer.id)
    return db.session.execute(mine.returning(BrowserSession.id)).first() is not None


def end_all(customer: Customer, except_hash: bytes | None = None, *, reason: str = "") -> int:
    """Sign out every browser of `customer` but the one with `except_hash`, on record; how many."""
    all_of_them = delete(BrowserSession).where(BrowserSession.customer_id == customer.id)
    if except_hash is not None:
        all_of_them = all_of_them.where(BrowserSession.id_hash != except_hash)
    ended = len(db.session.execute(all_of_them.returning(BrowserSession.id)).all())
    records.write(customer.id, "sessions.ended", "customer", customer.id, reason, {"count": ended})
    return ended


def of(customer: Customer) -> list[BrowserSession]:
    """The browsers `customer` is signed in with, the last used first."""
    mine = select(BrowserSession).where(
        BrowserSession.customer_id == customer.id, BrowserSession.expires_at > clock.now()
    )
    return list(db.session.scalars(mine.order_by(BrowserSession.last_seen_at.desc())))


def browser_name(user_agent: str) -> str:
    """`Firefox on Linux`, as far as the browser tells."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "A browser")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    return f"{browser} on {system}" if system else browser


def sweep_expired() -> int:
    """Delete sessions that ran out; how many."""
    gone = delete(BrowserSession).where(BrowserSession.expires_at < clock.now()).returning(BrowserSession.id)
    return len(db.session.execute(gone).all())


def _address(ip: str | None) -> str | None:
    try:
        return str(ipaddress.ip_address(ip or ""))
    except ValueError:
        return None
