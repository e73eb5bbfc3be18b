"""The cart: page, drawer, badge."""

from typing import Any

from flask import Blueprint, Flask, g, request, url_for
from flask_babel import gettext as _
from flask_login import current_user, user_logged_in
from werkzeug.wrappers import Response as AnyResponse

from coursehub.accounts.models import Customer
from coursehub.cart import basket
from coursehub.cart.forms import place, required_id
from coursehub.cart.models import Cart
from coursehub.courses import queries as courses
from coursehub.courses.models import Course
from coursehub.kernel.db import transaction
from coursehub.kernel.ids import parse_id
from coursehub.web import sessions
from coursehub.web.hypermedia import fragments, page_or_fragment, safe_path
from coursehub.web.limits import limited, require_same_origin

blueprint = Blueprint("cart", __name__)


def context() -> dict[str, Any]:
    """The number on the cart icon. Asks nothing of the database for a visitor without a cart."""
    return {"cart_count": 0 if g.get("people_away") else basket.count(_find())}


@blueprint.get("/cart")
def show() -> AnyResponse:
    """The whole cart, or its drawer for htmx."""
    view = basket.view(_find(), _customer())
    return page_or_fragment(
        "cart/show.html",
        "cart/_drawer.html",
        cart=view,
        canceled=request.args.get("canceled") == "1",
        removed=_removed(view),
        since=request.args.get("since"),
    )


@blueprint.post("/cart/items")
@limited("cart")
def create_item() -> AnyResponse:
    """Add a course. Anonymous pages are cached without a token, so the origin is checked instead."""
    require_same_origin()
    course_id = required_id(request.form.get("course_id"), "course_id")
    with transaction():
        course = courses.get(course_id)
        basket.add(_open(), course, _customer(), since=place(request.form.get("since")))
    return fragments(
        "cart/create_item.htmx.html",
        fallback=safe_path(request.form.get("next"), url_for("cart.show")),
        message=_("“%(title)s” is in your cart.", title=course.title),
        course=course,
        cart_count=basket.count(_find()),
        undo=request.form.get("undo"),
        restored=course.id,
        cart=basket.view(_find(), _customer()) if "undo" in request.form else None,
    )


@blueprint.post("/cart/removals")
@limited("cart")
def create_removal() -> AnyResponse:
    """Take a course out; the answer offers to put it back."""
    item_id = required_id(request.form.get("item_id"), "item_id")
    with transaction():
        item = basket.remove(_open(), item_id)
        removed = courses.get(item.course_id)
        since = item.added_at.isoformat()
    view = basket.view(_find(), _customer())
    return fragments(
        "cart/create_removal.htmx.html",
        fallback=url_for("cart.show", removed=removed.id, since=since),
        cart=view,
        removed=removed,
        since=since,
        on_page=request.form.get("on_page") == "1",
        cart_count=len(view.lines),
    )


def _removed(view: basket.CartView) -> Course | None:
    """What has just left a cart without JavaScript, and may be put back."""
    course_id = parse_id(request.args.get("removed", ""))
    if course_id is None or course_id in {line.course_id for line in view.lines}:
        return None
    course = courses.find(course_id)
    return course if course is not None and courses.is_for_sale(course) else None


def _customer() -> Customer | None:
    return current_user._get_current_object() if current_user.is_authenticated else None


def _find() -> Cart | None:
    customer = _customer()
    if customer is not None:
        return basket.find(customer_id=customer.id)
    return basket.find(guest_hash=sessions.guest_cart_hash())


def _open() -> Cart:
    customer = _customer()
    if customer is not None:
        return basket.of_customer(customer.id)
    guest = sessions.guest_cart_hash(create=True)
    assert guest is not None
    return basket.of_guest(guest)


@user_logged_in.connect
def _merge(_app: Flask, user: Customer, **_more: Any) -> None:
    guest = sessions.guest_cart_hash()
    if guest is None:
        return
    with transaction():
        basket.merge(guest, user)
    sessions.drop_guest_cart()
