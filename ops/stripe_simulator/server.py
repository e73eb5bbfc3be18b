"""The HTTP server: reads requests within limits, asks the simulator, writes its replies."""

import logging
import re
import socket
import struct
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from .config import Config
from .simulator import Simulator
from .web import Reply, Request, json_reply

MAX_BODY = 1024 * 1024
_ANY_ADDRESS = ("", "0.0.0.0", "::")

log = logging.getLogger(__name__)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 256

    def __init__(self, config: Config, simulator: Simulator) -> None:
        if ":" in config.host:
            self.address_family = socket.AF_INET6
        super().__init__((config.host, config.port), Handler)
        self.config = config
        self.simulator = simulator

    @property
    def address(self) -> str:
        """Where this machine reaches the server, with the port that was really taken."""
        host = "127.0.0.1" if self.config.host in _ANY_ADDRESS else self.config.host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.server_address[1]}"

    def server_bind(self) -> None:
        # The base class looks up the machine's full name here, which can take seconds without a resolver.
        socket.socket.bind(self.socket, self.server_address)
        self.server_address = self.socket.getsockname()

    def handle_error(self, request: Any, client_address: Any) -> None:
        log.debug("connection from %s broke", client_address, exc_info=True)


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "StripeSimulator"
    sys_version = ""
    # Longer than clients keep idle connections in their pools, so that they never write to a closed one.
    timeout = 75
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_DELETE = do_HEAD = do_PUT = do_PATCH = do_OPTIONS = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        log.info("%s %s", self.address_string(), format % args)

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        if self.command not in ("GET", "HEAD", "POST", "DELETE"):
            reply = json_reply(
                405, _error(f"{self.command} is not allowed here."), {"Allow": "GET, HEAD, POST, DELETE"}
            )
            self.close_connection = True
        else:
            reply = self._body_problem() or self._answer(parts.path, parts.query)
        if reply.reset:
            self._reset()
        else:
            self._write(reply)

    def _body_problem(self) -> Reply | None:
        """Requests whose bodies are not read end their connection, or the body would be taken for the next one."""
        length = self.headers.get("Content-Length", "0")
        problem = None
        if self.headers.get("Transfer-Encoding"):
            problem = json_reply(411, _error("A body needs a Content-Length."))
        elif not re.fullmatch(r"[0-9]{1,12}", length):
            problem = json_reply(400, _error("The Content-Length is not a number."))
        elif int(length) > MAX_BODY:
            problem = json_reply(413, _error(f"The body is larger than {MAX_BODY} bytes."))
        if problem is not None:
            self.close_connection = True
        return problem

    def _answer(self, path: str, query: str) -> Reply:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        request = Request(
            method="GET" if self.command == "HEAD" else self.command,
            path=path,
            query=query,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
            public_url=self._public_url(),
        )
        try:
            return self.server.simulator.answer(request)
        except Exception:
            log.exception("%s %s failed", self.command, path)
            return json_reply(500, _error("The simulator failed; its log says why.", "api_error"))

    def _public_url(self) -> str:
        config = self.server.config
        if config.public_url:
            return config.public_url
        host = self.headers.get("Host", "")
        if config.host in _ANY_ADDRESS and re.fullmatch(
            r"[A-Za-z0-9.\-]+(:[0-9]{1,5})?|\[[0-9a-f:]+\](:[0-9]{1,5})?", host
        ):
            return f"http://{host}"
        return self.server.address

    def _write(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, "".join(mark for mark in value if mark.isprintable()))
        self.send_header("Content-Length", str(len(reply.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    def _reset(self) -> None:
        """A TCP reset instead of an answer."""
        self.close_connection = True
        with suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # Closed before the base class shuts it down, which would send an orderly end first.
        self.connection.close()


def _error(message: str, kind: str = "invalid_request_error") -> dict[str, Any]:
    return {"error": {"message": message, "type": kind}}
