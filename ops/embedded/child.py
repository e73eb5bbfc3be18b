"""One process of the stack: how it is started, logged, watched and ended."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

_LOG_LIMIT = 5_000_000
_LINE = 240
_SETPRIV = shutil.which("setpriv")


@dataclass(frozen=True)
class Child:
    """A process as data, so that the supervisor can be tried with any."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    folder: Path = Path("/")
    is_ready: Callable[[], bool] = lambda: True
    stop_signal: signal.Signals = signal.SIGTERM
    # The second Ctrl-C: SIGKILL for all but a database, which gets the harshest signal that leaves its files whole.
    last_signal: signal.Signals = signal.SIGKILL
    grace: float = 10.0
    ties_itself_to_us: bool = False


class Process:
    """A child that was started."""

    def __init__(self, child: Child, logs: Path) -> None:
        self.child = child
        self.log = logs / f"{child.name}.log"
        self.started = time.monotonic()
        self._popen = _start(child, self.log)

    @property
    def pid(self) -> int:
        return self._popen.pid

    def poll(self) -> int | None:
        return self._popen.poll()

    def ask_to_stop(self) -> None:
        if self.poll() is None:
            self._signal(self.child.stop_signal)

    def force(self) -> None:
        """End whatever is left of its group; members outlive a leader that was killed."""
        if self.child.last_signal is signal.SIGKILL:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
        elif self.poll() is None:
            self._signal(self.child.last_signal)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def ending(self) -> str:
        code = self.poll()
        if code is None:
            return "still running"
        if code < 0:
            return f"ended by {signal.Signals(-code).name}"
        return f"ended with code {code}"

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            self._popen.send_signal(number)


def tail(log: Path, lines: int = 12) -> str:
    """The last lines of a log, indented, for a person who was just told that something died."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 8192))
            text = file.read().decode(errors="replace")
    except OSError:
        return "    (no log)"
    shown = [_short(line) for line in text.splitlines()[-lines:]]
    return "\n".join(f"    {line}" for line in shown) or "    (its log is empty)"


def _short(line: str) -> str:
    """A line that fits a terminal; of a structured one, what happened and the exception's own sentence."""
    try:
        entry = json.loads(line)
        exception = str(entry.get("exception") or "").strip().splitlines()
        line = ": ".join([str(entry["event"]), *exception[-1:]])
    except (ValueError, TypeError, KeyError, AttributeError):
        pass
    return line if len(line) <= _LINE else f"{line[:_LINE]} …"


def tied_to_us(number: signal.Signals) -> list[str]:
    """The prefix that lets the kernel signal a child when we are killed."""
    return [_SETPRIV, f"--pdeathsig={number.name.removeprefix('SIG')}"] if _SETPRIV else []


def _start(child: Child, log: Path) -> subprocess.Popen[bytes]:
    if log.exists() and log.stat().st_size > _LOG_LIMIT:
        log.replace(log.with_suffix(".log.1"))
    prefix = [] if child.ties_itself_to_us else tied_to_us(child.stop_signal)
    with log.open("ab") as output:
        # A session of its own, so that the terminal's Ctrl-C reaches us alone and we stop things in order.
        return subprocess.Popen(
            [*prefix, *child.command],
            env=dict(child.environment),
            cwd=child.folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
