"""Personal data at rest: AES-256-GCM under a key ring, and keyed blind indexes for look-up.

Stored form: 1 byte version, 1 byte key id length, key id, 12 bytes nonce, ciphertext with tag. The purpose
(`table.column`) is authenticated with it, so a value cannot be moved to another column.
"""

import hashlib
import hmac
import json
import os
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Dialect, LargeBinary
from sqlalchemy.types import TypeDecorator

_VERSION = b"\x01"


class UnknownKey(Exception):
    """A value was sealed with a key that is no longer in the ring."""


class KeyRing:
    """Seals with the newest key, opens with any."""

    def __init__(self, keys: Sequence[tuple[str, bytes]]) -> None:
        self._keys = dict(keys)
        self.current = keys[0][0]

    def seal(self, plaintext: bytes, purpose: str) -> bytes:
        """Encrypt `plaintext` for `purpose`."""
        name = self.current.encode()
        nonce = os.urandom(12)
        sealed = AESGCM(self._derived(self.current, "seal")).encrypt(nonce, plaintext, purpose.encode())
        return _VERSION + bytes([len(name)]) + name + nonce + sealed

    def open(self, sealed: bytes, purpose: str) -> bytes:
        """Decrypt what `seal` made. Raises UnknownKey, or ValueError when it was tampered with or moved."""
        name, nonce, body = _split(sealed)
        try:
            return AESGCM(self._derived(name, "seal")).decrypt(nonce, body, purpose.encode())
        except InvalidTag as error:
            raise ValueError(f"A sealed value for {purpose} does not open: damaged, moved or forged.") from error

    def is_current(self, sealed: bytes) -> bool:
        return _split(sealed)[0] == self.current

    def index(self, value: str, purpose: str) -> bytes:
        """The blind index of `value` under the newest key: 32 bytes to look it up by, from which it can't be read."""
        return self._index(self.current, value, purpose)

    def indexes(self, value: str, purpose: str) -> list[bytes]:
        """The blind indexes under every key of the ring, for look-ups while keys rotate."""
        return [self._index(name, value, purpose) for name in self._keys]

    def _index(self, name: str, value: str, purpose: str) -> bytes:
        return hmac.new(self._derived(name, "index"), f"{purpose}\0{value}".encode(), hashlib.sha256).digest()

    def sign(self, text: str, purpose: str) -> str:
        """A keyed signature of `text`, hex, for links we hand out."""
        return self._signature(self.current, text, purpose)

    def _signature(self, name: str, text: str, purpose: str) -> str:
        return hmac.new(self._derived(name, "sign"), f"{purpose}\0{text}".encode(), hashlib.sha256).hexdigest()

    def verify(self, text: str, signature: str, purpose: str, *, length: int = 64) -> bool:
        """Whether `signature` is ours for `text`, under any key of the ring; `length` where it was shortened."""
        return any(
            hmac.compare_digest(self._signature(name, text, purpose)[:length].encode(), signature.encode())
            for name in self._keys
        )

    def derive(self, purpose: str) -> list[str]:
        """Stable secrets for a library that wants one (Flask's SECRET_KEY), hex: the newest first, then the older."""
        return [self._derived(name, purpose).hex() for name in self._keys]

    @lru_cache(maxsize=64)  # noqa: B019  one ring lives as long as its process
    def _derived(self, name: str, use: str) -> bytes:
        if name not in self._keys:
            raise UnknownKey(f"Key {name!r} is not in COURSEHUB_KEYS.")
        return HKDF(hashes.SHA256(), 32, salt=None, info=f"coursehub/{use}".encode()).derive(self._keys[name])


def _split(sealed: bytes) -> tuple[str, bytes, bytes]:
    if sealed[:1] != _VERSION or len(sealed) < 2 + sealed[1] + 12 + 16:
        raise ValueError("Not a sealed value.")
    end = 2 + sealed[1]
    return sealed[2:end].decode(), sealed[end : end + 12], sealed[end + 12 :]


_ring: KeyRing | None = None


def use_keys(keys: Sequence[tuple[str, bytes]]) -> KeyRing:
    """Install the process's key ring; `create_app` calls it once."""
    global _ring
    _ring = KeyRing(keys)
    return _ring


def key_ring() -> KeyRing:
    """The process's key ring. Raises RuntimeError before `use_keys`."""
    if _ring is None:
        raise RuntimeError("No key ring: create_app() has not run in this process.")
    return _ring


def seal_text(text: str, purpose: str) -> str:
    """`text` sealed for `purpose`, as hex, for JSON payloads (events, stored webhooks)."""
    return key_ring().seal(text.encode(), purpose).hex()


def open_text(sealed: str, purpose: str) -> str:
    """What `seal_text` sealed."""
    return key_ring().open(bytes.fromhex(sealed), purpose).decode()


def fold_email(email: str) -> str:
    """The form of an address that counts for look-up and uniqueness: trimmed and case-folded."""
    return email.strip().casefold()


class Encrypted(TypeDecorator[str]):
    """A text column that PostgreSQL sees only sealed. `purpose` is its `table.column`."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, purpose: str) -> None:
        super().__init__()
        self.purpose = purpose

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        return None if value is None else key_ring().seal(value.encode(), self.purpose)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        return None if value is None else key_ring().open(bytes(value), self.purpose).decode()


class EncryptedJson(TypeDecorator[Any]):
    """A JSON document that PostgreSQL sees only sealed."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, purpose: str) -> None:
        super().__init__()
        self.purpose = purpose

    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | None:
        return None if value is None else key_ring().seal(json.dumps(value).encode(), self.purpose)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(key_ring().open(bytes(value), self.purpose))
