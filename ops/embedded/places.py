"""Where the embedded stack keeps its data, its sockets and its logs."""

import fcntl
import hashlib
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ops.embedded.problems import CannotRun

# sun_path of Linux holds 108 bytes, the last one a zero.
LONGEST_SOCKET_PATH = 107


@dataclass(frozen=True)
class Places:
    data: Path

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    @property
    def run_file(self) -> Path:
        return self.data / "run.json"

    @property
    def keys_file(self) -> Path:
        return self.data / "keys.json"

    @property
    def seeded_file(self) -> Path:
        return self.data / "seeded"

    def make(self) -> None:
        try:
            # The database's own user must be able to pass through the first; nobody has business in the second.
            for folder, mode in ((self.data, 0o755), (self.logs, 0o700)):
                folder.mkdir(mode=mode, parents=True, exist_ok=True)
                (folder / ".writable").touch()
                (folder / ".writable").unlink()
        except OSError as problem:
            raise CannotRun(
                f"CourseHub cannot write to its data folder {self.data} ({problem.strerror}); "
                "choose another with COURSEHUB_DATA=/path."
            ) from None

    def only_one(self, address: str) -> IO[str]:
        """Hold the data folder until the process ends, so that two stacks never share it."""
        lock = (self.data / "run.lock").open("a+", encoding="utf-8")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            owner = lock.read().strip()
            lock.close()
            raise CannotRun(
                f"CourseHub already runs on this data ({self.data}{', ' + owner if owner else ''}); "
                "stop it first or choose another folder with COURSEHUB_DATA=/path."
            ) from None
        lock.truncate(0)
        lock.write(f"process {os.getpid()}, {address}\n")
        lock.flush()
        return lock

    def socket_folder(self, wanted: Path, socket_name: str, *, owner: int | None = None) -> Path:
        """`wanted` where the socket's path fits, else a private folder in the runtime directory.

        `owner` is the user whom the server will run as, when that is not us.
        """
        if len(os.fsencode(wanted / socket_name)) <= LONGEST_SOCKET_PATH:
            return wanted
        base = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
        name = hashlib.sha256(os.fsencode(wanted)).hexdigest()[:12]
        folder = base / f"coursehub-{os.geteuid()}-{name}"
        folder.mkdir(mode=0o700, exist_ok=True)
        # Anybody may have made that folder before us in a shared directory.
        found = folder.lstat()
        ours = found.st_uid in {os.geteuid(), owner} and stat.S_ISDIR(found.st_mode)
        if not ours or found.st_mode & 0o077:
            raise CannotRun(f"The socket folder {folder} is open to other users; remove it and try again.")
        return folder
