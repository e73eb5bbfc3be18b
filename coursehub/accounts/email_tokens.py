"""Mailed proofs of an address: made, found again, spent once."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select, update

from coursehub.accounts.models import Customer, EmailToken
from coursehub.kernel import clock
from coursehub.kernel.db import db
from coursehub.kernel.encryption import fold_email, key_ring
from coursehub.kernel.ids import new_id, new_token

LIFETIME = {"verify": timedelta(hours=24), "reset": timedelta(minutes=30), "change": timedelta(hours=24)}
CODE_TRIES = 5


@dataclass(frozen=True)
class Proof:
    """What goes into the mail and nowhere else: we keep only hashes."""

    id: UUID
    token: str
    code: str


def issue(customer: Customer, kind: str, email: str) -> Proof:
    """Make a proof of `kind` for `customer`, to be mailed to `email`."""
    proof = Proof(new_id(), new_token(), f"{secrets.randbelow(1_000_000):06}")
    row = EmailToken(
        id=proof.id,
        customer_id=customer.id,
        kind=kind,
        email=email,
        token_hash=_hashed(proof.token),
        code_hash=key_ring().index(proof.code, _code_purpose(proof.id)) if kind == "verify" else None,
        fingerprint=_fingerprint(kind, customer),
        expires_at=clock.now() + LIFETIME[kind],
    )
    db.session.add(row)
    db.session.flush()
    return proof


def find(kind: str, token: str, *, lock: bool = False) -> tuple[EmailToken, Customer] | None:
    """The unused, fresh proof with this token and whose it is. `lock`: nobody else may spend it meanwhile."""
    rows = (
        select(EmailToken, Customer)
        .join(Customer, Customer.id == EmailToken.customer_id)
        .where(
            EmailToken.kind == kind,
            EmailToken.token_hash == _hashed(token),
            EmailToken.used_at.is_(None),
            EmailToken.expires_at > clock.now(),
            Customer.status != "deleted",
        )
    )
    if lock:
        rows = rows.with_for_update().execution_options(populate_existing=True)
    found = db.session.execute(rows).first()
    if found is None or not _still_meant(found[0], found[1]):
        return None
    return found[0], found[1]


def try_code(customer: Customer, code: str) -> EmailToken | None:
    """The newest confirmation of `customer` if `code` is its code. Each try counts, right or wrong: commit it."""
    newest = (
        select(EmailToken.id)
        .where(
            EmailToken.customer_id == customer.id,
            EmailToken.kind == "verify",
            EmailToken.used_at.is_(None),
            EmailToken.expires_at > clock.now(),
        )
        .order_by(EmailToken.id.desc())
        .limit(1)
    )
    # Counted in the same statement that checks the count, so that guessing in parallel gains nothing.
    row = db.session.scalars(
        update(EmailToken)
        .where(EmailToken.id == newest.scalar_subquery(), EmailToken.code_attempts < CODE_TRIES)
        .values(code_attempts=EmailToken.code_attempts + 1)
        .returning(EmailToken)
        .execution_options(populate_existing=True)
    ).first()
    if row is None or row.code_hash is None or not _still_meant(row, customer):
        return None
    right = any(
        secrets.compare_digest(bytes(row.code_hash), index) for index in key_ring().indexes(code, _code_purpose(row.id))
    )
    return row if right else None


def spend(customer: Customer, *kinds: str) -> None:
    """Use up every open proof of these kinds."""
    db.session.execute(
        update(EmailToken)
        .where(EmailToken.customer_id == customer.id, EmailToken.kind.in_(kinds), EmailToken.used_at.is_(None))
        .values(used_at=clock.now())
    )


def sweep_expired() -> int:
    """Forget proofs that ended a week ago or more; how many."""
    gone = delete(EmailToken).where(EmailToken.expires_at < clock.now() - timedelta(days=7)).returning(EmailToken.id)
    return len(db.session.execute(gone).all())


def _hashed(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def _code_purpose(row_id: UUID) -> str:
    return f"email_tokens.code.{row_id}"


def _still_meant(row: EmailToken, customer: Customer) -> bool:
    """A confirmation dies when the address changes, a reset or a change of address when the password does.

    (A sign-in spends open resets: see sessions.open.)
    """
    if row.kind == "verify" and fold_email(row.email) != fold_email(customer.email):
        return False
    return bytes(row.fingerprint) == _fingerprint(row.kind, customer)


def _fingerprint(kind: str, customer: Customer) -> bytes:
    # Never made from the address: unkeyed, it could be guessed from a dump.
    bound = "" if kind == "verify" else customer.password_hash
    return hashlib.sha256(f"{kind}\0{customer.id}\0{bound}".encode()).digest()
