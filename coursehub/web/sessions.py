"""The browser's session: a signed cookie that names a row which can be deleted (logout, ban, password change)."""

from hashlib import sha256

from flask import Flask, session

from coursehub.kernel.ids import new_token
from coursehub.kernel.settings import Settings

_SID = "sid"
_CART = "cart"


def init_app(app: Flask, settings: Settings) -> None:
    """Configure the cookie."""
    app.config.update(
        SESSION_COOKIE_NAME="__Host-coursehub" if settings.secure_cookies else "coursehub",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=30 * 24 * 3600,
    )


def hashed(token: str) -> bytes:
    """What we store of a token we gave away."""
    return sha256(token.encode()).digest()


def start() -> bytes:
    """Begin a fresh signed-in session (a new id each time: no fixation) and return the hash to store."""
    cart = session.get(_CART)
    session.clear()
    session.permanent = True
    token = new_token()
    session[_SID] = token
    if cart:
        session[_CART] = cart
    return hashed(token)


def current_hash() -> bytes | None:
    """The hash of this browser's session id, None when it has none."""
    token = session.get(_SID)
    return hashed(token) if isinstance(token, str) else None


def forget() -> None:
    """Empty the cookie."""
    session.clear()


def guest_cart_hash(*, create: bool = False) -> bytes | None:
    """The hash of this guest's cart token; makes one when `create`."""
    token = session.get(_CART)
    if not isinstance(token, str):
        if not create:
            return None
        token = session[_CART] = new_token()
        session.permanent = True
    return hashed(token)


def drop_guest_cart() -> None:
    """Forget the guest's cart (it was merged into a customer's)."""
    session.pop(_CART, None)
