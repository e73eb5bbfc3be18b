"""Text leaves gzipped where the browser can read it: pages anew each time, what never changes once."""

import os
import struct
import time
import zlib
from pathlib import Path
from secrets import token_bytes
from typing import Any

from flask import Flask, Response, current_app, request

_TEXT = {
    "text/html", "text/css", "text/javascript", "text/plain", "application/javascript", "application/json",
    "application/problem+json", "image/svg+xml",
}  # fmt: skip
_SMALLEST = 860  # bytes; below it, gzip only costs
_LARGEST_KEPT = 2_000_000


def init_app(app: Flask) -> None:
    """Compress after everything else has had its say: register this first."""
    app.extensions["gzipped"] = {}
    app.after_request(_compress)


def _compress(response: Response) -> Response:
    if response.mimetype not in _TEXT or response.headers.get("Content-Encoding") or _is_partial(response):
        return response
    response.vary.add("Accept-Encoding")
    if request.method != "GET" or response.status_code in (204, 304) or not _reads_gzip():
        return response
    body = _kept(response) if _never_changes(response) else _fresh(response)
    if body is None:
        return response
    response.direct_passthrough = False
    response.set_data(body)
    response.headers["Content-Encoding"] = "gzip"
    etag, _weak = response.get_etag()
    if etag:
        response.set_etag(etag, weak=True)
    response.headers.pop("Accept-Ranges", None)
    return response


def _is_partial(response: Response) -> bool:
    return response.status_code == 206 or "Content-Range" in response.headers


def _reads_gzip() -> bool:
    return request.accept_encodings.quality("gzip") > 0 and "Range" not in request.headers


def _never_changes(response: Response) -> bool:
    return request.endpoint in ("static", "pages.bundle") and response.status_code == 200


def _fresh(response: Response) -> bytes | None:
    if response.direct_passthrough or response.is_streamed:
        return None
    body = response.get_data()
    return gzipped(body, level=5) if len(body) >= _SMALLEST else None


def _kept(response: Response) -> bytes | None:
    """Compressed once by each process, as well as gzip can; a file that was edited is read again."""
    store: dict[Any, bytes] = current_app.extensions["gzipped"]
    body, mark = b"", None
    if response.direct_passthrough:
        path = Path(str(current_app.static_folder)) / request.path.removeprefix(f"{current_app.static_url_path}/")
        size, mark = os.stat(path).st_size, os.stat(path).st_mtime_ns
        if not _SMALLEST <= size <= _LARGEST_KEPT:
            return None
        if (request.path, mark) not in store:
            body = path.read_bytes()
    else:
        body = response.get_data()
        if len(body) < _SMALLEST:
            return None
    key = (request.path, mark)
    if key not in store:
        store[key] = gzipped(body, level=9, is_secret=False)
    if response.direct_passthrough:
        response.response = []  # the open file is not needed
    return store[key]


def gzipped(body: bytes, *, level: int, is_secret: bool = True) -> bytes:
    """A gzip member. The length of a page that holds secrets is blurred by a file name of a random length.

    Without it, somebody who can make a page echo guesses could measure which guess repeats the token (BREACH).
    """
    name = token_bytes(1 + token_bytes(1)[0] % 64).replace(b"\0", b"x") + b"\0" if is_secret else b""
    head = b"\x1f\x8b\x08" + (b"\x08" if name else b"\0") + struct.pack("<L", 0 if not name else int(time.time()))
    packer = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    tail = struct.pack("<LL", zlib.crc32(body), len(body) & 0xFFFFFFFF)
    return head + b"\x02\xff" + name + packer.compress(body) + packer.flush() + tail
