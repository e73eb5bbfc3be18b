"""The test cards: which numbers exist, and what happens when one is charged."""

import re
from dataclasses import dataclass

from .errors import Refused


@dataclass(frozen=True)
class Behaviour:
    """`decline` is a Stripe decline code; `after` names what follows a successful charge."""

    decline: str | None = None
    challenge: bool = False
    after: str | None = None


@dataclass(frozen=True)
class Card:
    """What remains of a card once it was read: never its number."""

    brand: str
    last4: str
    funding: str
    exp_month: int
    exp_year: int
    behaviour: Behaviour


@dataclass(frozen=True)
class Decline:
    code: str
    message: str


DECLINES = {
    "generic_decline": Decline("card_declined", "Your card was declined."),
    "insufficient_funds": Decline("card_declined", "Your card has insufficient funds."),
    "lost_card": Decline("card_declined", "Your card was declined."),
    "stolen_card": Decline("card_declined", "Your card was declined."),
    "card_velocity_exceeded": Decline(
        "card_declined", "Your card was declined for making repeated attempts too often."
    ),
    "test_mode_live_card": Decline(
        "card_declined",
        "Your card was declined. Your request was in test mode, but used a non test card. "
        "For a list of valid test cards, see the list below.",
    ),
    "expired_card": Decline("expired_card", "Your card has expired."),
    "incorrect_cvc": Decline("incorrect_cvc", "Your card's security code is incorrect."),
    "processing_error": Decline(
        "processing_error", "An error occurred while processing your card. Try again in a little bit."
    ),
    "authentication_failure": Decline(
        "payment_intent_authentication_failure",
        "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
    ),
}

# In the order of the hint list on the payment page.
HINTS = (
    ("4242 4242 4242 4242", "Succeeds"),
    ("4000 0025 0000 3155", "Asks for 3-D Secure"),
    ("4000 0000 0000 0002", "Is declined"),
    ("4000 0000 0000 9995", "Has insufficient funds"),
    ("4000 0000 0000 0069", "Has expired"),
    ("4000 0000 0000 0127", "Has a wrong security code"),
    ("4000 0000 0000 0119", "Hits a processing error"),
    ("4000 0000 0000 0259", "Succeeds, then is disputed as fraud"),
    ("4000 0000 0000 2685", "Succeeds, then is disputed as not received"),
    ("4000 0000 0000 1976", "Succeeds, then the bank inquires"),
    ("4000 0000 0000 5423", "Succeeds, with an early fraud warning"),
    ("4000 0000 0000 5126", "Succeeds, but its refunds fail"),
)

_GOOD = Behaviour()
_SPECIAL = {
    "4000000000000002": Behaviour(decline="generic_decline"),
    "4000000000009995": Behaviour(decline="insufficient_funds"),
    "4000000000009987": Behaviour(decline="lost_card"),
    "4000000000009979": Behaviour(decline="stolen_card"),
    "4000000000006975": Behaviour(decline="card_velocity_exceeded"),
    "4000000000000069": Behaviour(decline="expired_card"),
    "4000000000000127": Behaviour(decline="incorrect_cvc"),
    "4000000000000119": Behaviour(decline="processing_error"),
    "4000002500003155": Behaviour(challenge=True),
    "4000002760003184": Behaviour(challenge=True),
    "4000000000003220": Behaviour(challenge=True),
    "4000008260003178": Behaviour(challenge=True, decline="insufficient_funds"),
    "4000008400001629": Behaviour(challenge=True, decline="generic_decline"),
    "4000000000000259": Behaviour(after="dispute_fraudulent"),
    "4000000000002685": Behaviour(after="dispute_not_received"),
    "4000000000001976": Behaviour(after="inquiry"),
    "4000000000005423": Behaviour(after="fraud_warning"),
    "4000000000005126": Behaviour(after="refund_fails"),
    "4000000000007726": Behaviour(after="refund_pends"),
}
_PLAIN = {
    "4242424242424242": "credit",
    "4000056655665556": "debit",
    "5555555555554444": "credit",
    "2223003122003222": "credit",
    "5200828282828210": "debit",
    "5105105105105100": "prepaid",
    "378282246310005": "credit",
    "371449635398431": "credit",
    "6011111111111117": "credit",
    "6011000990139424": "credit",
    "3056930009020004": "credit",
    "3566002020360505": "credit",
    "6200000000000005": "credit",
}


def read_card(number: str, exp_month: str, exp_year: str, cvc: str, *, year: int, month: int) -> Card:
    """The card as typed, or the refusal that Stripe's form gives before anything is charged.

    `year` and `month` are the present ones.
    """
    digits = re.sub(r"[\s-]", "", number)
    if not re.fullmatch(r"[0-9]{12,19}", digits) or not _passes_luhn(digits):
        raise _refused("incorrect_number", "Your card number is invalid.", "number")
    expires_month = int(exp_month) if re.fullmatch(r"[0-9]{1,2}", exp_month.strip()) else 0
    if not 1 <= expires_month <= 12:
        raise _refused("invalid_expiry_month", "Your card's expiration month is invalid.", "exp_month")
    expires_year = _full_year(exp_year.strip())
    if expires_year is None or expires_year > year + 50:
        raise _refused("invalid_expiry_year", "Your card's expiration year is invalid.", "exp_year")
    if expires_year < year:
        raise _refused("invalid_expiry_year", "Your card's expiration year is in the past.", "exp_year")
    if (expires_year, expires_month) < (year, month):
        raise _refused("invalid_expiry_month", "Your card's expiration date is in the past.", "exp_month")
    brand = _brand(digits)
    if not re.fullmatch(r"[0-9]{4}" if brand == "amex" else r"[0-9]{3}", cvc.strip()):
        raise _refused("invalid_cvc", "Your card's security code is invalid.", "cvc")
    behaviour = _SPECIAL.get(digits) or (_GOOD if digits in _PLAIN else Behaviour(decline="test_mode_live_card"))
    return Card(brand, digits[-4:], _PLAIN.get(digits, "credit"), expires_month, expires_year, behaviour)


def _refused(code: str, message: str, param: str) -> Refused:
    return Refused(message, status=402, kind="card_error", code=code, param=param)


def _full_year(typed: str) -> int | None:
    if re.fullmatch(r"[0-9]{2}", typed):
        return 2000 + int(typed)
    return int(typed) if re.fullmatch(r"[0-9]{4}", typed) else None


def _passes_luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _brand(digits: str) -> str:
    two, four = int(digits[:2]), int(digits[:4])
    if digits[0] == "4":
        return "visa"
    if two in (34, 37):
        return "amex"
    if 51 <= two <= 55 or 2221 <= four <= 2720:
        return "mastercard"
    if two == 35:
        return "jcb"
    if two in (30, 36, 38, 39):
        return "diners"
    if two in (60, 64, 65):
        return "discover"
    return "unionpay" if two == 62 else "unknown"
