"""The secrets of this data folder: made once, kept in a file only its owner reads."""

import base64
import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from ops.embedded.problems import CannotRun


@dataclass(frozen=True)
class Keys:
    key_ring: str
    jwt_secret: str
    broker_password: str
    webhook_secret: str


def load_or_make(path: Path, *, data_exists: bool) -> Keys:
    """The keys in `path`; new ones only where no data is sealed with lost ones."""
    if path.exists():
        return _load(path)
    if data_exists:
        raise CannotRun(
            f"{path} is missing although this data folder has a database, whose e-mail addresses are sealed with it; "
            "restore the file or start on an empty folder with COURSEHUB_DATA=/path."
        )
    keys = Keys(
        key_ring=f"k1:{base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()}",
        jwt_secret=secrets.token_urlsafe(48),
        broker_password=secrets.token_urlsafe(32),
        webhook_secret=f"whsec_{secrets.token_hex(24)}",
    )
    _write(path, keys)
    return keys


def _load(path: Path) -> Keys:
    try:
        return Keys(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        raise CannotRun(f"{path} cannot be read as CourseHub's keys; restore it from a backup.") from None


def _write(path: Path, keys: Keys) -> None:
    # Whole or not at all: a half-written key file would lock every address away.
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(asdict(keys), file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
