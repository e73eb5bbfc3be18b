"""The order's status: legal moves only, money always wins, the same facts give the same end in any order."""

from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coursehub.kernel.db import db, transaction
from coursehub.kernel.ids import new_id, short_code
from coursehub.kernel.moves import StatusMove
from coursehub.orders import lifecycle
from coursehub.orders.models import Order

MOVES = {
    "start": lambda order: lifecycle.start(order, f"cs_{order.id}", actor="test"),
    "paid": lambda order: lifecycle.mark_paid(order, cause="test", actor="test"),
    "downloaded": lambda order: lifecycle.mark_downloaded(order, actor="test"),
    "cancel": lambda order: lifecycle.cancel(order, cause="test", actor="test"),
    "expire": lambda order: lifecycle.expire(order, cause="test", actor="test"),
    "fail": lambda order: lifecycle.fail(order, cause="test", actor="test"),
}
RANK = {"added_2_cart": 0, "purchase_started": 0, "canceled": 1, "expired": 1, "failed": 1}
RANK |= {"payment_succeeded": 2, "course_downloaded": 3}


def _an_order(person: Any) -> Order:
    order = Order(
        id=new_id(),
        customer_id=person.id,
        number=short_code(2, 6),
        cart_hash=new_id().hex,
        total_cents=1900,
        currency="USD",
        status="added_2_cart",
    )
    with transaction() as session:
        session.add(order)
    return order


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(sorted(MOVES)), max_size=10))
def test_any_history_only_climbs_and_money_wins(app: Any, ben: Any, history: list[str]) -> None:
    order = _an_order(ben)
    ranks = [0]
    for name in history:
        with transaction():
            MOVES[name](lifecycle.locked(order.id))
        ranks.append(RANK[db.session.get_one(Order, order.id, populate_existing=True).status])
    assert ranks == sorted(ranks)
    assert ("paid" in history) == (ranks[-1] >= 2)
    moves = list(db.session.scalars(db.select(StatusMove).where(StatusMove.subject_id == order.id)))
    # Each change is a row, and the rows are a chain.
    steps = sorted(moves, key=lambda move: move.id)
    for before, after in pairwise(steps):
        assert before.to_status == after.from_status


def test_an_order_that_never_reached_stripe_expires_after_a_day(app: Any, ben: Any) -> None:
    old, young = _an_order(ben), _an_order(ben)
    with db.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE orders SET created_at = now() - interval '25 hours' WHERE id = %s", (old.id,)
        )
    with transaction():
        assert lifecycle.expire_stale() == 1
    assert db.session.get_one(Order, old.id, populate_existing=True).status == "expired"
    assert db.session.get_one(Order, young.id, populate_existing=True).status == "added_2_cart"
