"""A webhook endpoint as a shop would have one: it notes what arrives and answers what a test tells it to."""

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import stripe


class Endpoint:
    def __init__(self) -> None:
        self.received: list[tuple[bytes, str]] = []
        self.answers: list[int] = []
        self.hold = 0.0
        self._changed = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/webhooks/stripe"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def forget(self) -> None:
        with self._changed:
            self.received.clear()
            self.answers.clear()
            self.hold = 0.0

    def events(self) -> list[dict[str, Any]]:
        with self._changed:
            return [json.loads(body) for body, _ in self.received]

    def types(self) -> list[str]:
        return [event["type"] for event in self.events()]

    def wait_until(self, holds: Callable[[list[dict[str, Any]]], bool], seconds: float = 8.0) -> list[dict[str, Any]]:
        """The events so far, once they satisfy the condition."""
        until = time.monotonic() + seconds
        while not holds(events := self.events()):
            left = until - time.monotonic()
            assert left > 0, f"still waiting after {seconds} s; so far: {self.types()}"
            with self._changed:
                self._changed.wait(min(left, 0.05))
        return events

    def wait_for(self, event_type: str, times: int = 1) -> list[dict[str, Any]]:
        """The deliveries of that type, once there are so many."""

        def of_type(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
            return [event for event in events if event["type"] == event_type]

        return of_type(self.wait_until(lambda events: len(of_type(events)) >= times))

    def verified(self, place: int = 0, secret: str = "whsec_simulator") -> stripe.Event:
        body, signature = self.received[place]
        return stripe.Webhook.construct_event(body, signature, secret)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                time.sleep(endpoint.hold)
                with endpoint._changed:
                    status = endpoint.answers.pop(0) if endpoint.answers else 200
                    endpoint.received.append((body, self.headers["Stripe-Signature"]))
                    endpoint._changed.notify_all()
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                return

        return Handler
