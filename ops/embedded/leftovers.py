"""What a killed supervisor left running: written down while it runs, ended at the next start."""

import json
import os
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True)
class Member:
    """A process as the kernel counts it; the start time tells it from a later one with the same number."""

    pid: int
    group: int
    session: int
    started: int


def remember(run_file: Path, children: Iterable[tuple[str, int, signal.Signals]]) -> None:
    groups = []
    for name, pid, stop_signal in children:
        leader = _member(pid)
        if leader is not None:
            groups.append({"name": name, "pid": pid, "started": leader.started, "signal": int(stop_signal)})
    fresh = run_file.with_suffix(".new")
    fresh.write_text(json.dumps({"boot": _boot(), "groups": groups}, indent=1), encoding="utf-8")
    fresh.replace(run_file)


def forget(run_file: Path) -> None:
    run_file.unlink(missing_ok=True)


def end_all(run_file: Path, *, patience: float = 8.0) -> list[str]:
    """End the process groups that `run_file` names and that are surely the same ones; their names."""
    try:
        noted = json.loads(run_file.read_text(encoding="utf-8"))
        groups = [(str(g["name"]), int(g["pid"]), int(g["started"]), int(g["signal"])) for g in noted["groups"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    if noted.get("boot") != _boot():
        forget(run_file)
        return []
    ended = []
    for name, pid, started, number in reversed(groups):
        if _alive(pid, started):
            ended.append(name)
            _signal(_alive(pid, started), number, leader=pid)
    _wait(groups, patience)
    for _, pid, started, number in groups:
        # A database is never killed outright: SIGQUIT leaves its files fit for recovery.
        harsh = signal.SIGQUIT if number == signal.SIGINT else signal.SIGKILL
        _signal(_alive(pid, started), harsh, leader=pid)
    _wait(groups, patience)
    forget(run_file)
    return ended


def _wait(groups: list[tuple[str, int, int, int]], patience: float) -> None:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline and any(_alive(pid, started) for _, pid, started, _ in groups):
        time.sleep(0.05)


def _signal(members: list[Member], number: int, *, leader: int) -> None:
    # The leader passes a polite signal on itself; without one, and for a kill, each member is told.
    told = [member for member in members if member.pid == leader and number != signal.SIGKILL] or members
    for member in told:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(member.pid, number)


def _alive(leader: int, started: int) -> list[Member]:
    """Members of the group that `leader` opened at `started`; none if that number now belongs to somebody else."""
    members = [member for member in _members() if member.session == leader and member.started >= started]
    taken_over = any(member.pid == leader and member.started != started for member in members)
    return [] if taken_over else members


def _members() -> Iterator[Member]:
    if not _PROC.is_dir():
        return
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            member = _member(int(entry.name))
            if member is not None:
                yield member


def _member(pid: int) -> Member | None:
    try:
        line = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The name in brackets may hold spaces and brackets itself; the numbers start after the last one.
    fields = line.rpartition(")")[2].split()
    if fields[0] == "Z":
        return None
    return Member(pid=pid, group=int(fields[2]), session=int(fields[3]), started=int(fields[19]))


def _boot() -> str:
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    except OSError:
        return ""
