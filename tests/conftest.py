"""What every test stands on: real PostgreSQL and Redis, the app, the four people, Stripe's simulator."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import requests
from flask import Flask
from sqlalchemy import create_engine, text

from tests.browser import Browser
from tests.people import a_person
from tests.stack import JWT, KEYS, Stack, free_port, open_to_all, wait_for

ROOT = Path(__file__).resolve().parents[1]
SCALE = os.environ.get("COURSEHUB_TEST_SCALE", "small")
pytest_plugins = ["tests.turns"]


@pytest.fixture(scope="session")
def full_scale() -> bool:
    """Whether `make soak` runs: the same tests at full counts."""
    return SCALE == "full"


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    open_to_all(folder)
    running = Stack(folder)
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def postgres(stack: Stack) -> str:
    """URL of the cluster with `{name}` for the database."""
    return stack.postgres()


@pytest.fixture(scope="session")
def new_database(postgres: str) -> Callable[[str], str]:
    """Make an empty database and return its URL."""
    admin = create_engine(postgres.format(name="postgres"), isolation_level="AUTOCOMMIT")

    def create(name: str) -> str:
        with admin.connect() as connection:
            connection.execute(text(f'CREATE DATABASE "{name}"'))
        return postgres.format(name=name)

    return create


@pytest.fixture(scope="session")
def redis_url(stack: Stack) -> str:
    return stack.redis()


@pytest.fixture(scope="session")
def stripe_address(tmp_path_factory: pytest.TempPathFactory, web_port: int) -> Iterator[str]:
    """The Stripe simulator, a process of its own, delivering its webhooks to the live app."""
    port = free_port()
    data = tmp_path_factory.mktemp("stripe")
    command = [sys.executable, "-m", "ops.stripe_simulator", "--port", str(port), "--data", str(data)]
    command += ["--webhook-url", f"http://127.0.0.1:{web_port}/api/v1/webhooks/stripe"]
    environment = {**os.environ, "STRIPE_WEBHOOK_SECRET": "whsec_simulator"}
    with (data / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, env=environment)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: _answers(f"{address}/_control/webhooks"), what="the Stripe simulator")
        yield address
    finally:
        process.terminate()
        process.wait(5)


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=1).ok
    except requests.RequestException:
        return False


@pytest.fixture(scope="session")
def web_port() -> int:
    return free_port()


@pytest.fixture(scope="session")
def settings(
    new_database: Callable[[str], str],
    redis_url: str,
    tmp_path_factory: pytest.TempPathFactory,
    stripe_address: str,
    web_port: int,
) -> Any:
    from coursehub.kernel.settings import Settings

    return Settings.model_validate(
        {
            "COURSEHUB_ENV": "test",
            "COURSEHUB_BASE_URL": f"http://127.0.0.1:{web_port}",
            "COURSEHUB_TRUSTED_HOSTS": "127.0.0.1,localhost",
            "COURSEHUB_DATA": tmp_path_factory.mktemp("data"),
            "COURSEHUB_KEYS": KEYS,
            "JWT_SECRET": JWT,
            "DATABASE_URL": new_database("coursehub_test"),
            "COURSEHUB_POOL_SIZE": 40,
            "REDIS_URL": f"{redis_url}/0",
            "COURSEHUB_BROKER_URL": f"{redis_url}/1",
            "COURSEHUB_STRIPE_API_BASE": stripe_address,
            "COURSEHUB_LIMIT_FACTOR": 1000,
            "COURSEHUB_ADMIN_2FA": "optional",
        }
    )


@pytest.fixture(scope="session")
def session_app(settings: Any) -> Flask:
    from flask_migrate import upgrade

    os.environ.pop("DATABASE_URL", None)
    from tasks import runtime

    app = runtime.use(settings)
    app.testing = False  # errors answer as they do for people
    with app.app_context():
        upgrade()
    return app


@pytest.fixture
def app(session_app: Flask) -> Iterator[Flask]:
    """The app in its context; whatever the test wrote is gone after it."""
    from coursehub.flags import toggles
    from coursehub.kernel.db import db

    with session_app.app_context():
        yield session_app
        db.session.remove()
        empty_database()
        toggles.forget()
        _empty_redis_and_storage()


def _empty_redis_and_storage() -> None:
    from coursehub.infra.services import services

    services().redis.flushall()
    for found in list(services().storage.walk()):
        services().storage.delete(found.key)


def empty_database() -> None:
    """Delete every row but the categories. Triggers and foreign keys sleep meanwhile."""
    from coursehub.kernel.db import Base, db

    tables = [table.name for table in Base.metadata.sorted_tables if table.name != "categories"]
    with db.engine.connect() as connection:
        connection.exec_driver_sql("SET session_replication_role = replica; SET statement_timeout = '30s'")
        connection.exec_driver_sql("; ".join(f'DELETE FROM "{name}"' for name in tables))
        connection.exec_driver_sql("SET session_replication_role = DEFAULT")
        connection.commit()
        connection.invalidate()


@pytest.fixture
def browser(app: Flask) -> Browser:
    """A browser nobody is signed in to."""
    return Browser(app)


@pytest.fixture
def ada(app: Flask) -> Any:
    return a_person("Ada Brandt", role="creator")


@pytest.fixture
def ben(app: Flask) -> Any:
    return a_person("Ben Okafor")


@pytest.fixture
def cleo(app: Flask) -> Any:
    return a_person("Cleo Marsh")


@pytest.fixture
def root(app: Flask) -> Any:
    return a_person("Root Adler", role="admin")


class Simulator:
    """The simulator's controls."""

    def __init__(self, address: str) -> None:
        self.address = address

    def control(self, path: str, /, **body: Any) -> Any:
        answer = requests.post(f"{self.address}/_control/{path}", json=body, timeout=10)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def deliveries(self) -> list[dict[str, Any]]:
        found = requests.get(f"{self.address}/_control/webhooks", timeout=10).json()
        return list(found["deliveries"] if isinstance(found, dict) else found)

    def pay(self, url: str, card: str = "4242424242424242") -> requests.Response:
        """What a person does on the payment page, without JavaScript; does not follow the redirect back."""
        fields = {"card_number": card, "exp_month": "12", "exp_year": "2034", "cvc": "123", "name": "Ben Okafor"}
        return requests.post(url, data=fields, timeout=20, allow_redirects=False)


@pytest.fixture
def stripe(stripe_address: str, app: Flask) -> Iterator[Simulator]:
    """Stripe, empty, with its webhooks held back until the test lets them go."""
    simulator = Simulator(stripe_address)
    simulator.control("reset")
    simulator.control("webhooks", paused=True, delay_ms=0, duplicate=0, shuffle=False, drop=False)
    yield simulator
    simulator.control("reset")


@pytest.fixture
def work(app: Flask) -> Callable[..., int]:
    """Run the outbox: every due message through its actor, in this process, until none is left."""
    from tasks import runtime

    def run(*names: str, rounds: int = 20) -> int:
        return runtime.run_due(names, rounds=rounds)

    return run


@pytest.fixture
def mailbox(app: Flask) -> Any:
    """Mails captured in this test, newest last: `.to(address)`, `.all()`."""
    from tests.mailbox import Mailbox

    return Mailbox(Path(app.config["SETTINGS"].data) / "mail")


@pytest.fixture(scope="session")
def live_server(session_app: Flask, web_port: int) -> Iterator[str]:
    """The app behind a real HTTP server with threads, for browsers, webhooks and races."""
    from werkzeug.serving import make_server

    server = make_server("127.0.0.1", web_port, session_app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{web_port}"
    finally:
        server.shutdown()
        thread.join(5)


def in_threads(count: int, do: Callable[[int], Any]) -> list[Any]:
    """Run `do(0…count-1)` at the same moment; each result, or the exception it raised."""
    barrier = threading.Barrier(count)
    results: list[Any] = [None] * count

    def run(number: int) -> None:
        barrier.wait()
        try:
            results[number] = do(number)
        except BaseException as error:
            results[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


@pytest.fixture
def together(app: Flask) -> Callable[[int, Callable[[int], Any]], list[Any]]:
    """`together(20, do)`: 20 threads at once, each in an app context of its own."""

    def run(count: int, do: Callable[[int], Any]) -> list[Any]:
        from coursehub.kernel.db import db

        for row in list(db.session):  # the threads may read the test's rows, which no session can be shared for
            db.session.refresh(row)
        db.session.expunge_all()
        db.session.rollback()

        def inside(number: int) -> Any:
            with app.app_context():
                return do(number)

        return in_threads(count, inside)

    return run


def as_uuid(value: Any) -> UUID:
    return UUID(str(value))


class QueryCount:
    """How many statements ran."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    @property
    def count(self) -> int:
        return len(self.statements)


@pytest.fixture
def queries(app: Flask) -> Callable[[], Any]:
    """`with queries() as seen:` counts the SQL statements inside."""
    from contextlib import contextmanager

    from sqlalchemy import event as listeners

    from coursehub.kernel.db import db

    @contextmanager
    def counting() -> Iterator[QueryCount]:
        seen = QueryCount()

        def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
            seen.statements.append(statement)

        engine = db.engine
        listeners.listen(engine, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            listeners.remove(engine, "before_cursor_execute", note)

    return counting
