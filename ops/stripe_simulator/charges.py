"""Charges in the API, and the products and prices that checkout made on the way."""

from . import events, listing, params
from .calls import PAGING, Call, Route
from .store import Object


def retrieve(call: Call) -> Object:
    return call.tx.get(call.id, "charge", "charge")


def update(call: Call) -> Object:
    charge = call.tx.get(call.id, "charge", "charge")
    changes = dict(call.params)
    if "metadata" in changes:
        changes["metadata"] = params.merged(charge["metadata"], changes["metadata"])
    previous = {name: charge[name] for name, value in changes.items() if charge[name] != value}
    charge |= changes
    call.tx.put(charge)
    if previous:
        events.emit(call.tx, "charge.updated", charge, previous)
    return charge


def index(call: Call) -> Object:
    filters = {"customer": "$.customer", "payment_intent": "$.payment_intent", "transfer_group": "$.transfer_group"}
    return listing.page(call, "charge", filters)


def index_refunds(call: Call) -> Object:
    call.params["charge"] = call.tx.get(call.id, "charge", "charge")["id"]
    return listing.page(call, "refund", {"charge": "$.charge"})


def retrieve_price(call: Call) -> Object:
    return call.tx.get(call.id, "price", "price")


def retrieve_product(call: Call) -> Object:
    return call.tx.get(call.id, "product")


_FILTERS: params.Shape = dict.fromkeys(("customer", "payment_intent", "transfer_group"), params.text(255))

ROUTES = (
    Route("GET", "/v1/charges", index, {**PAGING, **_FILTERS}),
    Route("GET", "/v1/charges/{id}", retrieve),
    Route(
        "POST",
        "/v1/charges/{id}",
        update,
        {
            "description": params.clearable(1000),
            "fraud_details": params.group({"user_report": params.choice("fraudulent", "safe")}),
            "metadata": params.metadata,
            "receipt_email": lambda value, name: None if value == "" else params.email(value, name),
        },
    ),
    Route("GET", "/v1/charges/{id}/refunds", index_refunds, PAGING),
    Route("GET", "/v1/prices/{id}", retrieve_price),
    Route("GET", "/v1/products/{id}", retrieve_product),
)
