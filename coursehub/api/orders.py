"""My orders and their downloads."""

from typing import Any
from urllib.parse import urljoin
from uuid import UUID

from flask import current_app, request

from coursehub.api.blueprint import answer, caller, operation
from coursehub.api.schemas import DownloadBody, DownloadGranted, Listed, Once, OrderPath, OrderShown, OrdersQuery
from coursehub.entitlements import queries as rights
from coursehub.infra.services import services
from coursehub.kernel.db import release, transaction
from coursehub.kernel.errors import Conflict, NotFound
from coursehub.kernel.ids import new_token
from coursehub.library import downloads, files
from coursehub.orders import policies, queries
from coursehub.orders.models import Order
from coursehub.orders.queries import OrderWithLines
from coursehub.web.extensions import client_address
from coursehub.web.idempotency import idempotent
from coursehub.web.limits import spend

TAG = "orders"


@operation("get", "/orders", tag=TAG, answers={200: Listed[OrderShown]})
def list_orders(query: OrdersQuery) -> Any:
    """My orders, newest first."""
    page = queries.of_customer(caller().id, status=query.status or None, cursor=query.cursor, limit=query.limit)
    return answer(Listed(items=[OrderShown.of(found) for found in page.items], next_cursor=page.next_cursor))


@operation("get", "/orders/<uuid:order_id>", tag=TAG, answers={200: OrderShown})
def show_order(path: OrderPath) -> Any:
    """One order with its lines as they were."""
    order = _visible(path.order_id)
    return answer(OrderShown.of(OrderWithLines(order, tuple(queries.items_of(order.id)))))


@operation("post", "/orders/<uuid:order_id>/download", tag=TAG, answers={200: DownloadGranted})
@idempotent(lambda: f"customer:{caller().id}")
def create_download(path: OrderPath, header: Once, body: DownloadBody) -> Any:
    """Use one of the five downloads of a course's version.

    The `url` opens for its owner for 24 hours, any number of times, with this bearer token or in a signed-in
    browser. The same `Idempotency-Key` is the same download. All used: 409; revoked or on hold: 403; storage away:
    503, and nothing is counted.
    """
    spend("download", f"customer {caller().id}")
    order = queries.order_or_404(path.order_id, owner=caller().id)
    purchase = rights.of_order(order.id).get(body.course_id)
    if purchase is None:
        if any(item.course_id == body.course_id for item in queries.items_of(order.id)):
            raise Conflict("This order is not paid yet.")
        raise NotFound("This course is not part of the order.")
    version = downloads.version_for(purchase)
    release()
    files.check(services().storage, version)
    with transaction():
        granted = downloads.grant(
            purchase,
            version,
            nonce=header.idempotency_key or new_token(),
            ip=client_address(),
            user_agent=request.headers.get("User-Agent", ""),
        )
    url = urljoin(current_app.config["SETTINGS"].base_url, f"/d/{granted.token}")
    return answer(DownloadGranted(url=url, expires_at=granted.grant.expires_at, downloads_left=granted.left))


def _visible(order_id: UUID) -> Order:
    """The order, for its buyer and staff; for others there is none."""
    order = queries.find(order_id)
    if order is None or not policies.may_see(caller(), order):
        raise NotFound("There is no such order.")
    return order
