"""From a cart to the payment page, for both edges (page and API).

It opens its own transactions, because Stripe is asked between them: place the order · Stripe · start the order. A
crash in between leaves an order that never started and a session nobody was sent to; the next click finds both.
"""

import contextlib
import time
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from coursehub.accounts.models import Customer
from coursehub.cart import basket
from coursehub.infra.payments import Checkout, KeySpent, NoSuchObject, NotExpirable, PaymentGateway, StillOpening
from coursehub.kernel.db import db, release, transaction
from coursehub.kernel.errors import Conflict, Unavailable
from coursehub.orders import checkout, lifecycle, queries
from coursehub.orders.checkout import PriceChanged
from coursehub.orders.models import Order
from coursehub.payments import confirmation

_PATIENCE = 8.0  # seconds to wait for a rival request that is opening the same session


@dataclass(frozen=True)
class CheckoutLink:
    """Where to send the buyer: `url` is the payment page, None when the order is paid already."""

    order_id: UUID
    session_id: str | None
    url: str | None


@dataclass(frozen=True)
class _Plan:
    order_id: UUID
    session_id: str | None
    paid: bool
    superseded: tuple[UUID, ...]


def open_checkout(
    customer_id: UUID, *, gateway: PaymentGateway, base_url: str, expected_cents: int | None = None
) -> CheckoutLink:
    """One open session for what is in the customer's cart; the same one however often it is asked for.

    Raises what `place_order` raises, and Unavailable when Stripe does not answer: the cart is kept.
    """
    plan = _place(customer_id, expected_cents)
    outcomes = {_close(order_id, gateway) for order_id in plan.superseded}
    if "pending" in outcomes:
        _withdraw(plan.order_id)
        raise Conflict(
            "A payment for an earlier cart is still on its way. Please wait until it has arrived or failed; "
            "your orders show how it stands."
        )
    if "paid" in outcomes and not plan.paid:
        # What was just paid is owned now: the cart is worth less than when this order was placed.
        return open_checkout(customer_id, gateway=gateway, base_url=base_url, expected_cents=expected_cents)
    if plan.paid:
        return CheckoutLink(plan.order_id, None, None)
    if plan.session_id is not None:
        link = _reuse(plan.order_id, plan.session_id, gateway)
        if link is not None:
            return link
    return _create(plan.order_id, gateway, base_url)


def _place(customer_id: UUID, expected_cents: int | None) -> _Plan:
    try:
        with transaction() as session:
            customer = session.get_one(Customer, customer_id)
            cart = basket.of_customer(customer.id)
            placed = checkout.place_order(cart, customer, expected_cents=expected_cents)
            order = placed.order
            paid = order.total_cents == 0 and confirmation.confirm(
                order.id, None, cause="free order", actor=f"customer:{customer.id}"
            )
            return _Plan(order.id, order.stripe_checkout_session_id, paid, placed.superseded)
    except PriceChanged:
        # The buyer is told now; the next click is an answer to the new price.
        with transaction():
            basket.acknowledge_prices(basket.of_customer(customer_id).id)
        raise


def _reuse(order_id: UUID, session_id: str, gateway: PaymentGateway) -> CheckoutLink | None:
    """The session that is there, if it still serves; None after making way for a new attempt."""
    found = _ask(session_id, gateway)
    if found is not None and found.status == "open":
        return CheckoutLink(order_id, session_id, found.url)
    if found is not None and found.status == "complete":
        with transaction():
            confirmation.settle(order_id, found, cause="checkout again", actor="checkout")
        return CheckoutLink(order_id, session_id, None)
    with transaction():
        order = lifecycle.locked(order_id)
        if order.stripe_checkout_session_id == session_id and not order.is_paid:
            checkout.new_attempt(order)
    return None


def _create(order_id: UUID, gateway: PaymentGateway, base_url: str, *, again: bool = True) -> CheckoutLink:
    order = queries.find(order_id)
    assert order is not None
    customer = db.session.get_one(Customer, order.customer_id)
    request = checkout.request_for(order, customer.email, base_url)
    key = checkout.idempotency_key(order)
    release()
    try:
        created = gateway.create_checkout(request, idempotency_key=key)
    except StillOpening:
        return _wait_for_rival(order_id)
    except KeySpent:
        # The key was used for a request that differs (the address changed since): the next attempt has another.
        if not again:
            raise
        with transaction():
            order = lifecycle.locked(order_id)
            if order.stripe_checkout_session_id is None and not order.is_paid:
                checkout.new_attempt(order)
        return _create(order_id, gateway, base_url, again=False)
    with transaction():
        order = lifecycle.locked(order_id)
        if order.is_paid:
            return CheckoutLink(order_id, order.stripe_checkout_session_id, None)
        started = lifecycle.start(order, created.session_id, actor=f"customer:{order.customer_id}")
        if started:
            order.checkout_url = created.url
    if not started:
        # Another tab changed the cart meanwhile and this order has ended: nobody may be sent to pay it.
        with contextlib.suppress(NotExpirable, NoSuchObject):
            gateway.expire_checkout(created.session_id)
        raise Conflict("Your cart changed in another tab. Please look at it once more; nothing was charged.")
    return CheckoutLink(order_id, created.session_id, created.url)


def _wait_for_rival(order_id: UUID) -> CheckoutLink:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        db.session.rollback()  # read anew
        order = queries.find(order_id)
        if order is not None and order.stripe_checkout_session_id is not None:
            return CheckoutLink(order_id, order.stripe_checkout_session_id, order.checkout_url)
        db.session.rollback()
        time.sleep(0.1)
    raise Unavailable("The payment page is taking long to open. Your cart is kept; please try again.")


def _close(order_id: UUID, gateway: PaymentGateway) -> Literal["closed", "paid", "pending"]:
    """An older order of this buyer makes way: its session can no longer be paid, is paid, or is being paid."""
    order = queries.find(order_id)
    session_id = order.stripe_checkout_session_id if order is not None else None
    release()
    found: Checkout | None = None
    if session_id is not None:
        try:
            found = gateway.expire_checkout(session_id)
        except NotExpirable:
            found = _ask(session_id, gateway)
        except NoSuchObject:
            found = None
    with transaction():
        if found is not None and found.status == "complete":
            confirmation.settle(order_id, found, cause="cart changed", actor="checkout")
            return "paid" if found.is_paid else "pending"
        locked: Order = lifecycle.locked(order_id)
        if locked.stripe_checkout_session_id == session_id:
            lifecycle.cancel(locked, cause="the cart changed", actor=f"customer:{locked.customer_id}")
        return "closed"


def _withdraw(order_id: UUID) -> None:
    with transaction():
        order = lifecycle.locked(order_id)
        if order.stripe_checkout_session_id is None:
            lifecycle.cancel(order, cause="another payment is under way", actor=f"customer:{order.customer_id}")


def _ask(session_id: str, gateway: PaymentGateway) -> Checkout | None:
    release()
    try:
        return gateway.get_checkout(session_id)
    except NoSuchObject:
        return None
