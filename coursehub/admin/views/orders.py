"""Orders: found, told from all sides, put right."""

from typing import Any
from uuid import UUID

from flask import Response, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from coursehub.admin import queries, timeline
from coursehub.admin.forms import DownloadsForm, ReasonForm, ReceiptForm
from coursehub.admin.views.blueprint import blueprint, chosen, note, staff, turn, words
from coursehub.entitlements.models import Purchase
from coursehub.infra.services import services
from coursehub.kernel.db import release, transaction
from coursehub.kernel.errors import Conflict, NotFound
from coursehub.kernel.ids import new_token, parse_id
from coursehub.library import downloads, fulfillment
from coursehub.library.models import LIMIT, DownloadAllowance
from coursehub.orders import lifecycle
from coursehub.orders import queries as orders
from coursehub.orders.models import STATUSES, Order
from coursehub.payments import reconciliation
from coursehub.web.hypermedia import respond, see_other


@blueprint.get("/orders")
def order_list() -> str:
    """All orders, newest first."""
    status, flagged, q = chosen("status", STATUSES), request.args.get("flagged") == "1", words("q")
    page = queries.orders(status=status, flagged=flagged, words=q, cursor=words("cursor"))
    return render_template(
        "admin/orders/index.html",
        page=page,
        status=status,
        statuses=STATUSES,
        flagged=flagged,
        q=q,
        **turn("admin.order_list", page.next_cursor, status=status, flagged="1" if flagged else "", q=q),
    )


@blueprint.get("/orders/<uuid:order_id>")
def order(order_id: UUID) -> Response:
    """One order: what was bought, what happened, what can be done."""
    return _show(order_id)


@blueprint.post("/orders/<uuid:order_id>/reconciliations")
def create_reconciliation(order_id: UUID) -> AnyResponse:
    """Ask Stripe now, and apply what it says."""
    form = ReasonForm(prefix="reconcile-")
    if not form.validate():
        return _show(order_id, 422, reconcile_form=form)
    found = _order(order_id)
    before, session_id = found.status, found.stripe_checkout_session_id
    if session_id is None:
        raise Conflict("This order never reached Stripe: there is nothing to ask.")
    release()
    changed = reconciliation.reconcile(order_id, session_id, services().gateway, actor=f"staff:{staff().id}")
    with transaction():
        after = _order(order_id).status
        note("order.reconciled", "order", order_id, form.reason.data, {"before": before, "after": after})
    said = _("Stripe's answer changed this order.") if changed else _("Stripe says the same as we have.")
    return see_other(_page(order_id), said)


@blueprint.post("/orders/<uuid:order_id>/receipts")
def create_receipt(order_id: UUID) -> AnyResponse:
    """Send the receipt once more."""
    form = ReceiptForm(prefix="receipt-")
    if not form.validate():
        return _show(order_id, 422, receipt_form=form)
    with transaction():
        found = lifecycle.locked(order_id)
        if not found.is_paid:
            raise Conflict("This order is not paid: there is no receipt.")
        fulfillment.send_receipt(found, again=f":{form.nonce.data}")
        note("order.receipt_sent", "order", order_id, form.reason.data)
    return see_other(_page(order_id), _("The receipt is on its way."))


@blueprint.post("/orders/<uuid:order_id>/downloads")
def create_downloads(order_id: UUID) -> AnyResponse:
    """Give more downloads of one course of this order."""
    form = DownloadsForm(prefix=f"downloads-{request.args.get('line', '')}-")
    purchase_id = parse_id(form.purchase_id.data or "")
    if purchase_id is None:
        raise NotFound("There is no such purchase.")
    if not form.validate():
        return _show(order_id, 422, downloads_form=form)
    with transaction() as session:
        purchase = session.scalar(
            select(Purchase).where(Purchase.id == purchase_id, Purchase.order_id == order_id).with_for_update()
        )
        if purchase is None:
            raise NotFound("There is no such purchase.")
        version = downloads.version_for(purchase)
        allowance = session.get(DownloadAllowance, (purchase.id, version.id), populate_existing=True)
        before = allowance.allowed if allowance else LIMIT
        if before != form.allowed.data:
            raise Conflict("Somebody has just given more downloads. Look at the order again.")
        downloads.extend(purchase.id, version.id, form.more.data)
        details = {"purchase": str(purchase.id), "before": before, "after": before + form.more.data}
        note("order.downloads_extended", "order", order_id, form.reason.data, details)
    return see_other(_page(order_id), _("%(number)d more downloads are possible.", number=form.more.data))


@blueprint.post("/orders/<uuid:order_id>/flag-removals")
def create_flag_removal(order_id: UUID) -> AnyResponse:
    """Somebody has looked into what was odd about this order."""
    form = ReasonForm(prefix="flag-")
    if not form.validate():
        return _show(order_id, 422, flag_form=form)
    with transaction():
        found = lifecycle.locked(order_id)
        if found.flag is None:
            raise Conflict("This order is not flagged.")
        note("order.flag_removed", "order", order_id, form.reason.data, {"before": found.flag, "after": None})
        found.flag = None
    return see_other(_page(order_id), _("The flag is taken off."))


def _order(order_id: UUID) -> Order:
    found = orders.find(order_id)
    if found is None:
        raise NotFound("There is no such order.")
    return found


def _page(order_id: UUID) -> str:
    return url_for("admin.order", order_id=order_id)


def _show(order_id: UUID, status: int = 200, **forms: Any) -> Response:
    story = timeline.story(order_id)
    fresh: dict[str, Any] = {
        "reconcile_form": ReasonForm(formdata=None, prefix="reconcile-"),
        "receipt_form": ReceiptForm(formdata=None, prefix="receipt-", nonce=new_token()),
        "flag_form": ReasonForm(formdata=None, prefix="flag-"),
        "downloads_form": None,
    }
    refused = forms.get("downloads_form")
    lines = [
        (
            line,
            refused
            if refused is not None and line.purchase and refused.purchase_id.data == str(line.purchase.id)
            else DownloadsForm(
                formdata=None,
                prefix=f"downloads-{number}-",
                purchase_id=str(line.purchase.id) if line.purchase else "",
                allowed=line.allowed,
            ),
        )
        for number, line in enumerate(story.lines, 1)
    ]
    return respond(
        render_template("admin/orders/show.html", story=story, order=story.order, lines=lines, **(fresh | forms)),
        status,
    )
