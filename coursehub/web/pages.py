"""Pages that belong to no feature: terms, privacy, cookies, appearance, the style guide, bundled assets."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, abort, current_app, make_response, render_template, request, session
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from coursehub.web import components
from coursehub.web.hypermedia import safe_path, see_other

blueprint = Blueprint("pages", __name__)
TERMS_VERSION = "2026-11-01"
THEMES = ("auto", "light", "dark")


def context() -> dict[str, Any]:
    """What every layout may use."""
    theme = request.cookies.get("theme", "auto")
    return {
        "viewer": current_user if current_user.is_authenticated else None,
        "theme": theme if theme in THEMES else "auto",
        "locale": str(get_locale() or "en"),
        # Only pages of people we know carry a token; anonymous pages are the same for everyone.
        "csrf_meta": bool(session) or current_user.is_authenticated,
        "dev_mode": current_app.config["ENVIRONMENT"] == "development",
        "worker": _worker_address(),
    }


@blueprint.get("/terms")
def terms() -> str:
    return render_template("pages/terms.html", version=TERMS_VERSION)


@blueprint.get("/privacy")
def privacy() -> str:
    return render_template("pages/privacy.html", version=TERMS_VERSION)


@blueprint.get("/cookies")
def cookies() -> str:
    return render_template("pages/cookies.html", version=TERMS_VERSION)


@blueprint.get("/styleguide")
def styleguide() -> str:
    return render_template("pages/styleguide.html")


@blueprint.get("/theme")
def theme() -> str:
    """Where people without JavaScript choose light or dark."""
    return render_template("pages/theme.html", next=safe_path(request.args.get("next")))


@blueprint.post("/theme")
def set_theme() -> AnyResponse:
    """Remember light, dark or the system's choice in a cookie that the server reads."""
    theme = request.form.get("theme", "")
    if theme not in THEMES:
        abort(422, _("Choose light, dark or automatic."))
    response = see_other(safe_path(request.form.get("next")))
    response.set_cookie("theme", theme, max_age=31536000, samesite="Lax", secure=request.is_secure)
    return response


@blueprint.get("/static/bundle/<name>")
def bundle(name: str) -> Response:
    """Our style sheets or scripts as one file, named by its content, so that it may be kept for ever."""
    found = components.bundle(name)
    if found is None:
        abort(404)
    body, content_type = found
    response = make_response(body)
    response.headers["Content-Type"] = content_type
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


@blueprint.get("/offline")
def offline() -> str:
    """What a browser shows when it cannot reach us; it keeps this page, which is the same for everyone."""
    return render_template("pages/offline.html", viewer=None, csrf_meta=False, cart_count=0, show_flashes=False)


@blueprint.get("/worker.js")
def worker() -> Response:
    """The script that keeps the offline page; from the root, since it minds the whole shop."""
    response = current_app.send_static_file("js/worker.js")
    response.headers["Cache-Control"] = "no-cache"
    return response


def _worker_address() -> str | None:
    """With what to keep in its address: a new release has another address, so that the page is fetched anew."""
    if not current_app.config["SETTINGS"].offline_page:
        return None
    environment: Any = current_app.jinja_env.globals
    style, icons = environment["bundle_css"](), environment["asset"]("vendor/icons.svg")
    parts = [style, environment["bundle_js"](), icons, "/static/vendor/fonts/roboto-latin.woff2"]
    keep = {"name": f"offline-{Path(style).stem}-{Path(parts[1]).stem}", "page": "/offline", "parts": parts}
    return f"/worker.js?keep={quote(json.dumps(keep, separators=(',', ':')))}"


@blueprint.get("/favicon.ico")
def favicon() -> Response:
    response = current_app.send_static_file("img/favicon.ico")
    response.headers["Cache-Control"] = "public, max-age=86400"
    return response


@blueprint.get("/robots.txt")
def robots() -> Response:
    private = ("cart", "checkout", "account", "studio", "admin", "library", "orders", "wishlist", "read", "api", "dev")
    lines = ["User-agent: *", *(f"Disallow: /{path}" for path in private), "Disallow: /*/look-inside"]
    base_url = current_app.config["SETTINGS"].base_url
    response = make_response("\n".join([*lines, "", f"Sitemap: {base_url}/sitemap.xml", ""]))
    response.headers["Content-Type"] = "text/plain; charset=utf-8"
    return response
