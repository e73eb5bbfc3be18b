"""Several test processes share the machine; a test marked `alone` waits until it has it to itself, and the others wait.

What such a test measures (how fast a webhook answers, how much memory an upload takes) a neighbour would falsify.
"""

import fcntl
import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

# Longest first, so that no process is left with a long file at the end; what wants the machine comes last.
_LONG = (
    "tests/courses/test_upload_corpus.py",
    "tests/infra/test_pdf_corpora.py",
    "tests/e2e/",
    "tests/faults/",
    "tests/migrations/",
)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Outermost, so that waiting is not counted against the test's own time."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    if run is None:
        return (yield)
    with _turn(Path(tempfile.gettempdir()) / f"turns-{run}", alone=item.get_closest_marker("alone") is not None):
        return (yield)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The same order in every process."""
    if os.environ.get("PYTEST_XDIST_TESTRUNUID"):
        items.sort(key=_place)


def _place(item: pytest.Item) -> tuple[bool, int]:
    long = [place for place, start in enumerate(_LONG) if item.nodeid.startswith(start)]
    return item.get_closest_marker("alone") is not None, long[0] if long else len(_LONG)


@contextmanager
def _turn(folder: Path, *, alone: bool) -> Generator[None]:
    folder.mkdir(exist_ok=True)
    with (folder / "door").open("w") as door, (folder / "room").open("w") as room:
        fcntl.flock(door, fcntl.LOCK_EX)  # whoever waits for the empty room keeps the others from entering it
        fcntl.flock(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(door, fcntl.LOCK_UN)
        yield
