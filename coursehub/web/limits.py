"""Rate limits by purpose, body size by route, the admin network, and same-origin checks."""

import ipaddress
import os
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, current_app, request
from flask_login import current_user
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from coursehub.kernel.encryption import key_ring
from coursehub.kernel.errors import NotAllowed, NotFound, TooMany
from coursehub.web.extensions import client_address, limit_key, limiter

# What a person does in earnest fits; a script does not. Each may be set by COURSEHUB_LIMIT_<PURPOSE>.
LIMITS = {
    "default": "600/minute",
    "login": "10/minute;60/hour",
    "login_account": "20/hour",
    "register": "6/minute;30/hour",
    "mail": "5/hour",
    "verify": "20/hour",
    "search": "120/minute",
    "suggest": "300/minute",
    "cart": "120/minute",
    "checkout": "20/minute;60/hour",
    "download": "60/minute",
    "read": "3000/minute",
    "position": "120/minute",
    "upload": "30/hour",
    "review": "30/hour",
    "look_inside": "40/hour",
    "webhook": "6000/minute",
    "api": "600/minute",
}
# Redis away: pages stay open, guessing passwords stays slow. Each process counts by itself, so it counts less.
_FALLBACK = MovingWindowRateLimiter(MemoryStorage())
_FALLBACK_LIMITS = {"login": "20/10 minutes", "login_account": "10/hour"}
# Seconds for which Redis is not asked again once it failed: one request pays for finding out, not each.
_REST = 5.0
_away_until = 0.0


def limit_text(purpose: str) -> str:
    """The limit in force for `purpose`, in the notation of `limits`, multiplied by COURSEHUB_LIMIT_FACTOR."""
    return _multiplied(os.environ.get(f"COURSEHUB_LIMIT_{purpose.upper()}") or LIMITS[purpose])


def _multiplied(text: str) -> str:
    factor = current_app.config["LIMIT_FACTOR"]
    parts = []
    for part in text.split(";"):
        amount, _, period = part.strip().partition("/")
        parts.append(f"{max(1, round(int(amount) * factor))}/{period}")
    return ";".join(parts)


def limited(purpose: str, *, methods: list[str] | None = None) -> Callable[[Any], Any]:
    """Decorator: at most so many requests for `purpose` from one address."""
    return limiter.shared_limit(lambda: limit_text(purpose), scope=purpose, methods=methods)


def person_or_address() -> str:
    """The signed-in person, else the address; as a blind index."""
    return limit_key(f"customer {current_user.get_id()}" if current_user.is_authenticated else client_address())


def limited_for_person(purpose: str) -> Callable[[Any], Any]:
    """Decorator: at most so many requests for `purpose` by one person (or address, when signed out)."""
    return limiter.shared_limit(lambda: limit_text(purpose), scope=purpose, key_func=person_or_address)


def spend(purpose: str, subject: str) -> None:
    """Count one attempt on `subject` (an address, an account) against `purpose`. Raises TooMany.

    The subject is stored as a blind index. With Redis away it is counted in this process, so guessing stays slow.
    """
    name = key_ring().index(subject, f"limit.{purpose}").hex()
    refused = _refusing(purpose, name)
    if refused is not None:
        raise TooMany("Too many tries. Please wait a few minutes and try again.", retry_after=refused.get_expiry())


def _refusing(purpose: str, name: str) -> RateLimitItem | None:
    """The limit that this attempt is over, counted in Redis or, while that is away, here."""
    global _away_until
    # The limiter of the routes looks for Redis now and then: while it has given up there is no use in asking.
    items = _items(limit_text(purpose))
    if time.monotonic() >= _away_until and not limiter._storage_dead:
        try:
            return next((item for item in items if not limiter.limiter.hit(item, purpose, name)), None)
        except Exception:  # any Redis client error: the guard must not fail open
            _away_until = time.monotonic() + _REST
    stricter = _FALLBACK_LIMITS.get(purpose)
    items = _items(_multiplied(stricter)) if stricter else items
    return next((item for item in items if not _FALLBACK.hit(item, purpose, name)), None)


def _items(text: str) -> list[RateLimitItem]:
    return [parse(part) for part in text.split(";")]


def body_limits(app: Flask, special: dict[str, int]) -> None:
    """Refuse bodies over 1 MB, or over what `special` (endpoint → bytes) says. Before CSRF reads the form."""

    @app.before_request
    def set_body_limit() -> None:
        size = special.get(request.endpoint or "")
        if size is not None:
            request.max_content_length = size
            request.max_form_memory_size = 1_000_000


def require_same_origin() -> None:
    """For the one form anonymous cacheable pages may post without a token. Raises NotAllowed for a foreign page."""
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if site is not None:
        ours = site in ("same-origin", "none")
    else:
        source = origin or request.headers.get("Referer")
        ours = source is not None and urlsplit(source).netloc == request.host
    if not ours:
        raise NotAllowed("This request came from another site. Please use the buttons on our pages.")


def require_admin_network() -> None:
    """Admin pages exist only inside COURSEHUB_ADMIN_ALLOWLIST. Raises NotFound outside."""
    try:
        address = ipaddress.ip_address(client_address())
    except ValueError:
        raise NotFound() from None
    networks = (ipaddress.ip_network(net, strict=False) for net in current_app.config["ADMIN_ALLOWLIST"])
    if not any(address in network for network in networks if network.version == address.version):
        raise NotFound()
