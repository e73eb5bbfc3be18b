"""The control panel for people: payments, deliveries and faults, with plain forms over the controls."""

import json
import re
from collections.abc import Callable
from typing import Any

from . import delivery, disputes, events, html, money, refunds
from .config import Config
from .control import Control, Given
from .errors import Refused
from .html import e
from .store import Object, Transaction
from .web import Reply, Request, redirect

SHOWN = 50

_DONE = {
    "webhooks": "Delivery settings saved.",
    "flush": "Everything that was waiting has been sent once.",
    "expire": "The session is expired.",
    "async": "The bank debit is settled.",
    "dispute": "The dispute is recorded.",
    "fraud_warning": "The early fraud warning is sent.",
    "refund": "The payment is refunded.",
    "fail": "The refund has failed.",
    "faults": "The fault is planned.",
    "clear": "No fault is planned any more.",
    "resend": "The event will be delivered again.",
    "reset": "Everything is erased.",
}


class Panel:
    def __init__(self, config: Config, control: Control) -> None:
        self.config = config
        self.control = control
        self.store = control.store

    def answer(self, request: Request) -> Reply:
        if request.method == "POST":
            return self._posted(request)
        done = _DONE.get(request.query.removeprefix("done="), "")
        return self._page(request.path, notice=done)

    def _posted(self, request: Request) -> Reply:
        try:
            if request.comes_from_another_site():
                raise Refused("Another site may not steer this simulator.", status=403)
            typed = request.form()
            for pattern, page, done, act in self._actions():
                found = re.fullmatch(pattern, request.path)
                if found:
                    act(found.groupdict().get("id", ""), typed)
                    return redirect(f"{page.format(**found.groupdict())}?done={done}")
        except Refused as refusal:
            return self._page(_home_of(request.path), problem=refusal.message, status=refusal.status)
        except ValueError:
            return self._page(_home_of(request.path), problem="This form could not be read.", status=400)
        return self._page(request.path)

    def _actions(self) -> tuple[tuple[str, str, str, Callable[[str, dict[str, str]], Any]], ...]:
        some = r"(?P<id>[A-Za-z0-9_]{1,255})"
        control = self.control
        return (
            ("/panel/webhooks", "/webhooks", "webhooks", lambda _, typed: control.change_webhooks(_settings(typed))),
            ("/panel/pause", "/webhooks", "webhooks", lambda _, __: control.change_webhooks({"paused": True})),
            ("/panel/resume", "/webhooks", "webhooks", lambda _, __: control.change_webhooks({"paused": False})),
            ("/panel/flush", "/webhooks", "flush", lambda _, __: control.flush_webhooks({})),
            (
                f"/panel/events/{some}/resend",
                "/events/{id}",
                "resend",
                lambda event, _: control.resend_event(event, {}),
            ),
            (f"/panel/sessions/{some}/expire", "/", "expire", lambda session, _: control.expire_session(session, {})),
            (
                f"/panel/sessions/{some}/async",
                "/",
                "async",
                lambda session, typed: control.settle_session(session, {"succeed": typed.get("succeed") == "true"}),
            ),
            (
                f"/panel/charges/{some}/dispute",
                "/",
                "dispute",
                lambda charge, typed: control.dispute_charge(charge, {"status": typed.get("status", "")}),
            ),
            (f"/panel/charges/{some}/fraud_warning", "/", "fraud_warning", lambda c, _: control.warn_of_fraud(c, {})),
            (f"/panel/charges/{some}/refund", "/", "refund", self._refund),
            (f"/panel/refunds/{some}/fail", "/", "fail", lambda refund, _: control.fail_refund(refund, {})),
            ("/panel/faults", "/faults", "faults", lambda _, typed: control.plan_fault(_fault(typed))),
            ("/panel/faults/clear", "/faults", "clear", lambda _, __: control.clear_faults({})),
            ("/panel/reset", "/", "reset", lambda _, __: control.reset({})),
        )

    def _refund(self, charge_id: str, typed: dict[str, str]) -> None:
        """As by a click in Stripe's dashboard: the rest of the payment."""
        with self.store.transaction() as tx:
            refunds.refund_rest(tx, tx.get(charge_id, "charge", "charge"))

    def _page(self, path: str, *, notice: str = "", problem: str = "", status: int = 200) -> Reply:
        with self.store.transaction() as tx:
            chosen = delivery.behaviour(tx)
            waiting = tx.execute("SELECT count(*) FROM deliveries WHERE state IN ('new', 'pending')").fetchone()[0]
            if path == "/":
                title, content = "Payments", _payments(tx)
            elif path == "/webhooks":
                title, content = "Webhooks", self._webhooks(tx, chosen)
            elif path == "/faults":
                title, content = "Faults", _faults(self.control.faults.planned())
            elif path.startswith("/events/"):
                event = tx.find(path.removeprefix("/events/"), "event")
                title = "Event" if event else "There is no such event"
                content = _event(tx, event) if event else _empty("It may have been erased by a reset.")
                status = status if event else 404
            else:
                title, content, status = "There is no such page", _empty("The simulator's pages are listed above."), 404
        message = f'<p class="notice-line" role="status">{e(notice)}</p>' if notice else ""
        message += f'<p class="alert" role="alert">{e(problem)}</p>' if problem else ""
        body = (
            f"{self._header(path, chosen, waiting)}\n<main>\n<h1>{title}</h1>\n{message}{content}\n</main>\n"
            '<footer class="foot">Stripe simulator for development and tests. No real money moves.</footer>'
        )
        return html.page(f"{title} · Stripe simulator", body, status=status, kind="panel")

    def _header(self, path: str, chosen: delivery.Behaviour, waiting: int) -> str:
        links = "".join(
            f'<a href="{address}"{_CURRENT if address == path else ""}>{name}</a>'
            for address, name in (("/", "Payments"), ("/webhooks", "Webhooks"), ("/faults", "Faults"))
        )
        pill = '<span class="pill bad">Paused</span>' if chosen.paused else '<span class="pill good">Delivering</span>'
        act, label = ("resume", "Resume") if chosen.paused else ("pause", "Pause")
        word = "delivery" if waiting == 1 else "deliveries"
        return (
            f'<header class="bar"><span class="brand">Stripe simulator</span><nav aria-label="Pages">{links}</nav>'
            f'<div class="state">{pill}<span class="fine">{waiting} {word} waiting</span>'
            f"{_button(f'/panel/{act}', label)}{_button('/panel/flush', 'Flush')}</div></header>"
        )

    def _webhooks(self, tx: Transaction, chosen: delivery.Behaviour) -> str:
        url = e(self.control.deliveries.url or "nowhere: no webhook address is set")
        listed = delivery.listed(tx, 2 * SHOWN, newest_first=True)
        rows = [
            [
                f'<a href="/events/{e(entry["event_id"])}">{e(entry["type"])}</a>'
                f'<code class="sub">{e(entry["event_id"])}</code>',
                _state(entry["state"]),
                str(entry["attempts"]),
                e(str(entry["last_status"] or entry["last_error"] or "–")),
                html.when(entry["created"]),
            ]
            for entry in listed
        ]
        table = _table(("Event", "State", "Attempts", "Last answer", "Created"), rows)
        drop = "1" if chosen.drop == 1 else f"{chosen.drop:g}"
        return (
            f'<section class="card"><h2>Deliveries are sent to</h2><p class="address"><code>{url}</code></p>\n'
            '<form class="grid" method="post" action="/panel/webhooks">\n'
            + _number("delay_ms", "Delay (milliseconds)", str(chosen.delay_ms), "0", "3600000", "1")
            + _number("duplicate", "Send each event this often", str(chosen.duplicate), "1", "100", "1")
            + _number("drop", "Share to drop (0 to 1)", drop, "0", "1", "0.05")
            + _check("shuffle", "Shuffle the order", chosen.shuffle)
            + _check("paused", "Pause all deliveries", chosen.paused)
            + '<p class="actions"><button class="primary" type="submit">Save</button></p></form></section>\n'
            f'<section class="card"><h2>Deliveries</h2>{table or _empty("Nothing has happened yet.")}</section>'
        )


def _payments(tx: Transaction) -> str:
    sections = (
        ("Checkout sessions", _sessions(tx), "No checkout has been started yet."),
        ("Charges", _charges(tx), "Nothing has been paid yet."),
        ("Refunds", _refunds(tx), "Nothing has been refunded."),
        ("Disputes", _disputes(tx), "Nothing is disputed."),
    )
    cards = "".join(
        f'<section class="card"><h2>{name}</h2>{table or _empty(empty)}</section>\n' for name, table, empty in sections
    )
    return (
        f'{cards}<section class="card danger"><h2>Start over</h2>'
        "<p>Erases all sessions, payments, events and deliveries, and every setting made here.</p>"
        f"{_button('/panel/reset', 'Erase everything', kind='secondary')}</section>"
    )


def _sessions(tx: Transaction) -> str:
    rows = []
    for session in tx.newest("checkout.session", SHOWN):
        acts = ""
        name = f"<code>{e(_short(session['id']))}</code>"
        if session["status"] == "open":
            name = f'<a href="/c/pay/{session["id"]}">{name}</a>'
            acts = _button(f"/panel/sessions/{session['id']}/expire", "Expire")
        elif session["payment_status"] == "unpaid" and _is_processing(tx, session):
            address = f"/panel/sessions/{session['id']}/async"
            acts = _button(address, "Succeed", succeed="true") + _button(address, "Fail", succeed="false")
        who = session["customer_email"] or (session["customer_details"] or {}).get("email") or "–"
        amount = money.written(session["amount_total"], session["currency"])
        states = _state(session["status"]) + " " + _state(session["payment_status"])
        rows.append([name, e(who), amount, states, html.when(session["created"]), acts])
    return _table(("Session", "Customer", "Amount", "State", "Created", "Act"), rows)


def _is_processing(tx: Transaction, session: Object) -> bool:
    intent = tx.find(session["payment_intent"] or "", "payment_intent")
    return intent is not None and intent["status"] == "processing"


def _charges(tx: Transaction) -> str:
    rows = []
    for charge in tx.newest("charge", SHOWN):
        state = _state(charge["status"])
        if charge["amount_refunded"]:
            state += " " + _state("refunded" if charge["refunded"] else "partly refunded")
        state += (" " + _state("disputed")) if charge["disputed"] else ""
        acts, name = "", f"<code>{e(charge['id'])}</code>"
        if charge["status"] != "failed":
            name = f'<a href="{e(charge["receipt_url"])}">{name}</a>'
        if charge["status"] == "succeeded":
            acts = _acts_on(charge)
        amount = money.written(charge["amount"], charge["currency"])
        reason = f'<span class="sub">{e(charge["failure_message"])}</span>' if charge["failure_message"] else ""
        rows.append([name, amount, state + reason, html.when(charge["created"]), acts])
    return _table(("Charge", "Amount", "State", "Created", "Act"), rows)


def _acts_on(charge: Object) -> str:
    address = f"/panel/charges/{charge['id']}"
    options = "".join(f'<option value="{status}">{_words(status)}</option>' for status in disputes.STATUSES)
    refund = "" if charge["refunded"] else _button(f"{address}/refund", "Refund")
    return (
        f"{refund}{_button(f'{address}/fraud_warning', 'Fraud warning')}"
        f'<form class="inline" method="post" action="{address}/dispute">'
        f'<select name="status" aria-label="Dispute status for {e(charge["id"])}">{options}</select>'
        '<button class="small" type="submit">Dispute</button></form>'
    )


def _refunds(tx: Transaction) -> str:
    rows = []
    for refund in tx.newest("refund", SHOWN):
        may_fail = refund["status"] in ("pending", "succeeded")
        rows.append(
            [
                f"<code>{e(refund['id'])}</code>",
                money.written(refund["amount"], refund["currency"]),
                _state(refund["status"]),
                html.when(refund["created"]),
                _button(f"/panel/refunds/{refund['id']}/fail", "Fail") if may_fail else "",
            ]
        )
    return _table(("Refund", "Amount", "State", "Created", "Act"), rows)


def _disputes(tx: Transaction) -> str:
    rows = [
        [
            f"<code>{e(dispute['id'])}</code>",
            money.written(dispute["amount"], dispute["currency"]),
            _state(dispute["status"]),
            _words(dispute["reason"]),
            html.when(dispute["created"]),
        ]
        for dispute in tx.newest("dispute", SHOWN)
    ]
    return _table(("Dispute", "Amount", "State", "Reason", "Created"), rows)


def _event(tx: Transaction, event: Object) -> str:
    rows = []
    for row in tx.execute("SELECT id FROM deliveries WHERE event_id = ? ORDER BY id", (event["id"],)).fetchall():
        for attempt in delivery.history(tx, row[0]):
            answer = e(str(attempt["status"] or attempt["error"]))
            rows.append([str(row[0]), html.when(attempt["at"]), answer, f"{attempt['milliseconds']} ms"])
    table = _table(("Delivery", "Sent", "Answer", "Took"), rows)
    shown = json.dumps(events.present(tx, event), indent=2, ensure_ascii=False)
    return (
        f'<section class="card"><h2>{e(event["type"])}</h2><p class="fine"><code>{e(event["id"])}</code>, '
        f"{html.when(event['created'])}</p>{table or _empty('It has not been sent yet.')}"
        f"{_button('/panel/events/' + event['id'] + '/resend', 'Deliver again')}</section>\n"
        f'<section class="card"><h2>Body</h2><pre tabindex="0" aria-label="Body of the event">'
        f"{e(shown)}</pre></section>"
    )


def _faults(planned: list[dict[str, Any]]) -> str:
    rows = [
        [
            f"<code>{e(fault['method'] or 'any method')} {e(fault['path'] or 'any path')}</code>",
            "connection reset" if fault["reset"] else str(fault["status"] or "–"),
            fault["when"],
            f"{fault['latency_ms']} ms",
            str(fault["times"]),
        ]
        for fault in planned
    ]
    table = _table(("Request", "Answer", "When", "Wait", "Times left"), rows)
    clear = _button("/panel/faults/clear", "Clear all") if rows else ""
    return (
        '<section class="card"><h2>Plan a fault</h2><p>It strikes the next matching requests to the API.</p>'
        '<form class="grid" method="post" action="/panel/faults">\n'
        '<div class="field"><label for="path">Path (empty: any)</label>'
        '<input type="text" name="path" id="path" placeholder="/v1/checkout/sessions" maxlength="500"></div>\n'
        + _number("status", "Status of the answer (empty: as usual)", "", "400", "599", "1")
        + _number("latency_ms", "Wait (milliseconds)", "0", "0", "120000", "1")
        + _number("times", "How often", "1", "1", "1000", "1")
        + '<div class="field"><label for="when">When</label><select name="when" id="when">'
        '<option value="before">Before the effect</option><option value="after">After the effect</option>'
        "</select></div>\n"
        + _check("reset", "Reset the connection", False)
        + '<p class="actions"><button class="primary" type="submit">Plan</button></p></form></section>\n'
        f'<section class="card"><h2>Planned</h2>{table or _empty("No fault is planned.")}{clear}</section>'
    )


def _settings(typed: dict[str, str]) -> Given:
    return {
        "delay_ms": int(typed.get("delay_ms") or 0),
        "duplicate": int(typed.get("duplicate") or 1),
        "drop": float(typed.get("drop") or 0),
        "shuffle": "shuffle" in typed,
        "paused": "paused" in typed,
    }


def _fault(typed: dict[str, str]) -> Given:
    wanted: Given = {"when": typed.get("when", "before"), "reset": "reset" in typed}
    if typed.get("path"):
        wanted["path"] = typed["path"]
    for name in ("status", "latency_ms", "times"):
        if typed.get(name):
            wanted[name] = int(typed[name])
    return wanted


def _home_of(path: str) -> str:
    if path.startswith("/panel/faults"):
        return "/faults"
    return "/" if re.match(r"/panel/(sessions|charges|refunds|reset)", path) else "/webhooks"


def _table(names: tuple[str, ...], rows: list[list[str]]) -> str:
    if not rows:
        return ""
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    body = "".join(
        "<tr>" + "".join(_cell(name, cell) for name, cell in zip(names, row, strict=True)) + "</tr>\n" for row in rows
    )
    return f'<table class="list"><thead><tr>{head}</tr></thead><tbody>\n{body}</tbody></table>'


def _cell(name: str, content: str) -> str:
    return f'<td data-label="{name}"><div>{content}</div></td>' if content else "<td></td>"


def _empty(text: str) -> str:
    return f'<p class="empty">{text}</p>'


def _button(address: str, label: str, kind: str = "small", **hidden: str) -> str:
    inputs = "".join(f'<input type="hidden" name="{name}" value="{e(value)}">' for name, value in hidden.items())
    return (
        f'<form class="inline" method="post" action="{e(address)}">{inputs}'
        f'<button class="{kind}" type="submit">{label}</button></form>'
    )


def _number(name: str, label: str, value: str, least: str, most: str, step: str) -> str:
    return (
        f'<div class="field"><label for="{name}">{label}</label><input type="number" name="{name}" value="{value}" '
        f'id="{name}" min="{least}" max="{most}" step="{step}"></div>\n'
    )


def _check(name: str, label: str, checked: bool) -> str:
    mark = " checked" if checked else ""
    return f'<label class="check"><input type="checkbox" name="{name}" value="on"{mark}> {label}</label>\n'


def _state(state: str) -> str:
    kind = "good" if state in _GOOD else "bad" if state in _BAD else "calm"
    return f'<span class="pill {kind}">{_words(state)}</span>'


def _words(state: str) -> str:
    return e(state.replace("_", " ").capitalize())


def _short(session_id: str) -> str:
    return f"{session_id[:16]}…{session_id[-6:]}"


_CURRENT = ' aria-current="page"'
_GOOD = {"complete", "paid", "succeeded", "delivered", "won", "warning_closed"}
_BAD = {"failed", "expired", "dropped", "disputed", "lost", "needs_response"}
