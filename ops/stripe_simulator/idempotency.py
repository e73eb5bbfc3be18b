"""Idempotency keys: a repeated request gets the answer of the first, byte for byte."""

import hashlib
import json
import time
from dataclasses import dataclass
from typing import Any

from .errors import Refused
from .store import Store, Transaction

KEPT_FOR = 24 * 3600


@dataclass(frozen=True)
class Stored:
    status: int
    body: str
    request_id: str


def begin(store: Store, api_key: str, key: str, path: str, params: dict[str, Any], request_id: str) -> Stored | None:
    """The stored answer, or None with the key marked as in flight.

    The mark is its own transaction, so that the same key is refused while the first request still waits.
    """
    if len(key) > 255:
        raise Refused("Idempotency keys can be at most 255 characters long.", remembered=False)
    digest = _digest(params)
    with store.transaction() as tx:
        tx.execute("DELETE FROM replies WHERE created < ?", (time.time() - KEPT_FOR,))
        row = tx.execute(
            "SELECT path, digest, status, body, request_id FROM replies WHERE api_key = ? AND idempotency_key = ?",
            (api_key, key),
        ).fetchone()
        if row is None:
            tx.execute(
                "INSERT INTO replies (api_key, idempotency_key, path, digest, created, request_id)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (api_key, key, path, digest, time.time(), request_id),
            )
            return None
    known_path, known_digest, status, body, first_request = row
    if known_path != path:
        raise _other_use(key, f"for the same endpoint they were first used for ('{path}' vs '{known_path}')")
    if known_digest != digest:
        raise _other_use(key, "with the same parameters they were first used with")
    if status is None:
        raise Refused(
            "There is currently another in-progress request using this Idempotent Key (that probably means you "
            f"submitted twice, and the other request is still going through): {key}. Please try again later.",
            status=409,
            code="idempotency_key_in_use",
        )
    return Stored(status, body, first_request)


def keep(tx: Transaction, api_key: str, key: str, status: int, body: str) -> None:
    """Part of the effect's own transaction: an effect without its answer would be done twice."""
    tx.execute(
        "UPDATE replies SET status = ?, body = ? WHERE api_key = ? AND idempotency_key = ?",
        (status, body, api_key, key),
    )


def forget(store: Store, api_key: str, key: str) -> None:
    """Takes the mark of an unfinished request away."""
    with store.transaction() as tx:
        tx.execute("DELETE FROM replies WHERE api_key = ? AND idempotency_key = ? AND status IS NULL", (api_key, key))


def forget_unfinished(store: Store) -> None:
    """After a crash nothing is in flight."""
    with store.transaction() as tx:
        tx.execute("DELETE FROM replies WHERE status IS NULL")


def _digest(params: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(params, sort_keys=True).encode()).hexdigest()


def _other_use(key: str, how: str) -> Refused:
    return Refused(
        f"Keys for idempotent requests can only be used {how}. "
        f"Try using a key other than '{key}' if you meant to execute a different request.",
        kind="idempotency_error",
    )
