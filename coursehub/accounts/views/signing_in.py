"""Signing in and out, and the way back for somebody who forgot the password."""

from flask import Response, redirect, render_template, request, session
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from coursehub.accounts import addresses, credentials, recovery, sessions
from coursehub.accounts.forms import ForgottenForm, ResetForm, SignInForm
from coursehub.accounts.views.blueprint import (
    again,
    blueprint,
    knowing_device,
    next_page,
    refuse,
    sign_in,
    spend_try,
)
from coursehub.kernel.db import transaction
from coursehub.kernel.encryption import fold_email
from coursehub.kernel.errors import Invalid
from coursehub.web.extensions import client_address, login_manager
from coursehub.web.hypermedia import respond, see_other
from coursehub.web.limits import limited, spend
from coursehub.web.sessions import current_hash, forget

_RESET = "reset_token"


@blueprint.get("/login")
def new_session() -> Response | AnyResponse:
    """Where people sign in."""
    if current_user.is_authenticated:
        return see_other(next_page())
    return respond(render_template("accounts/sign_in.html", form=SignInForm(formdata=None, next=next_page(""))))


@blueprint.post("/login")
@limited("login")
def create_session() -> Response | AnyResponse:
    """Sign in, and back to where the person came from."""
    form = SignInForm()
    if not form.validate():
        return again("accounts/sign_in.html", form)
    try:
        spend("login", client_address())
        spend_try(form.email.data)
        with transaction():
            customer = credentials.check_credentials(form.email.data, form.password.data)
    except Invalid as error:
        refuse(form, error)
        return again("accounts/sign_in.html", form)
    sign_in(customer)
    return knowing_device(see_other(next_page()), form.email.data)


@blueprint.post("/logout")
def destroy_session() -> AnyResponse:
    """Sign out: the row goes, so that a copy of the cookie is worth nothing."""
    id_hash = current_hash()
    if id_hash is not None:
        with transaction():
            sessions.end(id_hash)
    forget()
    login_manager._update_request_context_with_user()
    response = see_other("/")
    # What was shown to the person must not come back by the Back button.
    response.headers["Clear-Site-Data"] = '"cache"'
    response.headers["Cache-Control"] = "no-store"
    return response


# A forgotten password


@blueprint.get("/account/forgotten")
def new_reset_request() -> Response:
    """Where people ask for a new password."""
    return respond(render_template("accounts/forgotten.html", form=ForgottenForm(formdata=None)))


@blueprint.post("/account/forgotten")
@limited("register")
def create_reset_request() -> Response | AnyResponse:
    """Mail the link, if the address has an account; the answer does not tell."""
    form = ForgottenForm()
    if not form.validate():
        return again("accounts/forgotten.html", form)
    try:
        address = addresses.check(form.email.data)
    except Invalid as error:
        refuse(form, error)
        return again("accounts/forgotten.html", form)
    spend("mail", f"reset {fold_email(address)}")
    with transaction():
        recovery.request_reset(address)
    return respond(render_template("accounts/forgotten_sent.html", email=address))


@blueprint.get("/account/reset")
def edit_forgotten_password() -> Response | AnyResponse:
    """The link's page. The token moves into the session at once, so that no address bar or Referer shows it."""
    token = request.args.get("token", "")
    if token:
        session[_RESET] = token
        return redirect("/account/reset", 303)
    stale = recovery.find(session.get(_RESET, "")) is None
    return respond(render_template("accounts/reset.html", form=ResetForm(formdata=None), stale=stale))


@blueprint.post("/account/reset")
@limited("verify")
def update_forgotten_password() -> Response | AnyResponse:
    """Set the new password; every browser and program is signed out."""
    form = ResetForm()
    if not form.validate():
        return again("accounts/reset.html", form, stale=False)
    try:
        with transaction():
            recovery.reset(session.get(_RESET, ""), form.password.data)
    except Invalid as error:
        refuse(form, error)
        return again("accounts/reset.html", form, stale=error.field == "token")
    session.pop(_RESET, None)
    login_manager._update_request_context_with_user()
    return see_other("/login", _("Your password is changed. Sign in with the new one."))
