"""Every object has the fields and types that the SDK's classes promise, and no others."""

import types
import typing
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import stripe
from stripe.checkout import Session

from tests.stripe_simulator.conftest import Program
from tests.stripe_simulator.endpoint import Endpoint
from tests.stripe_simulator.pages import pay

Checkout = Callable[..., Session]


CLASSES: dict[str, Any] = {
    "checkout.session": Session,
    "payment_intent": stripe.PaymentIntent,
    "charge": stripe.Charge,
    "refund": stripe.Refund,
    "dispute": stripe.Dispute,
    "event": stripe.Event,
    "customer": stripe.Customer,
    "balance_transaction": stripe.BalanceTransaction,
    "payment_method": stripe.PaymentMethod,
    "item": stripe.LineItem,
    "price": stripe.Price,
    "product": stripe.Product,
    "radar.early_fraud_warning": stripe.radar.EarlyFraudWarning,
}


def faults_of(value: Any, expected: Any, path: str) -> list[str]:
    """Where a JSON value differs from an annotation of the SDK."""
    if isinstance(expected, typing.ForwardRef):
        expected = getattr(stripe, expected.__forward_arg__, Any)
    origin, inner = typing.get_origin(expected), typing.get_args(expected)
    if expected is Any or origin is typing.ClassVar:
        return []
    if origin in (typing.Union, types.UnionType):
        found = [faults_of(value, choice, path) for choice in inner]
        return [] if any(not faults for faults in found) else min(found, key=len)
    if origin is typing.Literal:
        return [] if value in inner else [f"{path}: {value!r} is none of {inner}"]
    if origin is list:
        if not isinstance(value, list):
            return [f"{path}: {value!r} is no list"]
        return [
            fault for number, entry in enumerate(value) for fault in faults_of(entry, inner[0], f"{path}[{number}]")
        ]
    if expected is type(None):
        return [] if value is None else [f"{path}: {value!r} is not None"]
    if (isinstance(expected, type) and issubclass(expected, stripe.StripeObject)) or origin is not None:
        return faults_in(value, expected, path)
    if expected is Decimal:
        return [] if isinstance(value, str) else [f"{path}: {value!r} is no decimal"]
    right = type(value) is expected or (expected is float and type(value) is int)
    return [] if right else [f"{path}: {value!r} is no {expected}"]


def faults_in(value: Any, expected: Any, path: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{path}: {value!r} is no object"]
    if typing.get_origin(expected) is not None:  # a list object, or metadata
        entries = value["data"] if value.get("object") == "list" else list(value.values())
        (inner,) = typing.get_args(expected)
        return [fault for entry in entries for fault in faults_of(entry, inner, path)]
    annotations = expected.__annotations__
    faults = [f"{path}.{name}: no such field" for name in value if name not in annotations]
    for name, annotation in annotations.items():
        if name in value:
            faults += faults_of(value[name], annotation, f"{path}.{name}")
        elif typing.get_origin(annotation) is not typing.ClassVar and not may_be_none(annotation):
            faults.append(f"{path}.{name}: missing")
    return faults


def may_be_none(annotation: Any) -> bool:
    return type(None) in typing.get_args(annotation)


@pytest.fixture
def everything(
    checkout: Checkout, client: stripe.StripeClient, simulator: Program, endpoint: Endpoint
) -> dict[str, list[dict[str, Any]]]:
    """One or more objects of every kind, in several states, by kind."""
    customer = client.v1.customers.create(params={"email": "cleo@example.com", "address": {"city": "Bern"}})
    paid = checkout(customer=customer.id, customer_email=None)
    declined, by_bank, disputed, secured = checkout(), checkout(2500, "eur"), checkout(), checkout()
    options = {"automatic_tax": {"enabled": True}, "custom_text": {"submit": {"message": "Thanks"}}, "locale": "de"}
    full = checkout(3000, "chf", **options)
    pay(paid.url)
    pay(declined.url, "4000000000000002")
    pay(disputed.url, "4000000000000259")
    pay(secured.url, "4000002500003155")
    pay(full.url, "4000000000005423")
    pay(by_bank.url, pay_by="bank_debit")
    (first,) = client.v1.charges.list(params={"customer": customer.id}).data
    client.v1.refunds.create(params={"charge": first.id, "amount": 100, "reason": "duplicate"})
    failing = client.v1.refunds.create(params={"charge": first.id, "amount": 200})
    simulator.control(f"refunds/{failing.id}/fail")
    client.v1.checkout.sessions.expire(declined.id)
    client.v1.checkout.sessions.create(
        params={
            "mode": "payment",
            "success_url": "http://127.0.0.1:9/ok",
            "line_items": [
                {
                    "price_data": {"currency": "usd", "unit_amount": 0, "product_data": {"name": "Free"}},
                    "quantity": 1,
                }
            ],
        }
    )
    client.v1.disputes.update(
        client.v1.disputes.list().data[0].id, params={"evidence": {"product_description": "A course"}}
    )
    api: Any = client.v1
    services = {
        "checkout.session": api.checkout.sessions,
        "radar.early_fraud_warning": api.radar.early_fraud_warnings,
        **{name: getattr(api, f"{name}s") for name in ("payment_intent", "charge", "refund", "dispute", "event")},
        "customer": api.customers,
        "balance_transaction": api.balance_transactions,
    }
    found = {
        kind: [o.to_dict() for o in service.list(params={"limit": 100}).data] for kind, service in services.items()
    }
    items = api.checkout.sessions.line_items.list(paid.id, params={"expand": ["data.price.product"]}).data
    found["item"] = [item.to_dict() for item in items]
    found["price"] = [item["price"] for item in found["item"]]
    found["product"] = [price["product"] for price in found["price"]]
    methods = {charge["payment_method"] for charge in found["charge"]}
    found["payment_method"] = [api.payment_methods.retrieve(method).to_dict() for method in methods]
    return found


def plain(value: Any) -> Any:
    """As on the wire: the SDK turns some texts into decimals."""
    if isinstance(value, dict):
        return {name: plain(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [plain(entry) for entry in value]
    return str(value) if isinstance(value, Decimal) else value


def test_every_object_is_as_the_sdk_declares_it(everything: dict[str, list[dict[str, Any]]]) -> None:
    assert everything.keys() == CLASSES.keys()
    faults = []
    for kind, objects in everything.items():
        assert objects, f"no {kind} to look at"
        for found in objects:
            assert found["object"] == kind
            faults += faults_in(plain(found), CLASSES[kind], kind)
    assert sorted(set(faults)) == []


def test_the_objects_inside_events_are_too(everything: dict[str, list[dict[str, Any]]]) -> None:
    faults = []
    seen = set()
    for event in everything["event"]:
        inside = event["data"]["object"]
        seen.add(inside["object"])
        faults += faults_in(plain(inside), CLASSES[inside["object"]], event["type"])
    assert sorted(set(faults)) == []
    assert {"checkout.session", "payment_intent", "charge", "refund", "dispute", "customer"} <= seen


READ_BY_THE_SHOP = {
    "checkout.session": """id status payment_status url amount_total amount_subtotal currency client_reference_id
        customer customer_details customer_email payment_intent livemode expires_at created metadata total_details
        success_url cancel_url mode""",
    "payment_intent": "id status amount amount_received currency latest_charge last_payment_error metadata customer",
    "charge": """id amount amount_refunded currency paid refunded disputed status receipt_url payment_intent
        balance_transaction payment_method_details billing_details failure_code failure_message outcome metadata""",
    "refund": "id amount currency charge payment_intent status reason metadata created balance_transaction",
    "dispute": """id amount currency charge payment_intent status reason evidence evidence_details
        is_charge_refundable balance_transactions created""",
    "event": "id type created data livemode api_version pending_webhooks request",
    "customer": "id email name metadata created livemode",
}


def test_what_a_shop_reads_is_always_there(everything: dict[str, list[dict[str, Any]]]) -> None:
    for kind, names in READ_BY_THE_SHOP.items():
        for found in everything[kind]:
            assert set(names.split()) - found.keys() == set(), kind


def test_the_check_itself_finds_what_is_wrong(client: stripe.StripeClient) -> None:
    good = client.v1.customers.create().to_dict()
    assert faults_in(good, stripe.Customer, "customer") == []
    assert faults_in({**good, "created": "today"}, stripe.Customer, "customer") != []
    assert faults_in({**good, "colour": "red"}, stripe.Customer, "customer") != []
    assert faults_in({name: good[name] for name in good if name != "livemode"}, stripe.Customer, "customer") != []
