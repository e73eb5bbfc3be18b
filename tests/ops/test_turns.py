"""A test that measures the machine has it to itself."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

LONE = """
import time, pathlib, pytest
@pytest.mark.{mark}
@pytest.mark.parametrize("turn", range(3))
def test_lone(turn):
    start = time.time(); time.sleep(0.3)
    with pathlib.Path("lone").open("a") as log: print(start, time.time(), file=log)
"""
BUSY = """
import time, pathlib, pytest
@pytest.mark.parametrize("turn", range(20))
def test_busy(turn):
    start = time.time(); time.sleep(0.1)
    with pathlib.Path("busy").open("a") as log: print(start, time.time(), file=log)
"""


@pytest.mark.parametrize(("mark", "alone"), [("alone", True), ("usual", False)])
def test_a_test_marked_alone_never_runs_beside_another(tmp_path: Path, mark: str, alone: bool) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    alone: x\n    usual: x\n")
    (tmp_path / "test_lone.py").write_text(LONE.format(mark=mark))
    (tmp_path / "test_busy.py").write_text(BUSY)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.turns", "-p", "no:playwright", "-n", "2"]
    command += ["--dist", "loadfile", "--no-loadscope-reorder", "--basetemp", str(tmp_path / "temp")]
    done = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lone, busy = (_spans(tmp_path / name) for name in ("lone", "busy"))
    overlaps = [(a, b) for a in lone for b in busy if a[0] < b[1] and b[0] < a[1]]
    assert (overlaps == []) is alone, "the usual ones do overlap, so the mark is what keeps them apart"


def _spans(path: Path) -> list[tuple[float, float]]:
    return [(float(start), float(end)) for start, end in (line.split() for line in path.read_text().splitlines())]
