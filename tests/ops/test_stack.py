"""`make run` around a tiny shop: real PostgreSQL, Redis, granian and dramatiq, in one folder."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.embedded import ports
from tests.ops.test_supervisor import is_alive, wait_for

ROOT = Path(__file__).resolve().parents[2]
TINY = Path(__file__).parent / "tiny_shop" / "run.py"
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="process groups are read from /proc")


class Run:
    """One `make run` of the tiny shop."""

    def __init__(self, data: Path, port: int, **settings: str) -> None:
        self.data = data
        self.port = port
        kept = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "REDIS_URL", "AMQP_URL", "SMTP_URL"}}
        # A key of Stripe's own: then no simulator is started, which has tests of its own.
        mine = {
            "PYTHONPATH": str(ROOT),
            "PORT": str(port),
            "COURSEHUB_DATA": str(data),
            "STRIPE_SECRET_KEY": "sk_test_1",
        }
        self.output = data.parent / f"output-{time.monotonic_ns()}.txt"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, str(TINY)],
                env=kept | mine | settings,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def until_ready(self) -> "Run":
        wait_for(lambda: "is ready" in self.said() or self.process.poll() is not None, seconds=60)
        assert self.process.poll() is None, self.said()
        return self

    def said(self) -> str:
        return self.output.read_text()

    def page(self) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5) as answer:
            return str(answer.read().decode())

    def pids(self) -> dict[str, int]:
        noted = json.loads((self.data / "run.json").read_text())
        return {group["name"]: group["pid"] for group in noted["groups"]}

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(40)

    def gives_up(self) -> str:
        assert self.process.wait(60) == 1
        return self.said()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stack") / "var"


@pytest.fixture(scope="module")
def port() -> int:
    return ports.a_free_one()


@pytest.fixture
def running(data: Path, port: int) -> Iterator[Run]:
    run = Run(data, port).until_ready()
    yield run
    if run.process.poll() is None:
        run.stop()


def all_of(run: Run) -> list[int]:
    """Every process of the run: children, and whatever shares a session with them."""
    leaders = set(run.pids().values())
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.getsid(int(entry)) in leaders:
                found.append(int(entry))
        except ProcessLookupError:
            continue
    return found


def test_one_ready_line_then_ctrl_c_stops_every_child(running: Run, data: Path) -> None:
    assert running.said().count(f"CourseHub is ready: http://127.0.0.1:{running.port}\n") == 1
    assert "ada@example.com (creator)" in running.said()
    assert "seeded 1 times" in running.page()
    assert set(running.pids()) == {
        *("postgres", "redis", "broker"),
        *("web", "worker-io", "worker-media", "relay", "clock"),
    }
    assert (data / "redis" / "redis.sock").is_socket()
    processes = all_of(running)
    assert len(processes) > 8
    assert running.stop() == 0
    assert not [pid for pid in processes if is_alive(pid)]
    assert "database system is shut down" in (data / "logs" / "postgres.log").read_text()


def test_data_survives_a_restart_and_kill_9_of_the_database_and_of_the_supervisor(running: Run, port: int) -> None:
    assert "seeded 1 times" in running.page()
    second = Run(running.data, port)
    assert "already runs on this data" in second.gives_up()
    assert len(second.said().strip().splitlines()) == 1

    elsewhere = Run(running.data.with_name("other"), port)
    assert f"Port {port} on 127.0.0.1, needed for the shop, is taken by another program" in elsewhere.gives_up()
    assert len(elsewhere.said().strip().splitlines()) == 1

    killed = running.pids()["postgres"]
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: running.pids().get("postgres", killed) != killed, seconds=20)
    wait_for(lambda: _serves(running), seconds=20)

    left = all_of(running)
    running.process.kill()
    running.process.wait()
    again = Run(running.data, port).until_ready()
    try:
        assert not [pid for pid in left if is_alive(pid)]
        assert "seeded 1 times" in again.page()
    finally:
        assert again.stop() == 0


def _serves(run: Run) -> bool:
    try:
        return "seeded 1 times" in run.page()
    except OSError:
        return False


def test_a_step_that_fails_ends_the_run_with_its_reason_and_stops_the_servers(data: Path, port: int) -> None:
    (data / "seeded").unlink(missing_ok=True)
    (data / "seed-fails").touch()
    try:
        said = Run(data, port).gives_up()
    finally:
        (data / "seed-fails").unlink()
    assert "seed ended with code 1" in said
    assert "the demo data is broken" in said
    assert not (data / "run.json").exists()


def test_a_redis_named_in_the_environment_is_used_instead_of_its_twin(data: Path, port: int) -> None:
    nobody_listens = ports.a_free_one()
    said = Run(data, port, SEED="0", REDIS_URL=f"redis://127.0.0.1:{nobody_listens}/0").gives_up()
    assert "Redis does not answer" in said
    assert "check REDIS_URL" in said
