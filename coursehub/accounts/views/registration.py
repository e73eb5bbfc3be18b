"""Making an account, and confirming its address."""

from urllib.parse import quote

from flask import Response, render_template, request
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy.orm.exc import ObjectDeletedError
from werkzeug.wrappers import Response as AnyResponse

from coursehub.accounts import addresses, registration
from coursehub.accounts.forms import CodeForm, RegisterForm
from coursehub.accounts.models import Customer
from coursehub.accounts.views.blueprint import again, blueprint, me, next_page, refuse, renew_session, sign_in
from coursehub.kernel.db import transaction
from coursehub.kernel.encryption import fold_email
from coursehub.kernel.errors import Conflict, Invalid
from coursehub.web.auth import login_required, to_sign_in
from coursehub.web.hypermedia import respond, see_other
from coursehub.web.limits import limited, spend
from coursehub.web.pages import TERMS_VERSION


@blueprint.get("/account/register")
def new_account() -> Response | AnyResponse:
    """Where people make an account."""
    if current_user.is_authenticated:
        return see_other(next_page())
    return respond(render_template("accounts/register.html", form=RegisterForm(next=next_page(""))))


@blueprint.post("/account/register")
@limited("register")
def create_account() -> Response | AnyResponse:
    """Make the account and sign in to it, unconfirmed; a known address is answered in just this way."""
    if current_user.is_authenticated:
        return see_other(next_page())
    form = RegisterForm()
    if not form.validate():
        return again("accounts/register.html", form)
    try:
        address = addresses.check(form.email.data)
        spend("mail", f"verify {fold_email(address)}")
        with transaction():
            customer = registration.register(address, form.password.data, form.name.data, TERMS_VERSION)
    except Invalid as error:
        refuse(form, error)
        return again("accounts/register.html", form)
    sign_in(customer)
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
        return see_other(next_page("/account"))
    return respond(render_template("accounts/verify.html", form=CodeForm(formdata=None, next=next_page(""))))


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
        return again("accounts/verify.html", form)
    try:
        spend("verify", f"code {current_user.get_id()}")
        with transaction():
            customer = registration.verify_code(me(), form.code.data)
    except Conflict as error:
        refuse(form, error)
        return again("accounts/verify.html", form)
    except ObjectDeletedError:  # another account confirmed the address a moment ago
        return to_sign_in()
    if customer is None:
        refuse(
            form,
            Invalid("That is not the code, or it is too old. After five tries only a new mail helps.", field="code"),
        )
        return again("accounts/verify.html", form)
    return _verified(customer)


def _verified(customer: Customer) -> AnyResponse:
    message = _("Your e-mail address is confirmed.")
    if not current_user.is_authenticated:
        return see_other("/login", _("Your e-mail address is confirmed. Sign in to go on."))
    if current_user.get_id() != customer.get_id():
        return see_other("/", message)
    renew_session()
    return see_other(next_page("/account"), message)


@blueprint.post("/account/verify/resend")
@login_required
@limited("verify")
def create_resend() -> AnyResponse:
    """Mail a new link and code."""
    spend("mail", f"verify {fold_email(current_user.email)}")
    with transaction():
        registration.resend(me())
    return see_other(_verify_page(), _("A new mail is on its way. Only its code works now."))


def _verify_page() -> str:
    back = next_page("")
    return f"/account/verify?next={quote(back)}" if back else "/account/verify"
