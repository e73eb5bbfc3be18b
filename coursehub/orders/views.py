"""My orders."""

from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from coursehub.entitlements import queries as rights
from coursehub.orders import queries
from coursehub.web.auth import login_required
from coursehub.web.hypermedia import is_fragment, page_or_fragment, respond

blueprint = Blueprint("orders", __name__)
RECENT = 4


@blueprint.get("/orders")
@login_required
def index() -> AnyResponse:
    """My orders, newest first."""
    page = queries.of_customer(current_user.id, cursor=request.args.get("cursor"))
    return page_or_fragment("orders/index.html", "orders/_list.html", page=page)


@blueprint.get("/orders/recent")
@login_required
def recent() -> AnyResponse:
    """My last orders, for a hole in the account page; on its own the address leads to all of them."""
    if not is_fragment():
        return redirect(url_for("orders.index"), 303)
    page = queries.of_customer(current_user.id, limit=RECENT)
    return respond(render_template("orders/_recent.html", page=page))


@blueprint.get("/orders/<uuid:order_id>")
@login_required
def show(order_id: UUID) -> str:
    """One order with its lines as they were; paid, it is the receipt, and prints as one."""
    order = queries.order_or_404(order_id, owner=current_user.id)
    return render_template(
        "orders/show.html",
        order=order,
        items=queries.items_of(order.id),
        purchases=rights.of_order(order.id),
        buyer=current_user,
    )
