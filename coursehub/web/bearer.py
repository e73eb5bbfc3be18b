"""The API's bearer tokens, where a page takes them too (`/d/<token>`)."""

from uuid import UUID

from flask_jwt_extended import get_jwt_identity, verify_jwt_in_request
from flask_jwt_extended.exceptions import JWTExtendedException
from jwt.exceptions import PyJWTError

from coursehub.kernel.ids import parse_id


def bearer_customer_id() -> UUID | None:
    """The person a valid access token in `Authorization: Bearer` names, None without one."""
    try:
        if verify_jwt_in_request(optional=True, locations=["headers"]) is None:
            return None
    except (JWTExtendedException, PyJWTError):
        return None
    return parse_id(str(get_jwt_identity()))
