"""My orders."""

from uuid import UUID

from flask import Blueprint, render_template, request
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from coursehub.entitlements import queries as rights
from coursehub.orders import queries
from coursehub.web.auth import login_required
from coursehub.web.hypermedia import page_or_fragment

blueprint = Blueprint("orders", __name__)


@blueprint.get("/orders")
@login_required
def index() -> AnyResponse:
    """My orders, newest first."""
    page = queries.of_customer(current_user.id, cursor=request.args.get("cursor"))
    return page_or_fragment("orders/index.html", "orders/_list.html", page=page)


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
