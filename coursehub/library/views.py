"""My library, and downloads."""

from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from coursehub.accounts.models import Customer
from coursehub.entitlements.models import Purchase
from coursehub.infra.services import services
from coursehub.kernel.db import db, release, transaction
from coursehub.kernel.errors import NotFound
from coursehub.kernel.ids import new_token
from coursehub.library import downloads, files, queries
from coursehub.web.auth import login_required, to_sign_in
from coursehub.web.bearer import bearer_customer_id
from coursehub.web.extensions import client_address
from coursehub.web.limits import limited_for_person

blueprint = Blueprint("library", __name__)


@blueprint.get("/library")
@login_required
def index() -> str:
    """What I own."""
    return render_template("library/index.html", owned=queries.of_customer(current_user.id))


@blueprint.get("/library/<uuid:purchase_id>")
@login_required
def show(purchase_id: UUID) -> str:
    """One purchase: its download with what is left, its version, its licence."""
    owned = queries.of_customer(current_user.id, purchase_id)
    if not owned:
        raise NotFound("There is no such purchase in your library.")
    return render_template("library/show.html", item=owned[0], nonce=new_token())


@blueprint.post("/library/<uuid:purchase_id>/downloads")
@login_required
@limited_for_person("download")
def create_download(purchase_id: UUID) -> AnyResponse:
    """Grant a download and lead to it. The form's nonce makes a double click one grant."""
    purchase = downloads.purchase_or_404(purchase_id, owner=current_user.id)
    granted = grant(purchase, request.form.get("nonce") or new_token())
    return redirect(url_for("library.open_download", token=granted.token), 303)


def grant(purchase: Purchase, nonce: str) -> downloads.Granted:
    """Count one download, but only when the file is there to be had."""
    version = downloads.version_for(purchase)
    release()
    files.check(services().storage, version)  # storage away: 503, nothing counted
    with transaction():
        return downloads.grant(
            purchase, version, nonce=nonce, ip=client_address(), user_agent=request.headers.get("User-Agent", "")
        )


@blueprint.get("/d/<token>")
def open_download(token: str) -> AnyResponse:
    """Follow a grant to the storage's own short-lived URL; the right is checked at each use, nothing is counted."""
    person = _person()
    if person is None:
        return to_sign_in()
    opened = downloads.open_grant(token, person)
    response = redirect(files.url(services().storage, opened), 303)
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _person() -> Customer | None:
    if current_user.is_authenticated:
        return current_user._get_current_object()
    customer_id = bearer_customer_id()
    return db.session.get(Customer, customer_id) if customer_id is not None else None
