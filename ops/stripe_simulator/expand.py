"""The `expand` parameter: ids in an answer replaced by the objects that they name."""

import copy
from collections.abc import Callable
from typing import Any

from . import listing
from .errors import bad_parameter
from .store import Object, Transaction

MAX_DEPTH = 4


def expanded(tx: Transaction, answer: Object, paths: list[str]) -> Object:
    answer = copy.deepcopy(answer)
    for path in paths:
        parts = path.split(".")
        if len(parts) > MAX_DEPTH + 1:
            raise bad_parameter(
                f"You cannot expand more than {MAX_DEPTH} levels of a property. Property: {path}", "expand"
            )
        _expand(tx, answer, parts, path)
    return answer


def _expand(tx: Transaction, node: Object, parts: list[str], path: str) -> None:
    name, rest = parts[0], parts[1:]
    if node.get("object") == "list":
        if name != "data" or not rest:
            raise _not_expandable(path)
        for entry in node["data"]:
            _expand(tx, entry, rest, path)
        return
    included = _INCLUDED.get((str(node.get("object")), name))
    if included is not None:
        if not isinstance(node.get(name), dict):
            node[name] = included(tx, node)
    elif name not in node or not _may_expand(node, name):
        raise _not_expandable(path)
    elif isinstance(node[name], str):
        node[name] = tx.find(node[name]) or node[name]
    if rest and isinstance(node.get(name), dict):
        _expand(tx, node[name], rest, path)


def line_items(tx: Transaction, session: Object) -> list[Object]:
    items: list[Object] = tx.private(session["id"]).get("line_items", [])
    return items


def _line_item_list(tx: Transaction, session: Object) -> Object:
    return listing.of(line_items(tx, session), f"/v1/checkout/sessions/{session['id']}/line_items")


def _refund_list(tx: Transaction, charge: Object) -> Object:
    refunds = list(reversed(tx.matching("refund", charge=charge["id"])))
    return listing.of(refunds[:10], f"/v1/charges/{charge['id']}/refunds", has_more=len(refunds) > 10)


_INCLUDED: dict[tuple[str, str], Callable[[Transaction, Object], Object]] = {
    ("checkout.session", "line_items"): _line_item_list,
    ("charge", "refunds"): _refund_list,
}
_REFERENCES = {
    "checkout.session": {"customer", "payment_intent"},
    "payment_intent": {"customer", "latest_charge", "payment_method"},
    "charge": {"balance_transaction", "customer", "payment_intent", "failure_balance_transaction"},
    "refund": {"balance_transaction", "charge", "payment_intent", "failure_balance_transaction"},
    "dispute": {"charge", "payment_intent"},
    "radar.early_fraud_warning": {"charge", "payment_intent"},
    "balance_transaction": {"source"},
    "payment_method": {"customer"},
    "item": {"price"},
    "price": {"product"},
}


def _may_expand(node: dict[str, Any], name: str) -> bool:
    return name in _REFERENCES.get(str(node.get("object")), ())


def _not_expandable(path: str) -> Exception:
    return bad_parameter(f"This property cannot be expanded ({path}).", "expand")
