"""The back office's blueprint and its one guard."""

from collections.abc import Iterable
from typing import Any, cast
from uuid import UUID

from flask import Blueprint, Response, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from coursehub.accounts.models import Customer
from coursehub.audit import records
from coursehub.kernel.errors import DomainError, NotAllowed
from coursehub.web.auth import to_sign_in
from coursehub.web.extensions import client_address
from coursehub.web.forms import Form
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


def staff() -> Customer:
    """Who is acting."""
    return cast(Customer, current_user._get_current_object())


def note(
    action: str, subject_type: str, subject_id: UUID | str, reason: str = "", details: dict[str, Any] | None = None
) -> None:
    """Put an act of the person at work on record, in the open transaction."""
    records.write(staff().id, action, subject_type, subject_id, reason, details, client_address())


def words(name: str) -> str:
    """A filter from the address bar."""
    return request.args.get(name, "")[:300]


def chosen(name: str, known: Iterable[str]) -> str:
    """A filter from the address bar that must be one of `known`; anything else is no filter."""
    value = request.args.get(name, "")
    return value if value in known else ""


def turn(endpoint: str, cursor: str | None, **kept: Any) -> dict[str, str | None]:
    """The addresses of the next and the first page, with the filters kept."""
    filters = {name: value for name, value in kept.items() if value}
    return {
        "next_url": url_for(endpoint, **filters, cursor=cursor) if cursor else None,
        "first_url": url_for(endpoint, **filters) if request.args.get("cursor") else None,
    }


def blame(form: Form, error: DomainError) -> None:
    """Write a story's refusal at the field it names, else on top of the form."""
    field = form._fields.get(error.field or "")
    if field is None:
        form.form_errors.append(_(error.sentence))
    else:
        field.errors = [*field.errors, _(error.sentence)]
