"""Downloads of what I bought: granted, followed, mailed."""

from uuid import UUID

from flask import make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from coursehub.accounts.models import Customer
from coursehub.entitlements.models import Purchase
from coursehub.infra.services import services
from coursehub.kernel.db import db, release, transaction
from coursehub.kernel.ids import new_token
from coursehub.library import downloads, files, link_mail, queries
from coursehub.library.views.blueprint import blueprint
from coursehub.library.views.shelf import owned_or_404
from coursehub.web.auth import login_required, to_sign_in
from coursehub.web.bearer import bearer_customer_id
from coursehub.web.extensions import client_address
from coursehub.web.hypermedia import see_other
from coursehub.web.limits import limited_for_person


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


@blueprint.post("/library/<uuid:purchase_id>/mail")
@login_required
@limited_for_person("mail")
def create_mail(purchase_id: UUID) -> AnyResponse:
    """Mail the way to this page, for another device: the page, never the file's own address."""
    item = owned_or_404(purchase_id)
    with transaction():
        link_mail.request_link(item, current_user, nonce=request.form.get("nonce") or new_token())
    said = _("The link is on its way to %(email)s.", email=current_user.email)
    return see_other(url_for("library.show", purchase_id=purchase_id), said)


@blueprint.get("/d/<token>")
def open_download(token: str) -> AnyResponse:
    """Follow a grant to the storage's own short-lived URL; the right is checked at each use, nothing is counted."""
    person = _person()
    if person is None:
        return to_sign_in()
    try:
        opened = downloads.open_grant(token, person)
    except downloads.LinkEnded as ended:
        if not current_user.is_authenticated:
            raise
        return _offer_another(ended, person)
    response = redirect(files.url(services().storage, opened), 303)
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _offer_another(ended: downloads.LinkEnded, person: Customer) -> AnyResponse:
    """The page of a link that has ended: another one is one click away, or why it is not."""
    item = queries.one_of_customer(person.id, ended.purchase_id)
    if item is None:
        raise ended
    page = render_template("library/link_ended.html", item=item, nonce=new_token())
    response = make_response(page, ended.status)
    response.headers["Cache-Control"] = "no-store"
    return response


def _person() -> Customer | None:
    if current_user.is_authenticated:
        return current_user._get_current_object()
    customer_id = bearer_customer_id()
    return db.session.get(Customer, customer_id) if customer_id is not None else None
