"""The account pages, and who is signed in: opens and ends the browser's session, loads the person behind it."""

from typing import Any, cast
from urllib.parse import quote
from uuid import UUID

from flask import Blueprint, Response, current_app, g, redirect, render_template, request, session
from flask_babel import gettext as _
from flask_login import current_user, user_logged_in
from sqlalchemy.orm.exc import ObjectDeletedError
from werkzeug.wrappers import Response as AnyResponse

from coursehub.accounts import (
    address_change,
    addresses,
    credentials,
    password_change,
    profile,
    recovery,
    registration,
    sessions,
)
from coursehub.accounts.forms import (
    CodeForm,
    EmailForm,
    ForgottenForm,
    PasswordForm,
    ProfileForm,
    RegisterForm,
    ResetForm,
    SignInForm,
)
from coursehub.accounts.models import Customer
from coursehub.kernel.db import in_transaction, transaction
from coursehub.kernel.encryption import fold_email, key_ring
from coursehub.kernel.errors import Conflict, DomainError, Invalid, NotFound
from coursehub.web.auth import login_required, to_sign_in
from coursehub.web.extensions import client_address, login_manager
from coursehub.web.hypermedia import fragments, page_or_fragment, respond, safe_path, see_other
from coursehub.web.limits import limited, spend
from coursehub.web.pages import TERMS_VERSION
from coursehub.web.sessions import current_hash, forget, start

blueprint = Blueprint("accounts", __name__)

# Proves that this browser has signed in to an account before, so that a stranger's guessing does not lock it out.
_KNOWN_DEVICE = "known_device"
_RESET = "reset_token"
_DAYS_365 = 365 * 24 * 3600


# Who is signed in


@blueprint.record_once
def install_loader(_state: Any) -> None:
    """Let Flask-Login ask `load_person`; its own cookies and session marks stay unused."""
    login_manager.session_protection = None
    login_manager.request_loader(load_person)


def load_person(_request: Any) -> Customer | None:
    """The person behind the session cookie. The API knows people by their bearer token only."""
    id_hash = current_hash()
    if id_hash is None or request.path.startswith("/api/") or g.get("people_away"):
        return None
    g.people_away = True  # while the database does not answer, the error page is drawn for nobody
    found = sessions.load(id_hash)
    if found is not None and sessions.is_due(found[0]):
        _touch(found[0])
    g.people_away = False
    return found[1] if found else None


def _touch(browser_session: Any) -> None:
    if in_transaction():
        extended = sessions.touch(browser_session)
    else:
        with transaction():
            extended = sessions.touch(browser_session)
    if extended:
        session.modified = True  # the cookie's 30 days begin anew with the row's


def _me() -> Customer:
    return cast(Customer, current_user._get_current_object())


def _sign_in(customer: Customer) -> None:
    """A fresh session for `customer` in this browser; the one before it ends. Carts merge on the signal."""
    before, id_hash = current_hash(), start()
    with transaction():
        if before is not None:
            sessions.end(before)
        sessions.open(customer, id_hash, client_address(), request.user_agent.string)
    login_manager._update_request_context_with_user(customer)
    user_logged_in.send(current_app._get_current_object(), user=customer)  # type: ignore[attr-defined]


def _renew_session(*, password_checked: bool = False) -> None:
    """A new id for this browser's session: one that was known before more was allowed is not good enough."""
    before, id_hash = current_hash(), start()
    if before is not None:
        with transaction():
            sessions.renew(before, id_hash, password_checked=password_checked)


def _next(default: str = "/") -> str:
    return safe_path(request.values.get("next"), default)


def _refused(form: Any, error: DomainError) -> None:
    """Put the story's sentence at the field it names, else on top."""
    sentence = _(error.sentence)
    if error.field and error.field in form:
        form[error.field].errors = [*form[error.field].errors, sentence]
    else:
        form.form_errors.append(sentence)


def _again(template: str, form: Any, **more: Any) -> Response:
    return respond(render_template(template, form=form, **more), 422)


# Making an account


@blueprint.get("/account/register")
def new_account() -> Response | AnyResponse:
    """Where people make an account."""
    if current_user.is_authenticated:
        return see_other(_next())
    return respond(render_template("accounts/register.html", form=RegisterForm(next=_next(""))))


@blueprint.post("/account/register")
@limited("register")
def create_account() -> Response | AnyResponse:
    """Make the account and sign in to it, unconfirmed; a known address is answered in just this way."""
    if current_user.is_authenticated:
        return see_other(_next())
    form = RegisterForm()
    if not form.validate():
        return _again("accounts/register.html", form)
    try:
        address = addresses.check(form.email.data)
        spend("mail", f"verify {fold_email(address)}")
        with transaction():
            customer = registration.register(address, form.password.data, form.name.data, TERMS_VERSION)
    except Invalid as error:
        _refused(form, error)
        return _again("accounts/register.html", form)
    _sign_in(customer)
    return see_other(_verify_page())


# Confirming the address


@blueprint.get("/account/verify")
def new_verification() -> Response | AnyResponse:
    """With the link's token: a button that confirms (mail scanners follow links). Without: where to type the code."""
    token = request.args.get("token", "")
    if token:
        return respond(
            render_template("accounts/confirm.html", token=token, customer=registration.find_unconfirmed(token))
        )
    if not current_user.is_authenticated:
        return to_sign_in()
    if current_user.email_verified:
        return see_other(_next("/account"))
    return respond(render_template("accounts/verify.html", form=CodeForm(formdata=None, next=_next(""))))


@blueprint.post("/account/verify")
@limited("verify")
def create_verification() -> Response | AnyResponse:
    """Confirm by the link's token, from any device, or by the code, from the account's own browser."""
    token = request.form.get("token", "")
    if not token:
        return _verify_by_code()
    try:
        with transaction():
            customer = registration.verify(token)
    except (Invalid, Conflict) as error:
        return respond(
            render_template("accounts/confirm.html", token=token, customer=None, error=_(error.sentence)), error.status
        )
    return _verified(customer)


def _verify_by_code() -> Response | AnyResponse:
    if not current_user.is_authenticated:
        return to_sign_in()
    form = CodeForm()
    if not form.validate():
        return _again("accounts/verify.html", form)
    try:
        spend("verify", f"code {current_user.get_id()}")
        with transaction():
            customer = registration.verify_code(_me(), form.code.data)
    except Conflict as error:
        _refused(form, error)
        return _again("accounts/verify.html", form)
    except ObjectDeletedError:  # another account confirmed the address a moment ago
        return to_sign_in()
    if customer is None:
        _refused(
            form,
            Invalid("That is not the code, or it is too old. After five tries only a new mail helps.", field="code"),
        )
        return _again("accounts/verify.html", form)
    return _verified(customer)


def _verified(customer: Customer) -> AnyResponse:
    message = _("Your e-mail address is confirmed.")
    if not current_user.is_authenticated:
        return see_other("/login", _("Your e-mail address is confirmed. Sign in to go on."))
    if current_user.get_id() != customer.get_id():
        return see_other("/", message)
    _renew_session()
    return see_other(_next("/account"), message)


@blueprint.post("/account/verify/resend")
@login_required
@limited("verify")
def create_resend() -> AnyResponse:
    """Mail a new link and code."""
    spend("mail", f"verify {fold_email(current_user.email)}")
    with transaction():
        registration.resend(_me())
    return see_other(_verify_page(), _("A new mail is on its way. Only its code works now."))


def _verify_page() -> str:
    back = _next("")
    return f"/account/verify?next={quote(back)}" if back else "/account/verify"


# Signing in and out


@blueprint.get("/login")
def new_session() -> Response | AnyResponse:
    """Where people sign in."""
    if current_user.is_authenticated:
        return see_other(_next())
    return respond(render_template("accounts/sign_in.html", form=SignInForm(formdata=None, next=_next(""))))


@blueprint.post("/login")
@limited("login")
def create_session() -> Response | AnyResponse:
    """Sign in, and back to where the person came from."""
    form = SignInForm()
    if not form.validate():
        return _again("accounts/sign_in.html", form)
    try:
        spend("login", client_address())
        _spend_try(form.email.data)
        with transaction():
            customer = credentials.check_credentials(form.email.data, form.password.data)
    except Invalid as error:
        _refused(form, error)
        return _again("accounts/sign_in.html", form)
    _sign_in(customer)
    return _knowing_device(see_other(_next()), form.email.data)


def _spend_try(email: str) -> None:
    """Count a try against the account; a browser that has signed in to it before has tries of its own."""
    folded = fold_email(email)
    known = key_ring().verify(folded, request.cookies.get(_KNOWN_DEVICE, ""), _KNOWN_DEVICE)
    spend("login_account", f"{folded} known" if known else folded)


def _knowing_device(response: AnyResponse, email: str) -> AnyResponse:
    response.set_cookie(
        _KNOWN_DEVICE,
        key_ring().sign(fold_email(email), _KNOWN_DEVICE),
        max_age=_DAYS_365,
        path="/login",
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Lax",
    )
    return response


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
        return _again("accounts/forgotten.html", form)
    try:
        address = addresses.check(form.email.data)
    except Invalid as error:
        _refused(form, error)
        return _again("accounts/forgotten.html", form)
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
        return _again("accounts/reset.html", form, stale=False)
    try:
        with transaction():
            recovery.reset(session.get(_RESET, ""), form.password.data)
    except Invalid as error:
        _refused(form, error)
        return _again("accounts/reset.html", form, stale=error.field == "token")
    session.pop(_RESET, None)
    login_manager._update_request_context_with_user()
    return see_other("/login", _("Your password is changed. Sign in with the new one."))


# The account


@blueprint.get("/account")
@login_required
def show() -> Response:
    """The profile."""
    return respond(render_template("accounts/profile.html", form=ProfileForm(formdata=None, obj=current_user)))


@blueprint.post("/account")
@login_required
def update() -> Response | AnyResponse:
    """Change the profile."""
    form = ProfileForm()
    try:
        if not form.validate():
            return _profile_again(form)
        with transaction():
            profile.update(_me(), **form.values)
    except Invalid as error:
        _refused(form, error)
        return _profile_again(form)
    return fragments("accounts/update.htmx.html", fallback="/account", message=_("Your profile is saved."), form=form)


def _profile_again(form: ProfileForm) -> Response:
    return page_or_fragment("accounts/profile.html", "accounts/update.htmx.html", 422, form=form)


@blueprint.post("/account/creator")
@login_required
def create_creator() -> AnyResponse:
    """Become a creator."""
    with transaction():
        became = not current_user.is_creator
        profile.become_creator(_me())
    if became:
        _renew_session()
    return see_other("/studio", _("You are a creator now. Make your first course.") if became else None)


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
        return _again("accounts/password.html", form)
    try:
        _spend_try(current_user.email)
        with transaction():
            password_change.change(_me(), form.current.data, form.password.data, keep=current_hash())
    except Invalid as error:
        _refused(form, error)
        return _again("accounts/password.html", form)
    _renew_session(password_checked=True)
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
        return _again("accounts/email.html", form, sent_to=None)
    try:
        _spend_try(current_user.email)
        address = addresses.check(form.email.data)
        spend("mail", f"change {fold_email(address)}")
        with transaction():
            address_change.request_change(_me(), address, form.password.data)
    except Invalid as error:
        _refused(form, error)
        return _again("accounts/email.html", form, sent_to=None)
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
        _renew_session()
        return see_other("/account/email", message)
    if current_user.is_authenticated:
        return see_other("/", message)
    return see_other("/login", _("Your e-mail address is changed. Sign in with the new one."))


@blueprint.get("/account/sessions")
@login_required
def index_sessions() -> Response:
    """Where the person is signed in."""
    here = current_hash()
    browsers = [(row, sessions.browser_name(row.user_agent), row.id_hash == here) for row in sessions.of(_me())]
    return respond(render_template("accounts/sessions.html", browsers=browsers))


@blueprint.post("/account/sessions")
@login_required
def destroy_other_sessions() -> AnyResponse:
    """Sign out everywhere else."""
    with transaction():
        sessions.end_all(_me(), current_hash(), reason="signed out everywhere")
    return see_other("/account/sessions", _("Every other browser is signed out."))


@blueprint.post("/account/sessions/<uuid:session_id>/end")
@login_required
def destroy_one_session(session_id: UUID) -> AnyResponse:
    """Sign out one browser."""
    with transaction():
        if not sessions.end_one(_me(), session_id):
            raise NotFound("That browser is not signed in any more.")
    return see_other("/account/sessions", _("That browser is signed out."))
