"""A stored file over HTTP, whole or in ranges (RFC 9110, section 14), piece by piece."""

from collections.abc import Iterator
from typing import BinaryIO, Protocol

from flask import Response, request
from werkzeug.http import quote_etag

_PIECE = 64 * 1024


class Opens(Protocol):
    """Opens `length` bytes from byte `first` on."""

    def __call__(self, first: int, length: int) -> BinaryIO: ...


def ranged(opens: Opens, size: int, mark: str, content_type: str) -> Response:
    """The answer to a GET or HEAD of a file of `size` bytes whose content `mark` names. The mark is its ETag.

    One range is answered with 206, several or other units with the whole file, as RFC 9110 allows; a range beyond the
    end with 416. Nothing is opened for HEAD, 304 and 416.
    """
    if request.if_none_match.contains(mark):
        return _described(Response(status=304), mark)
    found = _range(size, mark)
    if found is None:
        response = Response(status=416)
        response.headers["Content-Range"] = f"bytes */{size}"
        return _described(response, mark)
    first, length, part = found
    response = Response(status=206 if part else 200, content_type=content_type)
    if part:
        response.headers["Content-Range"] = f"bytes {first}-{first + length - 1}/{size}"
    if request.method != "HEAD" and length:
        stream = opens(first, length)
        response.response = _pieces(stream)
        response.call_on_close(stream.close)
    response.headers["Content-Length"] = str(length)
    return _described(response, mark)


def _described(response: Response, mark: str) -> Response:
    response.set_etag(mark)
    response.headers["Accept-Ranges"] = "bytes"
    return response


def _range(size: int, mark: str) -> tuple[int, int, bool] | None:
    """First byte, length, and whether that is a part; None when it cannot be had."""
    whole = (0, size, False)
    asked = request.range
    if asked is None or asked.units != "bytes" or len(asked.ranges) != 1 or not _is_same(mark):
        return whole
    first, stop = asked.ranges[0]
    if first < 0:  # the last so many
        first, stop = max(0, size + first), size
    stop = size if stop is None else min(stop, size)
    return (first, stop - first, True) if first < stop else None


def _is_same(mark: str) -> bool:
    """Whether If-Range, when there is one, names this very file. A date or a weak tag never does."""
    condition = request.headers.get("If-Range")
    return condition is None or condition.strip() == quote_etag(mark)


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    with stream:
        while piece := stream.read(_PIECE):
            yield piece
