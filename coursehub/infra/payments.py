"""Stripe: the PaymentGateway Protocol and the official SDK behind it."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

import stripe

from coursehub.kernel import clock
from coursehub.kernel.errors import Conflict, Unavailable
from coursehub.kernel.settings import Settings

log = logging.getLogger(__name__)
SIGNATURE_TOLERANCE = 300  # seconds, either way
PAID = ("paid", "no_payment_required")


class BadSignature(Exception):
    """The webhook was not signed by Stripe, or not now."""


class NoSuchObject(Exception):
    """Stripe does not know this id (or it belongs to the other mode)."""


class NotExpirable(Exception):
    """The session is complete or already expired."""


class KeySpent(Exception):
    """The idempotency key was used for another request."""


class StillOpening(Exception):
    """Another request with the same idempotency key is at Stripe right now."""


@dataclass(frozen=True)
class CheckoutLine:
    """One line of a session: a name and an amount in minor units."""

    name: str
    amount_cents: int


@dataclass(frozen=True)
class CheckoutRequest:
    """All that a hosted Checkout Session is made from; only ids travel in the metadata."""

    order_id: str
    order_number: str
    customer_id: str
    email: str
    currency: str
    lines: tuple[CheckoutLine, ...]
    success_url: str
    cancel_url: str
    expires_at: datetime
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Checkout:
    """A Checkout Session as Stripe has it now. Amounts in minor units, None where Stripe has none yet."""

    session_id: str
    status: str  # open, complete, expired
    payment_status: str  # unpaid, paid, no_payment_required
    url: str | None
    amount_total: int | None
    currency: str | None
    order_id: str | None
    customer_id: str | None
    payment_intent_id: str | None
    receipt_url: str | None
    livemode: bool
    expires_at: datetime
    tax_cents: int = 0

    @property
    def is_paid(self) -> bool:
        return self.status == "complete" and self.payment_status in PAID


@dataclass(frozen=True)
class StripeEvent:
    """A verified event: what it is about, and its payload for the record."""

    id: str
    type: str
    object_id: str
    livemode: bool
    payload: dict[str, Any]


class PaymentGateway(Protocol):
    """What CourseHub asks of Stripe. Raises Unavailable when Stripe does not answer within the budget."""

    @property
    def livemode(self) -> bool:
        """Whether real money moves; events and sessions of the other mode are not ours."""

    def create_checkout(self, request: CheckoutRequest, *, idempotency_key: str) -> Checkout:
        """Open a hosted session. The same key answers with the same session.

        Raises StillOpening, KeySpent, and Conflict when Stripe refuses the request itself.
        """

    def get_checkout(self, session_id: str) -> Checkout:
        """The session as it is now. Raises NoSuchObject."""

    def expire_checkout(self, session_id: str) -> Checkout:
        """Close an open session. Raises NotExpirable when it is complete or expired, NoSuchObject."""

    def checkout_of_intent(self, payment_intent_id: str) -> Checkout | None:
        """The session a payment intent belongs to, None when it came from elsewhere."""

    def verify(self, body: bytes, signature: str | None) -> StripeEvent:
        """The event in a webhook's raw bytes. Raises BadSignature."""


class StripeGateway:
    """The PaymentGateway over the official SDK."""

    def __init__(self, settings: Settings) -> None:
        key = settings.stripe_secret_key.get_secret_value()
        base = settings.stripe_api_base
        self._livemode = key.startswith(("sk_live", "rk_live"))
        self._secrets = [part for part in settings.stripe_webhook_secret.get_secret_value().split(",") if part]
        # Two tries of 3 s + 5 s stay inside the 12 s a buyer is asked to wait at most.
        http = stripe.RequestsClient(timeout=(3, 5))
        addresses: Any = {"api": base, "files": base, "connect": base, "meter_events": base} if base else {}
        self._client = stripe.StripeClient(
            key,
            max_network_retries=1,
            http_client=http,
            base_addresses=addresses,
        )

    def create_checkout(self, request: CheckoutRequest, *, idempotency_key: str) -> Checkout:
        metadata = {"order_id": request.order_id, **request.metadata}
        lines = [
            {
                "quantity": 1,
                "price_data": {
                    "currency": request.currency.lower(),
                    "unit_amount": line.amount_cents,
                    "product_data": {"name": line.name},
                },
            }
            for line in request.lines
        ]
        params: Any = {
            "mode": "payment",
            "line_items": lines,
            "client_reference_id": request.customer_id,
            "customer_email": request.email,
            "success_url": request.success_url,
            "cancel_url": request.cancel_url,
            "expires_at": int(request.expires_at.timestamp()),
            "metadata": metadata,
            "payment_intent_data": {"metadata": metadata, "description": f"CourseHub order {request.order_number}"},
        }
        try:
            with _translated():
                session = self._client.v1.checkout.sessions.create(
                    params=params, options={"idempotency_key": idempotency_key}
                )
        except stripe.IdempotencyError as error:
            raise KeySpent(idempotency_key) from error
        except stripe.InvalidRequestError as error:
            log.error("stripe.refused", extra={"code": _code(error), "param": error.param})
            raise Conflict("The payment page cannot be opened for this cart. Please write to support.") from error
        return self._checkout(session)

    def get_checkout(self, session_id: str) -> Checkout:
        with _translated():
            session = self._client.v1.checkout.sessions.retrieve(
                session_id, params={"expand": ["payment_intent.latest_charge"]}
            )
        return self._checkout(session)

    def expire_checkout(self, session_id: str) -> Checkout:
        try:
            with _translated():
                return self._checkout(self._client.v1.checkout.sessions.expire(session_id))
        except stripe.InvalidRequestError as error:
            raise NotExpirable(session_id) from error

    def checkout_of_intent(self, payment_intent_id: str) -> Checkout | None:
        with _translated():
            found = self._client.v1.checkout.sessions.list(params={"payment_intent": payment_intent_id, "limit": 1})
        return self.get_checkout(found.data[0].id) if found.data else None

    def verify(self, body: bytes, signature: str | None) -> StripeEvent:
        event = self._constructed(body, signature)
        # The SDK accepts a signature from the future; a clock that far off is not Stripe's.
        stamped = next((part[2:] for part in (signature or "").split(",") if part.startswith("t=")), "0")
        if not stamped.isdigit() or abs(clock.now().timestamp() - int(stamped)) > SIGNATURE_TOLERANCE:
            raise BadSignature("The signature's time is too far from now.")
        payload = event.to_dict()
        return StripeEvent(
            id=str(event.id),
            type=str(event.type),
            object_id=str(payload.get("data", {}).get("object", {}).get("id", "")),
            livemode=bool(payload.get("livemode")),
            payload=payload,
        )

    @property
    def livemode(self) -> bool:
        """Whether this key moves real money; events of the other mode are not ours."""
        return self._livemode

    def _constructed(self, body: bytes, signature: str | None) -> stripe.Event:
        if not signature or not self._secrets:
            raise BadSignature("No signature.")
        for secret in self._secrets:
            try:
                return self._client.construct_event(body, signature, secret, tolerance=SIGNATURE_TOLERANCE)
            except stripe.SignatureVerificationError:
                continue
            except (ValueError, KeyError, TypeError, AttributeError) as error:  # signed, but not an event we can read
                raise BadSignature("The body is not a Stripe event.") from error
        raise BadSignature("The signature does not match.")

    def _checkout(self, session: Any) -> Checkout:
        intent = session.payment_intent
        charge = getattr(intent, "latest_charge", None) if intent is not None and not isinstance(intent, str) else None
        details = session.total_details
        metadata = session.metadata or {}
        return Checkout(
            session_id=session.id,
            status=session.status or "open",
            payment_status=session.payment_status,
            url=session.url,
            amount_total=session.amount_total,
            currency=session.currency.upper() if session.currency else None,
            order_id=metadata["order_id"] if "order_id" in metadata else None,  # noqa: SIM401  not a dict
            customer_id=session.client_reference_id,
            payment_intent_id=intent if isinstance(intent, str) or intent is None else intent.id,
            receipt_url=charge.receipt_url if charge is not None and not isinstance(charge, str) else None,
            livemode=bool(session.livemode),
            expires_at=datetime.fromtimestamp(session.expires_at, UTC),
            tax_cents=(details.amount_tax or 0) if details else 0,
        )


class _translated:
    """Stripe's errors in our words: away → Unavailable, unknown id → NoSuchObject; the rest pass through."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, stripe.InvalidRequestError) and error.code == "resource_missing":
            raise NoSuchObject(str(error.param or "")) from error
        away = isinstance(error, stripe.APIConnectionError | stripe.RateLimitError) or (
            isinstance(error, stripe.APIError) and type(error) is stripe.APIError
        )
        if isinstance(error, stripe.StripeError) and _code(error) == "idempotency_key_in_use":
            raise StillOpening("idempotency_key_in_use") from error
        if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
            log.critical("stripe.key_refused")
            away = True
        if away:
            raise Unavailable(
                "Payments are not available right now. Your cart is kept; please try again in a minute."
            ) from error


def _code(error: stripe.StripeError) -> str | None:
    # A 409 comes as a plain APIError, whose code stands only in the body.
    return error.code or getattr(error.error, "code", None)
