"""Bare instances of the Flask extensions; `create_app` gives them their app."""

from flask import request
from flask_babel import Babel
from flask_jwt_extended import JWTManager
from flask_limiter import Limiter
from flask_login import LoginManager
from flask_migrate import Migrate
from flask_wtf import CSRFProtect
from htmx_flask import Htmx

from coursehub.kernel.encryption import key_ring

login_manager = LoginManager()
csrf = CSRFProtect()
jwt = JWTManager()
migrate = Migrate()
babel = Babel()
htmx = Htmx()


def client_address() -> str:
    """The client's address: ProxyFix has put it there from as many proxies as are configured, no more."""
    return request.remote_addr or "unknown"


def limit_key(subject: str) -> str:
    """What Redis may know of whom a limit counts: a blind index, from which no address can be read."""
    return key_ring().index(subject, "limit").hex()


limiter = Limiter(
    key_func=lambda: limit_key(client_address()),
    strategy="sliding-window-counter",
    headers_enabled=True,
    in_memory_fallback_enabled=True,  # Redis away: the same limits, counted in each process
    # Requests that wait for Redis in the moment it goes pass; those after them are counted in memory. `limits.spend`,
    # which guards passwords, lets none pass.
    swallow_errors=True,
)
