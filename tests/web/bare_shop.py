"""A Flask app with the design system and nothing else: no database, no people, the same CSP as the shop."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

from flask import Flask, Response, redirect, render_template, render_template_string, request
from flask_babel import Babel
from flask_wtf import CSRFProtect
from jinja2 import StrictUndefined
from werkzeug.serving import make_server

from coursehub.web import components, filters

ROOT = Path(__file__).resolve().parents[2]
POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; worker-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)


@dataclass(frozen=True)
class Viewer:
    name: str = "Ada Lovell"
    is_creator: bool = True
    is_admin: bool = False
    email_verified: bool = True


def build(**context: Any) -> Flask:
    app = Flask("bare_shop", template_folder=str(ROOT / "templates"), static_folder=str(ROOT / "static"))
    app.config.update(SECRET_KEY="only for tests", WTF_CSRF_TIME_LIMIT=None)
    app.jinja_env.undefined = StrictUndefined
    Babel(app)
    CSRFProtect(app)
    filters.init_app(app)
    components.install(app)
    app.context_processor(lambda: dict(context))
    app.extensions["received"] = []

    @app.after_request
    def protect(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = POLICY
        return response

    @app.get("/static/bundle/<name>")
    def bundle(name: str) -> Response:
        found = components.bundle(name)
        return Response(found[0], mimetype=found[1]) if found else Response(status=404)

    @app.get("/styleguide")
    def styleguide() -> str:
        return render_template("pages/styleguide.html")

    @app.get("/template/<path:name>")
    def template(name: str) -> str:
        return render_template(name)

    _add_workbench(app)
    return app


@contextmanager
def served(app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join(5)


_WORKBENCH = (ROOT / "tests" / "web" / "workbench.jinja").read_text("utf-8")

_FORM = """{% call ui.form("/names", id="names", errors=errors, attrs={"hx-post": "/names", "hx-swap": "outerHTML"}) %}
  {{ ui.field(name="name", label="Name", value=value, error=errors[0][1] if errors else none, autocomplete="off") }}
  {{ ui.field(name="password", label="Password", type="password", autocomplete="off") }}
  {{ ui.button("Save", id="save") }}
{% endcall %}"""

_ADDED = """{{ ui.badge(1, id="cart-badge", label="items in cart", oob=true) }}
{{ ui.toast("In your cart", oob=true) }}"""

_POLL = """{% call ui.poll("job", "/job", "200ms", finished=count > 2) %}<p>Asked {{ count }} times</p>{% endcall %}"""


def _add_workbench(app: Flask) -> None:
    """One page with everything the scripts do, and the answers it needs."""
    state = {"polls": 0}
    received: list[str] = app.extensions["received"]

    def part(source: str, **values: Any) -> str:
        return render_template_string(source, **values)

    def page(**values: Any) -> str:
        shown = {"errors": [], "value": "", "count": state["polls"]} | values
        form, poll = part(_FORM, **shown), part(_POLL, **shown)
        source = _WORKBENCH.replace('{% include "workbench/_form.html" %}', "{{ form_part|safe }}")
        source = source.replace('{% include "workbench/_poll.html" %}', "{{ poll_part|safe }}")
        return part(source, form_part=form, poll_part=poll)

    @app.get("/workbench")
    def workbench() -> str:
        return page()

    @app.post("/cart/items")
    def add() -> Any:
        received.append("add")
        if "HX-Request" not in request.headers:
            return redirect("/workbench", 303)
        return part(_ADDED)

    @app.post("/names")
    def names() -> Any:
        name = request.form["name"]
        errors = [] if len(name) > 3 else [("name", "Enter a name of more than three letters")]
        if "HX-Request" in request.headers:
            return part(_FORM, errors=errors, value=name), 422 if errors else 200
        return page(errors=errors, value=name), 422 if errors else 200

    @app.post("/fail/<kind>")
    def fail(kind: str) -> Any:
        if kind == "silent":
            return "<html><body>Bad gateway</body></html>", 502
        return render_template("errors/_error.html", message="The shop is closed"), 503, {"X-Toast": "1"}

    @app.post("/slow")
    def slow() -> Any:
        received.append("slow")
        time.sleep(0.3)
        return page()

    @app.get("/job")
    def job() -> str:
        state["polls"] += 1
        received.append("poll")
        return part(_POLL, count=state["polls"])

    @app.post("/upload")
    def upload() -> Any:
        sent = request.files["file"].read()
        received.append(f"upload {len(sent)}")
        if not sent.startswith(b"%PDF"):
            message = "This is not a PDF"
            return render_template("errors/_error.html", message=message), 415, {"X-Toast": "1"}
        if "HX-Request" in request.headers:
            return "", 200, {"HX-Redirect": "/template/pages/cookies.html"}
        return redirect("/template/pages/cookies.html", 303)
