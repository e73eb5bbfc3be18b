"""Every event has one queue, in the code and on a live RabbitMQ alike; a broker that is away is noticed in seconds."""

import time
from collections.abc import Iterator
from typing import Any

import dramatiq
import pika
import pytest
from dramatiq import Message
from pika.exceptions import ChannelClosedByBroker, UnroutableError

from coursehub.infra.broker import (
    BROKER_AWAY,
    EXCHANGE,
    MAX_DELAY_MS,
    MAX_RETRIES,
    PUBLISH_SECONDS,
    TOPOLOGY,
    EventBroker,
    TooPatient,
    Unroutable,
    _middleware,
    dead_letter_queue,
    publish,
    publish_all,
    queue_for,
)
from coursehub.kernel.ids import new_id
from coursehub.kernel.outbox import OutboxMessage
from tests.faults.proxy import FaultProxy
from tests.messaging import empty_queues
from tests.rabbitmq import Node

# One name for every binding, and the queue it must reach.
ROUTES = {
    "course.build.request": "course.build.q",
    "course.inspect.request": "media.q",
    "course.thumbnails.request": "media.q",
    "library.file.inspect.request": "media.q",
    "library.file.pages.request": "media.q",
    "purchase.stamp.request": "media.q",
    "order.started": "order.lifecycle.q",
    "payment.succeeded": "order.lifecycle.q",
    "purchase.fulfill": "order.lifecycle.q",
    "refund.succeeded": "order.lifecycle.q",
    "dispute.opened": "order.lifecycle.q",
    "stripe.event.received": "order.lifecycle.q",
    "email.send": "email.send.q",
    "reco.batch.request": "reco.batch.q",
    "message.posted": "feedback.q",
    "thread.opened": "feedback.q",
    "course.build.completed": "facts.q",
    "course.published": "facts.q",
    "course.version.published": "facts.q",
    "customer.registered": "facts.q",
    "review.written": "facts.q",
    "maintenance.outbox.clean": "maintenance.q",
    "maintenance.sweep": "maintenance.q",
}
NOWHERE = [
    "nobody.listens",
    "order",
    "order.a.b",
    "email",
    "course.unpublished",
    "purchase.fulfilled",
    "xorder.started",
]


def a_message(name: str = "order.started", **payload: Any) -> OutboxMessage:
    return OutboxMessage(id=new_id(), name=name, payload={"event_id": "1", **payload}, publishes=0)


@pytest.mark.parametrize("name", ROUTES)
def test_each_event_has_its_queue(name: str) -> None:
    assert queue_for(name) == ROUTES[name]


@pytest.mark.parametrize("name", NOWHERE)
def test_an_event_without_a_binding_is_refused(name: str) -> None:
    with pytest.raises(Unroutable):
        queue_for(name)


def test_the_examples_above_cover_every_binding() -> None:
    assert {queue_for(name) for name in ROUTES} == set(TOPOLOGY)
    assert len(ROUTES) >= sum(len(patterns) for patterns in TOPOLOGY.values())


@pytest.mark.parametrize("options", [{"max_retries": MAX_RETRIES + 1}, {"max_backoff": MAX_DELAY_MS + 1}])
def test_an_actor_that_asks_for_too_much_patience_cannot_be_declared(options: dict[str, int]) -> None:
    broker = EventBroker("amqp://127.0.0.1:1", _middleware())
    with pytest.raises(TooPatient):
        dramatiq.actor(broker=broker, actor_name="order.patient", queue_name="order.lifecycle.q", **options)(print)
    assert "order.patient" not in broker.actors


def test_a_message_cannot_be_delayed_longer_than_rabbitmq_may_hold_it() -> None:
    broker = EventBroker("amqp://127.0.0.1:1", _middleware())
    message: Message[Any] = Message("order.lifecycle.q", "order.started", (), {}, {})
    with pytest.raises(TooPatient):
        broker.emit_before("enqueue", message, MAX_DELAY_MS + 1)
    broker.emit_before("enqueue", message, MAX_DELAY_MS)


def test_the_client_keeps_the_time_budget_and_the_url_may_narrow_it() -> None:
    parameters = EventBroker("amqp://ben:secret@127.0.0.1:1/shop?heartbeat=7").parameters
    assert (parameters.socket_timeout, parameters.stack_timeout) == (2, 3)
    assert parameters.blocked_connection_timeout == 3
    assert parameters.connection_attempts == 1
    assert parameters.heartbeat == 7
    assert (parameters.virtual_host, parameters.credentials.username) == ("shop", "ben")
    assert EventBroker("amqp://127.0.0.1:1").parameters.heartbeat == 30
    assert EventBroker("amqp://127.0.0.1:1").confirm_delivery


@pytest.fixture
def broker(rabbitmq: Node) -> Iterator[EventBroker]:
    empty_queues(rabbitmq.url)
    made = EventBroker(rabbitmq.url, _middleware())
    yield made
    made.close()


@pytest.fixture
def channel(rabbitmq: Node) -> Iterator[Any]:
    """Another program on the same node."""
    connection = pika.BlockingConnection(pika.URLParameters(rabbitmq.url))
    opened = connection.channel()
    opened.confirm_delivery()
    yield opened
    connection.close()


def drain(channel: Any) -> dict[str, int]:
    """How many messages each queue of ours holds; they are gone after it."""
    held = {}
    for queue in TOPOLOGY:
        held[queue] = channel.queue_declare(queue, passive=True).method.message_count
        channel.queue_purge(queue)
    return {queue: count for queue, count in held.items() if count}


@pytest.mark.rabbitmq
def test_the_live_broker_has_exactly_the_topology_in_the_code(broker: EventBroker, channel: Any) -> None:
    publish(broker, a_message())
    assert drain(channel) == {"order.lifecycle.q": 1}
    for queue in TOPOLOGY:
        dead = dead_letter_queue(queue)
        arguments = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": dead}
        # RabbitMQ closes the channel of whoever declares a queue otherwise than it is.
        channel.queue_declare(queue, durable=True, arguments=arguments)
        channel.queue_declare(f"{queue}.DQ", durable=True, arguments=arguments)
        channel.queue_declare(dead, durable=True)
    channel.exchange_declare(EXCHANGE, "topic", durable=True)
    for name, queue in ROUTES.items():
        channel.basic_publish(EXCHANGE, name, b"probe", mandatory=True)
        assert drain(channel) == {queue: 1}, name
    for name in NOWHERE:
        with pytest.raises(UnroutableError):
            channel.basic_publish(EXCHANGE, name, b"probe", mandatory=True)
    with pytest.raises(ChannelClosedByBroker):  # the control: a queue that differs is noticed
        channel.queue_declare("media.q", durable=True)


@pytest.mark.rabbitmq
def test_a_published_event_lasts_and_carries_its_payload(broker: EventBroker, channel: Any) -> None:
    message = a_message("email.send", number=5)
    publish(broker, message)
    _, properties, body = channel.basic_get("email.send.q", auto_ack=True)
    envelope = Message.decode(body)
    assert properties.delivery_mode == 2
    assert (properties.message_id, properties.type) == (str(message.id), "email.send")
    assert (envelope.actor_name, envelope.queue_name) == ("email.send", "email.send.q")
    assert envelope.kwargs == message.payload


@pytest.mark.rabbitmq
def test_a_rejected_message_goes_to_the_dead_letters_of_its_queue(broker: EventBroker, channel: Any) -> None:
    publish(broker, a_message("course.published"))
    method, _, _ = channel.basic_get("facts.q")
    channel.basic_nack(method.delivery_tag, requeue=False)
    for _ in range(50):
        if channel.queue_declare("dlq.facts.q", passive=True).method.message_count == 1:
            return
        time.sleep(0.05)
    pytest.fail("The rejected message is not in dlq.facts.q.")


@pytest.mark.rabbitmq
def test_a_lost_binding_is_an_error_once_and_mended_for_the_next_message(broker: EventBroker, channel: Any) -> None:
    publish(broker, a_message("email.send"))
    channel.queue_unbind("email.send.q", EXCHANGE, "email.*")
    with pytest.raises(Unroutable):
        publish(broker, a_message("email.send"))
    publish(broker, a_message("email.send"))
    assert drain(channel) == {"email.send.q": 2}


@pytest.mark.rabbitmq
def test_of_many_messages_only_the_homeless_come_back(broker: EventBroker, channel: Any) -> None:
    publish(broker, a_message())
    channel.queue_unbind("facts.q", EXCHANGE, "customer.*")
    drain(channel)
    kept = [a_message("order.started") for _ in range(20)]
    unbound, unknown = a_message("customer.registered"), a_message("nobody.listens")
    refused = publish_all(broker, [*kept[:10], unbound, unknown, *kept[10:]])
    assert {message.id for message in refused} == {unbound.id, unknown.id}
    assert drain(channel) == {"order.lifecycle.q": 20}
    assert publish_all(broker, [unbound]) == []  # the binding is there again


@pytest.mark.rabbitmq
def test_the_broker_comes_back_after_a_restart_that_lost_everything(rabbitmq: Node, broker: EventBroker) -> None:
    publish(broker, a_message())
    rabbitmq.stop()
    try:
        with pytest.raises(BROKER_AWAY):
            publish(broker, a_message())
        rabbitmq.wipe()
    finally:
        rabbitmq.start()
    broker.forget_connection()
    publish(broker, a_message())
    counted = broker.channel.queue_declare("order.lifecycle.q", passive=True)
    assert counted.method.message_count == 1


@pytest.mark.rabbitmq
def test_a_black_hole_is_given_up_in_seconds(rabbitmq: Node) -> None:
    empty_queues(rabbitmq.url)
    with FaultProxy(rabbitmq.port) as proxy:
        broker = EventBroker(rabbitmq.url.replace(str(rabbitmq.port), str(proxy.port)), _middleware())
        publish(broker, a_message())
        proxy.swallow()
        for _ in ("an open connection", "a new one"):
            started = time.monotonic()
            with pytest.raises(BROKER_AWAY):
                publish(broker, a_message())
            assert time.monotonic() - started < PUBLISH_SECONDS + 3
            broker.forget_connection()
        proxy.heal()
        publish(broker, a_message())
        proxy.refuse()
        started = time.monotonic()
        with pytest.raises(BROKER_AWAY):
            publish(broker, a_message())
        assert time.monotonic() - started < 2
        broker.close()


@pytest.mark.rabbitmq
def test_a_broker_out_of_memory_is_given_up_in_seconds(rabbitmq: Node, broker: EventBroker) -> None:
    publish(broker, a_message())
    rabbitmq.control("set_vm_memory_high_watermark", "0.0000001")
    try:
        started = time.monotonic()
        with pytest.raises(BROKER_AWAY):
            for _ in range(50):  # the alarm needs a moment to reach the connection
                publish(broker, a_message())
                time.sleep(0.1)
        assert time.monotonic() - started < 15
    finally:
        rabbitmq.control("set_vm_memory_high_watermark", "0.4")
    broker.forget_connection()
    publish(broker, a_message())
