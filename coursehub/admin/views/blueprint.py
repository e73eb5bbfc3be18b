"""The back office's blueprint and its one guard."""

from typing import Any

from flask import Blueprint, Response
from flask_babel import gettext as _
from flask_login import current_user

from coursehub.kernel.errors import NotAllowed
from coursehub.web.auth import to_sign_in
from coursehub.web.limits import require_admin_network

blueprint = Blueprint("admin", __name__, url_prefix="/admin")


@blueprint.before_request
def guard() -> Any:
    """Outside the allowed networks nothing is here; inside, staff may go on."""
    require_admin_network()
    if not current_user.is_authenticated:
        return to_sign_in()
    if not (current_user.is_admin and current_user.status == "active"):
        raise NotAllowed("Only staff may open this page.")
    return None


@blueprint.after_request
def keep_private(response: Response) -> Response:
    """What staff see is kept by no cache."""
    response.headers["Cache-Control"] = "private, no-store"
    return response


@blueprint.context_processor
def navigation() -> dict[str, Any]:
    """The pages in the side bar."""
    return {
        "admin_nav": [
            ("/admin", _("Overview"), "dashboard"),
            ("/admin/orders", _("Orders"), "receipt_long"),
            ("/admin/customers", _("Customers"), "group"),
            ("/admin/courses", _("Courses"), "menu_book"),
            ("/admin/flags", _("Flags"), "flag"),
            ("/admin/system", _("System"), "tune"),
            ("/admin/audit", _("Audit trail"), "history"),
        ]
    }
