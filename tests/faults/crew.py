"""The shop's own relay, workers and web server as processes that can be killed, on the database of the tests."""

import os
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis
from pydantic import SecretStr

from coursehub.kernel.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
QUEUES = ("order.lifecycle.q", "email.send.q", "facts.q", "maintenance.q")


def variables(settings: Settings) -> dict[str, str]:
    """`settings` as the environment they could have come from."""

    def written(value: Any) -> str:
        if isinstance(value, SecretStr):
            return value.get_secret_value()
        if isinstance(value, list):
            return ",".join(value)
        if value is None:
            return ""
        return str(int(value)) if isinstance(value, bool) else str(value)

    return {
        str(known.validation_alias): written(getattr(settings, name)) for name, known in Settings.model_fields.items()
    }


@dataclass
class Crew:
    """Starts processes with `settings`, changed by `environment`; `dismiss` ends those that are left."""

    settings: Settings
    folder: Path
    environment: dict[str, str]
    _running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start_worker(self, threads: int = 4) -> subprocess.Popen[bytes]:
        """`dramatiq tasks.worker`, as the supervisor starts it."""
        command = ["-m", "dramatiq", "tasks.worker", "--processes", "1", "--threads", str(threads)]
        name = f"worker-{len(self._running)}-{time.monotonic_ns()}"
        process = self._start(name, *command, "--queues", *QUEUES, COURSEHUB_WORKER_NAME=name)
        process.heartbeat = f"heartbeat:{name}"  # type: ignore[attr-defined]
        return process

    def start_relay(self) -> subprocess.Popen[bytes]:
        return self._start("relay", "-m", "flask", "--app", "wsgi", "coursehub", "outbox", "relay")

    def start_web(self, port: int) -> subprocess.Popen[bytes]:
        """One granian process with four threads, as the supervisor starts it."""
        command = ["--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
        command += ["--blocking-threads", "4", "--workers-kill-timeout", "3", "wsgi:app"]
        return self._start("web", "-m", "granian", *command)

    def is_at_work(self, worker: subprocess.Popen[bytes]) -> bool:
        """Whether the worker has loaded everything."""
        assert worker.poll() is None, f"the worker ended:\n{self.log()}"
        with redis.Redis.from_url(self.settings.redis_url, socket_timeout=2) as client:
            return bool(client.exists(worker.heartbeat))  # type: ignore[attr-defined]

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """SIGKILL for the process and all it started, at the same moment."""
        with suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
        process.wait(10)
        self._running.remove(process)

    def dismiss(self) -> None:
        for process in list(self._running):
            self.kill(process)

    def log(self) -> str:
        return "\n".join(path.read_text(errors="replace")[-4000:] for path in sorted(self.folder.glob("*.log")))

    def _start(self, name: str, *command: str, **more: str) -> subprocess.Popen[bytes]:
        inherited = {key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "LANG", "TMPDIR")}
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *command],
                cwd=ROOT,
                env={**inherited, **variables(self.settings), "dramatiq_restart_delay": "500", **self.environment}
                | {"COURSEHUB_POOL_SIZE": "5", **more},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._running.append(process)
        return process
