"""Banning: buying and selling end, what was bought stays; and the way back."""

from sqlalchemy import func, select

from coursehub.accounts import sessions, tokens
from coursehub.accounts.models import Customer
from coursehub.audit import records
from coursehub.kernel.db import db
from coursehub.kernel.errors import Conflict, NotFound


def ban(customer: Customer, actor: Customer, reason: str, *, ip: str | None = None) -> Customer:
    """End every session and token of `customer`; in the open transaction, on record.

    They may sign in again, to read what they own. Raises Conflict for oneself, the last admin, a banned account.
    """
    locked = _locked(customer)
    if locked.id == actor.id:
        raise Conflict("You cannot ban yourself.")
    if locked.status != "active":
        raise Conflict(f"This account is {locked.status} already.")
    if locked.is_admin and _active_admins() <= 1:
        raise Conflict("This is the last admin: make another one first.")
    locked.status = "banned"
    ended = sessions.end_all(locked, reason=reason)
    tokens.revoke_all(locked)
    details = {"before": "active", "after": "banned", "sessions_ended": ended}
    records.write(actor.id, "customer.banned", "customer", locked.id, reason, details, ip)
    return locked


def unban(customer: Customer, actor: Customer, reason: str, *, ip: str | None = None) -> Customer:
    """Let them buy and sell again; in the open transaction, on record. Raises Conflict unless they are banned."""
    locked = _locked(customer)
    if locked.status != "banned":
        raise Conflict("This account is not banned.")
    locked.status = "active"
    details = {"before": "banned", "after": "active"}
    records.write(actor.id, "customer.unbanned", "customer", locked.id, reason, details, ip)
    return locked


def _locked(customer: Customer) -> Customer:
    # All admins at once: two admins banning each other must not leave none.
    db.session.execute(select(Customer.id).where(Customer.role == "admin").order_by(Customer.id).with_for_update())
    found = db.session.get(Customer, customer.id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound("There is no such customer.")
    return found


def _active_admins() -> int:
    admins = select(func.count()).where(Customer.role == "admin", Customer.status == "active")
    return db.session.scalar(admins) or 0
