"""Customers: create, change, list, delete."""

from typing import Any

from . import events, listing, objects, params
from .calls import PAGING, Call, Route
from .store import Object

_ADDRESS = params.group(
    {name: params.clearable(500) for name in ("city", "country", "line1", "line2", "postal_code", "state")}
)
_SHAPE: params.Shape = {
    "address": lambda value, name: None if value == "" else _whole_address(_ADDRESS(value, name)),
    "description": params.clearable(),
    "email": lambda value, name: None if value == "" else params.email(value, name),
    "metadata": params.metadata,
    "name": params.clearable(256),
    "phone": params.clearable(20),
    "preferred_locales": params.several(params.text(20)),
    "tax_exempt": params.choice("exempt", "none", "reverse"),
}


def create(call: Call) -> Object:
    customer = objects.customer(call.params | {"metadata": params.merged({}, call.params.get("metadata", {}))})
    call.tx.put(customer)
    events.emit(call.tx, "customer.created", customer)
    return customer


def retrieve(call: Call) -> Object:
    customer = call.tx.find(call.id, "customer")
    if customer is None and call.tx.setting(f"deleted {call.id}"):
        return {"id": call.id, "object": "customer", "deleted": True}
    return customer or call.tx.get(call.id, "customer")


def update(call: Call) -> Object:
    customer = call.tx.get(call.id, "customer")
    changes: dict[str, Any] = dict(call.params)
    if "metadata" in changes:
        changes["metadata"] = params.merged(customer["metadata"], changes["metadata"]) if changes["metadata"] else {}
    previous = {name: customer[name] for name, value in changes.items() if customer[name] != value}
    customer.update(changes)
    call.tx.put(customer)
    if previous:
        events.emit(call.tx, "customer.updated", customer, previous)
    return customer


def delete(call: Call) -> Object:
    customer = call.tx.get(call.id, "customer")
    call.tx.remove(customer["id"])
    call.tx.keep_setting(f"deleted {customer['id']}", True)
    events.emit(call.tx, "customer.deleted", customer)
    return {"id": customer["id"], "object": "customer", "deleted": True}


def index(call: Call) -> Object:
    return listing.page(call, "customer", {"email": "$.email"})


def _whole_address(given: dict[str, Any]) -> Object:
    return {name: given.get(name) for name in ("city", "country", "line1", "line2", "postal_code", "state")}


ROUTES = (
    Route("POST", "/v1/customers", create, _SHAPE),
    Route("GET", "/v1/customers", index, {**PAGING, "email": params.text(800)}),
    Route("GET", "/v1/customers/{id}", retrieve),
    Route("POST", "/v1/customers/{id}", update, _SHAPE),
    Route("DELETE", "/v1/customers/{id}", delete),
)
