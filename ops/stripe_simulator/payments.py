"""Paying a Checkout Session: what the hosted page sets in motion, with the events in Stripe's order."""

import time
from dataclasses import dataclass
from typing import Any

from . import balance, cards, disputes, events, ids, objects
from .cards import Behaviour, Card
from .errors import Refused
from .store import Object, Transaction


@dataclass(frozen=True)
class Payer:
    """The person at the page, and the addresses and names that the answers are made with."""

    name: str | None
    email: str | None
    public_url: str
    merchant: str


@dataclass(frozen=True)
class Completed:
    event_id: str


@dataclass(frozen=True)
class Challenged:
    """The bank wants to hear from its customer first (3-D Secure)."""

    token: str


@dataclass(frozen=True)
class Declined:
    message: str


def pay_by_card(tx: Transaction, session: Object, card: Card, payer: Payer) -> Completed | Challenged | Declined:
    """The session is open; the caller looked it up in this same transaction."""
    intent = _intent_of(tx, session, payer)
    method = objects.card_method(card, payer.name, payer.email)
    method["customer"] = session["customer"]
    tx.put(method)
    intent |= {"payment_method": method["id"], "next_action": None, "last_payment_error": None}
    if card.behaviour.challenge:
        return _challenge(tx, session, intent, card.behaviour, payer)
    return _charge(tx, session, intent, method, card.behaviour, payer)


def answer_challenge(
    tx: Transaction, session: Object, token: str, *, complete: bool, payer: Payer
) -> Completed | Declined | None:
    """None where the challenge is not, or no longer, the one that is waited for."""
    pending = tx.private(session["id"]).get("challenge")
    if session["status"] != "open" or not pending or pending["token"] != token:
        return None
    tx.keep_private(session["id"], challenge=None)
    intent = tx.get(session["payment_intent"], "payment_intent")
    method = tx.get(intent["payment_method"], "payment_method")
    payer = Payer(pending["name"], pending["email"], payer.public_url, payer.merchant)
    intent["next_action"] = None
    if not complete:
        return _decline(tx, intent, method, None, "authentication_failure")
    behaviour = Behaviour(decline=pending["decline"], challenge=True)
    return _charge(tx, session, intent, method, behaviour, payer)


def pay_by_bank(tx: Transaction, session: Object, payer: Payer, delay: float) -> Completed:
    """A bank debit: the session completes at once, the money comes (or not) after `delay`."""
    kinds = [kind for kind in session["payment_method_types"] if kind in objects.BANK_DEBITS.values()]
    if not kinds:
        raise Refused("This session does not take bank debits.")
    intent = _intent_of(tx, session, payer)
    method = objects.bank_method(kinds[0], payer.name, payer.email)
    method["customer"] = session["customer"]
    tx.put(method)
    charge = _new_charge(tx, intent, method, payer)
    charge["outcome"] = objects.outcome(None) | {"network_status": "not_sent_to_network", "risk_level": "not_assessed"}
    tx.put(charge)
    intent |= {"payment_method": method["id"], "next_action": None, "last_payment_error": None}
    intent |= {"status": "processing", "latest_charge": charge["id"]}
    tx.put(intent)
    events.emit(tx, "payment_intent.processing", intent)
    events.emit(tx, "charge.pending", charge)
    tx.keep_private(session["id"], challenge=None)
    if delay >= 0:
        tx.later(time.time() + delay, "settle_bank_debit", session["id"])
    return _complete(tx, session, "unpaid", payer)


def settle_bank_debit(tx: Transaction, session_id: str, *, succeed: bool = True) -> Object | None:
    """The session once its money came or failed; None where no money is under way."""
    session = tx.find(session_id, "checkout.session")
    intent = session and session["payment_intent"] and tx.get(session["payment_intent"], "payment_intent")
    if not session or not intent or intent["status"] != "processing":
        return None
    charge = tx.get(intent["latest_charge"], "charge")
    if succeed:
        _succeed(tx, intent, charge)
        session["payment_status"] = "paid"
        tx.put(session)
        events.emit(tx, "checkout.session.async_payment_succeeded", session)
    else:
        method = tx.get(intent["payment_method"], "payment_method")
        _decline(tx, intent, method, charge, "insufficient_funds")
        events.emit(tx, "checkout.session.async_payment_failed", session)
    return session


def complete_without_payment(tx: Transaction, session: Object, payer: Payer) -> Completed:
    _ensure_customer(tx, session, payer)
    return _complete(tx, session, "no_payment_required", payer)


def expire(tx: Transaction, session: Object) -> Object:
    session |= {"status": "expired", "url": None}
    tx.put(session)
    tx.keep_private(session["id"], challenge=None)
    if session["payment_intent"]:
        cancel_intent(tx, tx.get(session["payment_intent"], "payment_intent"), "expired")
    events.emit(tx, "checkout.session.expired", session)
    return session


def cancel_intent(tx: Transaction, intent: Object, reason: str | None) -> Object:
    intent |= {
        "status": "canceled",
        "canceled_at": int(time.time()),
        "cancellation_reason": reason,
        "next_action": None,
    }
    tx.put(intent)
    events.emit(tx, "payment_intent.canceled", intent)
    return intent


def _intent_of(tx: Transaction, session: Object, payer: Payer) -> Object:
    """A session has one PaymentIntent, made at the first attempt and used again after a decline."""
    if session["payment_intent"]:
        return tx.get(session["payment_intent"], "payment_intent")
    _ensure_customer(tx, session, payer)
    intent = objects.payment_intent(session, tx.private(session["id"]).get("payment_intent_data", {}))
    tx.put(intent)
    session["payment_intent"] = intent["id"]
    tx.put(session)
    events.emit(tx, "payment_intent.created", intent)
    return intent


def _ensure_customer(tx: Transaction, session: Object, payer: Payer) -> None:
    if session["customer_creation"] == "always" and not session["customer"]:
        customer = objects.customer({"email": payer.email, "name": payer.name})
        tx.put(customer)
        session["customer"] = customer["id"]
        tx.put(session)
        events.emit(tx, "customer.created", customer)


def _challenge(tx: Transaction, session: Object, intent: Object, behaviour: Behaviour, payer: Payer) -> Challenged:
    token = ids.new("challenge")
    address = f"{payer.public_url}/c/pay/{session['id']}/challenge"
    intent |= {
        "status": "requires_action",
        "next_action": {
            "type": "redirect_to_url",
            "redirect_to_url": {"return_url": f"{payer.public_url}/c/pay/{session['id']}", "url": address},
        },
    }
    tx.put(intent)
    pending = {"token": token, "decline": behaviour.decline, "name": payer.name, "email": payer.email}
    tx.keep_private(session["id"], challenge=pending)
    events.emit(tx, "payment_intent.requires_action", intent)
    return Challenged(token)


def _charge(
    tx: Transaction, session: Object, intent: Object, method: Object, behaviour: Behaviour, payer: Payer
) -> Completed | Declined:
    tx.keep_private(session["id"], challenge=None)
    charge = _new_charge(tx, intent, method, payer)
    if behaviour.challenge:
        charge["payment_method_details"]["card"]["three_d_secure"] = dict(_AUTHENTICATED)
    if behaviour.decline:
        return _decline(tx, intent, method, charge, behaviour.decline)
    _succeed(tx, intent, charge)
    completed = _complete(tx, session, "paid", payer)
    _follow_up(tx, charge, behaviour.after)
    return completed


def _new_charge(tx: Transaction, intent: Object, method: Object, payer: Payer) -> Object:
    receipt = f"{payer.public_url}/receipts/{ids.token(32)}"
    charge = objects.charge(intent, method, receipt, payer.merchant.upper()[:22])
    tx.put(charge)
    tx.keep_private(charge["id"], receipt=receipt.rsplit("/", 1)[1])
    return charge


def _succeed(tx: Transaction, intent: Object, charge: Object) -> None:
    charge |= {"status": "succeeded", "paid": True, "captured": True, "amount_captured": charge["amount"]}
    charge["outcome"] = objects.outcome(None)
    tx.put(charge)
    events.emit(tx, "charge.succeeded", charge)
    intent |= {"status": "succeeded", "amount_received": intent["amount"], "latest_charge": charge["id"]}
    tx.put(intent)
    events.emit(tx, "payment_intent.succeeded", intent)
    # The balance entry is made after the capture, so Stripe tells of it in an update.
    charge["balance_transaction"] = balance.record_charge(tx, charge)["id"]
    tx.put(charge)
    events.emit(tx, "charge.updated", charge, {"balance_transaction": None})


def _decline(tx: Transaction, intent: Object, method: Object, charge: Object | None, decline_code: str) -> Declined:
    decline = cards.DECLINES[decline_code]
    reason = decline_code if decline.code == "card_declined" else None
    if charge is not None:
        charge |= {"status": "failed", "failure_code": decline.code, "failure_message": decline.message}
        charge["outcome"] = objects.outcome(decline_code)
        tx.put(charge)
        intent["latest_charge"] = charge["id"]
        events.emit(tx, "charge.failed", charge)
    error: dict[str, Any] = {
        "charge": charge["id"] if charge else None,
        "code": decline.code,
        "decline_code": reason,
        "doc_url": f"https://docs.stripe.com/error-codes#{decline.code.replace('_', '-')}",
        "message": decline.message,
        "payment_method": method,
        "type": "card_error" if charge is not None else "invalid_request_error",
    }
    intent |= {"status": "requires_payment_method", "payment_method": None}
    intent["last_payment_error"] = {name: value for name, value in error.items() if value is not None}
    tx.put(intent)
    events.emit(tx, "payment_intent.payment_failed", intent)
    return Declined(decline.message)


def _complete(tx: Transaction, session: Object, payment_status: str, payer: Payer) -> Completed:
    session |= {"status": "complete", "payment_status": payment_status, "url": None}
    session["customer_details"] = objects.customer_details(payer.email, payer.name)
    if session["automatic_tax"]["enabled"]:
        session["automatic_tax"]["status"] = "complete"
    tx.put(session)
    return Completed(events.emit(tx, "checkout.session.completed", session)["id"])


def _follow_up(tx: Transaction, charge: Object, what: str | None) -> None:
    if what == "dispute_fraudulent":
        disputes.bring_to(tx, charge, "needs_response", reason="fraudulent")
    elif what == "dispute_not_received":
        disputes.bring_to(tx, charge, "needs_response", reason="product_not_received")
    elif what == "inquiry":
        disputes.bring_to(tx, charge, "warning_needs_response", reason="fraudulent")
    elif what == "fraud_warning":
        disputes.warn_of_fraud(tx, charge)
    elif what in ("refund_fails", "refund_pends"):
        tx.keep_private(charge["id"], refunds="fail" if what == "refund_fails" else "pend")


_AUTHENTICATED = {
    "authentication_flow": "challenge",
    "electronic_commerce_indicator": "05",
    "exemption_indicator": None,
    "result": "authenticated",
    "result_reason": None,
    "transaction_id": "f7a1c2f0-0000-4000-8000-000000000000",
    "version": "2.2.0",
}
