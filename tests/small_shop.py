"""A shop with one product, for tests of how facts travel: its app, its events, its workers, all on real servers."""

import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import create_engine, text

from coursehub.infra.broker import make_broker
from coursehub.infra.relay import Relay
from coursehub.kernel.db import db, engine_options, transaction
from coursehub.kernel.events import Event, record
from coursehub.kernel.outbox import FailedJob, OutboxMessage, ProcessedEvent
from coursehub.kernel.settings import Settings
from tests.stack import JWT, KEYS, wait_for

ROOT = Path(__file__).resolve().parents[1]


# Without @event: only the workers of this shop make them known (tests/small_shop_worker.py).
class Sold(Event):
    """Number `number` was sold; applying it takes `seconds`."""

    name = "order.sold"
    number: int
    seconds: float = 0.0


class Fragile(Event):
    """Cannot be applied until somebody writes `cured`."""

    name = "payment.fragile"
    number: int


class Faraway(Event):
    """Needs a service that is away until somebody writes `cured`."""

    name = "payment.faraway"
    number: int


class Unknown(Event):
    """Has a queue and no actor."""

    name = "payment.unknown"
    number: int


class Homeless(Event):
    """Has no queue."""

    name = "nobody.listens"
    number: int


def make_app(settings: Settings) -> Flask:
    app = Flask("small_shop")
    app.config["SETTINGS"] = settings
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.database_url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(settings.database_url, pool_size=5)
    db.init_app(app)
    return app


@dataclass
class SmallShop:
    """One shop on one broker. `environment` is what its processes are told."""

    environment: dict[str, str]
    folder: Path
    _children: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.settings = Settings.model_validate(self.environment)
        self.app = make_app(self.settings)
        self._engine = create_engine(self.settings.database_url, isolation_level="AUTOCOMMIT")

    # What people do

    def sell(self, *numbers: int, seconds: float = 0.0) -> float:
        """Each sale in a transaction of its own; the slowest one, in seconds."""
        slowest = 0.0
        with self.app.app_context():
            for number in numbers:
                started = time.monotonic()
                with transaction():
                    record(Sold(number=number, seconds=seconds))
                slowest = max(slowest, time.monotonic() - started)
        return slowest

    def record(self, *facts: Event) -> None:
        with self.app.app_context(), transaction():
            for fact in facts:
                record(fact)

    # What can be seen

    def effects(self) -> Counter[int]:
        """How often each number took effect."""
        return Counter(self.column("SELECT number FROM effects"))

    def runs(self) -> Counter[int]:
        """How often the work for each number was begun."""
        return Counter(self.column("SELECT number FROM runs"))

    def column(self, query: str, **values: Any) -> list[Any]:
        with self._engine.connect() as connection:
            return list(connection.scalars(text(query), values))

    def execute(self, statement: str, **values: Any) -> None:
        with self._engine.connect() as connection:
            connection.execute(text(statement), values)

    def wait(self, check: Callable[[], Any], seconds: float = 90, what: str = "what was awaited") -> None:
        wait_for(check, seconds, what)

    def log(self) -> str:
        return "".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("*.log")))

    # Its processes

    def start_worker(self, threads: int = 4, **more: str) -> subprocess.Popen[bytes]:
        command = ["-m", "dramatiq", "tests.small_shop_worker", "--processes", "1", "--threads", str(threads)]
        return self._start("worker", *command, **more)

    def start_relay(self) -> subprocess.Popen[bytes]:
        return self._start("relay", "-m", "tests.small_shop_relay")

    @contextmanager
    def relaying(self) -> Iterator[Relay]:
        """A relay in a thread of this process."""
        relay = Relay(self.settings.database_url, make_broker(self.settings))
        thread = threading.Thread(target=relay.run, daemon=True)
        thread.start()
        try:
            yield relay
        finally:
            relay.stop()
            thread.join(10)

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """SIGKILL for the process and all it started: the machine lost power."""
        with suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
        process.wait(10)
        self._children.remove(process)

    def _start(self, name: str, *command: str, **more: str) -> subprocess.Popen[bytes]:
        inherited = {key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "LANG", "TMPDIR")}
        with (self.folder / f"{name}.{time.monotonic_ns()}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *command],
                cwd=ROOT,
                env={**inherited, **self.environment, "dramatiq_restart_delay": "500", **more},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._children.append(process)
        return process

    def empty(self) -> None:
        for process in list(self._children):
            self.kill(process)
        self.execute("TRUNCATE outbox, processed_events, failed_jobs, effects, runs, cured")

    def close(self) -> None:
        self._engine.dispose()


def make_tables(database_url: str) -> None:
    """The outbox's own tables, and what the shop's actors write."""
    engine = create_engine(database_url)
    with engine.begin() as connection:
        for table in (OutboxMessage.__table__, ProcessedEvent.__table__, FailedJob.__table__):
            table.create(connection)
        for name in ("effects", "runs", "cured"):
            connection.execute(text(f"CREATE TABLE {name} (number int NOT NULL, at timestamptz DEFAULT now())"))
    engine.dispose()


def environment_for(database_url: str, redis_url: str, broker: dict[str, str], data: Path) -> dict[str, str]:
    """The variables of a small shop's processes."""
    return {
        "COURSEHUB_ENV": "test",
        "COURSEHUB_KEYS": KEYS,
        "JWT_SECRET": JWT,
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "COURSEHUB_DATA": str(data),
        **broker,
    }
