"""Webhook deliveries: signed, in the background, repeated with backoff until the endpoint says 2xx."""

import hashlib
import hmac
import http.client
import json
import logging
import random
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from typing import Any
from urllib.parse import urlsplit

from . import events
from .config import Config
from .store import Store, Transaction

AT_ONCE = 8
MAX_COPIES = 100
_SHUFFLE_SPREAD = 0.4
_FLUSH_FOR = 60.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Behaviour:
    """How deliveries are disturbed. `duplicate` is how often each is sent in all; `drop` a share from 0 to 1."""

    paused: bool = False
    delay_ms: int = 0
    duplicate: int = 1
    shuffle: bool = False
    drop: float = 0.0
    drop_types: tuple[str, ...] = ()


def behaviour(tx: Transaction) -> Behaviour:
    kept = tx.setting("webhooks") or {}
    known = {field.name for field in fields(Behaviour)}
    chosen = Behaviour(**{name: value for name, value in kept.items() if name in known})
    return replace(chosen, drop_types=tuple(chosen.drop_types))


def keep_behaviour(tx: Transaction, chosen: Behaviour) -> None:
    tx.keep_setting("webhooks", asdict(chosen))


def signature(payload: bytes, secret: str, timestamp: int) -> str:
    signed = str(timestamp).encode() + b"." + payload
    return f"t={timestamp},v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


@dataclass(frozen=True)
class _Due:
    id: int
    event_id: str
    attempts: int
    created: float


@dataclass(frozen=True)
class _Attempt:
    status: int | None
    error: str | None
    milliseconds: int

    @property
    def accepted(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


class Deliveries:
    """One thread picks what is due; each delivery has a thread of its own, so that a slow one holds up no other."""

    def __init__(self, config: Config, store: Store) -> None:
        self.url = config.webhook_url
        self._config = config
        self._store = store
        self._changed = threading.Condition()
        self._under_way: set[int] = set()
        self._stopping = False
        self._woken = False
        self._at_rest = False

    def start(self) -> None:
        threading.Thread(target=self._run, name="deliveries", daemon=True).start()

    def stop(self) -> None:
        self._stopping = True
        self.wake()

    @contextmanager
    def at_rest(self, seconds: float) -> Iterator[None]:
        """Starts nothing new meanwhile, and first lets what is under way arrive for at most this long."""
        with self._changed:
            self._at_rest = True
            self._changed.wait_for(lambda: not self._under_way, seconds)
        try:
            yield
        finally:
            self._at_rest = False
            self.wake()

    def _is_stopping(self) -> bool:
        return self._stopping

    def wake(self) -> None:
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def wait_for(self, event_id: str, seconds: float) -> None:
        """Until the event was delivered, or the time is over; Stripe waits so before it redirects the buyer."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not self._stopping:
            with self._store.transaction() as tx:
                is_open = tx.execute(
                    "SELECT 1 FROM deliveries WHERE event_id = ? AND state IN ('new', 'pending')", (event_id,)
                ).fetchone()
                if not is_open or behaviour(tx).paused:
                    return
            with self._changed:
                self._changed.wait(min(left, 0.05))

    def flush(self, *, parallel: bool = False, dropped: bool = False) -> dict[str, int]:
        """Sends everything that is not delivered yet, now and even while paused; `dropped` ones too if asked."""
        if not self.url:
            return {"delivered": 0, "failed": 0, "left": 0}
        with self._store.transaction() as tx:
            if dropped:
                tx.execute("UPDATE deliveries SET state = 'pending' WHERE state = 'dropped'")
            chosen = behaviour(tx)
            _prepare(tx, replace(chosen, delay_ms=0), time.time())
            waiting = self._claim(tx, time.time() + 10 * self._config.retry_for, limit=100_000)
        if chosen.shuffle:
            random.shuffle(waiting)
        until = time.monotonic() + _FLUSH_FOR
        outcomes: list[bool] = []

        def send_some() -> None:
            while True:
                with self._changed:
                    if not waiting or time.monotonic() > until:
                        return
                    delivery = waiting.pop(0)
                outcomes.append(self._send(delivery))

        senders = [threading.Thread(target=send_some, daemon=True) for _ in range(AT_ONCE if parallel else 1)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        with self._changed:
            self._under_way.difference_update(delivery.id for delivery in waiting)
        self.wake()
        delivered = sum(outcomes)
        return {"delivered": delivered, "failed": len(outcomes) - delivered, "left": len(waiting)}

    def _run(self) -> None:
        while not self._stopping:
            try:
                wait = self._send_what_is_due()
            except Exception:
                if not self._is_stopping():
                    log.exception("picking deliveries failed")
                wait = 1.0
            with self._changed:
                if not self._woken:
                    self._changed.wait(wait)
                self._woken = False

    def _send_what_is_due(self) -> float:
        """Starts what can be started and says how long nothing else will be due."""
        now = time.time()
        with self._store.transaction() as tx:
            chosen = behaviour(tx)
            if chosen.paused or self._at_rest or not self.url:
                return 0.5
            _prepare(tx, chosen, now)
            free = AT_ONCE - len(self._under_way)
            due = self._claim(tx, now, limit=free, at_random=chosen.shuffle) if free > 0 else []
            next_due = tx.execute("SELECT min(due) FROM deliveries WHERE state = 'pending' AND due > ?", (now,))
            soonest = next_due.fetchone()[0]
        for delivery in due:
            threading.Thread(target=self._send, args=(delivery,), daemon=True).start()
        return 0.5 if soonest is None else max(0.005, min(0.5, soonest - now))

    def _claim(self, tx: Transaction, now: float, *, limit: int, at_random: bool = False) -> list[_Due]:
        rows = tx.execute(
            "SELECT id, event_id, attempts, created FROM deliveries WHERE state = 'pending' AND due <= ? ORDER BY "
            + ("random()" if at_random else "due, id")
            + " LIMIT ?",
            (now, limit + len(self._under_way)),
        ).fetchall()
        claimed: list[_Due] = []
        with self._changed:
            for row in rows:
                if len(claimed) == limit:
                    break
                if row[0] not in self._under_way:
                    self._under_way.add(row[0])
                    claimed.append(_Due(*row))
        return claimed

    def _send(self, delivery: _Due) -> bool:
        """One attempt. A crash in the middle leaves the delivery pending, so it is sent again after a restart."""
        accepted = False
        try:
            with self._store.transaction() as tx:
                event = tx.find(delivery.event_id, "event")
                payload = json.dumps(events.present(tx, event), indent=2).encode() if event else None
            if payload is None:
                return False
            attempt = self._post(payload)
            accepted = attempt.accepted
            if not self._stopping:
                with self._store.transaction() as tx:
                    self._note(tx, delivery, attempt)
        except Exception:
            if not self._stopping:
                log.exception("delivering %s failed", delivery.event_id)
        finally:
            with self._changed:
                self._under_way.discard(delivery.id)
            self.wake()
        return accepted

    def _note(self, tx: Transaction, delivery: _Due, attempt: _Attempt) -> None:
        now = time.time()
        state, due = "pending", now + self._backoff(delivery.attempts + 1)
        if attempt.accepted:
            state = "delivered"
        elif due > delivery.created + self._config.retry_for:
            state = "failed"
        known = tx.execute(
            "UPDATE deliveries SET state = ?, due = ?, attempts = attempts + 1, last_status = ?, last_error = ?,"
            " last_at = ? WHERE id = ?",
            (state, due, attempt.status, attempt.error, now, delivery.id),
        )
        if known.rowcount:
            tx.execute(
                "INSERT INTO attempts (delivery_id, at, status, error, milliseconds) VALUES (?, ?, ?, ?, ?)",
                (delivery.id, now, attempt.status, attempt.error, attempt.milliseconds),
            )

    def _backoff(self, attempts: int) -> float:
        return min(self._config.retry_cap, self._config.retry_base * 2.0 ** min(attempts - 1, 30))

    def _post(self, payload: bytes) -> _Attempt:
        started = time.monotonic()
        status: int | None = None
        error: str | None = None
        headers = {
            "Accept": "*/*; q=0.5, application/xml",
            "Cache-Control": "no-cache",
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature(payload, self._config.webhook_secret, int(time.time())),
            "User-Agent": "Stripe/1.0 (+https://docs.stripe.com/webhooks)",
        }
        try:
            status = self._exchange(payload, headers)
        except TimeoutError:
            error = "timed out"
        except (OSError, http.client.HTTPException, ValueError) as problem:
            error = (getattr(problem, "strerror", None) or str(problem) or type(problem).__name__)[:200]
        return _Attempt(status, error, int((time.monotonic() - started) * 1000))

    def _exchange(self, payload: bytes, headers: dict[str, str]) -> int:
        """The status of the answer; a redirect is an answer like any other, as for Stripe."""
        address = urlsplit(self.url or "")
        timeout = self._config.webhook_timeout
        connection: http.client.HTTPConnection
        if address.scheme == "https":
            context = ssl.create_default_context()
            connection = http.client.HTTPSConnection(
                address.hostname or "", address.port, timeout=timeout, context=context
            )
        else:
            connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=timeout)
        path = (address.path or "/") + (f"?{address.query}" if address.query else "")
        try:
            connection.request("POST", path, body=payload, headers=headers)
            response = connection.getresponse()
            response.read(64 * 1024)
            return response.status
        finally:
            connection.close()


def _prepare(tx: Transaction, chosen: Behaviour, now: float) -> None:
    """New deliveries get their delay, their duplicates, or are dropped, as chosen when they are first looked at."""
    rows = tx.execute("SELECT id, event_id, type, created FROM deliveries WHERE state = 'new' ORDER BY id").fetchall()
    for delivery_id, event_id, event_type, created in rows:
        if event_type in chosen.drop_types or random.random() < chosen.drop:
            tx.execute("UPDATE deliveries SET state = 'dropped' WHERE id = ?", (delivery_id,))
            continue
        spread = _SHUFFLE_SPREAD if chosen.shuffle else 0.0
        due = created + chosen.delay_ms / 1000
        tx.execute(
            "UPDATE deliveries SET state = 'pending', due = ? WHERE id = ?",
            (due + random.random() * spread, delivery_id),
        )
        for _ in range(chosen.duplicate - 1):
            tx.execute(
                "INSERT INTO deliveries (event_id, type, state, created, due) VALUES (?, ?, 'pending', ?, ?)",
                (event_id, event_type, created, due + random.random() * spread),
            )


def send_again(tx: Transaction, event_id: str) -> None:
    """A further delivery of a known event, as by "Resend" in Stripe's dashboard."""
    event = tx.get(event_id, "event")
    now = time.time()
    tx.execute(
        "INSERT INTO deliveries (event_id, type, state, created, due) VALUES (?, ?, 'pending', ?, ?)",
        (event_id, event["type"], now, now),
    )
    tx.has_events = True


def listed(tx: Transaction, limit: int, *, newest_first: bool = False) -> list[dict[str, Any]]:
    order = "DESC" if newest_first else "ASC"
    rows = tx.execute(
        "SELECT id, event_id, type, state, attempts, last_status, last_error, created, due, last_at"
        f" FROM (SELECT * FROM deliveries ORDER BY id DESC LIMIT ?) ORDER BY id {order}",
        (limit,),
    )
    names = [column[0] for column in rows.description]
    found = [dict(zip(names, row, strict=True)) for row in rows]
    for entry in found:
        if entry["state"] == "new":
            entry["state"] = "pending"
    return found


def history(tx: Transaction, delivery_id: int) -> list[dict[str, Any]]:
    rows = tx.execute(
        "SELECT at, status, error, milliseconds FROM attempts WHERE delivery_id = ? ORDER BY at", (delivery_id,)
    )
    return [dict(zip(("at", "status", "error", "milliseconds"), row, strict=True)) for row in rows]
