"""Who may go on: signed in, with a role, allowed by a policy."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

from flask import make_response, redirect, request
from flask_login import current_user

from coursehub.kernel.errors import NotAllowed
from coursehub.web.hypermedia import is_fragment, safe_path

View = TypeVar("View", bound=Callable[..., Any])


def login_required(view: View) -> View:
    """Send the signed-out to the sign-in page and, after it, back."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs) if current_user.is_authenticated else to_sign_in()

    return guarded  # type: ignore[return-value]


def role_required(role: str) -> Callable[[View], View]:
    """Only `creator`s (admins included) or only `admin`s. Others get 403 and how to become one."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if not current_user.is_authenticated:
                return to_sign_in()
            if not (current_user.is_admin or (role == "creator" and current_user.is_creator)):
                raise NotAllowed(not_yet(current_user) if role == "creator" else "Only staff may open this page.")
            return view(*args, **kwargs)

        return guarded  # type: ignore[return-value]

    return decorate


def not_yet(person: Any) -> str:
    """Why somebody who is no creator may not go on."""
    if person.status != "active":
        return "This account may not sell courses at present."
    return "Become a creator first: it takes one click on your account page."


def to_sign_in() -> Any:
    """The answer to a signed-out request: 303 to the sign-in page, for htmx 401 with HX-Redirect."""
    if is_fragment():
        current = urlsplit(request.headers.get("HX-Current-URL", ""))
        back = safe_path(current.path + (f"?{current.query}" if current.query else ""))
        response = make_response("", 401)
        response.headers["HX-Redirect"] = f"/login?next={quote(back)}"
        return response
    back = request.full_path.rstrip("?") if request.method in ("GET", "HEAD") else safe_path(_referring_path())
    return redirect(f"/login?next={quote(back)}", 303)


def _referring_path() -> str:
    referrer = urlsplit(request.headers.get("Referer", ""))
    return referrer.path if referrer.netloc == request.host else "/"


def authorize(policy: Callable[[Any, Any], bool], thing: Any, sentence: str = "You may not do this.") -> None:
    """Go on only if `policy(current_user, thing)`. Raises NotAllowed."""
    if not policy(current_user, thing):
        raise NotAllowed(sentence)
