"""Balance transactions: what each charge, refund and dispute did to the balance."""

from . import listing, money, objects, params
from .calls import PAGING, Call, Route
from .store import Object, Transaction


def record_charge(tx: Transaction, charge: Object) -> Object:
    kind = "charge" if charge["payment_method_details"]["type"] == "card" else "payment"
    entry = objects.balance_transaction(
        kind, charge, charge["amount"], money.fee(charge["amount"], charge["currency"]), charge["description"]
    )
    tx.put(entry)
    return entry


def record_refund(tx: Transaction, refund: Object, amount: int) -> Object:
    """Stripe keeps its fee when a payment is refunded; a failed refund comes back with the sign turned."""
    kind = "refund" if amount < 0 else "refund_failure"
    entry = objects.balance_transaction(kind, refund, amount, 0, f"REFUND FOR CHARGE {refund['charge']}")
    tx.put(entry)
    return entry


def record_dispute(tx: Transaction, dispute: Object, amount: int, fee: int) -> Object:
    what = "withdrawal" if amount < 0 else "reversal"
    entry = objects.balance_transaction(
        "adjustment", dispute, amount, fee, f"Chargeback {what} for {dispute['charge']}"
    )
    entry["reporting_category"] = "dispute" if amount < 0 else "dispute_reversal"
    tx.put(entry)
    return entry


def retrieve(call: Call) -> Object:
    return call.tx.get(call.id, "balance_transaction")


def index(call: Call) -> Object:
    filters = {"source": "$.source", "type": "$.type", "currency": "$.currency"}
    return listing.page(call, "balance_transaction", filters)


ROUTES = (
    Route(
        "GET",
        "/v1/balance_transactions",
        index,
        {**PAGING, "source": params.text(255), "type": params.text(100), "currency": params.currency},
    ),
    Route("GET", "/v1/balance_transactions/{id}", retrieve),
)
