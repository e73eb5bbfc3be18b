"""The shapes of Stripe's objects in API version 2026-10-28.endive, complete and before anything happened to them."""

import time
from typing import Any

from . import ids, money
from .cards import Card
from .store import Object


def customer(params: dict[str, Any]) -> Object:
    return {
        "id": ids.new("customer"),
        "object": "customer",
        "address": params.get("address"),
        "balance": 0,
        "business_name": None,
        "created": int(time.time()),
        "currency": None,
        "customer_account": None,
        "default_source": None,
        "delinquent": False,
        "description": params.get("description"),
        "discount": None,
        "email": params.get("email"),
        "individual_name": None,
        "invoice_prefix": ids.token(8).upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": params.get("metadata", {}),
        "name": params.get("name"),
        "next_invoice_sequence": 1,
        "phone": params.get("phone"),
        "preferred_locales": params.get("preferred_locales", []),
        "shipping": None,
        "tax_exempt": params.get("tax_exempt", "none"),
        "test_clock": None,
    }


def product(params: dict[str, Any]) -> Object:
    now = int(time.time())
    return {
        "id": ids.new("product"),
        "object": "product",
        "active": False,
        "created": now,
        "default_price": None,
        "description": params.get("description"),
        "images": params.get("images", []),
        "livemode": False,
        "marketing_features": [],
        "metadata": params.get("metadata", {}),
        "name": params["name"],
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": params.get("tax_code"),
        "type": "service",
        "unit_label": None,
        "updated": now,
        "url": None,
    }


def price(product_id: str, unit_amount: int, currency: str, tax_behavior: str) -> Object:
    return {
        "id": ids.new("price"),
        "object": "price",
        "active": False,
        "billing_scheme": "per_unit",
        "created": int(time.time()),
        "currency": currency,
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": None,
        "metadata": {},
        "nickname": None,
        "product": product_id,
        "recurring": None,
        "tax_behavior": tax_behavior,
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "one_time",
        "unit_amount": unit_amount,
        "unit_amount_decimal": str(unit_amount),
    }


def line_item(of_price: Object, name: str, quantity: int, metadata: dict[str, str]) -> Object:
    total = of_price["unit_amount"] * quantity
    return {
        "id": ids.new("item"),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": total,
        "amount_tax": 0,
        "amount_total": total,
        "currency": of_price["currency"],
        "description": name,
        "metadata": metadata,
        "price": of_price,
        "quantity": quantity,
    }


def checkout_session(params: dict[str, Any], items: list[Object], public_url: str, created: int) -> Object:
    session_id = ids.new("checkout.session")
    total = sum(item["amount_total"] for item in items)
    automatic_tax = params.get("automatic_tax", {}).get("enabled", False)
    email = params.get("customer_email")
    currency = items[0]["currency"]
    return {
        "id": session_id,
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": params.get("adaptive_pricing", {}).get("enabled", False)},
        "after_expiration": None,
        "allow_promotion_codes": params.get("allow_promotion_codes"),
        "amount_subtotal": sum(item["amount_subtotal"] for item in items),
        "amount_total": total,
        "automatic_tax": {
            "enabled": automatic_tax,
            "liability": {"type": "self"} if automatic_tax else None,
            "provider": "stripe" if automatic_tax else None,
            "status": "requires_location_inputs" if automatic_tax else None,
        },
        "billing_address_collection": params.get("billing_address_collection"),
        "branding_settings": None,
        "cancel_url": params.get("cancel_url"),
        "client_reference_id": params.get("client_reference_id"),
        "client_secret": None,
        "collected_information": None,
        "consent": None,
        "consent_collection": None,
        "created": created,
        "currency": currency,
        "currency_conversion": None,
        "custom_fields": [],
        "custom_text": _custom_text(params.get("custom_text", {})),
        "customer": params.get("customer"),
        "customer_account": None,
        "customer_creation": None if params.get("customer") else params.get("customer_creation", "if_required"),
        "customer_details": customer_details(email) if email else None,
        "customer_email": email,
        "discounts": [],
        "expires_at": params.get("expires_at", created + 24 * 3600),
        "integration_identifier": params.get("integration_identifier"),
        "invoice": None,
        "invoice_creation": {
            "enabled": False,
            "invoice_data": {
                "account_tax_ids": None,
                "custom_fields": None,
                "description": None,
                "footer": None,
                "issuer": None,
                "metadata": {},
                "rendering_options": None,
            },
        },
        "livemode": False,
        "locale": params.get("locale"),
        "metadata": params.get("metadata", {}),
        "mode": "payment",
        "origin_context": params.get("origin_context"),
        "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": "if_required",
        "payment_method_configuration_details": None,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": params.get("payment_method_types") or default_methods(currency),
        "payment_status": "unpaid" if total else "no_payment_required",
        "permissions": None,
        "phone_number_collection": {"enabled": params.get("phone_number_collection", {}).get("enabled", False)},
        "recovered_from": None,
        "saved_payment_method_options": None,
        "setup_intent": None,
        "shipping_address_collection": None,
        "shipping_cost": None,
        "shipping_options": [],
        "status": "open",
        "submit_type": params.get("submit_type"),
        "subscription": None,
        "success_url": params["success_url"],
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": f"{public_url}/c/pay/{session_id}",
        "wallet_options": None,
    }


def customer_details(email: str | None, name: str | None = None) -> Object:
    return {
        "address": None,
        "business_name": None,
        "email": email,
        "individual_name": None,
        "name": name,
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": None,
    }


BANK_DEBITS = {"usd": "us_bank_account", "eur": "sepa_debit"}


def default_methods(currency: str) -> list[str]:
    return ["card", BANK_DEBITS[currency]] if currency in BANK_DEBITS else ["card"]


def payment_intent(session: Object, data: dict[str, Any]) -> Object:
    intent_id = ids.new("payment_intent")
    return {
        "id": intent_id,
        "object": "payment_intent",
        "amount": session["amount_total"],
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": data.get("capture_method", "automatic_async"),
        "client_secret": f"{intent_id}_secret_{ids.token(25)}",
        "confirmation_method": "automatic",
        "created": int(time.time()),
        "currency": session["currency"],
        "customer": session["customer"],
        "customer_account": None,
        "description": data.get("description"),
        "excluded_payment_method_types": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": data.get("metadata", {}),
        "next_action": None,
        "on_behalf_of": None,
        "payment_details": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {"card": {"network": None, "request_three_d_secure": "automatic"}},
        "payment_method_types": list(session["payment_method_types"]),
        "processing": None,
        "receipt_email": data.get("receipt_email"),
        "review": None,
        "setup_future_usage": data.get("setup_future_usage"),
        "shipping": None,
        "source": None,
        "statement_descriptor": data.get("statement_descriptor"),
        "statement_descriptor_suffix": data.get("statement_descriptor_suffix"),
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": data.get("transfer_group"),
    }


def card_method(card: Card, name: str | None, email: str | None) -> Object:
    return {
        **_method("card", name, email),
        "card": {
            "brand": card.brand,
            "checks": dict(_CHECKS),
            "country": "US",
            "display_brand": card.brand,
            "exp_month": card.exp_month,
            "exp_year": card.exp_year,
            "fingerprint": ids.token(16),
            "funding": card.funding,
            "generated_from": None,
            "last4": card.last4,
            "networks": {"available": [card.brand], "preferred": None},
            "regulated_status": "unregulated",
            "three_d_secure_usage": {"supported": True},
            "wallet": None,
        },
    }


def bank_method(kind: str, name: str | None, email: str | None) -> Object:
    if kind == "sepa_debit":
        details: Object = {
            "bank_code": "37040044",
            "branch_code": "",
            "country": "DE",
            "fingerprint": ids.token(16),
            "generated_from": {"charge": None, "setup_attempt": None},
            "last4": "3000",
        }
    else:
        details = {
            "account_holder_type": "individual",
            "account_type": "checking",
            "bank_name": "STRIPE TEST BANK",
            "financial_connections_account": None,
            "fingerprint": ids.token(16),
            "last4": "6789",
            "networks": {"preferred": "ach", "supported": ["ach"]},
            "routing_number": "110000000",
            "status_details": {},
        }
    return {**_method(kind, name, email), kind: details}


def charge(intent: Object, method: Object, receipt_url: str, statement: str) -> Object:
    is_card = method["type"] == "card"
    return {
        "id": ids.new("charge" if is_card else "bank_payment"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": dict(method["billing_details"]),
        "calculated_statement_descriptor": statement if is_card else None,
        "captured": False,
        "created": int(time.time()),
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(intent["metadata"]),
        "on_behalf_of": None,
        "outcome": None,
        "paid": False,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": _charged_with(method),
        "radar_options": {},
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": receipt_url,
        "refunded": False,
        "review": None,
        "shipping": None,
        "source": None,
        "source_transfer": None,
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "status": "pending",
        "transfer_data": None,
        "transfer_group": intent["transfer_group"],
    }


def outcome(decline_code: str | None) -> Object:
    declined = decline_code is not None
    return {
        "advice_code": "try_again_later" if declined else None,
        "network_advice_code": None,
        "network_decline_code": "01" if declined else None,
        "network_status": "declined_by_network" if declined else "approved_by_network",
        "reason": decline_code,
        "risk_level": "normal",
        "risk_score": 22,
        "seller_message": (
            "The bank did not return any further details with this decline." if declined else "Payment complete."
        ),
        "type": "issuer_declined" if declined else "authorized",
    }


def balance_transaction(kind: str, source: Object, amount: int, fee: int, description: str | None = None) -> Object:
    now = int(time.time())
    categories = {"charge": "charge", "payment": "charge", "refund": "refund", "adjustment": "dispute"}
    details = {"amount": fee, "application": None, "currency": source["currency"], "type": "stripe_fee"}
    return {
        "id": ids.new("balance_transaction"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": now + 2 * 24 * 3600,
        "balance_type": "payments",
        "created": now,
        "currency": source["currency"],
        "description": description,
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [{**details, "description": "Stripe processing fees"}] if fee else [],
        "net": amount - fee,
        "reporting_category": categories.get(kind, kind),
        "source": source["id"],
        "status": "pending",
        "type": kind,
    }


def refund(of_charge: Object, amount: int, reason: str | None, metadata: dict[str, str]) -> Object:
    method = of_charge["payment_method_details"]["type"]
    destination: Object = {"type": method}
    if method == "card":
        destination["card"] = {"reference_status": "pending", "reference_type": "acquirer_reference_number"}
        destination["card"]["type"] = "refund"
    else:
        destination[method] = {"reference": None, "reference_status": None}
    return {
        "id": ids.new("refund"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": of_charge["id"],
        "created": int(time.time()),
        "currency": of_charge["currency"],
        "customer": of_charge["customer"],
        "customer_account": None,
        "destination_details": destination,
        "metadata": metadata,
        "payment_intent": of_charge["payment_intent"],
        "payment_method": of_charge["payment_method"],
        "reason": reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "pending",
        "transfer_reversal": None,
    }


EVIDENCE_TEXTS = (
    "access_activity_log",
    "billing_address",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_tracking_number",
    "uncategorized_text",
)
EVIDENCE_FILES = (
    "cancellation_policy",
    "customer_communication",
    "customer_signature",
    "duplicate_charge_documentation",
    "receipt",
    "refund_policy",
    "service_documentation",
    "shipping_documentation",
    "uncategorized_file",
)
_NETWORK_REASONS = {
    "fraudulent": "10.4",
    "product_not_received": "13.1",
    "duplicate": "12.6",
    "credit_not_processed": "13.6",
}


def dispute(of_charge: Object, amount: int, reason: str, status: str) -> Object:
    now = int(time.time())
    network_reason = _NETWORK_REASONS.get(reason, "13.3")
    card = of_charge["payment_method_details"].get("card") or {}
    evidence: Object = dict.fromkeys(EVIDENCE_TEXTS + EVIDENCE_FILES)
    evidence["enhanced_evidence"] = {}
    return {
        "id": ids.new("dispute"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": of_charge["id"],
        "created": now,
        "currency": of_charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": evidence,
        "evidence_details": {
            "due_by": now + 7 * 24 * 3600,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "is_charge_refundable": status.startswith("warning_"),
        "livemode": False,
        "metadata": {},
        "network_reason_code": network_reason,
        "payment_intent": of_charge["payment_intent"],
        "payment_method_details": {
            "card": {
                "brand": card.get("brand", "visa"),
                "case_type": "inquiry" if status.startswith("warning_") else "chargeback",
                "network": card.get("brand", "visa"),
                "network_reason_code": network_reason,
            },
            "type": "card",
        },
        "reason": reason,
        "status": status,
    }


def early_fraud_warning(of_charge: Object) -> Object:
    return {
        "id": ids.new("radar.early_fraud_warning"),
        "object": "radar.early_fraud_warning",
        "actionable": True,
        "charge": of_charge["id"],
        "created": int(time.time()),
        "fraud_type": "made_with_stolen_card",
        "livemode": False,
        "payment_intent": of_charge["payment_intent"],
    }


_CHECKS = {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"}


def _custom_text(given: dict[str, Any]) -> Object:
    return {
        name: given.get(name) or None
        for name in ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")
    }


def _method(kind: str, name: str | None, email: str | None) -> Object:
    address = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
    return {
        "id": ids.new("payment_method"),
        "object": "payment_method",
        "allow_redisplay": "limited",
        "billing_details": {"address": address, "email": email, "name": name, "phone": None, "tax_id": None},
        "created": int(time.time()),
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "type": kind,
    }


def _charged_with(method: Object) -> Object:
    kind = method["type"]
    known = method[kind]
    if kind == "sepa_debit":
        names: tuple[str, ...] = ("bank_code", "branch_code", "country", "fingerprint", "last4")
        return {"sepa_debit": {name: known[name] for name in names} | {"mandate": None}, "type": kind}
    if kind == "us_bank_account":
        names = ("account_holder_type", "account_type", "bank_name", "fingerprint", "last4", "routing_number")
        return {
            "type": kind,
            kind: {name: known[name] for name in names} | {"mandate": None, "payment_reference": None},
        }
    names = (
        "brand",
        "checks",
        "country",
        "exp_month",
        "exp_year",
        "fingerprint",
        "funding",
        "last4",
        "regulated_status",
    )
    card = {name: known[name] for name in names}
    card |= {"amount_authorized": None, "authorization_code": None, "installments": None, "mandate": None}
    card |= {"network": known["brand"], "network_transaction_id": None, "three_d_secure": None, "wallet": None}
    return {"card": card, "type": kind}


def shown_amount(body: Object) -> str:
    return money.written(body["amount"], body["currency"])
