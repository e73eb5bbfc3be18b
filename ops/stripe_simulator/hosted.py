"""The hosted payment page: what a buyer sees and posts, without any script."""

import re
import time
from collections.abc import Mapping

from . import cards, expand, html, money, objects, params, payments
from .config import Config
from .delivery import Deliveries
from .errors import Refused
from .html import e
from .payments import Challenged, Completed, Declined, Payer
from .store import Object, Store, Transaction
from .web import Reply, Request, redirect

_PATH = re.compile(r"/c/pay/(?P<id>[A-Za-z0-9_]{1,255})(?P<challenge>/challenge)?")


class HostedPage:
    def __init__(self, config: Config, store: Store, deliveries: Deliveries) -> None:
        self.config = config
        self.store = store
        self.deliveries = deliveries

    def answer(self, request: Request) -> Reply:
        found = _PATH.fullmatch(request.path)
        if found is None:
            return not_found()
        if request.method == "POST":
            return self._posted(request, found["id"], bool(found["challenge"]))
        with self.store.transaction() as tx:
            session = tx.find(found["id"], "checkout.session")
            if session is None:
                return not_found()
            if session["status"] != "open" or _is_over(session):
                return self._closed(session)
            pending = tx.private(session["id"]).get("challenge")
            if found["challenge"]:
                return self._challenge_page(session, pending["token"]) if pending else redirect(_here(session))
            return self._form_page(tx, session)

    def _posted(self, request: Request, session_id: str, is_challenge: bool) -> Reply:
        try:
            typed = request.form()
        except ValueError:
            return _problem("This form could not be read.", "Go back and try once more.", 400)
        # Looking at the session and paying it are one transaction: of two simultaneous payments one finds it complete.
        with self.store.transaction() as tx:
            session = tx.find(session_id, "checkout.session")
            if session is None:
                return not_found()
            if session["status"] == "complete":
                return redirect(_success_address(session))
            if session["status"] == "expired" or _is_over(session):
                return self._closed(session)
            outcome: Completed | Challenged | Declined | None
            if is_challenge:
                pending = tx.private(session["id"]).get("challenge") or {}
                typed |= {name: pending.get(name) or "" for name in ("name", "email")}
                outcome = payments.answer_challenge(
                    tx,
                    session,
                    typed.get("challenge", ""),
                    complete=typed.get("outcome") == "complete",
                    payer=self._payer(tx, session, typed, request),
                )
                if outcome is None:
                    return redirect(_here(session))
            else:
                try:
                    outcome = self._pay(tx, session, typed, request)
                except Refused as refusal:
                    return self._form_page(tx, session, typed, refusal.message, refusal.param)
            if isinstance(outcome, Declined):
                return self._form_page(tx, session, typed, outcome.message)
            if isinstance(outcome, Challenged):
                return redirect(_here(session) + "/challenge")
        self.deliveries.wait_for(outcome.event_id, self.config.redirect_wait)
        return redirect(_success_address(session))

    def _pay(
        self, tx: Transaction, session: Object, typed: Mapping[str, str], request: Request
    ) -> Completed | Challenged | Declined:
        payer = self._payer(tx, session, typed, request)
        if payer.email and not params.is_email(payer.email):
            raise Refused("Your email address is invalid.", param="email")
        if session["amount_total"] == 0:
            return payments.complete_without_payment(tx, session, payer)
        if typed.get("pay_by") == "bank_debit":
            return payments.pay_by_bank(tx, session, payer, self.config.async_delay)
        now = time.gmtime()
        card = cards.read_card(
            *(typed.get(name, "") for name in ("card_number", "exp_month", "exp_year", "cvc")),
            year=now.tm_year,
            month=now.tm_mon,
        )
        return payments.pay_by_card(tx, session, card, payer)

    def _payer(self, tx: Transaction, session: Object, typed: Mapping[str, str], request: Request) -> Payer:
        email = _known_email(tx, session) or typed.get("email", "").strip() or None
        name = " ".join(typed.get("name", "").split())[:200] or None
        return Payer(name, email, request.public_url, self.config.merchant)

    def _form_page(
        self,
        tx: Transaction,
        session: Object,
        typed: Mapping[str, str] | None = None,
        problem: str | None = None,
        field: str | None = None,
    ) -> Reply:
        email = _known_email(tx, session)
        body = (
            f"{self._header(session)}\n<main>\n{_summary(session, expand.line_items(tx, session))}\n"
            f"{_form(session, email, typed or {}, problem, field)}\n</main>\n{_FOOTER}"
        )
        amount = money.written(session["amount_total"], session["currency"])
        title = f"{'Declined · ' if problem else ''}Pay {amount} · {self.config.merchant}"
        return html.page(
            title,
            body,
            status=402 if problem else 200,
            leads_to=(session["success_url"], session["cancel_url"]),
        )

    def _challenge_page(self, session: Object, token: str) -> Reply:
        amount = money.written(session["amount_total"], session["currency"])
        body = (
            f"{self._header(session)}\n<main>\n"
            '<section class="card challenge">\n<p class="overline">3-D Secure</p>\n'
            "<h1>Is this you?</h1>\n"
            f"<p>Your bank asks you to confirm a payment of <strong>{amount}</strong> to "
            f"<strong>{e(self.config.merchant)}</strong>.</p>\n"
            f'<form method="post" action="{_here(session)}/challenge">\n'
            f'<input type="hidden" name="challenge" value="{e(token)}">\n'
            '<button class="primary" name="outcome" value="complete">Complete authentication</button>\n'
            '<button class="secondary" name="outcome" value="fail">Fail authentication</button>\n'
            "</form>\n</section>\n</main>\n" + _FOOTER
        )
        return html.page("Confirm your payment", body, leads_to=(session["success_url"], session["cancel_url"]))

    def _closed(self, session: Object) -> Reply:
        if session["status"] == "complete":
            under_way = session["payment_status"] == "unpaid"
            heading = "Your payment is on its way" if under_way else "You have paid already"
            text = (
                "The bank needs a moment. Nothing is left to do here."
                if under_way
                else "This checkout is complete. You will not be charged again."
            )
            target, label, status = _success_address(session), f"Continue to {self.config.merchant}", 200
        else:
            heading, status = "This checkout has expired", 410
            text = "You were not charged. Go back to the shop and start the checkout again."
            target, label = session["cancel_url"], f"Back to {self.config.merchant}"
        link = f'<p><a class="button primary" href="{e(target)}">{e(label)}</a></p>' if target else ""
        body = f'<main><section class="card notice"><h1>{heading}</h1><p>{text}</p>{link}</section></main>{_FOOTER}'
        return html.page(heading, body, status=status)

    def _header(self, session: Object) -> str:
        name = e(self.config.merchant)
        mark = f'<span class="mark" aria-hidden="true">{name[:1]}</span>'
        back = ""
        if session["cancel_url"]:
            back = f'<a class="back" href="{e(session["cancel_url"])}"><span aria-hidden="true">←</span> Back</a>'
        shop = f'<span class="shop">{mark}{name}</span>'
        return f'<header class="top">{back}{shop}<span class="badge">Test mode</span></header>'


def not_found() -> Reply:
    return _problem("There is no such page", "The link may be incomplete, or the simulator was reset.", 404)


def _problem(heading: str, text: str, status: int) -> Reply:
    body = f'<main><section class="card notice"><h1>{e(heading)}</h1><p>{e(text)}</p></section></main>{_FOOTER}'
    return html.page(heading, body, status=status)


def _is_over(session: Object) -> bool:
    """Past its time, though the clock has not marked it yet."""
    expires_at: int = session["expires_at"]
    return session["status"] == "open" and expires_at <= time.time()


def _here(session: Object) -> str:
    return f"/c/pay/{session['id']}"


def _success_address(session: Object) -> str:
    address: str = session["success_url"]
    return address.replace("{CHECKOUT_SESSION_ID}", session["id"])


def _known_email(tx: Transaction, session: Object) -> str | None:
    if session["customer"]:
        customer = tx.find(session["customer"], "customer")
        if customer and customer["email"]:
            return str(customer["email"])
    email: str | None = session["customer_email"]
    return email


def _summary(session: Object, items: list[Object]) -> str:
    currency = session["currency"]
    rows = []
    for item in items:
        count = f'<span class="quantity">Quantity {item["quantity"]}</span>' if item["quantity"] > 1 else ""
        rows.append(
            f'<li><span class="what">{e(item["description"])}{count}</span>'
            f'<span class="amount">{money.written(item["amount_total"], currency)}</span></li>'
        )
    total = money.written(session["amount_total"], currency)
    return (
        f'<section class="summary" aria-label="Your order">\n<h1><span class="overline">Total due</span>'
        f' <span class="due">{total}</span></h1>\n<ul class="items">\n' + "\n".join(rows) + "\n</ul>\n"
        f'<p class="total"><span>Total</span><span class="amount">{total}</span></p>\n</section>'
    )


def _form(session: Object, email: str | None, typed: Mapping[str, str], problem: str | None, field: str | None) -> str:
    total = money.written(session["amount_total"], session["currency"])
    alert = f'<p class="alert" role="alert" id="problem">{e(problem)}</p>\n' if problem else ""
    message = (session["custom_text"]["submit"] or {}).get("message")
    note = f'<p class="fine">{e(message)}</p>\n' if message else ""
    parts = [
        f'<form class="card pay" method="post" action="{_here(session)}">\n{alert}',
        _email_part(email, typed, field),
    ]
    if session["amount_total"] == 0:
        parts.append(f'{note}<button class="primary" type="submit">Complete order</button>\n</form>')
        return "".join(parts)
    debits = [kind for kind in session["payment_method_types"] if kind in objects.BANK_DEBITS.values()]
    if "card" in session["payment_method_types"]:
        parts.append(_card_part(typed, field))
        parts.append(f'{note}<button class="primary" type="submit">Pay {total}</button>\n')
    if debits:
        if "card" in session["payment_method_types"]:
            parts.append('<p class="or"><span>or</span></p>\n')
        parts.append(
            '<button class="secondary" name="pay_by" value="bank_debit" formnovalidate>'
            "Pay later by bank debit (delayed)</button>\n"
            '<p class="fine">The order is taken now. The money arrives a little later, or not at all.</p>\n'
        )
    parts.append("</form>\n")
    if "card" in session["payment_method_types"]:
        parts.append(_HINTS)
    return "".join(parts)


def _email_part(email: str | None, typed: Mapping[str, str], field: str | None) -> str:
    if email:
        return f'<p class="known"><span class="label">Email</span> <span>{e(email)}</span></p>\n'
    return (
        '<div class="field"><label for="email">Email</label>'
        f'<input type="email" name="email" value="{e(typed.get("email", ""))}" id="email" autocomplete="email" '
        f'maxlength="254" required{_invalid("email", field)}></div>\n'
    )


def _card_part(typed: Mapping[str, str], field: str | None) -> str:
    """What was typed of the card is never sent back, except the name on it."""
    return (
        '<fieldset class="cardfields"><legend>Card information</legend>\n'
        '<div class="field wide"><label for="card_number">Card number</label>'
        '<input type="text" name="card_number" id="card_number" inputmode="numeric" autocomplete="cc-number" '
        f'placeholder="4242 4242 4242 4242" maxlength="32" required{_invalid("number", field)}></div>\n'
        '<div class="field"><label for="exp_month">Month</label>'
        '<input type="text" name="exp_month" id="exp_month" inputmode="numeric" autocomplete="cc-exp-month" '
        f'placeholder="MM" maxlength="2" required{_invalid("exp_month", field)}></div>\n'
        '<div class="field"><label for="exp_year">Year</label>'
        '<input type="text" name="exp_year" id="exp_year" inputmode="numeric" autocomplete="cc-exp-year" '
        f'placeholder="YY" maxlength="4" required{_invalid("exp_year", field)}></div>\n'
        '<div class="field"><label for="cvc">CVC</label>'
        '<input type="text" name="cvc" id="cvc" inputmode="numeric" autocomplete="cc-csc" '
        f'placeholder="123" maxlength="4" required{_invalid("cvc", field)}></div>\n'
        "</fieldset>\n"
        '<div class="field"><label for="name">Name on card</label>'
        f'<input type="text" name="name" value="{e(typed.get("name", ""))}" id="name" autocomplete="cc-name" '
        f'maxlength="200" required{_invalid("name", field)}></div>\n'
    )


def _invalid(name: str, field: str | None) -> str:
    return ' aria-invalid="true" aria-describedby="problem"' if name == field else ""


def _hints() -> str:
    rows = "\n".join(f"<tr><td><code>{number}</code></td><td>{what}</td></tr>" for number, what in cards.HINTS)
    return (
        '<details class="hints"><summary>Test cards</summary>\n'
        "<p>Any date to come, any CVC, any name. No card here moves real money.</p>\n"
        '<table><thead><tr><th scope="col">Number</th><th scope="col">What happens</th></tr></thead>'
        f"<tbody>\n{rows}\n</tbody></table></details>"
    )


_HINTS = _hints()
_FOOTER = '<footer class="foot">A simulated payment page for development. No real money moves.</footer>'
