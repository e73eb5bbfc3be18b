"""The four people every test is about."""

from coursehub.accounts.models import Customer
from coursehub.kernel import clock
from coursehub.kernel.db import transaction

PASSWORD = "a quiet afternoon"
# argon2id with tiny costs, so that a person is made in a millisecond; the real costs have their own tests.
QUICK_HASH: str = ""


def _quick_hash() -> str:
    global QUICK_HASH
    if not QUICK_HASH:
        from argon2 import PasswordHasher

        QUICK_HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    return QUICK_HASH


def a_person(name: str, *, role: str = "buyer", verified: bool = True, email: str | None = None) -> Customer:
    """A customer with PASSWORD, confirmed unless said otherwise."""
    person = Customer(
        name=name,
        email=email or f"{name.split()[0].lower()}@example.com",
        password_hash=_quick_hash(),
        role=role,
        email_verified_at=clock.now() if verified else None,
    )
    with transaction() as session:
        session.add(person)
    return person
