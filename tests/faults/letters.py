"""A mail server of the tests that can hesitate: it has read a letter and not yet said whether it takes it."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

from tests.stack import free_port

Decide = Callable[[EmailMessage], bool]


class PostOffice:
    """Real SMTP on `port`. `accepted` are the letters that were answered with 250."""

    def __init__(self) -> None:
        self.accepted: list[EmailMessage] = []
        self.port = free_port()
        self._decide: Decide = lambda _letter: True
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, ready_timeout=30)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def start(self) -> "PostOffice":
        self._controller.start()
        return self

    def stop(self) -> None:
        self._controller.stop()

    @contextmanager
    def deciding(self, decide: Decide) -> Iterator[None]:
        """`decide` is asked about each letter before it is answered; it may take its time."""
        self._decide = decide
        try:
            yield
        finally:
            self._decide = lambda _letter: True

    def to(self, address: str) -> list[EmailMessage]:
        return [letter for letter in list(self.accepted) if address in str(letter["To"])]

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        letter = message_from_bytes(envelope.content, policy=policy.default)
        taken = await asyncio.get_running_loop().run_in_executor(None, self._decide, letter)
        if not taken:
            return "451 Not now"
        self.accepted.append(letter)
        return "250 OK"


class Hesitation:
    """Holds the first letter to `address` until it is told what to answer; the others are taken."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._answered = threading.Event()
        self._takes = False
        self.arrived = threading.Event()

    def __call__(self, letter: EmailMessage) -> bool:
        if self.arrived.is_set() or self._address not in str(letter["To"]):
            return True
        self.arrived.set()
        self._answered.wait(60)
        return self._takes

    def answer(self, *, takes: bool) -> None:
        self._takes = takes
        self._answered.set()
