"""Only our own names are answered: the Host header is checked before anything else looks at the request."""

from collections.abc import Iterable
from typing import Any

from flask import Flask
from werkzeug.exceptions import BadRequest
from werkzeug.sansio.utils import host_is_trusted


def init_app(app: Flask, trusted: list[str]) -> None:
    """Wrap `app` so that a foreign Host gets 400. The last thing done to its WSGI side."""
    inner: Any = app.wsgi_app

    def guarded(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if not host_is_trusted(environ.get("HTTP_HOST") or environ.get("SERVER_NAME", ""), trusted):
            answer: Iterable[bytes] = BadRequest("This shop does not go by that name.")(environ, start_response)
            return answer
        answer = inner(environ, start_response)
        return answer

    app.wsgi_app = guarded  # type: ignore[method-assign]
