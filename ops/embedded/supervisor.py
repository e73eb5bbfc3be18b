"""Start children in order, keep them alive, and stop them all, whatever happens."""

import signal
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from ops.embedded import leftovers
from ops.embedded.child import Child, Process, tail
from ops.embedded.problems import CannotRun, Stopped, say

QUICK = 30.0
QUICK_DEATHS = 5
_TICK = 0.05
_LAST_RESORT = 10.0
_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Supervisor:
    """Use as a context manager from the main thread: leaving it, in whatever way, leaves no child behind."""

    def __init__(
        self, *, logs: Path, run_file: Path, first_pause: float = 0.5, quick_deaths: int = QUICK_DEATHS
    ) -> None:
        self._logs = logs
        self._run_file = run_file
        self._first_pause = first_pause
        self._quick_deaths = quick_deaths
        self._batches: list[list[Process]] = []
        self._deaths: dict[str, int] = {}
        self._due: dict[str, float] = {}
        self._signals = 0
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> Self:
        for number in _STOPPING:
            self._before[number] = signal.signal(number, self._on_signal)
        left = leftovers.end_all(self._run_file)
        if left:
            say(f"Ended what an earlier run had left: {', '.join(left)}.")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop_all()
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    # Starting

    def start(self, children: Sequence[Child]) -> None:
        batch: list[Process] = []
        self._batches.append(batch)
        for child in children:
            batch.append(Process(child, self._logs))
            self._remember()

    def wait_ready(self, children: Sequence[Child], *, within: float) -> None:
        """Until each child says so; a child that dies meanwhile is started again a few times."""
        deadline = time.monotonic() + within
        waiting = list(children)
        while waiting:
            self._tend()
            waiting = [child for child in waiting if child.name in self._due or not child.is_ready()]
            if waiting and time.monotonic() > deadline:
                name = waiting[0].name
                log = self._logs / f"{name}.log"
                raise CannotRun(f"{name} was not ready within {within:.0f} s; the end of {log}:\n{tail(log)}")
            if waiting:
                self._nap()

    def once(
        self, name: str, command: Sequence[str], *, environment: Mapping[str, str], folder: Path, within: float
    ) -> None:
        """Run one step to its end, with a log like a child's."""
        step = Process(Child(name=name, command=command, environment=environment, folder=folder), self._logs)
        deadline = time.monotonic() + within
        try:
            while step.poll() is None:
                self._tend()
                if time.monotonic() > deadline:
                    raise CannotRun(f"{name} took longer than {within:.0f} s; the end of {step.log}:\n{tail(step.log)}")
                self._nap()
        finally:
            step.force()
        if step.poll() != 0:
            raise CannotRun(f"{name} {step.ending()}; the end of {step.log}:\n{tail(step.log)}")

    # Watching

    def watch(self, until: Callable[[], bool] = lambda: False) -> None:
        """Until a signal asks us to stop (Stopped) or a child cannot be kept alive (CannotRun)."""
        while not until():
            self._tend()
            self._nap()

    def _tend(self) -> None:
        if self._signals:
            raise Stopped
        for batch in self._batches:
            for index, process in enumerate(batch):
                name = process.child.name
                if name in self._due:
                    if time.monotonic() >= self._due[name]:
                        del self._due[name]
                        batch[index] = Process(process.child, self._logs)
                        self._remember()
                elif process.poll() is not None:
                    self._plan_restart(process)

    def _plan_restart(self, process: Process) -> None:
        name, now = process.child.name, time.monotonic()
        # Its workers may have outlived it, and would hold its port or its queue.
        process.force()
        quick = now - process.started < QUICK
        deaths = self._deaths[name] = self._deaths.get(name, 0) + 1 if quick else 1
        if deaths >= self._quick_deaths:
            raise CannotRun(
                f"{name} {process.ending()}, {deaths} times in a row; the end of {process.log}:\n{tail(process.log)}"
            )
        pause = self._first_pause * 2 ** (deaths - 1)
        self._due[name] = now + pause
        say(f"{name} {process.ending()} unexpectedly; starting it again in {pause:.1f} s.")
        if deaths == 1:
            say(f"  The end of {process.log}:\n{tail(process.log, lines=5)}")

    def _nap(self) -> None:
        time.sleep(_TICK)

    def _remember(self) -> None:
        running = [process for batch in self._batches for process in batch if process.poll() is None]
        leftovers.remember(self._run_file, [(p.child.name, p.pid, p.child.stop_signal) for p in running])

    # Stopping

    def _stop_all(self) -> None:
        """The last batch first, so that PostgreSQL, started first, sees all its clients leave."""
        already = self._signals
        for batch in reversed(self._batches):
            self._stop(batch, already)
        self._batches.clear()
        leftovers.forget(self._run_file)

    def _stop(self, batch: list[Process], already: int) -> None:
        asked = time.monotonic()
        for process in batch:
            process.ask_to_stop()
        while running := [process for process in batch if process.poll() is None]:
            waited = time.monotonic() - asked
            in_a_hurry = self._signals > max(already, 1)
            for process in running:
                if waited > process.child.grace + _LAST_RESORT:
                    process.kill()
                elif in_a_hurry or waited > process.child.grace:
                    process.force()
            time.sleep(_TICK)
        for process in batch:
            process.force()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._signals += 1
        if self._signals == 1:
            say("\nStopping CourseHub; once more to stop at once.")
