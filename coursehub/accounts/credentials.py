"""Who signs in and who is refused, at the same cost for a known and an unknown address."""

from coursehub.accounts import addresses, passwords, queries
from coursehub.accounts.models import Customer
from coursehub.kernel.errors import Invalid

# Sign-in tries this many hashes, always: the owner's, those of the newest unconfirmed accounts, then nobody's.
TRIES = 3


def check_credentials(email: str, password: str) -> Customer:
    """The person with this address and password; also a banned one. Raises Invalid, with one sentence for every reason.

    Hashes the password again when the costs have changed: call it inside the transaction.
    """
    candidates = queries.may_sign_in(addresses.normal(email) or email, TRIES)
    hashes = [candidate.password_hash for candidate in candidates]
    hashes += [passwords.nobodys_hash()] * (TRIES - len(hashes))
    right = [passwords.verify(stored, password) for stored in hashes]
    found = next((candidate for candidate, fits in zip(candidates, right, strict=False) if fits), None)
    if found is None:
        raise Invalid("The e-mail address or the password is not right.", field="password", code="credentials")
    if passwords.needs_rehash(found.password_hash):
        found.password_hash = passwords.hash_password(password)
    return found


def confirm_password(customer: Customer, password: str, *, field: str = "password") -> None:
    """The signed-in person proves who they are once more. Raises Invalid."""
    if not passwords.verify(customer.password_hash, password):
        raise Invalid("That is not your password.", field=field, code="credentials")
