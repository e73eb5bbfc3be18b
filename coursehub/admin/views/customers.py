"""Customers: found, looked at, banned and let back."""

from typing import Any
from uuid import UUID

from flask import Response, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from coursehub.accounts.models import STATUSES, Customer
from coursehub.admin import bans, queries
from coursehub.admin.forms import ReasonForm
from coursehub.admin.views.blueprint import blueprint, chosen, staff, turn, words
from coursehub.kernel.db import transaction
from coursehub.kernel.errors import NotFound
from coursehub.web.extensions import client_address
from coursehub.web.hypermedia import respond, see_other


@blueprint.get("/customers")
def customer_list() -> str:
    """All customers, newest first; by whole address, by the beginning of a name."""
    status, q = chosen("status", STATUSES), words("q")
    page = queries.customers(words=q, status=status, cursor=words("cursor"))
    return render_template(
        "admin/customers/index.html",
        page=page,
        status=status,
        statuses=STATUSES,
        q=q,
        **turn("admin.customer_list", page.next_cursor, status=status, q=q),
    )


@blueprint.get("/customers/<uuid:customer_id>")
def customer(customer_id: UUID) -> Response:
    """One customer."""
    return _show(customer_id)


@blueprint.post("/customers/<uuid:customer_id>/bans")
def create_ban(customer_id: UUID) -> AnyResponse:
    """Ban them: signed out everywhere, no more buying and selling."""
    form = ReasonForm(prefix="ban-")
    if not form.validate():
        return _show(customer_id, 422, form=form)
    with transaction() as session:
        banned = bans.ban(_get(session, customer_id), staff(), form.reason.data, ip=client_address())
    return see_other(_page(customer_id), _("%(name)s is banned and signed out everywhere.", name=banned.name))


@blueprint.post("/customers/<uuid:customer_id>/ban-removals")
def create_ban_removal(customer_id: UUID) -> AnyResponse:
    """Let them back."""
    form = ReasonForm(prefix="ban-")
    if not form.validate():
        return _show(customer_id, 422, form=form)
    with transaction() as session:
        free = bans.unban(_get(session, customer_id), staff(), form.reason.data, ip=client_address())
    return see_other(_page(customer_id), _("%(name)s may buy and sell again.", name=free.name))


def _get(session: Any, customer_id: UUID) -> Customer:
    found: Customer | None = session.get(Customer, customer_id)
    if found is None:
        raise NotFound("There is no such customer.")
    return found


def _page(customer_id: UUID) -> str:
    return url_for("admin.customer", customer_id=customer_id)


def _show(customer_id: UUID, status: int = 200, form: ReasonForm | None = None) -> Response:
    page = render_template(
        "admin/customers/show.html",
        person=queries.person(customer_id),
        orders=queries.orders_of(customer_id),
        records=queries.audit_of("customer", customer_id),
        is_me=customer_id == staff().id,
        form=form or ReasonForm(formdata=None, prefix="ban-"),
    )
    return respond(page, status)
