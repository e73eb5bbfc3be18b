"""The embedded twins of storage and mail: files on disk behind signed URLs, mails as `.eml` files."""

import base64
import binascii
import io
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, BinaryIO, cast

from coursehub.infra.smtp import MailUnavailable
from coursehub.infra.storage import (
    AWAY,
    StoredObject,
    check_range,
    checked_content_type,
    checked_key,
    checked_prefix,
    checked_seconds,
    write_whole,
)
from coursehub.kernel import clock
from coursehub.kernel.encryption import key_ring
from coursehub.kernel.errors import NotAllowed, Unavailable
from coursehub.kernel.ids import new_id
from coursehub.kernel.settings import Settings

_PURPOSE = "files.link"
_LINK_OVER = "This link has expired. Go back and open the file again."


@dataclass(frozen=True)
class Served:
    """What a signed link stands for."""

    path: Path
    filename: str
    content_type: str
    inline: bool


class LocalStorage:
    """The bucket as a folder: `data/files/<key>`."""

    def __init__(self, settings: Settings) -> None:
        self.root = settings.data.resolve() / "files"

    def put_file(self, key: str, path: Path, content_type: str) -> None:
        with path.open("rb") as stream:
            self._put(key, stream, content_type)

    def put(self, key: str, body: bytes, content_type: str) -> None:
        self._put(key, io.BytesIO(body), content_type)

    def _put(self, key: str, stream: BinaryIO, content_type: str) -> None:
        checked_content_type(content_type)
        path = self._path(key)
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_whole(stream, path)
        except OSError as error:  # the disk is full, read-only or gone
            raise Unavailable(AWAY) from error

    def get(self, key: str) -> bytes:
        with self.open(key) as stream:
            return stream.read()

    def open(self, key: str) -> BinaryIO:
        try:
            return self._path(key).open("rb")
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise KeyError(key) from error
        except OSError as error:
            raise Unavailable(AWAY) from error

    def open_range(self, key: str, first: int, length: int) -> BinaryIO:
        check_range(first, length)
        stream = self.open(key)
        stream.seek(first)
        return cast(BinaryIO, io.BufferedReader(_Part(stream, length)))

    def fetch(self, key: str, path: Path) -> None:
        with self.open(key) as stream:
            write_whole(stream, path)

    def stat(self, key: str) -> StoredObject | None:
        path = self._path(key)
        try:
            found = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return StoredObject(key, found.st_size, _when(found)) if path.is_file() else None

    def delete(self, key: str) -> None:
        path = self._path(key)
        try:
            path.unlink(missing_ok=True)
        except (NotADirectoryError, IsADirectoryError, PermissionError):
            return
        self._prune(path.parent)

    def _prune(self, folder: Path) -> None:
        while folder != self.root and folder.is_relative_to(self.root):
            try:
                folder.rmdir()
            except OSError:  # not empty, or a rival was faster
                return
            folder = folder.parent

    def walk(self, prefix: str = "") -> Iterator[StoredObject]:
        checked_prefix(prefix)
        # Only the folder that the prefix names is read, not the whole bucket.
        start = self.root / prefix.rpartition("/")[0]
        for folder, folders, names in os.walk(start):
            folders.sort()
            for name in sorted(names):
                path = Path(folder) / name
                key = path.relative_to(self.root).as_posix()
                if name.startswith(".") or not key.startswith(prefix):
                    continue
                try:
                    found = path.stat()
                except FileNotFoundError:
                    continue
                yield StoredObject(key, found.st_size, _when(found))

    def signed_url(self, key: str, *, seconds: int, filename: str, content_type: str, inline: bool = False) -> str:
        expires = int(clock.now().timestamp()) + checked_seconds(seconds)
        content = json.dumps(
            [
                checked_key(key),
                expires,
                filename.encode("utf-8", "ignore").decode(),
                checked_content_type(content_type),
                inline,
            ]
        )
        body = base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")
        return f"/files/{body}.{key_ring().sign(body, _PURPOSE)}"

    def opened(self, token: str) -> Served:
        """What the link `/files/<token>` stands for. Raises NotAllowed when forged or over, KeyError when gone."""
        body, _, signature = token.rpartition(".")
        if not body or not signature.isascii() or not key_ring().verify(body, signature, _PURPOSE):
            raise NotAllowed("This link is not one of ours.")
        try:
            content = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
            key, expires, filename, content_type, inline = content
        except (binascii.Error, ValueError) as error:
            raise NotAllowed("This link is not one of ours.") from error
        if clock.now().timestamp() >= expires:
            raise NotAllowed(_LINK_OVER)
        path = self._path(key)
        if not path.is_file():
            raise KeyError(key)
        return Served(path, filename, content_type, inline)

    def _path(self, key: str) -> Path:
        path = self.root / checked_key(key)
        # The alphabet of keys cannot leave the folder; a symbolic link inside it could.
        if not path.resolve().is_relative_to(self.root.resolve()):
            raise ValueError(f"{key!r} leaves the storage folder.")
        return path


class _Part(io.RawIOBase):
    """The next `length` bytes of a file, which it closes."""

    def __init__(self, stream: BinaryIO, length: int) -> None:
        self._stream = stream
        self._left = length

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._stream.read(min(len(buffer), self._left))
        buffer[: len(piece)] = piece
        self._left -= len(piece)
        return len(piece)

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
        super().close()


def _when(found: os.stat_result) -> datetime:
    return datetime.fromtimestamp(found.st_mtime, UTC)


@dataclass(frozen=True)
class CapturedMessage:
    """One captured mail: the name of its file without `.eml`, and the message."""

    name: str
    message: EmailMessage


class CapturedMail:
    """A mailer that keeps every mail as a file in `data/mail`, named by time: the newest sorts last."""

    def __init__(self, settings: Settings) -> None:
        self.folder = settings.data.resolve() / "mail"

    def send(self, message: EmailMessage) -> None:
        """Keep `message`. Raises MailUnavailable when the disk does not take it."""
        name = f"{clock.now():%Y%m%dT%H%M%S.%f}-{new_id().hex}.eml"
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # mails hold links that sign people in
            write_whole(io.BytesIO(message.as_bytes(policy=policy.SMTP)), self.folder / name)
        except OSError as error:
            raise MailUnavailable("The mail folder cannot be written.") from error

    def names(self) -> list[str]:
        """The captured mails' names, newest last."""
        return sorted(path.stem for path in self.folder.glob("[0-9]*.eml"))

    def read(self, name: str) -> CapturedMessage:
        """The mail named `name`. Raises KeyError."""
        path = self.folder / f"{name}.eml"
        if name not in self.names():
            raise KeyError(name)
        message = message_from_bytes(path.read_bytes(), policy=policy.default)
        return CapturedMessage(name, message)

    def messages(self, limit: int | None = None) -> list[CapturedMessage]:
        """The captured mails, newest last; with `limit` the newest ones."""
        names = self.names()
        return [self.read(name) for name in (names[-limit:] if limit else names)]
