"""The processes of CourseHub itself, as data: their commands, their environment, and how we see that they work."""

import os
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import redis

from ops.embedded.child import Child
from ops.embedded.keys import Keys
from ops.embedded.options import SIMULATOR_KEY, Options

_QUEUES_IO = ("order.lifecycle.q", "email.send.q", "facts.q", "maintenance.q", "feedback.q", "reco.batch.q")
_QUEUES_MEDIA = ("media.q",)
HEARTBEATS = tuple(f"heartbeat:{name}" for name in ("worker-io", "worker-media", "relay", "clock"))


@dataclass(frozen=True)
class Services:
    """Where this run's database, cache and broker are reached."""

    database_url: str
    redis_url: str
    broker_url: str


def environment(options: Options, services: Services, keys: Keys, inherited: Mapping[str, str]) -> dict[str, str]:
    """What the shop's processes are told. Whatever the person set by name wins, one by one."""
    defaults = {
        "COURSEHUB_ENV": "development",
        "COURSEHUB_BASE_URL": options.address,
        "COURSEHUB_KEYS": keys.key_ring,
        "JWT_SECRET": keys.jwt_secret,
        "COURSEHUB_LIMIT_FACTOR": "20",
        "COURSEHUB_ADMIN_2FA": "optional",
        "STRIPE_SECRET_KEY": SIMULATOR_KEY,
    }
    if options.simulates_stripe:
        defaults["STRIPE_WEBHOOK_SECRET"] = "whsec_simulator"
        defaults["COURSEHUB_STRIPE_API_BASE"] = options.simulator_address
    else:
        # Nobody knows this one, so webhooks are refused until the person names Stripe's own.
        defaults["STRIPE_WEBHOOK_SECRET"] = keys.webhook_secret
    fixed = {
        "COURSEHUB_DATA": str(options.data),
        "COURSEHUB_SUPERVISED": "1",
        "DATABASE_URL": services.database_url,
        "REDIS_URL": services.redis_url,
    }
    if services.broker_url:
        fixed["COURSEHUB_BROKER_URL"] = services.broker_url
    told = {name: value for name, value in defaults.items() if not _is_set(inherited, name)}
    files = {f"{name}_FILE" for name in fixed}
    return {name: value for name, value in inherited.items() if name not in files} | told | fixed


def simulator(options: Options, root: Path, environment: Mapping[str, str]) -> Child:
    command = ["--host", options.host, "--port", str(options.port + 1), "--data", str(options.data / "stripe")]
    command += ["--public-url", options.simulator_address]
    command += ["--webhook-url", f"{options.address}/api/v1/webhooks/stripe"]
    return Child(
        name="stripe",
        command=[sys.executable, "-m", "ops.stripe_simulator", *command],
        environment=environment,
        folder=root,
        is_ready=partial(_answers, f"{options.simulator_address}/"),
    )


def processes(options: Options, root: Path, environment: Mapping[str, str]) -> list[Child]:
    """Web, workers, relay and clock. Mail never waits behind thumbnails: each queue family has its own worker."""

    def child(name: str, *arguments: str, is_ready: Callable[[], bool] = lambda: True) -> Child:
        command = [sys.executable, "-m", *arguments]
        told = {**environment, "COURSEHUB_PROCESS": name}
        return Child(name=name, command=command, environment=told, folder=root, is_ready=is_ready)

    web = ["--interface", "wsgi", "--host", options.host, "--port", str(options.port)]
    web += ["--workers", str(os.cpu_count() or 1), "--blocking-threads", "4"]
    # Without the kill timeout granian ignores SIGTERM while its workers still import.
    web += ["--workers-kill-timeout", "3", "wsgi:app"]
    beats = partial(_beats, environment["REDIS_URL"])
    return [
        child("web", "granian", *web, is_ready=partial(_answers, f"{options.address}/readyz")),
        child("worker-io", "dramatiq", "tasks.worker", *_worker(8, _QUEUES_IO), is_ready=partial(beats, "worker-io")),
        child(
            "worker-media",
            "dramatiq",
            "tasks.worker",
            *_worker(1, _QUEUES_MEDIA),
            is_ready=partial(beats, "worker-media"),
        ),
        child("relay", "flask", "--app", "wsgi", "coursehub", "outbox", "relay", is_ready=partial(beats, "relay")),
        child("clock", "tasks.schedule", is_ready=partial(beats, "clock")),
    ]


def forget_heartbeats(redis_url: str) -> None:
    """Those of an earlier run would make a dead process look alive."""
    with redis.Redis.from_url(redis_url, socket_connect_timeout=2, socket_timeout=2) as client:
        client.delete(*HEARTBEATS)


def _worker(threads: int, queues: tuple[str, ...]) -> list[str]:
    return ["--processes", "1", "--threads", str(threads), "--queues", *queues]


def _is_set(inherited: Mapping[str, str], name: str) -> bool:
    return bool(inherited.get(name) or inherited.get(f"{name}_FILE"))


def _answers(url: str) -> bool:
    # A proxy of the machine's environment must not stand between us and our own children.
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError, ValueError):
        return False


def _beats(redis_url: str, name: str) -> bool:
    try:
        with redis.Redis.from_url(redis_url, socket_connect_timeout=1, socket_timeout=1) as client:
            return bool(client.exists(f"heartbeat:{name}"))
    except redis.RedisError:
        return False
