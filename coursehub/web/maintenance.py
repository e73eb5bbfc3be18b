"""The shop closed for maintenance: a page that says so and when to come back; staff, webhooks and health pass."""

import logging
from pathlib import Path

from flask import Flask, Response, g, request
from flask_login import current_user

from coursehub.kernel.settings import Settings
from coursehub.web import errors

log = logging.getLogger(__name__)

RETRY_AFTER = 300  # seconds
# What must go on: money that arrives, those who watch, those who open the shop again, and what the page is made of.
_OPEN = (
    "/healthz",
    "/readyz",
    "/api/v1/webhooks/",
    "/static/",
    "/login",
    "/logout",
    "/theme",
    "/worker.js",
    "/offline",
)
_SENTENCE = "The shop is closed for a short while. Your cart and your library are safe, and nothing is lost."


def init_app(app: Flask, settings: Settings) -> None:
    """Close the shop while COURSEHUB_MAINTENANCE is set, or while the file `maintenance` lies in the data folder."""
    sign = Path(settings.data) / "maintenance"

    @app.before_request
    def closed() -> Response | None:
        g.maintenance = settings.maintenance or sign.exists()
        if not g.maintenance or request.path.startswith(_OPEN) or _is_staff():
            return None
        g.people_away = True  # the page asks the database nothing: it may be what is mended
        return errors.error_response(
            503, "Closed for maintenance", _SENTENCE, retry_after=RETRY_AFTER, page="maintenance"
        )

    @app.context_processor
    def told() -> dict[str, bool]:
        return {"maintenance": bool(g.get("maintenance"))}


def _is_staff() -> bool:
    try:
        return bool(current_user.is_authenticated and current_user.is_admin)
    except Exception:
        log.info("maintenance.people_away", exc_info=True)
        return False
