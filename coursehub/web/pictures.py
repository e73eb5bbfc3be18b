"""Stored pictures over HTTP: with an ETag, kept by browsers, by shared caches only where everyone may see them."""

from hashlib import sha256

from flask import Response, make_response, request

from coursehub.infra.services import services
from coursehub.kernel.errors import NotFound


def stored_picture(key: str, *, public: bool) -> Response:
    """The WebP under `key`. A key never gets another picture, so that the key is the ETag. Raises NotFound."""
    mark = sha256(key.encode()).hexdigest()[:24]
    if request.if_none_match.contains(mark):
        response = make_response("", 304)
    else:
        try:
            response = make_response(services().storage.get(key))
        except KeyError as error:
            raise NotFound() from error
        response.headers["Content-Type"] = "image/webp"
        response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.set_etag(mark)
    response.headers["Cache-Control"] = "public, max-age=3600" if public else "private, max-age=3600"
    return response
