"""The shop as a person meets it: the whole stack of `make run`, and Chromium."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.mailbox import Mailbox
from tests.stack import free_port, open_to_all, wait_for

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = os.environ.get("COURSEHUB_TEST_CHROMIUM", "/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-quic", "--no-first-run"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]


@dataclass
class Shop:
    """A running shop: its address, its data folder, its captured mails."""

    address: str
    data: Path
    process: subprocess.Popen[bytes]

    @property
    def mailbox(self) -> Mailbox:
        box = Mailbox(self.data / "mail")
        box._before = set()
        return box

    def mail_to(self, address: str, subject: str = "") -> Any:
        """The newest mail to `address` whose subject holds `subject`; waits for it."""

        def look() -> Any:
            found = [mail for mail in self.mailbox.to(address) if subject in str(mail["Subject"])]
            return found[-1] if found else None

        return wait_for(look, 60, f"a mail to {address}")


def start_shop(data: Path, port: int, **environment: str) -> subprocess.Popen[bytes]:
    """`make run` on `data`, without the set-up, which this run has behind it."""
    return subprocess.Popen(
        [sys.executable, "-m", "ops.embedded"],
        cwd=ROOT,
        env={**os.environ, "COURSEHUB_DATA": str(data), "PORT": str(port), "SEED": "0", **environment},
        stdout=(data.parent / f"{data.name}.out").open("ab"),
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )


def wait_until_ready(data: Path, process: subprocess.Popen[bytes], seconds: float = 180) -> None:
    """Until the ready line stands; fails with what was said instead."""
    said = data.parent / f"{data.name}.out"

    def ready() -> bool:
        text = said.read_text(errors="replace")
        assert process.poll() is None, text
        return "CourseHub is ready" in text

    wait_for(ready, seconds, "the ready line")


def stop_shop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(40)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        process.wait(20)


@pytest.fixture(scope="package")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """One shop for all of these tests; each brings its own people."""
    folder = tmp_path_factory.mktemp("shop")
    open_to_all(folder)
    port = free_port()
    data = folder / "var"
    process = start_shop(data, port)
    try:
        wait_until_ready(data, process)
        yield Shop(f"http://127.0.0.1:{port}", data, process)
    finally:
        stop_shop(process)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Any]:
    """Debian's Chromium; closed after these tests, since Playwright keeps an event loop in this thread meanwhile."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def window(chromium: Any, shop: Shop) -> Iterator[Callable[..., Any]]:
    """`window(js=True)` opens a browser window of somebody new; CSP violations and errors fail the test at its end.

    More options are those of Playwright's `new_context`. A test that breaks the net on purpose puts what Chromium says
    of it into `expected`.
    """
    opened = []
    complaints: list[str] = []

    def open_window(
        *,
        js: bool = True,
        width: int = 1280,
        height: int = 800,
        scheme: str = "light",
        expected: tuple[str, ...] = (),
        **more: Any,
    ) -> Any:
        def _is_meant(message: Any) -> bool:
            return any(words in message.text for words in expected)

        context = chromium.new_context(
            base_url=shop.address,
            java_script_enabled=js,
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            accept_downloads=True,
            # What the worker fetches no test can hold up or count.
            **{"service_workers": "block", **more},
        )
        context.set_default_timeout(30_000)
        page = context.new_page()
        page.on(
            "console",
            lambda message: complaints.append(message.text) if _is_ours(message) and not _is_meant(message) else None,
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        opened.append(context)
        return page

    yield open_window
    for context in opened:
        context.close()
    assert complaints == []


def _is_ours(message: Any) -> bool:
    # A refused form answers 4xx on purpose, and Chromium says so in the console.
    return message.type == "error" and "the server responded with a status of 4" not in message.text
