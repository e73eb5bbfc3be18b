"""A RabbitMQ node of our own for tests: Debian's server on free ports, in a folder that goes away with it."""

import os
import random
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pika
import pytest
from pika.exceptions import AMQPError

from tests.stack import open_to_all, wait_for

HOME = Path("/usr/lib/rabbitmq")
USER = "rabbitmq"


def quiet_port() -> int:
    """A free port below those the system gives to outgoing connections: it is still free when the node restarts."""
    for _ in range(1000):
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("There is no free port between 20000 and 32000.")


class Node:
    """One node. It can be stopped, started again with what it kept, or with nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self._distribution, self._epmd = quiet_port(), quiet_port(), quiet_port()
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "enabled_plugins").write_text("[].\n")
        if os.geteuid() == 0:
            shutil.chown(folder, USER, USER)
        folder.chmod(0o755)

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}/%2F"

    def start(self) -> "Node":
        server = shutil.which("rabbitmq-server", path=str(HOME / "bin")) or shutil.which("rabbitmq-server")
        if server is None:
            pytest.fail("rabbitmq-server is not installed; `make test` installs it.")
        with (self.folder / "node.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*_as_user(), server],
                env=self._environment(),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_for(self._answers, 90, "RabbitMQ")
        return self

    def stop(self) -> None:
        """End the node in good order: what is durable is there again at the next start."""
        if self._process is not None:
            os.killpg(self._process.pid, 15)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, 9)
                self._process.wait(5)
            self._process = None
            time.sleep(0.2)

    def wipe(self) -> None:
        """Forget everything, as after the loss of its disk; the node must be stopped."""
        shutil.rmtree(self.folder / "mnesia", ignore_errors=True)

    def control(self, *command: str) -> None:
        """`rabbitmqctl …` on this node."""
        program = shutil.which("rabbitmqctl", path=str(HOME / "bin")) or "rabbitmqctl"
        subprocess.run(
            [*_as_user(), program, "-q", *command],
            env=self._environment(),
            cwd=self.folder,
            check=True,
            capture_output=True,
            timeout=60,
        )

    def close(self) -> None:
        """Stop the node and the name server that Erlang leaves behind."""
        self.stop()
        epmd = shutil.which("epmd")
        if epmd:
            subprocess.run([epmd, "-port", str(self._epmd), "-kill"], capture_output=True, timeout=10)

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            log = (self.folder / "node.log").read_text(errors="replace")
            pytest.fail(f"RabbitMQ ended while starting:\n{log[-2000:]}")
        try:
            pika.BlockingConnection(pika.URLParameters(f"{self.url}?socket_timeout=1&stack_timeout=2")).close()
        except (AMQPError, OSError):
            return False
        return True

    def _environment(self) -> dict[str, str]:
        folder = str(self.folder)
        return {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "HOME": folder,
            "ERL_EPMD_PORT": str(self._epmd),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"coursehub_{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._distribution),
            "RABBITMQ_MNESIA_BASE": f"{folder}/mnesia",
            "RABBITMQ_LOG_BASE": f"{folder}/log",
            "RABBITMQ_PID_FILE": f"{folder}/pid",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/enabled_plugins",
            "RABBITMQ_CONF_ENV_FILE": f"{folder}/none",
            "RABBITMQ_CONFIG_FILE": f"{folder}/none",
        }


def _as_user() -> list[str]:
    """Its own user, where we are root: the server refuses to share its cookie with another."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]


_node: Node | None = None


@pytest.fixture(scope="session")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A running node for the whole session; a test that stops it starts it again."""
    global _node
    if _node is None:  # several conftests offer this fixture; they share one node
        folder = tmp_path_factory.mktemp("rabbitmq")
        open_to_all(folder.parent)
        _node = Node(folder)
        try:
            _node.start()
        except BaseException:
            _node.close()
            _node = None
            raise
    yield _node
    _node.close()
