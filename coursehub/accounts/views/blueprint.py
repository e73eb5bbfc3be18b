"""The account pages' blueprint, who is signed in, and what the pages share."""

from typing import Any, cast

from flask import Blueprint, Response, current_app, g, render_template, request, session
from flask_babel import gettext as _
from flask_login import current_user, user_logged_in
from werkzeug.wrappers import Response as AnyResponse

from coursehub.accounts import sessions
from coursehub.accounts.models import Customer
from coursehub.kernel.db import in_transaction, transaction
from coursehub.kernel.encryption import fold_email, key_ring
from coursehub.kernel.errors import DomainError
from coursehub.web.extensions import client_address, login_manager
from coursehub.web.hypermedia import respond, safe_path
from coursehub.web.limits import spend
from coursehub.web.sessions import current_hash, start

blueprint = Blueprint("accounts", __name__)

# Proves that this browser has signed in to an account before, so that a stranger's guessing does not lock it out.
_KNOWN_DEVICE = "known_device"
_DAYS_365 = 365 * 24 * 3600
# Where passwords are tried. A cookie for the whole shop would keep every public page out of the caches.
_PASSWORD_PAGES = ("/login", "/account")


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


def me() -> Customer:
    return cast(Customer, current_user._get_current_object())


def sign_in(customer: Customer) -> None:
    """A fresh session for `customer` in this browser; the one before it ends. Carts merge on the signal."""
    before, id_hash = current_hash(), start()
    with transaction():
        if before is not None:
            sessions.end(before)
        sessions.open(customer, id_hash, client_address(), request.user_agent.string)
    login_manager._update_request_context_with_user(customer)
    user_logged_in.send(current_app._get_current_object(), user=customer)  # type: ignore[attr-defined]


def renew_session(*, password_checked: bool = False) -> None:
    """A new id for this browser's session: one that was known before more was allowed is not good enough."""
    before, id_hash = current_hash(), start()
    if before is not None:
        with transaction():
            sessions.renew(before, id_hash, password_checked=password_checked)


def next_page(default: str = "/") -> str:
    return safe_path(request.values.get("next"), default)


def refuse(form: Any, error: DomainError) -> None:
    """Put the story's sentence at the field it names, else on top."""
    sentence = _(error.sentence)
    if error.field and error.field in form:
        form[error.field].errors = [*form[error.field].errors, sentence]
    else:
        form.form_errors.append(sentence)


def again(template: str, form: Any, **more: Any) -> Response:
    return respond(render_template(template, form=form, **more), 422)


def spend_try(email: str) -> None:
    """Count a try against the account; a browser that has signed in to it before has tries of its own."""
    folded = fold_email(email)
    known = key_ring().verify(folded, request.cookies.get(_KNOWN_DEVICE, ""), _KNOWN_DEVICE)
    spend("login_account", f"{folded} known" if known else folded)


def knowing_device(response: AnyResponse, email: str) -> AnyResponse:
    """Let this browser's tries for the account of `email` count apart from strangers' for a year."""
    for path in _PASSWORD_PAGES:
        response.set_cookie(
            _KNOWN_DEVICE,
            key_ring().sign(fold_email(email), _KNOWN_DEVICE),
            max_age=_DAYS_365,
            path=path,
            secure=current_app.config["SESSION_COOKIE_SECURE"],
            httponly=True,
            samesite="Lax",
        )
    return response
