"""Refresh tokens of the API: each is used once, and a stolen one that comes again ends its whole family."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import ScalarSelect, delete, select, update

from coursehub.accounts import email_tokens
from coursehub.accounts.models import ApiToken, Customer
from coursehub.kernel import clock
from coursehub.kernel.db import db
from coursehub.kernel.ids import new_id

LIFETIME = timedelta(days=30)
# Two tabs may refresh with the same token; for this long the second gets what the first got.
GRACE = timedelta(seconds=10)


def issue(customer: Customer) -> ApiToken:
    """The first refresh token of a new family: somebody signed in. Its id is the JWT's `jti`."""
    now = clock.now()
    token = ApiToken(
        id=new_id(),
        customer_id=customer.id,
        family_id=new_id(),
        issued_at=now,
        password_checked_at=now,
        expires_at=now + LIFETIME,
    )
    db.session.add(token)
    db.session.execute(update(Customer).where(Customer.id == customer.id).values(last_active_at=now))
    email_tokens.spend(customer, "reset")
    db.session.flush()
    return token


def rotate(jti: UUID) -> ApiToken | None:
    """The successor of the refresh token `jti`. None: it does not count (any more).

    Within 10 seconds of its use a token gives the same successor again, to however many ask at once. Later it means
    that somebody else has a copy: its family ends. That is written in the open transaction, so commit it and then
    refuse.
    """
    # Rivals with the same token wait here for the first, then see what it left.
    token = db.session.get(ApiToken, jti, with_for_update=True, populate_existing=True)
    now = clock.now()
    if token is None or token.revoked_at is not None or token.expires_at <= now:
        return None
    customer = db.session.get(Customer, token.customer_id)
    if customer is None or not customer.is_active:
        return None
    if token.used_at is None:
        return _succeed(token)
    if token.used_at > now - GRACE:
        return db.session.scalars(select(ApiToken).where(ApiToken.replaces_id == token.id)).one()
    _revoke(token.family_id)
    return None


def find(jti: UUID) -> tuple[ApiToken, Customer] | None:
    """A refresh token that still counts and whose it is, without using it."""
    found = db.session.execute(
        select(ApiToken, Customer)
        .join(Customer, Customer.id == ApiToken.customer_id)
        .where(
            ApiToken.id == jti,
            ApiToken.used_at.is_(None),
            ApiToken.revoked_at.is_(None),
            ApiToken.expires_at > clock.now(),
            Customer.status != "deleted",
        )
    ).first()
    return (found[0], found[1]) if found else None


def family_lives(family_id: UUID) -> bool:
    """Whether access tokens of this family still count: it was not signed out, revoked or left to run out."""
    alive = select(ApiToken.id).where(
        ApiToken.family_id == family_id, ApiToken.revoked_at.is_(None), ApiToken.expires_at > clock.now()
    )
    return db.session.execute(alive.limit(1)).first() is not None


def revoke_family(jti: UUID) -> None:
    """Sign out: this token, what came before it and what came of it. An unknown token changes nothing."""
    _revoke(select(ApiToken.family_id).where(ApiToken.id == jti).scalar_subquery())


def revoke_all(customer: Customer) -> None:
    """Sign `customer` out of every program."""
    db.session.execute(
        update(ApiToken)
        .where(ApiToken.customer_id == customer.id, ApiToken.revoked_at.is_(None))
        .values(revoked_at=clock.now())
    )


def sweep_expired() -> int:
    """Delete families that ran out a week ago or more; how many tokens."""
    gone = delete(ApiToken).where(ApiToken.expires_at < clock.now() - timedelta(days=7)).returning(ApiToken.id)
    return len(db.session.execute(gone).all())


def _succeed(token: ApiToken) -> ApiToken:
    now = clock.now()
    successor = ApiToken(
        id=new_id(),
        customer_id=token.customer_id,
        family_id=token.family_id,
        replaces_id=token.id,
        issued_at=now,
        password_checked_at=token.password_checked_at,
        expires_at=now + LIFETIME,
    )
    token.used_at = now
    db.session.add(successor)
    db.session.execute(
        update(Customer)
        .where(Customer.id == token.customer_id, Customer.last_active_at < now - timedelta(minutes=5))
        .values(last_active_at=now)
    )
    db.session.flush()
    return successor


def _revoke(family_id: "UUID | ScalarSelect[UUID]") -> None:
    db.session.execute(
        update(ApiToken)
        .where(ApiToken.family_id == family_id, ApiToken.revoked_at.is_(None))
        .values(revoked_at=clock.now())
        .execution_options(synchronize_session="fetch")
    )
