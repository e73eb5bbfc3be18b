"""Events: what happened to an object, kept for the API and queued for the webhook endpoint."""

import copy
import time
from typing import Any

from . import ids
from .store import Object, Transaction

API_VERSION = "2026-10-28.endive"


def emit(tx: Transaction, event_type: str, subject: Object, previous: dict[str, Any] | None = None) -> Object:
    """`previous` holds the old values of the fields that an `….updated` event changed."""
    now = time.time()
    data: Object = {"object": copy.deepcopy(subject)}
    if previous is not None:
        data["previous_attributes"] = previous
    event: Object = {
        "id": ids.new("event"),
        "object": "event",
        "api_version": API_VERSION,
        "created": int(now),
        "data": data,
        "livemode": False,
        "pending_webhooks": 1 if tx.delivers_events else 0,
        "request": {"id": tx.origin.request_id, "idempotency_key": tx.origin.idempotency_key},
        "type": event_type,
    }
    tx.put(event)
    if tx.delivers_events:
        tx.execute(
            "INSERT INTO deliveries (event_id, type, created, due) VALUES (?, ?, ?, ?)",
            (event["id"], event_type, now, now),
        )
    tx.has_events = True
    return event


def present(tx: Transaction, event: Object) -> Object:
    """An event with the number of deliveries that it still waits for."""
    waiting = tx.execute(
        "SELECT count(*) FROM deliveries WHERE event_id = ? AND state IN ('new', 'pending')", (event["id"],)
    ).fetchone()[0]
    return {**event, "pending_webhooks": waiting}
