"""Making an account and signing in and out by token."""

from typing import Any

from flask import current_app

from coursehub.accounts import addresses, credentials, registration, tokens
from coursehub.accounts.models import ApiToken, Customer
from coursehub.api.blueprint import answer, operation
from coursehub.api.schemas import (
    LoginBody,
    LogoutBody,
    RefreshBody,
    RegisterBody,
    SignedIn,
    SignedOut,
    User,
    Verified,
    VerifyBody,
)
from coursehub.kernel.db import db, transaction
from coursehub.kernel.encryption import fold_email
from coursehub.kernel.errors import Invalid, NotSignedIn
from coursehub.kernel.ids import parse_id
from coursehub.web import bearer
from coursehub.web.extensions import client_address, jwt
from coursehub.web.limits import limited, spend
from coursehub.web.pages import TERMS_VERSION

TAG = "auth"


@jwt.token_in_blocklist_loader
def _is_signed_out(_header: dict[str, Any], claims: dict[str, Any]) -> bool:
    """Signing out ends access tokens too, not only the refresh token they came with."""
    family = parse_id(str(claims.get("family")))
    return family is None or not tokens.family_lives(family)


@operation("post", "/auth/register", tag=TAG, answers={201: SignedIn}, needs="nothing")
@limited("register")
def register(body: RegisterBody) -> Any:
    """Make an account.

    Its address is unconfirmed until the mailed link is used. A known address is answered in just this way.
    """
    address = addresses.check(body.email)
    spend("mail", f"verify {fold_email(address)}")
    with transaction():
        customer = registration.register(address, body.password, body.name, TERMS_VERSION)
        token = tokens.issue(customer)
    return answer(_signed_in(customer, token), 201)


@operation("post", "/auth/verify", tag=TAG, answers={200: Verified}, needs="nothing")
@limited("verify")
def verify(body: VerifyBody) -> Any:
    """Confirm an address with the token that was mailed to it."""
    with transaction():
        customer = registration.verify(body.token)
    return answer(Verified(user=User.of(customer)))


@operation("post", "/auth/login", tag=TAG, answers={200: SignedIn}, needs="nothing")
@limited("login")
def login(body: LoginBody) -> Any:
    """Sign in with address and password."""
    spend("login", client_address())
    spend("login_account", fold_email(body.email))
    try:
        with transaction():
            customer = credentials.check_credentials(body.email, body.password)
            token = tokens.issue(customer)
    except Invalid as error:
        raise NotSignedIn(error.sentence) from error
    return answer(_signed_in(customer, token))


@operation("post", "/auth/refresh", tag=TAG, answers={200: SignedIn}, needs="nothing")
def refresh(body: RefreshBody) -> Any:
    """Get a new pair of tokens.

    A refresh token counts once; using it again, later than 10 seconds after, signs everyone with a copy out.
    """
    row_id = bearer.refresh_id(body.refresh_token)
    token = None
    if row_id is not None:
        with transaction():  # committed also when it refuses: the reuse has ended the family
            token = tokens.rotate(row_id)
    if token is None:
        raise NotSignedIn("This refresh token does not count (any more). Sign in again.")
    return answer(_signed_in(db.session.get_one(Customer, token.customer_id), token))


@operation("post", "/auth/logout", tag=TAG, answers={200: SignedOut}, needs="nothing")
def logout(body: LogoutBody) -> Any:
    """Sign out: the access token in the header, or the `refresh_token`, and all that belong to the same sign-in."""
    claims = None if body.refresh_token else bearer.access_claims()
    row_id = bearer.refresh_id(body.refresh_token) if body.refresh_token else parse_id(str((claims or {}).get("sid")))
    if row_id is None:
        raise NotSignedIn("Send the access token in the Authorization header, or the refresh_token.")
    with transaction():
        tokens.revoke_family(row_id)
    return answer(SignedOut())


def _signed_in(customer: Customer, token: ApiToken) -> SignedIn:
    return SignedIn(
        access_token=bearer.new_access_token(customer.id, token.id, token.family_id),
        refresh_token=bearer.new_refresh_token(customer.id, token.id),
        expires_in=int(current_app.config["JWT_ACCESS_TOKEN_EXPIRES"]),
        user=User.of(customer),
    )
