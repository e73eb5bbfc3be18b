"""Checkout Sessions in the API: create, retrieve, list, update, expire."""

import time
from typing import Any

from . import expand, listing, money, objects, params, payments
from .calls import PAGING, Call, Route
from .errors import Refused, bad_parameter
from .store import Object

SHORTEST_LIFE = 30 * 60
LONGEST_LIFE = 24 * 3600

_BANK_DEBITS = tuple(objects.BANK_DEBITS.values())


def create(call: Call) -> Object:
    given = call.params
    created = int(time.time())
    _check(call, created)
    items = [_line_item(call, entry, number) for number, entry in enumerate(given["line_items"])]
    currencies: set[str] = {item["currency"] for item in items}
    currencies.add(given["currency"] if "currency" in given else items[0]["currency"])
    if len(currencies) > 1:
        raise bad_parameter(
            "The line items of a Checkout Session must all have the same currency. "
            f"You passed: {', '.join(sorted(currencies))}.",
            "line_items",
        )
    _check_total(sum(item["amount_total"] for item in items), items[0]["currency"])
    plain = {**given, "metadata": params.merged({}, given.get("metadata", {}))}
    session = objects.checkout_session(plain, items, call.public_url, created)
    if session["customer"]:
        customer = call.tx.get(session["customer"], "customer", "customer")
        session["customer_details"] = objects.customer_details(customer["email"], customer["name"])
    intent_data = dict(given.get("payment_intent_data", {}))
    intent_data["metadata"] = params.merged({}, intent_data.get("metadata", {}))
    call.tx.put(session)
    call.tx.keep_private(session["id"], line_items=items, payment_intent_data=intent_data)
    return session


def retrieve(call: Call) -> Object:
    return call.tx.get(call.id, "checkout.session")


def update(call: Call) -> Object:
    session = call.tx.get(call.id, "checkout.session")
    session["metadata"] = params.merged(session["metadata"], call.params.get("metadata", {}))
    call.tx.put(session)
    return session


def expire(call: Call) -> Object:
    session = call.tx.get(call.id, "checkout.session")
    if session["status"] != "open":
        raise Refused(
            'Only Checkout Sessions with a status in ["open"] can be expired. '
            f"This Checkout Session has a status of {session['status']}."
        )
    return payments.expire(call.tx, session)


def index(call: Call) -> Object:
    if "customer_details" in call.params:
        call.params["email"] = call.params["customer_details"]["email"]
    return listing.page(
        call,
        "checkout.session",
        {
            "customer": "$.customer",
            "email": "$.customer_details.email",
            "payment_intent": "$.payment_intent",
            "status": "$.status",
            "payment_link": "$.payment_link",
            "subscription": "$.subscription",
        },
    )


def index_line_items(call: Call) -> Object:
    session = call.tx.get(call.id, "checkout.session")
    items = expand.line_items(call.tx, session)
    after = call.params.get("starting_after")
    if after:
        places = [place for place, item in enumerate(items) if item["id"] == after]
        if not places:
            raise bad_parameter(f"No such line item: '{after}'", "starting_after", "resource_missing")
        items = items[places[0] + 1 :]
    limit = call.params.get("limit", 10)
    return listing.of(items[:limit], call.path, has_more=len(items) > limit)


def _check(call: Call, created: int) -> None:
    given = call.params
    if "customer" in given and "customer_email" in given:
        raise bad_parameter("You may only specify one of these parameters: customer, customer_email.", "customer")
    if "customer" in given and "customer_creation" in given:
        raise bad_parameter("`customer_creation` cannot be used together with `customer`.", "customer_creation")
    if "expires_at" in given:
        life = given["expires_at"] - created
        if life < SHORTEST_LIFE:
            raise bad_parameter(
                "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.", "expires_at"
            )
        if life > LONGEST_LIFE:
            raise bad_parameter(
                "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.", "expires_at"
            )
    if not given["line_items"]:
        raise params.absent("line_items")


def _check_total(total: int, currency: str) -> None:
    least = money.minimum(currency)
    if 0 < total < least:
        raise Refused(
            "The Checkout Session's total amount due must add up to at least "
            f"{money.written(least, currency)} {currency}",
            code="amount_too_small",
            remembered=False,
        )
    if total > money.MAXIMUM:
        raise Refused(
            f"The Checkout Session's total amount due must be no more than {money.written(money.MAXIMUM, currency)}.",
            code="amount_too_large",
            remembered=False,
        )


def _line_item(call: Call, entry: dict[str, Any], number: int) -> Object:
    data = entry["price_data"]
    if "quantity" not in entry:
        raise bad_parameter(f"Quantity is required. Add `quantity` to `line_items[{number}]`", "line_items")
    if "product_data" not in data:
        raise params.absent(f"line_items[{number}][price_data][product_data]")
    product_data = data["product_data"]
    product = objects.product(product_data | {"metadata": params.merged({}, product_data.get("metadata", {}))})
    price = objects.price(product["id"], data["unit_amount"], data["currency"], data.get("tax_behavior", "unspecified"))
    call.tx.put(product)
    call.tx.put(price)
    metadata = params.merged({}, entry.get("metadata", {}))
    return objects.line_item(price, product["name"], entry["quantity"], metadata)


def _of_stripe_alone(value: Any, name: str) -> Any:
    raise bad_parameter(f"This simulator does not support the parameter {name}.", name, "parameter_unknown")


def _mode(value: Any, name: str) -> str:
    mode = str(params.choice("payment", "setup", "subscription")(value, name))
    if mode != "payment":
        raise bad_parameter(f"This simulator does not support the mode {mode}.", name)
    return mode


_TEXT = params.text()
_ENABLED = params.group({"enabled": params.boolean}, "enabled")
_PRODUCT_DATA = params.group(
    {
        "description": params.text(40_000),
        "images": params.several(params.text(2048), maximum=8),
        "metadata": params.metadata,
        "name": params.text(),
        "tax_code": _TEXT,
        "unit_label": params.text(12),
    },
    "name",
)
_PRICE_DATA = params.group(
    {
        "currency": params.currency,
        "product_data": _PRODUCT_DATA,
        "tax_behavior": params.choice("exclusive", "inclusive", "unspecified"),
        "unit_amount": params.integer(0, 99_999_999),
        "product": _of_stripe_alone,
        "recurring": _of_stripe_alone,
        "unit_amount_decimal": _of_stripe_alone,
    },
    "currency",
    "unit_amount",
)
_LINE_ITEM = params.group(
    {
        "metadata": params.metadata,
        "price_data": _PRICE_DATA,
        "quantity": params.integer(1, 999_999),
        "adjustable_quantity": _of_stripe_alone,
        "price": _of_stripe_alone,
        "tax_rates": _of_stripe_alone,
    },
    "price_data",
)
_INTENT_DATA = params.group(
    {
        "capture_method": params.choice("automatic", "automatic_async"),
        "description": params.text(1000),
        "metadata": params.metadata,
        "receipt_email": params.email,
        "setup_future_usage": params.choice("off_session", "on_session"),
        "statement_descriptor": params.text(22),
        "statement_descriptor_suffix": params.text(22),
        "transfer_group": _TEXT,
        "application_fee_amount": _of_stripe_alone,
        "on_behalf_of": _of_stripe_alone,
        "shipping": _of_stripe_alone,
        "transfer_data": _of_stripe_alone,
    }
)
_MESSAGE = params.group({"message": params.text(1200)})
_CREATE: params.Shape = {
    "adaptive_pricing": _ENABLED,
    "allow_promotion_codes": params.boolean,
    "automatic_tax": params.group({"enabled": params.boolean, "liability": params.anything}, "enabled"),
    "billing_address_collection": params.choice("auto", "required"),
    "branding_settings": params.anything,
    "cancel_url": params.url,
    "client_reference_id": params.text(200),
    "consent_collection": params.anything,
    "currency": params.currency,
    "custom_text": params.group(
        dict.fromkeys(("after_submit", "shipping_address", "submit", "terms_of_service_acceptance"), _MESSAGE)
    ),
    "customer": params.text(255),
    "customer_creation": params.choice("always", "if_required"),
    "customer_email": params.email,
    "customer_update": params.anything,
    "expires_at": params.integer(),
    "integration_identifier": params.text(200),
    "invoice_creation": params.group({"enabled": params.boolean, "invoice_data": params.anything}),
    "line_items": params.several(_LINE_ITEM, maximum=100),
    "locale": params.text(20),
    "metadata": params.metadata,
    "mode": _mode,
    "name_collection": params.anything,
    "origin_context": params.choice("mobile_app", "web"),
    "payment_intent_data": _INTENT_DATA,
    "payment_method_collection": params.choice("always", "if_required"),
    "payment_method_options": params.anything,
    "payment_method_types": params.several(params.choice("card", *_BANK_DEBITS)),
    "phone_number_collection": _ENABLED,
    "submit_type": params.choice("auto", "book", "donate", "pay", "subscribe"),
    "success_url": params.url,
    "tax_id_collection": params.group({"enabled": params.boolean, "required": _TEXT}),
    "ui_mode": params.choice("hosted_page"),
    **dict.fromkeys(
        (
            "after_expiration",
            "allowed_payment_method_types",
            "custom_fields",
            "customer_account",
            "discounts",
            "excluded_payment_method_types",
            "managed_payments",
            "optional_items",
            "payment_method_configuration",
            "payment_method_data",
            "permissions",
            "redirect_on_completion",
            "return_url",
            "saved_payment_method_options",
            "setup_intent_data",
            "shipping_address_collection",
            "shipping_options",
            "subscription_data",
            "wallet_options",
        ),
        _of_stripe_alone,
    ),
}
_LIST: params.Shape = {
    **PAGING,
    "customer": params.text(255),
    "customer_details": params.group({"email": params.text(800)}, "email"),
    "payment_intent": params.text(255),
    "payment_link": params.text(255),
    "status": params.choice("complete", "expired", "open"),
    "subscription": params.text(255),
}
_PAGE: params.Shape = {"limit": PAGING["limit"], "starting_after": PAGING["starting_after"]}

ROUTES = (
    Route("POST", "/v1/checkout/sessions", create, _CREATE, ("mode", "line_items", "success_url")),
    Route("GET", "/v1/checkout/sessions", index, _LIST),
    Route("GET", "/v1/checkout/sessions/{id}", retrieve),
    Route("POST", "/v1/checkout/sessions/{id}", update, {"metadata": params.metadata}),
    Route("POST", "/v1/checkout/sessions/{id}/expire", expire),
    Route("GET", "/v1/checkout/sessions/{id}/line_items", index_line_items, _PAGE),
)
