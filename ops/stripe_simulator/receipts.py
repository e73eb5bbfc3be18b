"""The receipt that a charge's `receipt_url` opens."""

import re

from . import expand, hosted, html, money
from .config import Config
from .html import e
from .store import Object, Store, Transaction
from .web import Reply, Request


class Receipts:
    def __init__(self, config: Config, store: Store) -> None:
        self.config = config
        self.store = store

    def answer(self, request: Request) -> Reply:
        found = re.fullmatch(r"/receipts/([A-Za-z0-9]{32})", request.path)
        if found is None:
            return hosted.not_found()
        with self.store.transaction() as tx:
            row = tx.execute(
                "SELECT id FROM objects WHERE kind = 'charge' AND json_extract(private, '$.receipt') = ?", (found[1],)
            ).fetchone()
            charge = tx.find(row[0], "charge") if row else None
            if charge is None or charge["status"] == "failed":
                return hosted.not_found()
            return self._page(tx, charge)

    def _page(self, tx: Transaction, charge: Object) -> Reply:
        currency = charge["currency"]
        amount = money.written(charge["amount"], currency)
        sessions = tx.matching("checkout.session", payment_intent=charge["payment_intent"])
        rows = [
            _row(_described(item), money.written(item["amount_total"], currency))
            for session in sessions
            for item in expand.line_items(tx, session)
        ]
        rows.append(_row("Amount charged", amount, "strong"))
        for refund in tx.matching("refund", charge=charge["id"]):
            if refund["status"] in ("succeeded", "pending"):
                label = "Refunded on " if refund["status"] == "succeeded" else "Refund on its way since "
                rows.append(_row(label + html.day(refund["created"]), money.written(-refund["amount"], currency)))
        paid = "Amount paid" if charge["status"] == "succeeded" else "Amount to be paid"
        facts = (
            f"<dl><div><dt>{paid}</dt><dd>{amount}</dd></div>"
            f"<div><dt>Date</dt><dd>{html.day(charge['created'])}</dd></div>"
            f"<div><dt>Payment method</dt><dd>{e(_method(charge))}</dd></div></dl>"
        )
        name = e(self.config.merchant)
        body = (
            '<header class="top"><span class="shop">'
            f'<span class="mark" aria-hidden="true">{name[:1]}</span>{name}</span>'
            '<span class="badge">Test mode</span></header>\n'
            f'<main><section class="card receipt"><h1>Receipt from {name}</h1>\n'
            f'<p class="fine">Receipt for {e(charge["id"])}</p>\n{facts}\n<h2>Summary</h2>\n'
            f'<ul class="items">\n{"".join(rows)}</ul>\n</section></main>\n'
            '<footer class="foot">A simulated receipt for development. No real money moved.</footer>'
        )
        return html.page(f"Receipt from {self.config.merchant}", body)


def _described(item: Object) -> str:
    return f"{item['description']} ×\u00a0{item['quantity']}" if item["quantity"] > 1 else str(item["description"])


def _row(what: str, amount: str, kind: str = "") -> str:
    return f'<li class="{kind}"><span class="what">{e(what)}</span><span class="amount">{amount}</span></li>\n'


def _method(charge: Object) -> str:
    details = charge["payment_method_details"]
    if details["type"] == "card":
        return f"{details['card']['brand'].capitalize()} ending in {details['card']['last4']}"
    return f"Bank debit, account ending in {details[details['type']]['last4']}"
