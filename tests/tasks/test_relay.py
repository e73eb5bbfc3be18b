"""A fact travels from the transaction that made it true to its effect, once, whatever happens on the way."""

import json
import signal
import time
from collections import Counter
from typing import Any

import pytest
from dramatiq import Broker

from coursehub.infra import relay as relay_module
from coursehub.infra.broker import EventBroker, make_broker, publish
from coursehub.infra.cache import connect
from coursehub.infra.relay import LONGEST_LEASE, Relay, lease_of
from coursehub.kernel import dead_letters
from coursehub.kernel.db import NotInTransaction, transaction
from coursehub.kernel.events import record
from coursehub.kernel.ids import new_id
from coursehub.kernel.outbox import CHANNEL, REPUBLISH_AFTER, OutboxMessage
from tests.faults.proxy import FaultProxy
from tests.rabbitmq import Node
from tests.small_shop import Faraway, Fragile, Homeless, SmallShop, Sold, Unknown
from tests.stack import free_port

TEN = Counter(range(10))


def test_every_sale_takes_effect_once_and_its_message_is_finished(shop: SmallShop) -> None:
    shop.start_worker()
    with shop.relaying():
        shop.sell(*range(10))
        shop.wait(lambda: shop.effects() == TEN, what="ten effects")
        shop.wait(lambda: not shop.column("SELECT 1 FROM outbox WHERE finished_at IS NULL"))
    assert shop.column("SELECT DISTINCT publishes FROM outbox") == [1]
    assert shop.runs() == TEN


def test_a_sale_wakes_the_relay_it_does_not_wait_for_the_sweep(
    shop: SmallShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "SWEEP", 600.0)
    with shop.relaying() as relay:
        for number in range(5):
            shop.sell(number)
            shop.wait(lambda: not shop.column("SELECT 1 FROM outbox WHERE published_at IS NULL"), 60, "the relay")
        relay.stop()
        shop.execute(f"NOTIFY {CHANNEL}")


def test_a_relay_that_hears_nothing_finds_the_sale_by_its_sweep(
    shop: SmallShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "CHANNEL", "elsewhere")
    with shop.relaying():
        for number in range(2):
            shop.sell(number)
            shop.wait(lambda: not shop.column("SELECT 1 FROM outbox WHERE published_at IS NULL"))


def test_what_is_rolled_back_is_never_published(shop: SmallShop) -> None:
    shop.start_worker()
    with shop.relaying():
        with shop.app.app_context(), pytest.raises(ZeroDivisionError), transaction():
            record(Sold(number=1))
            _ = 1 / 0
        shop.sell(2)
        shop.wait(lambda: shop.effects()[2] == 1)
    assert shop.effects() == Counter([2])
    assert shop.runs() == Counter([2])


def test_a_fact_cannot_be_recorded_without_its_cause(shop: SmallShop) -> None:
    with shop.app.app_context(), pytest.raises(NotInTransaction):
        record(Sold(number=1))
    assert shop.column("SELECT count(*) FROM outbox") == [0]


@pytest.mark.parametrize("guard", ["on", "off"])
def test_a_message_that_comes_three_times_takes_effect_once(shop: SmallShop, guard: str) -> None:
    """With the guard off the same test sees threefold effects: so it does send three, and would notice."""
    broker = make_broker(shop.settings)
    shop.sell(*range(10))
    with shop.app.app_context(), transaction() as session:
        messages = session.query(OutboxMessage).all()
        for message in messages:
            for _ in range(3):
                publish(broker, message)
    broker.close()
    shop.start_worker(threads=8, SMALL_SHOP_GUARD=guard)
    if guard == "off":
        shop.wait(lambda: shop.effects().total() == 30, what="threefold effects")
        return
    shop.wait(lambda: shop.effects() == TEN, what="ten effects")
    shop.wait(lambda: shop.log().count("applied before") + shop.runs().total() >= 30, what="all thirty messages")
    assert shop.effects() == TEN


def test_two_hundred_sales_while_the_broker_is_down_all_arrive_when_it_returns(
    shop: SmallShop, broker_proxy: FaultProxy
) -> None:
    shop.start_worker(threads=8)
    with shop.relaying():
        shop.sell(0)
        shop.wait(lambda: shop.effects()[0] == 1, what="the first effect")
        broker_proxy.refuse()
        slowest = shop.sell(*range(1, 200))
        assert slowest < 1.0, f"a sale took {slowest:.2f} s: it waited for the broker"
        assert shop.effects() == Counter([0])
        broker_proxy.heal()
        shop.wait(lambda: len(shop.effects()) == 200, what="two hundred effects")
    assert shop.effects() == Counter(range(200))


def test_a_worker_killed_in_the_middle_of_its_work_loses_and_doubles_nothing(shop: SmallShop) -> None:
    worker = shop.start_worker()
    with shop.relaying():
        shop.sell(*range(4), seconds=2.0)
        shop.wait(lambda: shop.runs().total() == 4, what="work in progress")
        shop.kill(worker)
        assert shop.effects() == Counter()
        shop.start_worker(threads=8)
        # RabbitMQ hands them out again by itself; the rest is the outbox's, 120 s later: we turn the clock.
        shop.execute("UPDATE outbox SET due_at = now() WHERE finished_at IS NULL")
        shop.wait(lambda: len(shop.effects()) == 4, what="the effects")
    assert shop.effects() == Counter(range(4))
    assert shop.runs().total() >= 8  # they were begun again, so the kill did hit them


@pytest.mark.rabbitmq
@pytest.mark.parametrize("broker_kind", ["rabbitmq"], indirect=True)
def test_rabbitmq_hands_a_dead_workers_messages_to_the_next_one_by_itself(shop: SmallShop) -> None:
    worker = shop.start_worker()
    with shop.relaying():
        shop.sell(1, seconds=1.0)
        shop.wait(lambda: shop.runs()[1] == 1, what="work in progress")
        shop.kill(worker)
        shop.start_worker()
        shop.wait(lambda: shop.effects()[1] == 1, what="the effect")
    assert shop.column("SELECT publishes FROM outbox") == [1]


def test_a_poisoned_message_is_set_aside_while_others_flow_and_can_be_replayed_once_cured(
    shop: SmallShop, broker_kind: str
) -> None:
    shop.start_worker()
    with shop.relaying():
        shop.record(Fragile(number=1000), *[Sold(number=number) for number in range(30)])
        shop.wait(lambda: len(shop.effects()) == 30, what="the others")
        shop.wait(lambda: shop.column("SELECT 1 FROM failed_jobs"), what="the dead letter")
        assert shop.runs()[1000] == 3  # the first try and two retries

        with shop.app.app_context():
            (job,) = dead_letters.open_jobs()
            assert (job.actor, job.queue, job.attempts) == ("payment.fragile", "order.lifecycle.q", 3)
            assert job.payload["number"] == 1000
            assert "Number 1000 broke" in job.error
            assert "okafor" not in job.error  # addresses of people do not belong there
        assert not shop.column("SELECT 1 FROM outbox WHERE finished_at IS NULL")  # it is not sent for ever
        if broker_kind == "rabbitmq":
            shop.wait(lambda: _waiting(shop, "dlq.order.lifecycle.q") == 1, what="the dead letter on RabbitMQ")

        shop.execute("INSERT INTO cured (number) VALUES (1000)")
        with shop.app.app_context(), transaction():
            dead_letters.replay(job.id)
        shop.wait(lambda: shop.effects()[1000] == 1, what="the replayed effect")
        assert shop.column("SELECT status FROM failed_jobs") == ["replayed"]

        # The same event once more: its effect is known, so nothing happens.
        with shop.app.app_context(), transaction():
            dead_letters.replay_event(job.event_id)
        shop.wait(lambda: not shop.column("SELECT 1 FROM outbox WHERE finished_at IS NULL"))
    assert shop.effects()[1000] == 1


def test_a_message_without_an_actor_is_kept_for_a_person(shop: SmallShop) -> None:
    shop.start_worker()
    with shop.relaying():
        shop.record(Unknown(number=1))
        shop.wait(lambda: shop.column("SELECT 1 FROM failed_jobs"), what="the dead letter")
    with shop.app.app_context():
        (job,) = dead_letters.open_jobs()
        assert "payment.unknown" in job.error


def test_a_service_that_is_away_costs_no_retries(shop: SmallShop) -> None:
    """`payment.faraway` has one retry; a day's outage of what it needs must not use it up."""
    shop.start_worker()
    with shop.relaying():
        shop.record(Faraway(number=1))
        for times in range(1, 5):
            shop.wait(lambda times=times: shop.runs()[1] == times, what=f"try {times}")
            shop.wait(lambda: shop.column("SELECT 1 FROM outbox WHERE due_at BETWEEN now() AND now() + '50 s'"))
            shop.execute("UPDATE outbox SET due_at = now()")
        shop.execute("INSERT INTO cured (number) VALUES (1)")
        shop.wait(lambda: shop.effects()[1] == 1 or shop.execute("UPDATE outbox SET due_at = now()"))
        assert shop.column("SELECT count(*) FROM failed_jobs") == [0]

        # Only an event that is older than a day is given up.
        shop.record(Faraway(number=2))
        shop.execute(
            'UPDATE outbox SET payload = payload || \'{"occurred_at": "2020-01-01T00:00:00+00:00"}\', due_at = now()'
            " WHERE payload->>'number' = '2'"
        )
        shop.wait(lambda: shop.column("SELECT 1 FROM failed_jobs"), what="the dead letter")


def test_an_event_without_a_queue_stays_in_the_outbox_and_stops_nobody(
    shop: SmallShop, caplog: pytest.LogCaptureFixture
) -> None:
    with shop.relaying():
        shop.record(Homeless(number=1), Sold(number=2))
        shop.wait(lambda: len(shop.column("SELECT 1 FROM outbox WHERE publishes = 1")) == 2)
    assert shop.column("SELECT count(*) FROM outbox WHERE finished_at IS NULL") == [2]
    assert any("nobody.listens" in entry.getMessage() and entry.levelname == "ERROR" for entry in caplog.records)


def test_two_relays_share_the_work_without_sending_anything_twice(shop: SmallShop) -> None:
    shop.sell(*range(300))
    with shop.relaying(), shop.relaying():
        shop.wait(lambda: not shop.column("SELECT 1 FROM outbox WHERE published_at IS NULL"))
    assert shop.column("SELECT DISTINCT publishes FROM outbox") == [1]


def test_the_relay_survives_a_restart_of_postgresql(shop: SmallShop) -> None:
    with shop.relaying():
        shop.sell(1)
        shop.wait(lambda: shop.column("SELECT 1 FROM outbox WHERE published_at IS NOT NULL"))
        ended = shop.column(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        assert ended
        shop.sell(2)
        shop.wait(lambda: not shop.column("SELECT 1 FROM outbox WHERE published_at IS NULL"))


def test_a_broker_that_lost_everything_is_healed_from_the_outbox(
    shop: SmallShop, broker_kind: str, request: pytest.FixtureRequest
) -> None:
    with shop.relaying():
        shop.sell(*range(10))
        shop.wait(lambda: not shop.column("SELECT 1 FROM outbox WHERE published_at IS NULL"))
        if broker_kind == "rabbitmq":
            node: Node = request.getfixturevalue("rabbitmq")
            node.stop()
            node.wipe()
            node.start()
        else:
            connect(request.getfixturevalue("broker_redis")).flushall()
        shop.start_worker()
        time.sleep(1)
        assert shop.effects() == Counter()
        # After 120 s without an effect they are due again; the clock is turned here.
        shop.execute("UPDATE outbox SET due_at = now()")
        shop.wait(lambda: shop.effects() == TEN, what="ten effects")
    assert set(shop.column("SELECT publishes FROM outbox")) == {2}


def test_the_relay_process_drains_beats_and_ends_when_told(shop: SmallShop) -> None:
    redis = connect(shop.settings.redis_url)
    redis.delete("heartbeat:relay")
    relay = shop.start_relay()
    shop.sell(*range(50))
    shop.wait(lambda: not shop.column("SELECT 1 FROM outbox WHERE published_at IS NULL"))
    relay.send_signal(signal.SIGTERM)
    assert relay.wait(10) == 0
    assert shop.column("SELECT DISTINCT publishes FROM outbox") == [1]


def test_the_relay_beats_in_redis_and_does_not_need_it(shop: SmallShop) -> None:
    alive = connect(shop.settings.redis_url)
    with _relay(shop, alive):
        shop.wait(lambda: alive.exists("heartbeat:relay"), what="the heartbeat")
        assert 0 < alive.ttl("heartbeat:relay") <= 15
    assert not alive.exists("heartbeat:relay")
    with _relay(shop, connect(f"redis://127.0.0.1:{free_port()}/0")):
        shop.sell(1)
        shop.wait(lambda: shop.column("SELECT 1 FROM outbox WHERE published_at IS NOT NULL"))


def test_a_retry_that_waits_on_the_broker_is_not_sent_again_from_the_outbox(shop: SmallShop) -> None:
    shop.start_worker()
    with shop.relaying():
        shop.record(Fragile(number=7))
        shop.wait(lambda: shop.runs()[7] == 2, what="a retry")
        (left,) = shop.column("SELECT extract(epoch FROM due_at - now())::float FROM outbox")
    assert left > REPUBLISH_AFTER.total_seconds() - 10


def test_the_trace_of_the_request_goes_on_in_the_worker_and_no_address_is_logged(shop: SmallShop) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    shop.start_worker()
    with shop.relaying():
        shop.record(Fragile(number=1))
        parent = {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
        shop.execute("UPDATE outbox SET payload = payload || CAST(:more AS jsonb)", more=json.dumps({"trace": parent}))
        shop.execute("UPDATE outbox SET due_at = now(), finished_at = NULL")
        shop.wait(lambda: trace in shop.column("SELECT trace_id FROM failed_jobs"), what="the dead letter")
    lines = [json.loads(line) for line in shop.log().splitlines() if line.startswith("{")]
    failures = [line for line in lines if line.get("event_name") == "payment.fragile" and "attempt" in line]
    assert {line["attempt"] for line in failures} >= {1, 2, 3}
    traced = [line for line in failures if line.get("trace_id") == trace]
    assert traced and all(line["duration_ms"] >= 0 and line["event_id"] and line["span_id"] for line in traced)
    assert "ben.okafor@example.com" not in shop.log()
    assert "<address>" in shop.log()


def test_a_message_waits_longer_each_time_it_is_sent_again_but_never_over_ten_minutes() -> None:
    waits = [lease_of(OutboxMessage(id=new_id(), name="order.started", publishes=sent)) for sent in range(6)]
    assert waits[0] == REPUBLISH_AFTER
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_LEASE
    assert lease_of(OutboxMessage(id=new_id(), name="course.build.request", publishes=0)) == LONGEST_LEASE


class _relay:
    """A relay with a heartbeat in a thread of this process."""

    def __init__(self, shop: SmallShop, redis: Any) -> None:
        import threading

        self._relay = Relay(shop.settings.database_url, make_broker(shop.settings), redis=redis)
        self._thread = threading.Thread(target=self._relay.run, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._relay.stop()
        self._thread.join(10)
        assert not self._thread.is_alive()


def _waiting(shop: SmallShop, queue: str) -> int:
    broker: Broker = make_broker(shop.settings)
    assert isinstance(broker, EventBroker)
    try:
        return int(broker.channel.queue_declare(queue, passive=True).method.message_count)
    finally:
        broker.close()
