"""A TCP proxy on loopback that misbehaves on request: refuses, swallows, resets, delays."""

import select
import socket
import struct
import threading
import time
from contextlib import suppress
from typing import Literal

Mode = Literal["pass", "refuse", "swallow"]
_TURN = 0.02  # seconds between two looks at what was requested
_CHUNK = 65536


class FaultProxy:
    """Stands before `upstream` (a port on 127.0.0.1); clients connect to `port`. Usable as a context manager."""

    def __init__(self, upstream: int) -> None:
        self._upstream = upstream
        self._mode: Mode = "pass"
        self._latency = 0.0
        self._resets = 0
        self._budget: int | None = None
        self._closed = False
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def heal(self) -> None:
        """Be a good proxy again; what was swallowed back flows now."""
        self._mode, self._latency, self._budget = "pass", 0.0, None

    def refuse(self) -> None:
        """End every connection and every new one by a reset: the server is down."""
        self._mode = "refuse"
        self.reset()

    def swallow(self) -> None:
        """Accept everything and pass nothing on: a black hole."""
        self._mode = "swallow"

    def reset(self) -> None:
        """End the connections of this moment by a reset; new ones are fine."""
        self._resets += 1

    def delay(self, seconds: float) -> None:
        """Hold back each piece for so long."""
        self._latency = seconds

    def reset_after(self, answered: int) -> None:
        """Reset everything once the server has sent `answered` more bytes: a cut in the middle of an answer."""
        self._budget = answered

    def close(self) -> None:
        self._closed = True
        self.reset()
        self._listener.close()

    def __enter__(self) -> "FaultProxy":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self) -> None:
        while not self._closed:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        resets = self._resets
        if self._mode == "refuse":
            _reset(client)
            return
        try:
            server = socket.create_connection(("127.0.0.1", self._upstream), timeout=5)
        except OSError:
            _reset(client)
            return
        other = {client: server, server: client}
        try:
            while self._resets == resets:
                if self._mode == "swallow":
                    time.sleep(_TURN)
                    continue
                for source in select.select([client, server], [], [], _TURN)[0]:
                    data = source.recv(_CHUNK)
                    if not data:
                        return
                    if self._latency:
                        time.sleep(self._latency)
                    if source is server and self._is_cut(len(data)):
                        continue
                    other[source].sendall(data)
        except OSError:
            pass
        finally:
            if self._resets != resets:
                _reset(client)
                _reset(server)
            client.close()
            server.close()

    def _is_cut(self, size: int) -> bool:
        if self._budget is None:
            return False
        self._budget -= size
        if self._budget > 0:
            return False
        self._budget = None
        self.reset()
        return True


def _reset(connection: socket.socket) -> None:
    """RST instead of FIN: zero linger."""
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
