"""Checkout and the way back from Stripe."""

from uuid import UUID

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from coursehub.courses import queries as courses
from coursehub.entitlements import queries as rights
from coursehub.infra.payments import NoSuchObject
from coursehub.infra.services import services
from coursehub.kernel.db import transaction
from coursehub.kernel.errors import NotFound, Unavailable
from coursehub.orders import lifecycle
from coursehub.orders import queries as orders
from coursehub.orders.checkout import EmptyCart, NotVerified, PriceChanged
from coursehub.payments import confirmation, sessions
from coursehub.web.auth import login_required
from coursehub.web.hypermedia import see_other
from coursehub.web.limits import limited_for_person

blueprint = Blueprint("payments", __name__)


@blueprint.post("/checkout")
@login_required
@limited_for_person("checkout")
def create_checkout() -> AnyResponse:
    """Send the buyer to the payment page, or straight to the receipt when nothing is due."""
    shown = request.form.get("total_cents", "")
    try:
        link = sessions.open_checkout(
            current_user.id,
            gateway=services().gateway,
            base_url=current_app.config["SETTINGS"].base_url,
            expected_cents=int(shown) if shown.isascii() and shown.isdigit() and len(shown) < 10 else None,
        )
    except NotVerified as refusal:
        return see_other("/account/verify?next=/cart", refusal.sentence, "warning")
    except (PriceChanged, EmptyCart) as refusal:
        return see_other(url_for("cart.show"), refusal.sentence, "warning")
    return see_other(link.url or url_for("payments.thanks", order_id=link.order_id))


@blueprint.get("/checkout/return")
@login_required
def return_from_stripe() -> AnyResponse:
    """Back from Stripe. The query proves nothing: the session must be this buyer's, and Stripe is asked."""
    session_id = request.args.get("session_id", "")
    order = orders.by_session(session_id) if session_id else None
    if order is None or order.customer_id != current_user.id:
        raise NotFound("There is no such order.")
    if not order.is_paid:
        _confirm(order.id, session_id)
    return redirect(url_for("payments.thanks", order_id=order.id), 303)


def _confirm(order_id: UUID, session_id: str) -> None:
    with transaction():
        if not lifecycle.may_ask(order_id):
            return  # another tab or the clock has just asked
    try:
        checkout = services().gateway.get_checkout(session_id)
    except (Unavailable, NoSuchObject):
        return  # the webhook or the clock will bring it; the page says so meanwhile
    with transaction():
        confirmation.settle(order_id, checkout, cause="return page", actor="return page")


@blueprint.get("/orders/<uuid:order_id>/thanks")
@login_required
def thanks(order_id: UUID) -> str:
    """The receipt screen: what was bought, how to read it, what happens next."""
    order = orders.order_or_404(order_id, owner=current_user.id)
    items = orders.items_of(order.id)
    return render_template(
        "orders/thanks.html",
        order=order,
        items=items,
        purchases=rights.of_order(order.id),
        buyer=current_user,
        related=_related(items[0].course_id) if order.is_paid and items else None,
    )


@blueprint.get("/orders/<uuid:order_id>/status")
@login_required
def status(order_id: UUID) -> str | AnyResponse:
    """The polled part of the receipt screen; comes back without a trigger once the order is settled."""
    order = orders.order_or_404(order_id, owner=current_user.id)
    if request.headers.get("HX-Request") != "true":
        return redirect(url_for("payments.thanks", order_id=order.id), 303)
    if order.status == "purchase_started" and order.stripe_checkout_session_id and not order.flag:
        _confirm(order.id, order.stripe_checkout_session_id)
        order = orders.order_or_404(order_id, owner=current_user.id)
    return render_template(
        "orders/_payment_status.html",
        order=order,
        items=orders.items_of(order.id),
        purchases=rights.of_order(order.id),
        buyer=current_user,
    )


def _related(course_id: UUID) -> str | None:
    """Where more courses like this one are listed: asked for once the page stands, so that it never waits for them."""
    course = courses.find(course_id)
    if course is None or not course.is_public or "catalog.related" not in current_app.view_functions:
        return None
    return url_for("catalog.related", slug=course.slug)
