"""Files that people send go to disk while they arrive, never into memory; what is too large is refused unread."""

import contextlib
import time
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any

from flask import Flask
from flask_login import current_user
from werkzeug.datastructures import FileStorage
from werkzeug.formparser import FormDataParser

from coursehub.kernel.db import in_transaction, release
from coursehub.kernel.errors import NotAllowed, NotSignedIn, TooLarge
from coursehub.web.auth import not_yet
from coursehub.web.limits import spend

# What a multipart form may add around its file.
SLACK = 1_000_000
_PREFIX = "upload-"
_STALE = 24 * 3600
_MEMBERS_ONLY = "spooling.members_only"


def install(app: Flask, folder: Path, *, creators_only: set[str]) -> None:
    """Let `app` write what it is sent to `folder`.

    Blueprints in `creators_only` read no byte of anybody else's body, nor of one creator's too many large ones.
    """
    base: Any = app.request_class
    _forget_stale(folder)

    class SpoolingRequest(base):
        def make_form_data_parser(self) -> FormDataParser:
            # Called at the first look at the form, by the CSRF check: nothing of the body has been read yet.
            limit, length = self.max_content_length, self.content_length
            large = limit is not None and limit > app.config["MAX_CONTENT_LENGTH"]
            for_members = large and self.blueprint in app.extensions.get(_MEMBERS_ONLY, ())
            if self.blueprint in creators_only:
                _refuse_others()
            elif for_members:
                _refuse_unknown()
            if limit is not None and length is not None and length > limit:
                most = (limit - SLACK if limit > SLACK else limit) // 1_000_000
                raise TooLarge(f"This is too large to send here: at most {most} MB are possible.", field="file")
            if large and (for_members or self.blueprint in creators_only):
                spend("upload", f"customer {current_user.id}")
            if not in_transaction():
                release()  # a slow body may take minutes, and the server ends a connection that idles in a transaction
            parser: FormDataParser = super().make_form_data_parser()
            return parser

        def _get_file_stream(
            self,
            total_content_length: int | None,
            content_type: str | None,
            filename: str | None = None,
            content_length: int | None = None,
        ) -> IO[bytes]:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Deleted when the request closes its files.
            return NamedTemporaryFile("w+b", dir=folder, prefix=_PREFIX)

    app.request_class = SpoolingRequest


def members_only(app: Flask, blueprint: str) -> None:
    """Let `blueprint` take large bodies from people with a confirmed address only, and not too many of them."""
    app.extensions.setdefault(_MEMBERS_ONLY, set()).add(blueprint)


def _refuse_unknown() -> None:
    if not current_user.is_authenticated:
        raise NotSignedIn("Your session has ended. Sign in again, then send the file once more.")
    if not current_user.email_verified or current_user.status != "active":
        raise NotAllowed("Confirm your e-mail address first; then you can upload files of your own.")


def _refuse_others() -> None:
    if not current_user.is_authenticated:
        raise NotSignedIn("Your session has ended. Sign in again, then send the file once more.")
    if not current_user.is_creator:
        raise NotAllowed(not_yet(current_user))


def path_of(file: FileStorage) -> Path:
    """Where the sent file lies on disk, whole, until the request ends."""
    file.stream.flush()
    return Path(str(file.stream.name))


def _forget_stale(folder: Path) -> None:
    """A killed process leaves its half-received files behind."""
    for path in folder.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < time.time() - _STALE:
                path.unlink()
