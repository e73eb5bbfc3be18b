"""Bring the Python environment, the browser files and the native libraries to what the lock files say."""

from __future__ import annotations

import argparse
import ctypes
import fcntl
import glob
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / ".coursehub-packages"
REQUIREMENTS = ROOT / "requirements"

# What WeasyPrint opens at import: (library to open, Debian's package for it).
_SUFFIX = "{}.dylib" if sys.platform == "darwin" else "{}.so.0"
NATIVE = {
    "libgobject-2.0": "libglib2.0-0",
    "libpango-1.0": "libpango-1.0-0",
    "libpangoft2-1.0": "libpangoft2-1.0-0",
    "libharfbuzz": "libharfbuzz0b",
    "libharfbuzz-subset": "libharfbuzz-subset0",
    "libfontconfig": "libfontconfig1",
}


# What the tests start: (Debian's packages, files that show they are there, the setting that makes them needless).
TEST_PROGRAMS = (
    (["chromium"], ["/usr/bin/chromium"], ""),
    (["rabbitmq-server"], ["/usr/sbin/rabbitmq-server"], "AMQP_URL"),
    (
        ["postgresql", "postgresql-contrib"],
        ["/usr/lib/postgresql/*/bin/postgres", "/usr/share/postgresql/*/extension/pg_trgm.control"],
        "",
    ),
    (
        ["radosgw", "ceph-mon", "ceph-osd", "ceph-common"],
        ["/usr/bin/radosgw", "/usr/bin/ceph-mon", "/usr/bin/ceph-osd", "/usr/bin/ceph"],
        "S3_ENDPOINT",
    ),
)


class SetupFailed(Exception):
    """A sentence for the person at the terminal."""


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="ops/bin/setup", description=__doc__)
    parser.add_argument("--dev", action="store_true", help="also install what the tests and linters need")
    parser.add_argument("--servers", action="store_true", help="also install the programs that the tests start")
    options = parser.parse_args(arguments)
    locked = ["base", "embedded", *(["dev"] if options.dev else [])]
    try:
        with _one_at_a_time():
            _make_environment()
            _install_packages([REQUIREMENTS / f"{name}.txt" for name in locked])
            _install_native_libraries()
            _install_assets(with_tools=options.dev)
            if options.servers:
                _install_test_programs()
    except SetupFailed as problem:
        print(f"set-up: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("set-up: stopped; run the same command again to go on.", file=sys.stderr)
        return 130
    return 0


class _one_at_a_time:
    """Two commands started together must not fill the same environment at once."""

    def __enter__(self) -> None:
        self._folder = os.open(ROOT, os.O_RDONLY)
        try:
            fcntl.flock(self._folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            _say("waiting for another set-up of this checkout to finish")
            fcntl.flock(self._folder, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        os.close(self._folder)


def _make_environment() -> None:
    if _environment_works():
        return
    if VENV.is_symlink():
        raise SetupFailed(f".venv is a link to {VENV.resolve()}, another folder’s; remove the link first.")
    _say(f"making .venv with Python {sys.version.split()[0]}")
    if not _has("ensurepip"):
        _apt_install([f"python3.{sys.version_info[1]}-venv"], why="Python's venv module")
    interpreter = getattr(sys, "_base_executable", sys.executable)
    _run([interpreter, "-m", "venv", "--clear", str(VENV)], failing="Python could not make .venv")


def _environment_works() -> bool:
    """False for a half-made .venv, and for one that was moved here from another folder."""
    pip = VENV / "bin" / "pip"
    if not (PYTHON.exists() and pip.is_file()):
        return False
    with pip.open(encoding="utf-8", errors="replace") as script:
        head = script.readline() + script.readline()
    return str(VENV) in head and os.access(PYTHON, os.X_OK)


def _install_packages(locks: list[Path]) -> None:
    wanted = _fingerprint(locks)
    have = STAMP.read_text().split() if STAMP.is_file() else []
    # The tests' packages are a superset: an environment made for them serves `make run` too.
    if wanted in have:
        return
    _say(f"installing the packages of {', '.join(lock.stem for lock in locks)} (a few minutes the first time)")
    names = [argument for lock in locks for argument in ("-r", str(lock))]
    try:
        _install_by_uv(names)
    except (SetupFailed, OSError) as problem:
        _say(f"{problem}")
        _say("pip takes over (slower)")
        _run(
            [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--require-hashes", "-q", *names],
            failing="pip could not install the locked packages",
        )
    subsets = [locks[: count + 1] for count in range(1, len(locks))]
    STAMP.write_text("\n".join(_fingerprint(subset) for subset in subsets) + "\n")


def _fingerprint(locks: list[Path]) -> str:
    digest = hashlib.sha256(sys.version.encode())
    for lock in locks:
        digest.update(lock.read_bytes())
    return digest.hexdigest()


def _install_by_uv(names: list[str]) -> None:
    pip = [str(PYTHON), "-m", "pip", "install", "-q", "--disable-pip-version-check", "--require-hashes"]
    _run([*pip, "-r", str(REQUIREMENTS / "tools.txt")], failing="pip could not install uv")
    # Bytecode is compiled here, once: uv does not by default, and each of our processes would pay seconds for it.
    command = [str(VENV / "bin" / "uv"), "pip", "install", "--python", str(PYTHON), "--compile-bytecode", "-q"]
    command += ["--require-hashes", *names]
    _run(command, failing="uv could not install the locked packages", environment=_uv_environment())


def _uv_environment() -> dict[str, str]:
    """uv does not read pip's configuration, so what the machine set for pip is handed over."""
    environment = dict(os.environ)
    asked = subprocess.run([str(PYTHON), "-m", "pip", "config", "list"], cwd=ROOT, capture_output=True, text=True)
    settings: dict[str, str] = {}
    for line in asked.stdout.splitlines():
        name, _, value = line.partition("=")
        # Later lines win: pip lists its sources from the machine's file to the environment.
        settings[name.rpartition(".")[2]] = value.strip("'\"")
    for ours, pips in (("UV_DEFAULT_INDEX", "index-url"), ("SSL_CERT_FILE", "cert"), ("ALL_PROXY", "proxy")):
        if settings.get(pips):
            environment.setdefault(ours, settings[pips])
    if settings.get("no-index", "").lower() in {"1", "true", "yes", "on"}:
        environment.setdefault("UV_NO_INDEX", "1")
        environment.setdefault("UV_FIND_LINKS", ",".join(settings.get("find-links", "").split()))
    return environment


def _install_native_libraries() -> None:
    missing = [package for library, package in NATIVE.items() if not _opens(library)]
    if missing:
        _apt_install(missing, why="the libraries that make PDF files")


def _opens(library: str) -> bool:
    # fontconfig is at its first, not at its zeroth, interface version.
    for name in (_SUFFIX.format(library), f"{library}.so.1"):
        try:
            ctypes.CDLL(name)
        except OSError:
            continue
        return True
    return False


def _install_test_programs() -> None:
    missing = []
    for packages, files, setting in TEST_PROGRAMS:
        if not (setting and os.environ.get(setting)) and not all(glob.glob(file) for file in files):
            missing += packages
    if missing:
        _apt_install(missing, why="the programs that the tests start")


def _install_assets(*, with_tools: bool) -> None:
    command = [str(PYTHON), str(ROOT / "ops" / "bin" / "assets"), *(["--with-tools"] if with_tools else [])]
    if subprocess.run(command, cwd=ROOT).returncode:
        raise SetupFailed("the browser files could not be installed (see above).")


def _apt_install(packages: list[str], *, why: str) -> None:
    names = " ".join(packages)
    sudo = _root_prefix()
    if shutil.which("apt-get") is None or sudo is None:
        raise SetupFailed(f"{why} are missing; install them and try again (Debian: sudo apt-get install {names}).")
    _say(f"installing {why}: {names}")
    environment = ["env", "DEBIAN_FRONTEND=noninteractive"]
    _run([*sudo, *environment, "apt-get", "update", "-q=2"], failing="apt-get could not read its package lists")
    install = ["apt-get", "install", "-q=2", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300"]
    _run([*sudo, *environment, *install, *packages], failing=f"apt-get could not install {names}")


def _root_prefix() -> list[str] | None:
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode == 0:
        return ["sudo", "-n"]
    return None


def _has(module: str) -> bool:
    return subprocess.run([sys.executable, "-c", f"import {module}"], capture_output=True).returncode == 0


def _run(command: list[str], *, failing: str, environment: dict[str, str] | None = None) -> None:
    """Run quietly, with a sign of life now and then; what it printed is shown only when it fails."""
    started = time.monotonic()
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        while True:
            try:
                output, _ = process.communicate(timeout=20)
                break
            except subprocess.TimeoutExpired:
                _say(f"… still at it ({time.monotonic() - started:.0f} s)")
            except BaseException:
                process.terminate()
                raise
    if process.returncode:
        tail = "\n".join(output.strip().splitlines()[-15:])
        raise SetupFailed(f"{failing} ({shlex.join(command[:4])} …):\n{tail}")


def _say(sentence: str) -> None:
    print(f"set-up: {sentence}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
