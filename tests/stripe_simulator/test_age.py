"""Old things are forgotten: events after thirty days, idempotency keys after one."""

import time
from pathlib import Path

from ops.stripe_simulator import events, idempotency, objects
from ops.stripe_simulator.store import Store


def test_events_are_forgotten_after_thirty_days_and_nothing_else_is(tmp_path: Path) -> None:
    store = Store(tmp_path / "stripe.db")
    with store.transaction() as tx:
        customer = objects.customer({"email": "ben@example.com"})
        tx.put(customer)
        old, new = (events.emit(tx, "customer.created", customer)["id"] for _ in range(2))
        tx.execute("UPDATE objects SET created = 1 WHERE id = ?", (old,))
        tx.execute("UPDATE deliveries SET created = 1 WHERE event_id = ?", (old,))
    store.forget_old_events(before=time.time() - 60)
    with store.transaction() as tx:
        assert tx.find(old) is None
        assert tx.find(new) is not None and tx.find(customer["id"]) is not None
        assert [row[0] for row in tx.execute("SELECT event_id FROM deliveries")] == [new]
    store.close()


def test_a_key_is_free_again_after_a_day(tmp_path: Path) -> None:
    store = Store(tmp_path / "stripe.db")

    def begin(params: dict[str, str]) -> idempotency.Stored | None:
        return idempotency.begin(store, "sk", "co:1", "/v1/customers", params, "req_1")

    assert begin({}) is None
    with store.transaction() as tx:
        idempotency.keep(tx, "sk", "co:1", 200, "{}")
    assert begin({}) == idempotency.Stored(200, "{}", "req_1")
    with store.transaction() as tx:
        tx.execute("UPDATE replies SET created = created - ?", (idempotency.KEPT_FOR + 1,))
    assert begin({"other": "1"}) is None
    store.close()
