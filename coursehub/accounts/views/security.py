"""The password, the address and the signed-in browsers of an account."""

from uuid import UUID

from flask import Response, render_template, request
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from coursehub.accounts import address_change, addresses, password_change, sessions
from coursehub.accounts.forms import EmailForm, PasswordForm
from coursehub.accounts.views.blueprint import again, blueprint, knowing_device, me, refuse, renew_session, spend_try
from coursehub.kernel.db import transaction
from coursehub.kernel.encryption import fold_email
from coursehub.kernel.errors import Conflict, Invalid, NotFound
from coursehub.web.auth import login_required
from coursehub.web.hypermedia import respond, see_other
from coursehub.web.limits import limited, spend
from coursehub.web.sessions import current_hash


@blueprint.get("/account/password")
@login_required
def edit_password() -> Response:
    """Where people change their password."""
    return respond(render_template("accounts/password.html", form=PasswordForm(formdata=None)))


@blueprint.post("/account/password")
@login_required
@limited("login")
def update_password() -> Response | AnyResponse:
    """Change the password; every other browser and program is signed out."""
    form = PasswordForm()
    if not form.validate():
        return again("accounts/password.html", form)
    try:
        spend_try(current_user.email)
        with transaction():
            password_change.change(me(), form.current.data, form.password.data, keep=current_hash())
    except Invalid as error:
        refuse(form, error)
        return again("accounts/password.html", form)
    renew_session(password_checked=True)
    return see_other("/account/password", _("Your password is changed. Other browsers are signed out."))


@blueprint.get("/account/email")
@login_required
def edit_email() -> Response:
    """Where people change their address."""
    return respond(render_template("accounts/email.html", form=EmailForm(formdata=None), sent_to=None))


@blueprint.post("/account/email")
@login_required
@limited("login")
def update_email() -> Response | AnyResponse:
    """Mail a link to the new address; nothing changes before it is used."""
    form = EmailForm()
    if not form.validate():
        return again("accounts/email.html", form, sent_to=None)
    try:
        spend_try(current_user.email)
        address = addresses.check(form.email.data)
        spend("mail", f"change {fold_email(address)}")
        with transaction():
            address_change.request_change(me(), address, form.password.data)
    except Invalid as error:
        refuse(form, error)
        return again("accounts/email.html", form, sent_to=None)
    return respond(render_template("accounts/email.html", form=EmailForm(formdata=None), sent_to=address))


@blueprint.get("/account/email/confirm")
def new_email_confirmation() -> Response:
    """The link's page: a button that makes the new address count."""
    token = request.args.get("token", "")
    found = address_change.find(token)
    return respond(render_template("accounts/confirm_email.html", token=token, email=found[1] if found else None))


@blueprint.post("/account/email/confirm")
@limited("verify")
def create_email_confirmation() -> Response | AnyResponse:
    """The new address counts from now on, and the old one is told."""
    token = request.form.get("token", "")
    try:
        with transaction():
            customer = address_change.confirm(token)
    except (Invalid, Conflict) as error:
        page = render_template("accounts/confirm_email.html", token=token, email=None, error=_(error.sentence))
        return respond(page, error.status)
    message = _("Your e-mail address is changed.")
    if current_user.is_authenticated and current_user.get_id() == customer.get_id():
        renew_session()
        return knowing_device(see_other("/account/email", message), customer.email)
    if current_user.is_authenticated:
        return see_other("/", message)
    return see_other("/login", _("Your e-mail address is changed. Sign in with the new one."))


@blueprint.get("/account/sessions")
@login_required
def index_sessions() -> Response:
    """Where the person is signed in."""
    here = current_hash()
    browsers = [(row, sessions.browser_name(row.user_agent), row.id_hash == here) for row in sessions.of(me())]
    return respond(render_template("accounts/sessions.html", browsers=browsers))


@blueprint.post("/account/sessions")
@login_required
def destroy_other_sessions() -> AnyResponse:
    """Sign out everywhere else."""
    with transaction():
        sessions.end_all(me(), current_hash(), reason="signed out everywhere")
    return see_other("/account/sessions", _("Every other browser is signed out."))


@blueprint.post("/account/sessions/<uuid:session_id>/end")
@login_required
def destroy_one_session(session_id: UUID) -> AnyResponse:
    """Sign out one browser."""
    with transaction():
        if not sessions.end_one(me(), session_id):
            raise NotFound("That browser is not signed in any more.")
    return see_other("/account/sessions", _("That browser is signed out."))
