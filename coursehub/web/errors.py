"""Every error as a page, a fragment or problem+json, by what asked."""

import contextlib
import logging
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from flask import Flask, Response, current_app, g, jsonify, make_response, render_template, request
from flask_limiter.errors import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from coursehub.kernel.db import db
from coursehub.kernel.errors import DomainError
from coursehub.web.hypermedia import is_fragment, safe_path

log = logging.getLogger(__name__)

PAGES = {400, 403, 404, 405, 409, 413, 422, 429, 500, 503}
TITLES = {
    400: "That request did not make sense",
    401: "Please sign in",
    403: "You may not do this",
    404: "Not found",
    405: "That does not work here",
    409: "That clashes with how things are now",
    413: "Too large",
    415: "Wrong kind of content",
    422: "Please check what you entered",
    429: "Too many requests",
    500: "Something went wrong",
    503: "Not available right now",
}


def init_app(app: Flask) -> None:
    """Give `app` its error handlers and each request an id to quote to support."""

    @app.before_request
    def name_request() -> None:
        g.request_id = uuid4().hex[:12]

    app.register_error_handler(DomainError, _domain)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(RateLimitExceeded, _limited)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(OperationalError, _database_away)
    app.register_error_handler(PoolTimeout, _database_away)
    app.register_error_handler(DBAPIError, _database)
    app.register_error_handler(Exception, _unexpected)


def problem(
    status: int, title: str, detail: str, *, errors: list[dict[str, Any]] | None = None, type_: str = "about:blank"
) -> Response:
    """An RFC 9457 problem document."""
    body: dict[str, Any] = {"type": type_, "title": title, "status": status, "detail": detail, "instance": request.path}
    if errors:
        body["errors"] = errors
    body["request_id"] = _request_id()
    response = jsonify(body)
    response.status_code = status
    response.headers["Content-Type"] = "application/problem+json"
    response.headers["Cache-Control"] = "no-store"
    return response


def error_response(
    status: int, title: str, sentence: str, *, retry_after: int | None = None, page: str | None = None, **more: Any
) -> Response:
    """The error in the form that the request can show; drawing it may be what finds the database away.

    `page` names another sheet of templates/errors than the status.
    """
    try:
        return _drawn(status, title, sentence, retry_after, page, more)
    except (DBAPIError, PoolTimeout) as error:
        if g.get("people_away"):
            raise
        return _database_away(error)


def _drawn(
    status: int, title: str, sentence: str, retry_after: int | None, page: str | None, more: dict[str, Any]
) -> Response:
    if request.path.startswith("/api/"):
        response = problem(status, title, sentence, **more)
    elif is_fragment():
        response = make_response(render_template("errors/_error.html", message=sentence, status=status), status)
        response.headers["X-Toast"] = "1"
    else:
        sheet = page or (status if status in PAGES else (400 if status < 500 else 500))
        context: dict[str, Any] = {"status": status, "title": title, "message": sentence, "request_id": _request_id()}
        context |= {"retry_after": retry_after, "back": _where_from()}
        response = make_response(render_template(f"errors/{sheet}.html", **context), status)
    response.headers["Cache-Control"] = "no-store"
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def _where_from() -> str:
    """The page that sent this form, if it is one of ours: the way back."""
    before = urlsplit(request.referrer or "")
    if request.method == "GET" or before.netloc != request.host:
        return ""
    return safe_path(before.path + (f"?{before.query}" if before.query else ""), "")


def _request_id() -> str:
    # A CSRF refusal may come before our own before_request hook has run.
    return str(g.get("request_id") or uuid4().hex[:12])


def _domain(error: DomainError) -> Response:
    db.session.rollback()
    fields = [{"pointer": f"/{error.field}", "detail": error.sentence}] if error.field else None
    more: dict[str, Any] = {"errors": fields, "type_": error.type} if request.path.startswith("/api/") else {}
    return error_response(
        error.status, error.title, error.sentence, retry_after=getattr(error, "retry_after", None), **more
    )


def _csrf(error: CSRFError) -> Response:
    return error_response(
        400, "This page was open too long", "Your session has ended or the page is old. Reload it and try again."
    )


def _limited(error: RateLimitExceeded) -> Response:
    return error_response(
        429,
        TITLES[429],
        "You did that many times in a short while. Please wait a moment and try again.",
        retry_after=error.limit.limit.get_expiry() if error.limit else 60,
    )


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400 and error.response is not None:
        return error.get_response()  # type: ignore[return-value]
    sentences = {
        404: "There is nothing at this address. It may have moved, or the link may be incomplete.",
        405: "This address does not take that kind of request.",
        413: "That is more than this form takes.",
        415: "Send this as JSON or as a form, as the documentation says.",
    }
    response = error_response(
        status, TITLES.get(status, error.name), sentences.get(status, error.description or error.name)
    )
    allowed = getattr(error, "valid_methods", None)
    if allowed:
        response.headers["Allow"] = ", ".join(sorted(allowed))
    return response


def _database_away(error: Exception) -> Response:
    log.warning("database.away", extra={"error": type(error).__name__})
    _forget_transaction()
    _draw_for_nobody()
    return error_response(503, TITLES[503], "The shop is catching its breath. Please try again.", retry_after=5)


def _database(error: DBAPIError) -> Response:
    if error.connection_invalidated:
        return _database_away(error)
    return _unexpected(error)


def _unexpected(error: Exception) -> Response:
    log.exception("request.failed", extra={"request_id": _request_id(), "route": str(request.url_rule)})
    _forget_transaction()
    _draw_for_nobody()
    return error_response(500, TITLES[500], "This is our fault and has been noted. Please try again in a moment.")


def _forget_transaction() -> None:
    try:
        db.session.rollback()
    except Exception:
        with contextlib.suppress(Exception):
            db.session.remove()


def _draw_for_nobody() -> None:
    """Who asks and what is in their cart would be asked of the database, which may be what is broken."""
    g.people_away = True
    manager: Any = current_app.extensions.get("login_manager") or getattr(current_app, "login_manager", None)
    if manager is not None:
        manager._update_request_context_with_user()
