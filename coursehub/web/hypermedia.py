"""The four shapes of an answer: page or fragment, several fragments, see other, toast."""

from typing import Any
from urllib.parse import urlsplit

from flask import Response, current_app, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse


def is_fragment() -> bool:
    """Whether htmx asked for a part of the page (not a boosted or history navigation, which get it whole)."""
    return (
        request.headers.get("HX-Request") == "true"
        and request.headers.get("HX-Boosted") != "true"
        and request.headers.get("HX-History-Restore-Request") != "true"
    )


def respond(html: str, status: int = 200) -> Response:
    """`html` with the headers a URL needs that answers pages and fragments."""
    response = make_response(html, status)
    response.vary.update(["HX-Request", "Cookie"])
    if is_fragment():
        response.headers["Cache-Control"] = "no-store"
    return response


def page_or_fragment(page: str, fragment: str, status: int = 200, /, **context: Any) -> Response:
    """The fragment for htmx, the page that includes it for everyone else."""
    return respond(render_template(fragment if is_fragment() else page, **context), status)


def fragments(template: str, *, fallback: str, message: str | None = None, **context: Any) -> AnyResponse:
    """An action's answer: the fragments of `template` for htmx, else 303 to `fallback` with `message` flashed."""
    if not is_fragment():
        return see_other(fallback, message)
    html = render_template(template, **context)
    if message:
        html += toast(message)
    return respond(html)


def see_other(url: str, message: str | None = None, category: str = "success") -> AnyResponse:
    """303 to `url`; for htmx an HX-Redirect, so that the whole page changes."""
    if message:
        flash(message, category)
    if is_fragment():
        response = make_response("", 200)
        response.headers["HX-Redirect"] = url
        return response
    return redirect(url, 303)


def at_slug(slug: str) -> AnyResponse:
    """301 to the page that was asked for, under the slug its course has now."""
    where = url_for(request.endpoint or "", **{**(request.view_args or {}), "slug": slug})
    query = request.query_string.decode("ascii", "ignore")
    return redirect(f"{where}?{query}" if query else where, 301)


def toast(message: str, severity: str = "success") -> str:
    """An out-of-band snackbar line."""
    ui: Any = current_app.jinja_env.globals["ui"]
    return str(ui.toast(message, kind=severity, oob=True))


def safe_path(url: str | None, default: str = "/") -> str:
    """`url` if it is a path of this shop, else `default`: no open redirects through `next=`."""
    if not url or not url.startswith("/") or url.startswith("//") or "\\" in url or any(ord(c) < 33 for c in url):
        return default
    parts = urlsplit(url)
    if parts.scheme or parts.netloc or parts.path.startswith("//"):
        return default
    return url
