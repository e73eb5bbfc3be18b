"""Fixtures of the small shop: on Redis and on RabbitMQ, each behind a proxy that can misbehave."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis

from coursehub.infra.broker import TOPOLOGY, EventBroker, dead_letter_queue
from coursehub.kernel.ids import new_id
from tests.faults.proxy import FaultProxy
from tests.rabbitmq import rabbitmq
from tests.small_shop import SmallShop, environment_for, make_tables
from tests.stack import Stack, wait_for

__all__ = ["broker_kind", "broker_port", "broker_proxy", "broker_redis", "rabbitmq", "shop", "shop_database"]

KINDS = ["redis", pytest.param("rabbitmq", marks=pytest.mark.rabbitmq)]


@pytest.fixture(scope="session")
def broker_redis(stack: Stack) -> str:
    """A Redis of its own: the broker is not where caches are."""
    return stack.redis()


@pytest.fixture(params=KINDS)
def broker_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def broker_port(broker_kind: str, request: pytest.FixtureRequest) -> int:
    """Where the real broker listens; it is empty."""
    if broker_kind == "rabbitmq":
        node = request.getfixturevalue("rabbitmq")
        empty_queues(node.url)
        return int(node.port)
    url = request.getfixturevalue("broker_redis")
    redis.Redis.from_url(url).flushall()
    return int(urlsplit(url).port or 0)


@pytest.fixture
def broker_proxy(broker_port: int) -> Iterator[FaultProxy]:
    with FaultProxy(broker_port) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def shop_database(new_database: Callable[[str], str]) -> str:
    url = new_database(f"small_shop_{new_id()}")
    make_tables(url)
    return url


@pytest.fixture
def shop(
    broker_kind: str,
    broker_proxy: FaultProxy,
    shop_database: str,
    redis_url: str,
    tmp_path: Any,
) -> Iterator[SmallShop]:
    """An empty small shop; every process it started is gone after the test."""
    address = f"127.0.0.1:{broker_proxy.port}"
    broker = {
        "redis": {"COURSEHUB_BROKER_URL": f"redis://{address}/0"},
        "rabbitmq": {"AMQP_URL": f"amqp://guest:guest@{address}/%2F"},
    }[broker_kind]
    made = SmallShop(environment_for(shop_database, f"{redis_url}/9", broker, tmp_path), tmp_path)
    try:
        yield made
    finally:
        broker_proxy.heal()
        made.empty()
        made.close()


def empty_queues(url: str) -> None:
    """Every queue of ours is there, without consumers and without messages of an earlier test."""
    broker = EventBroker(url)
    broker.prepare()
    for queue in TOPOLOGY:
        for name in (queue, f"{queue}.DQ", dead_letter_queue(queue)):
            # A consumer that was killed gives its messages back at the moment RabbitMQ notices.
            wait_for(lambda name=name: _consumers(broker, name) == 0, 30, f"the end of {name}'s consumers")
            broker.channel.queue_purge(name)
    broker.close()


def _consumers(broker: EventBroker, queue: str) -> int:
    return int(broker.channel.queue_declare(queue, passive=True).method.consumer_count)
