"""One operation on one document in a child process of its own that can always be killed."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coursehub.infra.pdf_refusals import PdfToolsUnavailable

_ROOT = Path(__file__).resolve().parents[2]
_MOST_ANSWER_BYTES = 32 * 1024 * 1024
# Fixed, so that the same pages give the same bytes: fonts embedded by WeasyPrint carry this as their build time.
_SOURCE_DATE_EPOCH = "1767225600"
_INHERITED = ("PATH", "LD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH", "FONTCONFIG_FILE", "FONTCONFIG_PATH")


@dataclass(frozen=True)
class Budget:
    """What one child may use: seconds on the CPU, seconds on the clock, bytes of memory, bytes per written file."""

    cpu: int
    wall: float
    memory: int
    file_bytes: int = 64 * 1024 * 1024


@dataclass(frozen=True)
class Ending:
    """What a child said, line by line, and how it ended (a negative code is the signal that ended it)."""

    lines: list[dict[str, Any]]
    code: int
    out_of_time: bool
    complaints: str

    @property
    def finished(self) -> bool:
        return self.code == 0 and bool(self.lines) and "done" in self.lines[-1]

    @property
    def refusal(self) -> dict[str, Any] | None:
        return next((line for line in self.lines if "refused" in line), None)

    @property
    def trouble(self) -> str | None:
        return next((str(line["trouble"]) for line in self.lines if "trouble" in line), None)


def run_child(
    operation: str,
    arguments: dict[str, Any],
    budget: Budget,
    prepare: Callable[[Path], dict[str, Any]] | None = None,
    collect: Callable[[Path], None] | None = None,
) -> Ending:
    """Run `operation` in a fresh child and wait for its end, by itself or by force.

    `prepare` may put files into the child's private folder and name more arguments; `collect` may fetch files from it
    before it disappears. The child gets none of our environment, so no secret of ours is in its reach.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="coursehub-pdf-", ignore_cleanup_errors=True) as folder:
            room = Path(folder)
            more = prepare(room) if prepare else {}
            ending = _run(operation, arguments | more, budget, room)
            if collect and ending.finished:
                collect(room)
            return ending
    except OSError as problem:
        raise PdfToolsUnavailable(f"{operation}: {problem}") from problem


def _run(operation: str, arguments: dict[str, Any], budget: Budget, room: Path) -> Ending:
    request, answer, complaints = room / "request.json", room / "answer.jsonl", room / "complaints.txt"
    request.write_text(json.dumps({"operation": operation, "arguments": arguments}))
    limits = {
        "cpu": budget.cpu,
        "memory": budget.memory,
        "file_bytes": budget.file_bytes,
        "parent": os.getpid(),
    }
    command = [sys.executable, "-P", "-s", "-X", "utf8", "-m", "coursehub.infra.pdf_child", json.dumps(limits)]
    # Files instead of pipes: a child that talks without end meets its own file limit, not our memory.
    with request.open("rb") as stdin, answer.open("wb") as stdout, complaints.open("wb") as stderr:
        child = subprocess.Popen(
            command, stdin=stdin, stdout=stdout, stderr=stderr, env=_environment(room), cwd=room, start_new_session=True
        )
    out_of_time = False
    try:
        child.wait(budget.wall)
    except subprocess.TimeoutExpired:
        out_of_time = True
        _end(child)
    except BaseException:
        _end(child)
        raise
    return Ending(_lines(answer), child.returncode, out_of_time, _tail(complaints))


def _end(child: "subprocess.Popen[bytes]") -> None:
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _environment(room: Path) -> dict[str, str]:
    environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    # The real cache folder, else fontconfig reads every font of the machine again in each child.
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path("~/.cache").expanduser())
    return environment | {
        "HOME": str(room),
        "TMPDIR": str(room),
        "XDG_CACHE_HOME": cache,
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": str(_ROOT),
        "SOURCE_DATE_EPOCH": _SOURCE_DATE_EPOCH,
    }


def _lines(answer: Path) -> list[dict[str, Any]]:
    if answer.stat().st_size > _MOST_ANSWER_BYTES:
        return []
    lines: list[dict[str, Any]] = []
    # Split at \n only: texts hold other line separators. A child that was killed may leave half a line behind.
    for raw in answer.read_bytes().split(b"\n"):
        try:
            line = json.loads(raw)
        except ValueError:
            continue
        if isinstance(line, dict):
            lines.append(line)
    return lines


def _tail(complaints: Path) -> str:
    with complaints.open("rb") as stream:
        stream.seek(max(0, complaints.stat().st_size - 4000))
        return stream.read().decode("utf-8", "replace")
