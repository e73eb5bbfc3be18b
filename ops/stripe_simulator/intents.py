"""PaymentIntents and payment methods in the API; the intents themselves are made by Checkout Sessions."""

from . import events, listing, params, payments
from .calls import PAGING, Call, Route
from .errors import Refused
from .store import Object

_REASONS = ("abandoned", "duplicate", "fraudulent", "requested_by_customer")
_CANCELABLE = ("requires_payment_method", "requires_capture", "requires_confirmation", "requires_action", "processing")


def retrieve(call: Call) -> Object:
    return call.tx.get(call.id, "payment_intent", "intent")


def update(call: Call) -> Object:
    intent = call.tx.get(call.id, "payment_intent", "intent")
    changes = dict(call.params)
    if "metadata" in changes:
        changes["metadata"] = params.merged(intent["metadata"], changes["metadata"])
    intent |= changes
    call.tx.put(intent)
    return intent


def cancel(call: Call) -> Object:
    intent = call.tx.get(call.id, "payment_intent", "intent")
    if intent["status"] not in _CANCELABLE:
        raise Refused(
            f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}. Only a PaymentIntent "
            f"with one of the following statuses may be canceled: {', '.join(_CANCELABLE)}.",
            code="payment_intent_unexpected_state",
            extra={"payment_intent": intent},
        )
    sessions = call.tx.matching("checkout.session", payment_intent=intent["id"])
    if any(session["status"] == "open" for session in sessions):
        raise Refused(
            "You cannot cancel this PaymentIntent because it was created by a Checkout Session that is still open. "
            "Expire the Checkout Session instead.",
            code="payment_intent_unexpected_state",
            extra={"payment_intent": intent},
        )
    charge = intent["latest_charge"] and call.tx.get(intent["latest_charge"], "charge")
    if charge and charge["status"] == "pending":
        charge |= {"status": "failed", "failure_code": "payment_intent_canceled"}
        charge["failure_message"] = "The payment was canceled before the bank answered."
        call.tx.put(charge)
        events.emit(call.tx, "charge.failed", charge)
    canceled = payments.cancel_intent(call.tx, intent, call.params.get("cancellation_reason"))
    for session in sessions:
        if session["status"] == "complete" and session["payment_status"] == "unpaid":
            events.emit(call.tx, "checkout.session.async_payment_failed", session)
    return canceled


def index(call: Call) -> Object:
    return listing.page(call, "payment_intent", {"customer": "$.customer"})


def retrieve_method(call: Call) -> Object:
    return call.tx.get(call.id, "payment_method", "payment_method")


ROUTES = (
    Route("GET", "/v1/payment_intents", index, {**PAGING, "customer": params.text(255)}),
    Route("GET", "/v1/payment_intents/{id}", retrieve, {"client_secret": params.text(255)}),
    Route(
        "POST",
        "/v1/payment_intents/{id}",
        update,
        {
            "description": params.clearable(1000),
            "metadata": params.metadata,
            "receipt_email": lambda value, name: None if value == "" else params.email(value, name),
            "transfer_group": params.text(),
        },
    ),
    Route("POST", "/v1/payment_intents/{id}/cancel", cancel, {"cancellation_reason": params.choice(*_REASONS)}),
    Route("GET", "/v1/payment_methods/{id}", retrieve_method),
)
