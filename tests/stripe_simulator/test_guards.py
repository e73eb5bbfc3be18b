"""The controls of the race tests: without their guards the same thing happens twice."""

import time
from pathlib import Path

from ops.stripe_simulator import cards, objects, payments
from ops.stripe_simulator.payments import Completed, Payer
from ops.stripe_simulator.store import Store


def test_paying_without_looking_whether_the_session_is_open_charges_twice(tmp_path: Path) -> None:
    store = Store(tmp_path / "stripe.db")
    card = cards.read_card("4242424242424242", "12", "34", "123", year=2026, month=11)
    ben = Payer("Ben Buyer", "ben@example.com", "http://127.0.0.1", "CourseHub")
    price = objects.price("prod_1", 1999, "usd", "unspecified")
    items = [objects.line_item(price, "Bread from scratch", 1, {})]
    with store.transaction() as tx:
        asked = {"success_url": "http://127.0.0.1"}
        session = objects.checkout_session(asked, items, "http://127.0.0.1", int(time.time()))
        tx.put(session)
        # Two requests that both found it open, as two transactions would that look first and pay later.
        stale = dict(session)
        assert isinstance(payments.pay_by_card(tx, session, card, ben), Completed)
        assert isinstance(payments.pay_by_card(tx, stale, card, ben), Completed)
        assert len(tx.matching("charge")) == 2
    store.close()
