"""The durable state: one SQLite file, one writer at a time."""

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import missing

Object = dict[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    created INTEGER NOT NULL,
    body TEXT NOT NULL,
    private TEXT NOT NULL DEFAULT '{}'
);
CREATE INDEX IF NOT EXISTS objects_by_kind ON objects (kind, seq);
CREATE INDEX IF NOT EXISTS objects_by_intent ON objects (kind, json_extract(body, '$.payment_intent'));
CREATE INDEX IF NOT EXISTS objects_by_charge ON objects (kind, json_extract(body, '$.charge'));
CREATE INDEX IF NOT EXISTS open_sessions ON objects (json_extract(body, '$.expires_at'))
    WHERE kind = 'checkout.session' AND json_extract(body, '$.status') = 'open';
CREATE TABLE IF NOT EXISTS replies (
    api_key TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    path TEXT NOT NULL,
    digest TEXT NOT NULL,
    created REAL NOT NULL,
    request_id TEXT NOT NULL,
    status INTEGER,
    body TEXT,
    PRIMARY KEY (api_key, idempotency_key)
);
CREATE INDEX IF NOT EXISTS replies_by_age ON replies (created);
CREATE TABLE IF NOT EXISTS deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL,
    type TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'new',
    created REAL NOT NULL,
    due REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    last_status INTEGER,
    last_error TEXT,
    last_at REAL
);
CREATE INDEX IF NOT EXISTS deliveries_open ON deliveries (due) WHERE state IN ('new', 'pending');
CREATE INDEX IF NOT EXISTS deliveries_by_event ON deliveries (event_id);
CREATE TABLE IF NOT EXISTS attempts (
    delivery_id INTEGER NOT NULL,
    at REAL NOT NULL,
    status INTEGER,
    error TEXT,
    milliseconds INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS attempts_by_delivery ON attempts (delivery_id);
CREATE TABLE IF NOT EXISTS timers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    due REAL NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
_TABLES = ("objects", "replies", "deliveries", "attempts", "timers", "settings")


@dataclass(frozen=True)
class Origin:
    """Which API request caused an event, if one did."""

    request_id: str | None = None
    idempotency_key: str | None = None


NOBODY = Origin()


class Store:
    def __init__(self, file: Path) -> None:
        # One connection behind one lock: every effect of a request is one transaction, and no two of them mix.
        self._connection = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(_SCHEMA)
        self._lock = threading.RLock()
        self.delivers_events = True
        self.when_events_are_stored: Callable[[], None] = lambda: None

    @contextmanager
    def transaction(self, origin: Origin = NOBODY) -> Iterator["Transaction"]:
        with self._lock:
            tx = Transaction(self._connection, origin, self.delivers_events)
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield tx
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
        if tx.has_events:
            self.when_events_are_stored()

    def forget_old_events(self, before: float) -> None:
        """Like Stripe, which keeps events for thirty days."""
        with self.transaction() as tx:
            tx.execute("DELETE FROM objects WHERE kind = 'event' AND created < ?", (int(before),))
            tx.execute("DELETE FROM deliveries WHERE created < ?", (before,))
            tx.execute("DELETE FROM attempts WHERE delivery_id NOT IN (SELECT id FROM deliveries)")

    def close(self) -> None:
        with self._lock:
            self._connection.close()


class Transaction:
    def __init__(self, connection: sqlite3.Connection, origin: Origin, delivers_events: bool) -> None:
        self._connection = connection
        self.origin = origin
        self.delivers_events = delivers_events
        self.has_events = False

    def execute(self, statement: str, values: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        return self._connection.execute(statement, values)

    def put(self, body: Object) -> None:
        """Stores a new object, or the new state of a known one."""
        self.execute(
            "INSERT INTO objects (id, kind, created, body) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET body = excluded.body",
            (body["id"], body["object"], body.get("created", 0), json.dumps(body)),
        )

    def remove(self, object_id: str) -> None:
        self.execute("DELETE FROM objects WHERE id = ?", (object_id,))

    def find(self, object_id: str, kind: str | None = None) -> Object | None:
        row = self.execute("SELECT kind, body FROM objects WHERE id = ?", (object_id,)).fetchone()
        if row is None or (kind is not None and row[0] != kind):
            return None
        return _object(row[1])

    def get(self, object_id: str, kind: str, param: str = "id") -> Object:
        body = self.find(object_id, kind)
        if body is None:
            raise missing(kind, object_id[:200], param)
        return body

    def matching(self, kind: str, **fields: Any) -> list[Object]:
        """Objects of a kind whose top-level fields have these values, oldest first."""
        where = "".join(f" AND json_extract(body, '$.{name}') = ?" for name in fields)
        rows = self.execute(f"SELECT body FROM objects WHERE kind = ?{where} ORDER BY seq", (kind, *fields.values()))
        return [_object(row[0]) for row in rows]

    def newest(self, kind: str, limit: int) -> list[Object]:
        rows = self.execute("SELECT body FROM objects WHERE kind = ? ORDER BY seq DESC LIMIT ?", (kind, limit))
        return [_object(row[0]) for row in rows]

    def private(self, object_id: str) -> dict[str, Any]:
        """What the simulator knows about an object and the API does not show."""
        row = self.execute("SELECT private FROM objects WHERE id = ?", (object_id,)).fetchone()
        return _object(row[0]) if row else {}

    def keep_private(self, object_id: str, **values: Any) -> None:
        known = {**self.private(object_id), **values}
        self.execute("UPDATE objects SET private = ? WHERE id = ?", (json.dumps(known), object_id))

    def later(self, due: float, action: str, subject: str) -> None:
        """Has the clock do something to an object; see `clock.ACTIONS`."""
        self.execute("INSERT INTO timers (due, action, subject) VALUES (?, ?, ?)", (due, action, subject))

    def setting(self, name: str) -> Any:
        row = self.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
        return json.loads(row[0]) if row else None

    def keep_setting(self, name: str, value: Any) -> None:
        self.execute("INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)", (name, json.dumps(value)))

    def erase_everything(self) -> None:
        for table in _TABLES:
            self.execute(f"DELETE FROM {table}")


def _object(encoded: str) -> Object:
    decoded: Object = json.loads(encoded)
    return decoded
