"""The message broker: its topology as data, RabbitMQ or (on the embedded stack) Redis behind one `publish`."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import pika
import redis
from dramatiq import Broker, Message, Middleware
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.brokers.redis import RedisBroker
from dramatiq.errors import BrokerConnectionError
from dramatiq.middleware import Callbacks, CurrentMessage, MiddlewareError, Retries, ShutdownNotifications, TimeLimit
from pika.adapters.utils.connection_workflow import AMQPConnectorException
from pika.exceptions import AMQPConnectionError, AMQPError

from coursehub.kernel.outbox import OutboxMessage
from coursehub.kernel.settings import Settings

log = logging.getLogger(__name__)

EXCHANGE = "events.topic"

# Durable queue ← routing keys. Each key reaches exactly one of them, because a retry goes back to the one queue that
# is named in the message; other systems may bind queues of their own.
TOPOLOGY: Mapping[str, tuple[str, ...]] = {
    "course.build.q": ("course.build.request",),
    # Minutes of work, so it never stands before a mail.
    "media.q": (
        "course.inspect.request",
        "course.thumbnails.request",
        "library.file.inspect.request",
        "library.file.pages.request",
        "purchase.stamp.request",
    ),
    "order.lifecycle.q": (
        "order.*",
        "payment.*",
        "purchase.fulfill",
        "refund.*",
        "dispute.*",
        "stripe.event.received",
    ),
    "email.send.q": ("email.*",),
    "reco.batch.q": ("reco.batch.request",),
    "feedback.q": ("message.*", "thread.*"),
    "facts.q": ("course.build.completed", "course.published", "course.version.published", "customer.*", "review.*"),
    "maintenance.q": ("maintenance.#",),
}

MAX_RETRIES = 8
# RabbitMQ closes a channel that holds a delayed message for 30 minutes; a later time belongs in the outbox's `due_at`.
MAX_DELAY_MS = 600_000
PUBLISH_SECONDS = 3.0

# What every connection to RabbitMQ keeps to; a URL that names one of these wins.
AMQP_LIMITS: Mapping[str, str] = {
    "connection_attempts": "1",
    "socket_timeout": "2",
    "stack_timeout": "3",
    "blocked_connection_timeout": "3",
    "heartbeat": "30",
}

# Whatever a client raises while the broker is away: the message stays in the outbox and is sent later.
BROKER_AWAY = (AMQPError, AMQPConnectorException, BrokerConnectionError, redis.RedisError, OSError)


class Unroutable(Exception):
    """No queue takes this event: a binding is missing."""


class TooPatient(MiddlewareError):
    """An actor or a message asks for more retries or a longer delay than the broker may hold."""


def dead_letter_queue(queue: str) -> str:
    """Where messages of `queue` end that nobody could handle."""
    return f"dlq.{queue}"


def queue_for(name: str) -> str:
    """The queue that takes the event `name`; the most exact binding wins. Raises Unroutable."""
    fitting = [(pattern, queue) for queue, patterns in TOPOLOGY.items() for pattern in patterns if _fits(pattern, name)]
    if not fitting:
        raise Unroutable(f"No queue is bound to {name!r}.")
    return max(fitting, key=lambda found: len(found[0]))[1]


def make_broker(settings: Settings, middleware: Sequence[Middleware] = ()) -> Broker:
    """RabbitMQ where AMQP_URL is set, else Dramatiq's own broker on Redis. `middleware` sees a message before ours."""
    everything = [*middleware, *_middleware()]
    if settings.amqp_url:
        return EventBroker(settings.amqp_url, everything)
    client = redis.Redis.from_url(settings.broker_url, socket_connect_timeout=2, socket_timeout=3)
    # A killed worker's messages go back to the queue 15 s after its last sign of life, found by one command in ten.
    return RedisBroker(client=client, middleware=everything, heartbeat_timeout=15_000, maintenance_chance=100_000)


def publish(broker: Broker, message: OutboxMessage) -> None:
    """Send one message; see `publish_all`. Raises Unroutable too."""
    if publish_all(broker, [message]):
        raise Unroutable(f"No queue took {message.name!r}.")


def publish_all(broker: Broker, messages: Sequence[OutboxMessage]) -> list[OutboxMessage]:
    """Send each message to its actor, by name, and wait for the broker to have them; returns those no queue takes.

    Raises one of BROKER_AWAY within a few seconds; then the broker may have all, some or none of them.
    """
    homeless: list[OutboxMessage] = []
    envelopes: list[Message[Any]] = []
    for message in messages:
        try:
            envelopes.append(_envelope(message))
        except Unroutable:
            homeless.append(message)
    returned: set[str] = set()
    if isinstance(broker, EventBroker):
        returned = broker.publish_events(envelopes)
    else:
        for envelope in envelopes:
            broker.enqueue(envelope)
    return [*homeless, *(message for message in messages if str(message.id) in returned)]


class EventBroker(RabbitmqBroker):
    """RabbitMQ with our topology: one topic exchange, dead letters in `dlq.<queue>`, nothing sent unacknowledged."""

    def __init__(self, url: str, middleware: Sequence[Middleware] = ()) -> None:
        super().__init__(url=_limited(url), confirm_delivery=True, middleware=list(middleware))

    def publish_events(self, messages: "Sequence[Message[Any]]") -> set[str]:
        """Publish to the exchange under the events' names, all in one AMQP transaction; the ids that came back.

        One transaction costs RabbitMQ one write to disk, where a confirmation for each message costs one for each.
        """
        if not messages:
            return set()
        self.prepare()
        self.state.returned = set()
        with self._within(PUBLISH_SECONDS):
            for message in messages:
                self.state.transactional.basic_publish(
                    EXCHANGE,
                    message.actor_name,
                    message.encode(),
                    pika.BasicProperties(
                        delivery_mode=2,
                        content_type="application/json",
                        message_id=message.message_id,
                        type=message.actor_name,
                    ),
                    mandatory=True,
                )
            self.state.transactional.tx_commit()
            self.connection.process_data_events(0)  # hands us what was returned before the commit was confirmed
            returned: set[str] = self.state.returned
            if returned:  # somebody took a queue or a binding away: declare everything again next time
                self.state.transactional.close()
                self.state.prepared = None
        return returned

    def prepare(self) -> None:
        """Connect this thread and declare the whole topology, once for each connection. Raises as `publish` does."""
        if getattr(self.state, "prepared", None) is self.connection:
            return
        for queue in TOPOLOGY:  # each with a limit of its own: a fresh node writes all of them to its disk
            with self._within(PUBLISH_SECONDS):
                self._declare_queue(queue)
                self._declare_dq_queue(queue)
                self._declare_xq_queue(queue)
        with self._within(PUBLISH_SECONDS):
            self.state.transactional = self.connection.channel()
            self.state.transactional.tx_select()
            self.state.transactional.add_on_return_callback(self._came_back)
        self.state.prepared = self.connection

    def keep_alive(self) -> None:
        """Answer the broker's heartbeats on this thread's connection; raises AMQPError when it is lost."""
        if getattr(self.state, "connection", None) is not None:
            self.connection.process_data_events(0)

    def forget_connection(self) -> None:
        """Drop this thread's connection; the next call makes a new one and declares the topology on it."""
        self.state.prepared = None
        del self.connection

    def _came_back(self, _channel: Any, _method: Any, properties: Any, _body: bytes) -> None:
        self.state.returned.add(properties.message_id)

    # The three below replace private methods of Dramatiq 2.2; tests/infra/test_broker.py compares what comes of them
    # with a live broker.

    def _build_queue_arguments(self, queue_name: str) -> dict[str, Any]:
        return {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": dead_letter_queue(queue_name)}

    def _declare_queue(self, queue_name: str) -> Any:
        self.channel.exchange_declare(EXCHANGE, "topic", durable=True)
        declared = super()._declare_queue(queue_name)
        for pattern in TOPOLOGY.get(queue_name, ()):
            self.channel.queue_bind(queue_name, EXCHANGE, pattern)
        return declared

    def _declare_xq_queue(self, queue_name: str) -> Any:
        return self.channel.queue_declare(dead_letter_queue(queue_name), durable=True)

    @contextmanager
    def _within(self, seconds: float) -> Iterator[None]:
        """End the connection when the block takes longer: pika itself waits for a confirmation for ever."""
        connection = self.connection._impl  # connecting has its own limit, stack_timeout
        lost = partial(connection._terminate_stream, AMQPConnectionError(f"RabbitMQ was silent for {seconds:g} s."))
        timer = connection._adapter_call_later(seconds, lost)
        try:
            yield
        finally:
            connection._adapter_remove_timeout(timer)


class Bounds(Middleware):
    """Refuses what the broker cannot hold: more than 8 retries, a delay over 10 minutes."""

    def before_declare_actor(self, broker: Broker, actor: Any) -> None:
        if not 0 <= actor.options.get("max_retries", MAX_RETRIES) <= MAX_RETRIES:
            raise TooPatient(f"{actor.actor_name}: max_retries must be at most {MAX_RETRIES}.")
        if actor.options.get("max_backoff", MAX_DELAY_MS) > MAX_DELAY_MS:
            raise TooPatient(f"{actor.actor_name}: max_backoff must be at most {MAX_DELAY_MS} ms.")

    def before_enqueue(self, broker: Broker, message: "Message[Any]", delay: int | None) -> None:
        if delay is not None and delay > MAX_DELAY_MS:
            raise TooPatient(f"{message.actor_name}: a delay of {delay} ms belongs in the outbox, not in the broker.")


class Prefetch(Middleware):
    """A worker takes one message a thread, so that what waits can still go to another worker."""

    def before_worker_boot(self, broker: Broker, worker: Any) -> None:
        worker.queue_prefetch = worker.worker_threads


def _envelope(message: OutboxMessage) -> "Message[Any]":
    return Message(
        queue_name=queue_for(message.name),
        actor_name=message.name,
        args=(),
        kwargs=message.payload,
        options={},
        message_id=str(message.id),
    )


def _middleware() -> list[Middleware]:
    return [
        Bounds(),
        Prefetch(),
        CurrentMessage(),
        TimeLimit(),
        ShutdownNotifications(),
        Callbacks(),
        Retries(max_retries=MAX_RETRIES, min_backoff=1_000, max_backoff=MAX_DELAY_MS),
    ]


def _fits(pattern: str, name: str) -> bool:
    """AMQP's rule for topics: `*` is one word, a trailing `#` any number of words."""
    wanted, words = pattern.split("."), name.split(".")
    if wanted[-1] == "#":
        wanted = wanted[:-1]
        words = words[: len(wanted)]
    return len(wanted) == len(words) and all(want in ("*", word) for want, word in zip(wanted, words, strict=True))


def _limited(url: str) -> str:
    parts = urlsplit(url)
    query = {**AMQP_LIMITS, **dict(parse_qsl(parts.query))}
    return urlunsplit(parts._replace(query=urlencode(query)))
