"""Identifiers: UUIDv7 keys (RFC 9562), readable codes and unguessable tokens."""

import os
import secrets
import time
from uuid import UUID

# Without 0 O 1 I L: codes are read aloud and typed from paper.
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


def new_id() -> UUID:
    """A UUIDv7: 48 bits of Unix milliseconds, then random bits, so keys sort by age (RFC 9562 section 5.7)."""
    value = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


def short_code(groups: int = 4, size: int = 5) -> str:
    """A random code such as `7K3QP-…`, `groups` × `size` letters, 4.95 bits each."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(size)) for _ in range(groups))


def new_token() -> str:
    """An unguessable token, 256 bits, safe in URLs."""
    return secrets.token_urlsafe(32)


def parse_id(text: str) -> UUID | None:
    """The UUID written in `text`, or None where it is none."""
    try:
        return UUID(text)
    except (ValueError, AttributeError, TypeError):
        return None
