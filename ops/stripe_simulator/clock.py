"""What happens by itself: sessions expire, bank debits settle, slow refunds arrive."""

import logging
import threading
import time
from collections.abc import Callable

from . import disputes, payments, refunds
from .store import Store, Transaction

_TICK = 0.2

log = logging.getLogger(__name__)

ACTIONS: dict[str, Callable[[Transaction, str], object]] = {
    "settle_bank_debit": payments.settle_bank_debit,
    "settle_refund": refunds.settle,
    "fail_refund": refunds.fail_later,
    "decide_dispute": disputes.decide,
}


class Clock:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._stop = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._run, name="clock", daemon=True).start()

    def stop(self) -> None:
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.wait(_TICK):
            try:
                tick(self._store, time.time())
            except Exception:
                if not self._stop.is_set():
                    log.exception("the clock stumbled")


def tick(store: Store, now: float) -> None:
    """Each thing in a transaction of its own, with the end of its timer."""
    with store.transaction() as tx:
        timers = tx.execute("SELECT id, action, subject FROM timers WHERE due <= ? ORDER BY due", (now,)).fetchall()
        overdue = [
            row[0]
            for row in tx.execute(
                "SELECT id FROM objects WHERE kind = 'checkout.session' AND json_extract(body, '$.status') = 'open'"
                " AND json_extract(body, '$.expires_at') <= ?",
                (int(now),),
            )
        ]
    for timer_id, action, subject in timers:
        try:
            with store.transaction() as tx:
                tx.execute("DELETE FROM timers WHERE id = ?", (timer_id,))
                ACTIONS[action](tx, subject)
        except Exception:
            # A timer that cannot be served is dropped, or it would come back at every tick.
            log.exception("%s of %s failed", action, subject)
            with store.transaction() as tx:
                tx.execute("DELETE FROM timers WHERE id = ?", (timer_id,))
    for session_id in overdue:
        with store.transaction() as tx:
            session = tx.get(session_id, "checkout.session")
            if session["status"] == "open":
                payments.expire(tx, session)
