"""Identifiers of the length and alphabet of Stripe's own."""

import secrets
import string

_ALPHABET = string.ascii_letters + string.digits

_FORMS = {
    "checkout.session": ("cs_test_a1", 56),
    "payment_intent": ("pi_3", 23),
    "charge": ("ch_3", 23),
    "bank_payment": ("py_3", 23),
    "refund": ("re_3", 23),
    "dispute": ("du_1", 23),
    "event": ("evt_1", 23),
    "customer": ("cus_", 14),
    "balance_transaction": ("txn_3", 23),
    "payment_method": ("pm_1", 23),
    "price": ("price_1", 23),
    "product": ("prod_", 14),
    "item": ("li_1", 23),
    "radar.early_fraud_warning": ("issfr_1", 23),
    "request": ("req_", 14),
    "challenge": ("", 24),
}


def new(kind: str) -> str:
    prefix, length = _FORMS[kind]
    return prefix + token(length)


def token(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
