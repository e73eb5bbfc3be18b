"""Refunds: whole or in part, never more than was paid, and sometimes failing days later."""

import time

from . import balance, events, listing, money, params
from . import objects as shapes
from .calls import PAGING, Call, Route
from .errors import Refused, bad_parameter
from .store import Object, Transaction

REASONS = ("duplicate", "fraudulent", "requested_by_customer")
_BANK_TAKES = 1.0


def create(call: Call) -> Object:
    charge = _charge_to_refund(call)
    amount = _amount_to_refund(call.tx, charge, call.params.get("amount"))
    metadata = params.merged({}, call.params.get("metadata", {}))
    return _give_back(call.tx, charge, shapes.refund(charge, amount, call.params.get("reason"), metadata))


def refund_rest(tx: Transaction, charge: Object) -> Object:
    """As by a click in Stripe's dashboard."""
    _check_paid(charge)
    amount = _amount_to_refund(tx, charge, None)
    return _give_back(tx, charge, shapes.refund(charge, amount, "requested_by_customer", {}))


def _give_back(tx: Transaction, charge: Object, refund: Object) -> Object:
    behaviour = tx.private(charge["id"]).get("refunds")
    pends = behaviour == "pend" or charge["payment_method_details"]["type"] != "card"
    refund["status"] = "pending" if pends else "succeeded"
    refund["balance_transaction"] = balance.record_refund(tx, refund, -refund["amount"])["id"]
    tx.put(refund)
    events.emit(tx, "refund.created", refund)
    previous = {"amount_refunded": charge["amount_refunded"], "refunded": charge["refunded"]}
    _change_refunded(tx, charge, refund["amount"])
    events.emit(tx, "charge.refunded", charge, previous)
    if pends:
        tx.later(time.time() + _BANK_TAKES, "settle_refund", refund["id"])
    else:
        _give_reference(tx, refund)
    if behaviour == "fail":
        tx.later(time.time() + _BANK_TAKES, "fail_refund", refund["id"])
    return refund


def settle(tx: Transaction, refund_id: str) -> None:
    refund = tx.find(refund_id, "refund")
    if refund is not None and refund["status"] == "pending":
        refund["status"] = "succeeded"
        _updated(tx, refund, {"status": "pending"})


def fail(tx: Transaction, refund: Object, reason: str = "lost_or_stolen_card") -> Object:
    """The bank sends the money back, which can come after `succeeded`."""
    if refund["status"] not in ("pending", "succeeded"):
        raise Refused(f"This refund has already {refund['status']}.")
    previous = {"status": refund["status"]}
    refund["status"] = "failed"
    refund["failure_reason"] = reason
    refund["failure_balance_transaction"] = balance.record_refund(tx, refund, refund["amount"])["id"]
    charge = tx.get(refund["charge"], "charge")
    _change_refunded(tx, charge, -refund["amount"])
    _updated(tx, refund, previous)
    events.emit(tx, "refund.failed", refund)
    return refund


def fail_later(tx: Transaction, refund_id: str) -> None:
    refund = tx.find(refund_id, "refund")
    if refund is not None and refund["status"] in ("pending", "succeeded"):
        fail(tx, refund)


def _charge_to_refund(call: Call) -> Object:
    if ("charge" in call.params) == ("payment_intent" in call.params):
        if "charge" in call.params:
            raise bad_parameter("You may only specify one of these parameters: charge, payment_intent.")
        raise bad_parameter(
            "One of the following params should be provided for this request: payment_intent or charge."
        )
    if "charge" in call.params:
        charge = call.tx.get(call.params["charge"], "charge", "charge")
    else:
        intent = call.tx.get(call.params["payment_intent"], "payment_intent", "payment_intent")
        latest = intent["latest_charge"] and call.tx.get(intent["latest_charge"], "charge")
        if not latest or intent["status"] != "succeeded":
            raise Refused(
                f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
                param="payment_intent",
            )
        charge = latest
    _check_paid(charge)
    return charge


def _check_paid(charge: Object) -> None:
    if charge["status"] != "succeeded":
        raise Refused(f"Charge {charge['id']} is not captured and cannot be refunded.", code="charge_not_refundable")


def _amount_to_refund(tx: Transaction, charge: Object, wanted: int | None) -> int:
    left = charge["amount"] - charge["amount_refunded"]
    if left == 0:
        raise Refused(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    if any(not dispute["is_charge_refundable"] for dispute in _live_disputes(tx, charge)):
        raise Refused(f"Charge {charge['id']} has been charged back; cannot issue a refund.", code="charge_disputed")
    amount = left if wanted is None else wanted
    if amount > left:
        currency = charge["currency"]
        known = (
            f"charge amount ({money.written(charge['amount'], currency)})"
            if left == charge["amount"]
            else f"unrefunded amount on charge ({money.written(left, currency)})"
        )
        raise Refused(f"Refund amount ({money.written(amount, currency)}) is greater than {known}", param="amount")
    return amount


def _live_disputes(tx: Transaction, charge: Object) -> list[Object]:
    """A dispute that was won no longer stands in the way."""
    return [found for found in tx.matching("dispute", charge=charge["id"]) if found["status"] != "won"]


def _change_refunded(tx: Transaction, charge: Object, amount: int) -> None:
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    tx.put(charge)


def _give_reference(tx: Transaction, refund: Object) -> None:
    card = refund["destination_details"]["card"]
    previous = {"destination_details": {"card": {"reference_status": "pending"}}}
    card |= {
        "reference": "".join(str(ord(letter) % 10) for letter in refund["id"][-13:]),
        "reference_status": "available",
    }
    _updated(tx, refund, previous)


def _updated(tx: Transaction, refund: Object, previous: Object) -> None:
    tx.put(refund)
    events.emit(tx, "refund.updated", refund, previous)
    events.emit(tx, "charge.refund.updated", refund, previous)


def retrieve(call: Call) -> Object:
    return call.tx.get(call.id, "refund")


def update(call: Call) -> Object:
    refund = call.tx.get(call.id, "refund")
    previous = {"metadata": refund["metadata"]}
    refund["metadata"] = params.merged(refund["metadata"], call.params.get("metadata", {}))
    _updated(call.tx, refund, previous)
    return refund


def index(call: Call) -> Object:
    return listing.page(call, "refund", {"charge": "$.charge", "payment_intent": "$.payment_intent"})


ROUTES = (
    Route(
        "POST",
        "/v1/refunds",
        create,
        {
            "amount": params.integer(1),
            "charge": params.text(255),
            "metadata": params.metadata,
            "payment_intent": params.text(255),
            "reason": params.choice(*REASONS),
        },
    ),
    Route("GET", "/v1/refunds", index, {**PAGING, "charge": params.text(255), "payment_intent": params.text(255)}),
    Route("GET", "/v1/refunds/{id}", retrieve),
    Route("POST", "/v1/refunds/{id}", update, {"metadata": params.metadata}),
)
