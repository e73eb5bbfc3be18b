"""Object storage: the Protocol, and MinIO or S3 through its SDK with a private bucket and presigned URLs."""

import io
import logging
import os
import re
import shutil
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, Protocol, Self, cast
from urllib.parse import quote, urlsplit

import urllib3
from minio import Minio
from minio.error import MinioException, S3Error
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, MaxRetryError, ReadTimeoutError
from urllib3.util import Retry, Timeout

from coursehub.kernel.errors import Unavailable
from coursehub.kernel.ids import new_id
from coursehub.kernel.settings import Settings

log = logging.getLogger(__name__)

# A link behind a right lives this long at most: the right itself is checked again at each use.
LONGEST_LINK = 60
AWAY = "Files cannot be reached right now. Nothing is lost; please try again in a moment."

_KEY = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
_PREFIX = re.compile(r"([A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*/?)?")
_CONTENT_TYPE = re.compile(
    r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*(; ?charset=[a-z0-9-]+)?", re.IGNORECASE
)
_LONGEST_KEY = 512
_LONGEST_NAME = 120
_PART = 8 * 1024 * 1024
_MISSING = {"NoSuchKey", "NoSuchVersion", "ResourceNotFound"}


@dataclass(frozen=True)
class StoredObject:
    """One object: its key, size in bytes, when it was written (UTC)."""

    key: str
    size: int
    modified: datetime


class ObjectStorage(Protocol):
    """A private bucket. Every method raises `Unavailable` when the storage does not answer in time."""

    def put_file(self, key: str, path: Path, content_type: str) -> None:
        """Store the file at `path` under `key`, streamed; replaces what was there, whole or not at all."""

    def put(self, key: str, body: bytes, content_type: str) -> None:
        """Store a small `body` under `key`."""

    def get(self, key: str) -> bytes:
        """The whole object. Raises KeyError when there is none."""

    def open(self, key: str) -> BinaryIO:
        """The object as a stream to read and close. Raises KeyError when there is none."""

    def open_range(self, key: str, first: int, length: int) -> BinaryIO:
        """`length` bytes of the object from byte `first` on (fewer where it ends), as a stream to read and close.

        Only those bytes leave the storage. Raises KeyError when there is no object, ValueError for a range that
        begins before it or holds nothing.
        """

    def fetch(self, key: str, path: Path) -> None:
        """Write the object to `path`, streamed. Raises KeyError when there is none."""

    def stat(self, key: str) -> StoredObject | None:
        """What is known of the object, None when there is none."""

    def delete(self, key: str) -> None:
        """Remove the object; nothing happens when there is none."""

    def walk(self, prefix: str = "") -> Iterator[StoredObject]:
        """Every object whose key begins with `prefix`."""

    def signed_url(self, key: str, *, seconds: int, filename: str, content_type: str, inline: bool = False) -> str:
        """A URL that serves the object for `seconds` (at most 60), with range requests, under `filename`."""


def checked_key(key: str) -> str:
    """`key`, if it is of our alphabet and no part of it begins with a dot. Raises ValueError."""
    if len(key) > _LONGEST_KEY or not _KEY.fullmatch(key):
        raise ValueError(f"Not a storage key: {key[:80]!r}")
    return key


def checked_prefix(prefix: str) -> str:
    """`prefix`, if a key may begin with it. Raises ValueError."""
    if len(prefix) > _LONGEST_KEY or not _PREFIX.fullmatch(prefix):
        raise ValueError(f"Not a prefix of storage keys: {prefix[:80]!r}")
    return prefix


def checked_content_type(content_type: str) -> str:
    """`content_type`, if it can stand in a header. Raises ValueError."""
    if not _CONTENT_TYPE.fullmatch(content_type):
        raise ValueError(f"Not a content type: {content_type[:80]!r}")
    return content_type


def checked_seconds(seconds: int) -> int:
    """`seconds`, if a link may live so long. Raises ValueError."""
    if not 1 <= seconds <= LONGEST_LINK:
        raise ValueError(f"A link lives from 1 to {LONGEST_LINK} seconds, not {seconds}.")
    return seconds


def check_range(first: int, length: int) -> None:
    """Raises ValueError unless `length` bytes from `first` on can be asked for."""
    if first < 0 or length < 1:
        raise ValueError(f"Not a range: {length} bytes from {first}.")


def safe_filename(name: str) -> str:
    """A name that every system can save and that looks like what it is.

    Path separators, control characters and bidirectional overrides go (`exe.fdp` shown as `pdf.exe`), as do
    leading dots; letters of every script and emoji stay.
    """
    kept = []
    for char in unicodedata.normalize("NFC", name.encode("utf-8", "ignore").decode()):
        category = unicodedata.category(char)
        if char in '/\\:*?"<>|':
            kept.append("_")
        elif category in ("Cc", "Zl", "Zp"):
            kept.append(" ")
        # The joiners are part of Persian, Indic and emoji spelling; all other format characters only deceive.
        elif category not in ("Cf", "Co", "Cn", "Cs") or char in "\u200c\u200d":
            kept.append(char)
    cleaned = " ".join("".join(kept).split()).rstrip(". ")
    stem, dot, extension = cleaned.rpartition(".")
    if not dot or len(extension) > 10:
        stem, dot, extension = cleaned, "", ""
    room = _LONGEST_NAME - len(dot + extension)
    return (stem.lstrip(". _")[:room].rstrip(". ") or "download") + dot + extension


def content_disposition(filename: str, *, inline: bool) -> str:
    """The header for a download named `filename` (RFC 6266): plain ASCII first, the true name in UTF-8 (RFC 5987)."""
    name = safe_filename(filename)
    kind = "inline" if inline else "attachment"
    folded = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9 ._()+,-]", "_", folded).strip()
    stem, dot, extension = plain.rpartition(".")
    if not re.search(r"[A-Za-z0-9]", stem if dot else plain):
        plain = "download" + (dot + extension if re.search(r"[A-Za-z0-9]", extension) and dot else "")
    header = f'{kind}; filename="{plain}"'
    return header if plain == name else f"{header}; filename*=UTF-8''{quote(name, safe='')}"


def write_whole(stream: BinaryIO, path: Path) -> None:
    """Copy `stream` to `path` so that a reader sees the whole new file or what was there before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.parent / f".{new_id().hex}.part"
    try:
        with temporary.open("wb") as target:
            shutil.copyfileobj(stream, target, 1024 * 1024)
            target.flush()
            os.fsync(target.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    # Without this a power cut may forget the rename although the content is safe.
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class MinioStorage:
    """A private bucket on MinIO, S3 or anything that speaks its protocol.

    `patient` is for workers: 30 s and three retries an answer instead of 5 s and one.
    """

    def __init__(self, settings: Settings, *, patient: bool = False) -> None:
        endpoint = urlsplit(settings.s3_endpoint if "//" in settings.s3_endpoint else f"http://{settings.s3_endpoint}")
        if endpoint.path.strip("/") or not endpoint.netloc or endpoint.scheme not in ("http", "https"):
            raise ValueError("S3_ENDPOINT must be an origin such as https://s3.example:9000, without a path.")
        self.bucket = settings.s3_bucket
        self._may_create = settings.environment != "production"
        self._ready = False
        self.http = http_pool(patient=patient)
        self._client = Minio(
            endpoint.netloc,
            settings.s3_access_key,
            settings.s3_secret_key.get_secret_value(),
            secure=endpoint.scheme == "https",
            region=settings.s3_region,
            http_client=self.http,
        )

    def put_file(self, key: str, path: Path, content_type: str) -> None:
        with path.open("rb") as stream:
            self._put(key, stream, path.stat().st_size, content_type)

    def put(self, key: str, body: bytes, content_type: str) -> None:
        self._put(key, io.BytesIO(body), len(body), content_type)

    def _put(self, key: str, stream: BinaryIO, size: int, content_type: str) -> None:
        checked_key(key), checked_content_type(content_type)
        with self._answering(key):
            # One part at a time: memory stays at one part, whatever the file's size.
            self._client.put_object(
                self.bucket, key, stream, size, content_type, part_size=_PART, num_parallel_uploads=1
            )

    def get(self, key: str) -> bytes:
        with self.open(key) as stream:
            return stream.read()

    def open(self, key: str) -> BinaryIO:
        checked_key(key)
        with self._answering(key):
            answer = self._client.get_object(self.bucket, key)
        return cast(BinaryIO, io.BufferedReader(_Body(answer), 256 * 1024))

    def open_range(self, key: str, first: int, length: int) -> BinaryIO:
        checked_key(key)
        check_range(first, length)
        try:
            with self._answering(key):
                answer = self._client.get_object(self.bucket, key, offset=first, length=length)
        except _Beyond:
            return io.BytesIO()
        return cast(BinaryIO, io.BufferedReader(_Body(answer), min(length, 256 * 1024)))

    def fetch(self, key: str, path: Path) -> None:
        with self.open(key) as stream:
            write_whole(stream, path)

    def stat(self, key: str) -> StoredObject | None:
        checked_key(key)
        try:
            with self._answering(key):
                found = self._client.stat_object(self.bucket, key)
        except KeyError:
            return None
        return StoredObject(key, found.size or 0, cast(datetime, found.last_modified))

    def delete(self, key: str) -> None:
        checked_key(key)
        with suppress(KeyError), self._answering(key):
            self._client.remove_object(self.bucket, key)

    def walk(self, prefix: str = "") -> Iterator[StoredObject]:
        checked_prefix(prefix)
        with self._answering(prefix):
            for found in self._client.list_objects(self.bucket, prefix=prefix or None, recursive=True):
                yield StoredObject(str(found.object_name), found.size or 0, cast(datetime, found.last_modified))

    def signed_url(self, key: str, *, seconds: int, filename: str, content_type: str, inline: bool = False) -> str:
        return self._client.presigned_get_object(
            self.bucket,
            checked_key(key),
            expires=timedelta(seconds=checked_seconds(seconds)),
            response_headers={
                "response-content-disposition": content_disposition(filename, inline=inline),
                "response-content-type": checked_content_type(content_type),
                "response-cache-control": "private, no-store",
            },
        )

    @contextmanager
    def _answering(self, key: str) -> Iterator[None]:
        """Turn the SDK's errors into ours: KeyError for a missing object, Unavailable for all else."""
        try:
            self._ensure_bucket()
            yield
        except S3Error as error:
            if error.code in _MISSING:
                raise KeyError(key) from error
            if error.code == "InvalidRange":
                raise _Beyond from error
            log.error("Storage refused %s: %s", key, error.code)
            raise Unavailable(AWAY) from error
        except (MinioException, HTTPError) as error:
            log.warning("Storage did not answer for %s: %s", key, type(error).__name__)
            raise Unavailable(AWAY) from error

    def _ensure_bucket(self) -> None:
        # No lock: threads would wait for each other's timeouts, and making the bucket twice is harmless.
        if self._ready:
            return
        if not self._client.bucket_exists(self.bucket):
            if not self._may_create:
                log.critical("The bucket %r (S3_BUCKET) does not exist; create it, private.", self.bucket)
                raise Unavailable(f"The file storage is not set up: its bucket {self.bucket!r} does not exist.")
            try:
                self._client.make_bucket(self.bucket)
            except S3Error as error:
                if error.code not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
                    raise
        self._ready = True


class _Beyond(Exception):
    """The range begins after the object's end."""


class _Body(io.RawIOBase):
    """The body of an answer as a file: network errors while reading become Unavailable."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            piece = self._answer.read(len(buffer))
        except HTTPError as error:
            raise Unavailable(AWAY) from error
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        if not self.closed:
            self._answer.close()
            self._answer.release_conn()
        super().close()


# urllib3 sends under the connect timeout, and sendall's timeout is for the whole body: one second would have to do
# for a part of 8 MB. Sending gets its own.
_SENDING = 30.0


def _unhurried(connection: type[Any]) -> type[Any]:
    class Unhurried(connection):
        def send(self, data: Any) -> None:
            if self.sock is not None:
                self.sock.settimeout(_SENDING)
            super().send(data)

    return Unhurried


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _unhurried(HTTPConnection)


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _unhurried(HTTPSConnection)


class _Hurried(Retry):
    """Retries what failed fast; an answer that did not come in time is not waited for twice while a person waits."""

    def increment(self, *args: Any, **kwargs: Any) -> Self:
        error = kwargs.get("error")
        if isinstance(error, ReadTimeoutError):
            raise MaxRetryError(kwargs["_pool"], args[1] if len(args) > 1 else "", error) from error
        return super().increment(*args, **kwargs)


def http_pool(*, patient: bool) -> urllib3.PoolManager:
    """The HTTP client of the storage with its time budget: connect 1 s, an answer 5 s (worker: 30 s)."""
    policy: Callable[..., Retry] = Retry if patient else _Hurried
    pool = urllib3.PoolManager(
        maxsize=10,
        timeout=Timeout(connect=1, read=30 if patient else 5),
        retries=policy(
            total=3 if patient else 1, backoff_factor=0.2, status_forcelist=(500, 502, 503, 504), raise_on_status=False
        ),
    )
    pool.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}
    return pool
