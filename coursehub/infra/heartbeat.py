"""Signs of life: each process keeps a key in Redis that goes away soon after it does."""

import threading
from collections.abc import Callable
from contextlib import suppress

from redis import Redis, RedisError

EVERY = 5.0  # seconds
LASTS = 15


class Heartbeat:
    """A thread that renews `heartbeat:<name>` as long as `is_well` says so. Redis being away stops nothing."""

    def __init__(self, redis: Redis, name: str, is_well: Callable[[], bool] = lambda: True) -> None:
        self._redis = redis
        self._key = f"heartbeat:{name}"
        self._is_well = is_well
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=self._key, daemon=True)

    def start(self) -> "Heartbeat":
        self._thread.start()
        return self

    def stop(self) -> None:
        """End, and take the key away: a process that went in good order is not waited for."""
        self._stopped.set()
        self._thread.join(timeout=1)
        with suppress(RedisError):
            self._redis.delete(self._key)

    def _beat(self) -> None:
        while not self._stopped.is_set():
            if self._is_well():
                with suppress(RedisError):
                    self._redis.set(self._key, "1", ex=LASTS)
            self._stopped.wait(EVERY)
