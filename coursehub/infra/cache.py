"""Redis for what may be lost: limits, heartbeats, tails. Short timeouts, because a page must not wait for it."""

from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

TIMEOUT = 0.2  # seconds, connect and read (the page's whole budget for Redis)
# The client's own default is three more tries with seconds between them.
OPTIONS: dict[str, Any] = {
    "socket_connect_timeout": TIMEOUT,
    "socket_timeout": TIMEOUT,
    "retry": Retry(NoBackoff(), 0),
}


def connect(url: str) -> Redis:
    """A client that gives up after 0.2 s and never retries by itself."""
    return Redis.from_url(url, decode_responses=True, **OPTIONS)
