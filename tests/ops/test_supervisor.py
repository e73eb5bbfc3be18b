"""The supervisor keeps its children alive and leaves none behind."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ops.embedded import child, leftovers
from ops.embedded.child import Child
from ops.embedded.problems import CannotRun, Stopped
from ops.embedded.supervisor import Supervisor

ROOT = Path(__file__).resolve().parents[2]
STUBBORN = "import signal, time; [signal.signal(s, signal.SIG_IGN) for s in (1, 2, 15)]; print('deaf', flush=True)"


def python(name: str, code: str, **more: object) -> Child:
    return Child(name=name, command=[sys.executable, "-c", code], **more)  # type: ignore[arg-type]


def sleeper(name: str, **more: object) -> Child:
    return python(name, "import time; time.sleep(60)", **more)


def a_supervisor(folder: Path) -> Supervisor:
    return Supervisor(logs=folder, run_file=folder / "run.json", first_pause=0.05, quick_deaths=3)


def pids(folder: Path) -> dict[str, int]:
    noted = json.loads((folder / "run.json").read_text())
    return {group["name"]: group["pid"] for group in noted["groups"]}


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_for(check: Callable[[], object], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def log_says(folder: Path, name: str, word: str) -> Callable[[], bool]:
    log = folder / f"{name}.log"
    return lambda: log.exists() and word in log.read_text()


def press_ctrl_c(*after: float) -> None:
    for seconds in after:
        timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT))
        timer.daemon = True
        timer.start()


def test_ctrl_c_stops_every_child_the_last_started_first(tmp_path: Path) -> None:
    code = (
        "import signal, sys, time, pathlib\n"
        "def end(*_):\n"
        "    time.sleep({pause}); open('{log}', 'a').write('{name} ')\n"
        "    sys.exit()\n"
        "signal.signal(signal.SIGTERM, end)\nprint('up', flush=True)\ntime.sleep(60)"
    )
    order = tmp_path / "order.txt"
    first = python("database", code.format(pause=0, log=order, name="database"))
    second = python("web", code.format(pause=0.3, log=order, name="web"))
    with pytest.raises(Stopped), a_supervisor(tmp_path) as supervisor:
        supervisor.start([first])
        supervisor.start([second])
        wait_for(lambda: log_says(tmp_path, "web", "up")() and log_says(tmp_path, "database", "up")())
        running = pids(tmp_path)
        press_ctrl_c(0.1)
        supervisor.watch()
    assert order.read_text() == "web database "
    assert not any(is_alive(pid) for pid in running.values())
    assert not (tmp_path / "run.json").exists()


def test_a_child_that_ignores_every_polite_signal_is_killed_after_its_grace(tmp_path: Path) -> None:
    deaf = python("deaf", f"{STUBBORN}; time.sleep(60)", grace=0.5)
    with pytest.raises(Stopped), a_supervisor(tmp_path) as supervisor:
        supervisor.start([deaf])
        wait_for(log_says(tmp_path, "deaf", "deaf"))
        pid = pids(tmp_path)["deaf"]
        press_ctrl_c(0.1)
        supervisor.watch()
    assert not is_alive(pid)


def test_a_second_ctrl_c_does_not_wait_for_the_grace(tmp_path: Path) -> None:
    deaf = python("deaf", f"{STUBBORN}; time.sleep(60)", grace=300.0)
    with pytest.raises(Stopped), a_supervisor(tmp_path) as supervisor:
        supervisor.start([deaf])
        wait_for(log_says(tmp_path, "deaf", "deaf"))
        pid = pids(tmp_path)["deaf"]
        press_ctrl_c(0.1, 0.5)
        supervisor.watch()
    assert not is_alive(pid)


def test_a_child_that_is_killed_comes_back_and_the_terminal_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with a_supervisor(tmp_path) as supervisor:
        supervisor.start([sleeper("web")])
        before = pids(tmp_path)["web"]
        os.kill(before, signal.SIGKILL)
        supervisor.watch(until=lambda: pids(tmp_path).get("web", before) != before)
        assert is_alive(pids(tmp_path)["web"])
    assert "web ended by SIGKILL unexpectedly; starting it again" in capsys.readouterr().out


def test_a_child_that_keeps_dying_ends_the_run_with_its_own_last_words(tmp_path: Path) -> None:
    broken = python("web", "import sys; sys.exit('the table is missing')")
    with pytest.raises(CannotRun) as problem, a_supervisor(tmp_path) as supervisor:
        supervisor.start([sleeper("database")])
        supervisor.start([broken])
        database = pids(tmp_path)["database"]
        supervisor.watch()
    assert "web ended with code 1, 3 times in a row" in str(problem.value)
    assert "the table is missing" in str(problem.value)
    assert not is_alive(database)


def test_a_child_that_is_never_ready_ends_the_run_with_a_sentence(tmp_path: Path) -> None:
    never = python("web", "print('waiting for godot', flush=True); import time; time.sleep(60)", is_ready=lambda: False)
    with (
        pytest.raises(CannotRun, match="web was not ready within 1 s") as problem,
        a_supervisor(tmp_path) as supervisor,
    ):
        supervisor.start([never])
        supervisor.wait_ready([never], within=1)
    assert "waiting for godot" in str(problem.value)


def test_a_failing_step_shows_the_end_of_its_log(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match="migrate ended with code 3") as problem, a_supervisor(tmp_path) as supervisor:
        supervisor.once(
            "migrate",
            [sys.executable, "-c", "print('no such column'); raise SystemExit(3)"],
            environment=dict(os.environ),
            folder=tmp_path,
            within=20,
        )
    assert "no such column" in str(problem.value)


def test_workers_that_outlive_their_killed_master_are_ended_before_it_is_started_again(tmp_path: Path) -> None:
    worker = f"{STUBBORN}; time.sleep(60)"
    master = (
        "import subprocess, sys, time\n"
        f"worker = subprocess.Popen([sys.executable, '-c', {worker!r}])\n"
        "print('worker', worker.pid, flush=True)\ntime.sleep(60)"
    )
    with a_supervisor(tmp_path) as supervisor:
        supervisor.start([python("web", master)])
        wait_for(log_says(tmp_path, "web", "deaf"))
        orphan = int((tmp_path / "web.log").read_text().split("worker ")[1].split()[0])
        os.kill(pids(tmp_path)["web"], signal.SIGKILL)
        supervisor.watch(until=lambda: not is_alive(orphan))


def test_after_kill_9_of_the_supervisor_nothing_stays(tmp_path: Path) -> None:
    """Direct children are told by the kernel; what those leave behind is ended by the next start."""
    worker = f"{STUBBORN}; time.sleep(60)"
    master = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {worker!r}]); time.sleep(60)"
    code = (
        "import pathlib, sys\n"
        "from ops.embedded.child import Child\nfrom ops.embedded.supervisor import Supervisor\n"
        f"folder = pathlib.Path({str(tmp_path)!r})\n"
        "with Supervisor(logs=folder, run_file=folder / 'run.json') as supervisor:\n"
        f"    supervisor.start([Child(name='web', command=[sys.executable, '-c', {master!r}])])\n"
        "    supervisor.watch()\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT) as driver:
        wait_for(log_says(tmp_path, "web", "deaf"))
        web = pids(tmp_path)["web"]
        group = [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if session_of(pid) == web]
        assert len(group) == 2
        driver.kill()
    wait_for(lambda: not is_alive(web))
    orphans = [pid for pid in group if is_alive(pid)]
    assert orphans, "the worker was meant to be deaf"
    assert leftovers.end_all(tmp_path / "run.json", patience=0.5) == ["web"]
    wait_for(lambda: not any(is_alive(pid) for pid in orphans))


def test_a_stranger_that_got_the_number_of_an_old_child_is_left_alone(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as stranger:
        leftovers.remember(tmp_path / "run.json", [("web", stranger.pid, signal.SIGTERM)])
        noted = json.loads((tmp_path / "run.json").read_text())
        noted["groups"][0]["started"] -= 100
        (tmp_path / "run.json").write_text(json.dumps(noted))
        assert leftovers.end_all(tmp_path / "run.json", patience=0.2) == []
        assert stranger.poll() is None
        # The control: with its own start time it is ended.
        leftovers.remember(tmp_path / "run.json", [("web", stranger.pid, signal.SIGTERM)])
        assert leftovers.end_all(tmp_path / "run.json", patience=0.5) == ["web"]
        assert stranger.wait(5) == -signal.SIGTERM


@pytest.mark.parametrize("text", ["", "{", "[]", '{"groups": [{"name": "web"}]}'])
def test_a_damaged_run_file_is_no_reason_not_to_start(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with a_supervisor(tmp_path) as supervisor:
        supervisor.start([sleeper("web")])
        assert is_alive(pids(tmp_path)["web"])


def session_of(pid: int) -> int:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return 0


def test_the_end_of_a_log_fits_a_terminal_and_shows_what_happened(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    log.write_text(
        '{"event": "Failed", "exception": "Traceback\\n  File x\\nImportError: no mail"}\n' + "x" * 5000 + "\nplain\n",
    )
    assert child.tail(log, lines=3).splitlines() == [
        "    Failed: ImportError: no mail",
        "    " + "x" * 240 + " …",
        "    plain",
    ]
    assert child.tail(tmp_path / "none.log") == "    (no log)"
