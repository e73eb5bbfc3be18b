"""The whole simulator put together: the state, the two background threads and the answers to requests."""

import fcntl
import time
from pathlib import Path
from typing import TextIO

from . import idempotency
from .api import Api
from .clock import Clock
from .config import Config
from .control import Control
from .delivery import Deliveries
from .faults import Faults
from .hosted import HostedPage
from .panel import Panel
from .receipts import Receipts
from .store import Store
from .web import Reply, Request, json_reply

_STATIC = Path(__file__).with_name("static")
_EVENTS_ARE_KEPT = 30 * 24 * 3600
_ASSETS = {"/static/simulator.css": "text/css; charset=utf-8", "/static/icon.svg": "image/svg+xml"}


class AlreadyRunning(Exception):
    """Another simulator keeps its state in the same folder."""


class Simulator:
    def __init__(self, config: Config) -> None:
        config.data.mkdir(parents=True, exist_ok=True)
        self._lock = _locked(config.data / "lock")
        self.store = Store(config.data / "stripe.db")
        self.store.delivers_events = config.webhook_url is not None
        idempotency.forget_unfinished(self.store)
        self.store.forget_old_events(before=time.time() - _EVENTS_ARE_KEPT)
        faults = Faults()
        self.deliveries = Deliveries(config, self.store)
        self.store.when_events_are_stored = self.deliveries.wake
        self.clock = Clock(self.store)
        self._api = Api(config, self.store, faults)
        self._control = Control(self.store, self.deliveries, faults)
        self._panel = Panel(config, self._control)
        self._hosted = HostedPage(config, self.store, self.deliveries)
        self._receipts = Receipts(config, self.store)

    def start(self) -> None:
        self.deliveries.start()
        self.clock.start()

    def stop(self) -> None:
        self.clock.stop()
        self.deliveries.stop()
        self.store.close()
        self._lock.close()

    def answer(self, request: Request) -> Reply:
        path = request.path
        if path == "/v1" or path.startswith("/v1/"):
            return self._api.answer(request)
        if path.startswith("/_control/"):
            return self._control.answer(request)
        if path.startswith("/c/pay/"):
            return self._hosted.answer(request)
        if path.startswith("/receipts/"):
            return self._receipts.answer(request)
        if path in _ASSETS:
            body = (_STATIC / Path(path).name).read_bytes()
            return Reply(200, body, {"Content-Type": _ASSETS[path], "Cache-Control": "max-age=60"})
        if path == "/healthz":
            return json_reply(200, {"status": "ok"})
        return self._panel.answer(request)


def _locked(file: Path) -> TextIO:
    held = file.open("w")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        held.close()
        raise AlreadyRunning(f"Another Stripe simulator already uses {file.parent}.") from None
    return held
