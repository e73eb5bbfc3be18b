"""Passwords: argon2id, and the few rules that help."""

import unicodedata
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type

from coursehub.kernel.errors import Invalid

SHORTEST = 10
LONGEST = 128

# OWASP's argon2id figures. A sign-in verifies three hashes, so the costlier profile would be felt.
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, hash_len=32, salt_len=16, type=Type.ID)


def hash_password(password: str) -> str:
    """The argon2id hash to store."""
    return _hasher.hash(_composed(password))


def verify(password_hash: str, password: str) -> bool:
    """Whether `password` is the one that was hashed. A damaged hash is nobody's password."""
    try:
        return _hasher.verify(password_hash, _composed(password))
    except (VerificationError, InvalidHashError):
        return False


def needs_rehash(password_hash: str) -> bool:
    """Whether it was hashed with other costs than today's."""
    return _hasher.check_needs_rehash(password_hash)


@lru_cache(maxsize=1)
def nobodys_hash() -> str:
    """A hash that costs as much to try as a real one."""
    return hash_password("the password of nobody at all")


def check_policy(password: str, *, email: str = "", name: str = "", field: str = "password") -> None:
    """Long enough, not a common password, not the person's own name or address. Raises Invalid with one sentence."""
    composed = _composed(password)
    if len(composed) < SHORTEST:
        raise Invalid("Choose a password of at least 10 characters.", field=field)
    if len(composed) > LONGEST:
        raise Invalid("Choose a password of at most 128 characters.", field=field)
    folded = composed.casefold()
    local, _, domain = email.casefold().partition("@")
    own = {
        part for part in (email.casefold(), local, domain, name.casefold(), name.casefold().replace(" ", "")) if part
    }
    if folded in own:
        raise Invalid("Choose a password that is not your name or your e-mail address.", field=field)
    if folded in _common() or len(set(folded)) == 1:
        raise Invalid("This password is one of the most common. Choose another one.", field=field)


def _composed(password: str) -> str:
    # The same letters typed on another keyboard may arrive in another Unicode form.
    return unicodedata.normalize("NFKC", password)


@lru_cache(maxsize=1)
def _common() -> frozenset[str]:
    # Imported when first needed: the lists are large and most processes never set a password.
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(FREQUENCY_LISTS["passwords"])
