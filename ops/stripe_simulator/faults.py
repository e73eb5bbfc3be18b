"""Faults on purpose: errors, waits and broken connections before or after an API request took effect."""

import threading
from dataclasses import dataclass
from typing import Any

MAX_LATENCY_MS = 120_000


@dataclass
class Fault:
    """`times` counts down; `path` is a whole path or the start of one, up to a slash."""

    path: str | None
    method: str | None
    status: int | None
    when: str
    latency_ms: int
    reset: bool
    times: int

    def concerns(self, method: str, path: str) -> bool:
        if self.method is not None and self.method != method:
            return False
        return self.path is None or path == self.path or path.startswith(self.path.rstrip("/") + "/")


class Faults:
    def __init__(self) -> None:
        self._planned: list[Fault] = []
        self._lock = threading.Lock()

    def plan(self, fault: Fault) -> None:
        with self._lock:
            self._planned.append(fault)

    def take(self, method: str, path: str) -> Fault | None:
        """The first planned fault for this request; it counts as used."""
        with self._lock:
            for fault in self._planned:
                if fault.concerns(method, path):
                    fault.times -= 1
                    if fault.times <= 0:
                        self._planned.remove(fault)
                    return fault
        return None

    def planned(self) -> list[dict[str, Any]]:
        with self._lock:
            return [dict(vars(fault)) for fault in self._planned]

    def clear(self) -> None:
        with self._lock:
            self._planned.clear()
