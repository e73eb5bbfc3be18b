"""Disputes and early fraud warnings: how a bank takes a payment back, step by step."""

import time

from . import balance, events, listing, money, objects, params
from .calls import PAGING, Call, Route
from .errors import Refused
from .store import Object, Transaction

STATUSES = (
    "needs_response",
    "under_review",
    "won",
    "lost",
    "warning_needs_response",
    "warning_under_review",
    "warning_closed",
    "prevented",
)
REASONS = (
    "fraudulent",
    "product_not_received",
    "product_unacceptable",
    "duplicate",
    "credit_not_processed",
    "subscription_canceled",
    "unrecognized",
    "general",
)
_CLOSED = ("won", "lost", "warning_closed", "prevented")
_MONEY_IS_GONE = ("needs_response", "under_review", "lost")
_FEE = 1500
_REVIEW_TAKES = 1.0


def bring_to(
    tx: Transaction, charge: Object, status: str, *, amount: int | None = None, reason: str | None = None
) -> Object:
    """Opens the charge's dispute in this status, or moves the one it has."""
    known = tx.matching("dispute", charge=charge["id"])
    if not known:
        return _open(tx, charge, status, amount or charge["amount"], reason or "fraudulent")
    dispute = known[-1]
    if reason is not None:
        dispute["reason"] = reason
    return _move(tx, dispute, status)


def warn_of_fraud(tx: Transaction, charge: Object) -> Object:
    warning = objects.early_fraud_warning(charge)
    tx.put(warning)
    events.emit(tx, "radar.early_fraud_warning.created", warning)
    return warning


def _open(tx: Transaction, charge: Object, status: str, amount: int, reason: str) -> Object:
    if charge["status"] != "succeeded":
        raise Refused("Only a successful charge can be disputed.")
    if amount > charge["amount"]:
        limit = money.written(charge["amount"], charge["currency"])
        raise Refused(f"The disputed amount cannot be more than the charge of {limit}.", param="amount")
    charge["disputed"] = True
    tx.put(charge)
    opening = status if status in ("warning_needs_response", "prevented") else _opening(status)
    dispute = objects.dispute(charge, amount, reason, opening)
    tx.put(dispute)
    events.emit(tx, "charge.dispute.created", dispute)
    _move_money(tx, dispute)
    if opening in _CLOSED:
        events.emit(tx, "charge.dispute.closed", dispute)
    return dispute if opening == status else _move(tx, dispute, status)


def _opening(status: str) -> str:
    return "warning_needs_response" if status.startswith("warning_") else "needs_response"


def _move(tx: Transaction, dispute: Object, status: str) -> Object:
    if dispute["status"] == status:
        return dispute
    previous = {"status": dispute["status"], "is_charge_refundable": dispute["is_charge_refundable"]}
    dispute["status"] = status
    dispute["is_charge_refundable"] = status.startswith("warning_")
    tx.put(dispute)
    events.emit(tx, "charge.dispute.closed" if status in _CLOSED else "charge.dispute.updated", dispute, previous)
    _move_money(tx, dispute)
    return dispute


def _move_money(tx: Transaction, dispute: Object) -> None:
    """An inquiry moves nothing; a chargeback takes the money; winning gives it back."""
    withdrawn = sum(entry["amount"] for entry in dispute["balance_transactions"]) < 0
    if dispute["status"] in _MONEY_IS_GONE and not withdrawn:
        entry = balance.record_dispute(tx, dispute, -dispute["amount"], _FEE)
        event = "charge.dispute.funds_withdrawn"
    elif dispute["status"] not in _MONEY_IS_GONE and withdrawn:
        entry = balance.record_dispute(tx, dispute, dispute["amount"], -_FEE)
        event = "charge.dispute.funds_reinstated"
    else:
        return
    dispute["balance_transactions"].append(entry)
    tx.put(dispute)
    events.emit(tx, event, dispute)


def retrieve(call: Call) -> Object:
    return call.tx.get(call.id, "dispute")


def update(call: Call) -> Object:
    dispute = call.tx.get(call.id, "dispute")
    if "evidence" in call.params and dispute["status"] not in ("needs_response", "warning_needs_response"):
        raise Refused("This dispute is no longer open for evidence.", code="dispute_already_closed")
    if "metadata" in call.params:
        dispute["metadata"] = params.merged(dispute["metadata"], call.params["metadata"])
    evidence = call.params.get("evidence", {})
    dispute["evidence"].update(evidence)
    dispute["evidence_details"]["has_evidence"] = any(
        dispute["evidence"][name] for name in objects.EVIDENCE_TEXTS + objects.EVIDENCE_FILES
    )
    call.tx.put(dispute)
    submitted = call.params.get("submit", bool(evidence)) and dispute["evidence_details"]["has_evidence"]
    if submitted and dispute["status"] in ("needs_response", "warning_needs_response"):
        return _submit(call.tx, dispute)
    events.emit(call.tx, "charge.dispute.updated", dispute, {})
    return dispute


def _submit(tx: Transaction, dispute: Object) -> Object:
    dispute["evidence_details"]["submission_count"] += 1
    dispute["evidence_details"]["submission_method"] = "manual"
    inquiry = dispute["status"] == "warning_needs_response"
    dispute = _move(tx, dispute, "warning_under_review" if inquiry else "under_review")
    # As in Stripe's test mode, these two texts decide the case.
    if dispute["evidence"]["uncategorized_text"] in ("winning_evidence", "losing_evidence"):
        tx.later(time.time() + _REVIEW_TAKES, "decide_dispute", dispute["id"])
    return dispute


def decide(tx: Transaction, dispute_id: str) -> None:
    dispute = tx.find(dispute_id, "dispute")
    if dispute is None or dispute["status"] not in ("under_review", "warning_under_review"):
        return
    won = dispute["evidence"]["uncategorized_text"] == "winning_evidence"
    if dispute["status"] == "warning_under_review":
        _move(tx, dispute, "warning_closed" if won else "needs_response")
    else:
        _move(tx, dispute, "won" if won else "lost")


def close(call: Call) -> Object:
    dispute = call.tx.get(call.id, "dispute")
    if dispute["status"] in _CLOSED:
        raise Refused("This dispute is already closed.", code="dispute_already_closed")
    return _move(call.tx, dispute, "lost")


def index(call: Call) -> Object:
    return listing.page(call, "dispute", {"charge": "$.charge", "payment_intent": "$.payment_intent"})


def retrieve_warning(call: Call) -> Object:
    return call.tx.get(call.id, "radar.early_fraud_warning")


def index_warnings(call: Call) -> Object:
    filters = {"charge": "$.charge", "payment_intent": "$.payment_intent"}
    return listing.page(call, "radar.early_fraud_warning", filters)


_BY_PAYMENT: params.Shape = {**PAGING, "charge": params.text(255), "payment_intent": params.text(255)}
_EVIDENCE = params.group(
    dict.fromkeys(objects.EVIDENCE_TEXTS, params.clearable(20_000))
    | dict.fromkeys(objects.EVIDENCE_FILES, params.clearable(255))
)

ROUTES = (
    Route("GET", "/v1/disputes", index, _BY_PAYMENT),
    Route("GET", "/v1/disputes/{id}", retrieve),
    Route(
        "POST",
        "/v1/disputes/{id}",
        update,
        {"evidence": _EVIDENCE, "metadata": params.metadata, "submit": params.boolean},
    ),
    Route("POST", "/v1/disputes/{id}/close", close),
    Route("GET", "/v1/radar/early_fraud_warnings", index_warnings, _BY_PAYMENT),
    Route("GET", "/v1/radar/early_fraud_warnings/{id}", retrieve_warning),
)
