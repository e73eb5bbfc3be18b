"""The API's bearer tokens, read strictly; a page may take an access token too (`/d/<token>`)."""

from typing import Any
from uuid import UUID

from flask_jwt_extended import create_access_token, create_refresh_token, decode_token, verify_jwt_in_request
from flask_jwt_extended.exceptions import JWTExtendedException
from jwt import get_unverified_header
from jwt.exceptions import PyJWTError

from coursehub.kernel.errors import NotSignedIn
from coursehub.kernel.ids import parse_id
from coursehub.web.extensions import jwt

# The header says what the token is for (RFC 9068), the claims say it again.
_HEADERS = {"access": {"typ": "at+jwt"}, "refresh": {"typ": "rt+jwt"}}
_REQUIRED = ("sub", "exp", "iat", "jti", "aud", "iss", "type")
# Whatever a token can be wrong in. Its parts are parsed before the signature is known, hence the last two.
_WRONG = (JWTExtendedException, PyJWTError, ValueError, RecursionError)


def new_access_token(customer_id: UUID, refresh_id: UUID, family_id: UUID) -> str:
    """A token for 15 minutes; `refresh_id` and `family_id` say which sign-in it belongs to."""
    return create_access_token(
        str(customer_id),
        additional_claims={"sid": str(refresh_id), "family": str(family_id)},
        additional_headers=_HEADERS["access"],
    )


def new_refresh_token(customer_id: UUID, refresh_id: UUID) -> str:
    """A token that stands for the row `refresh_id`."""
    return create_refresh_token(
        str(customer_id), additional_claims={"jti": str(refresh_id)}, additional_headers=_HEADERS["refresh"]
    )


def access_claims() -> dict[str, Any] | None:
    """The claims of the access token in `Authorization: Bearer`, None without one. Raises NotSignedIn for a bad one."""
    try:
        found = verify_jwt_in_request(optional=True, locations=["headers"])
    except _WRONG as error:
        raise NotSignedIn("This access token does not count (any more). Refresh it or sign in again.") from error
    return found[1] if found else None


def bearer_customer_id() -> UUID | None:
    """The person a valid access token names, None without one."""
    try:
        claims = access_claims()
    except NotSignedIn:
        return None
    return parse_id(str(claims["sub"])) if claims else None


def refresh_id(token: str) -> UUID | None:
    """The row that a refresh token stands for, None when it is none of ours or too old."""
    try:
        claims = decode_token(token)
        header = get_unverified_header(token)
    except _WRONG:
        return None
    return parse_id(str(claims["jti"])) if _is_strict(header, claims, "refresh") else None


@jwt.token_verification_loader
def _is_access_token(header: dict[str, Any], claims: dict[str, Any]) -> bool:
    return _is_strict(header, claims, "access")


def _is_strict(header: dict[str, Any], claims: dict[str, Any], kind: str) -> bool:
    complete = all(claims.get(name) for name in _REQUIRED)
    return complete and claims["type"] == kind and header.get("typ") == _HEADERS[kind]["typ"]
