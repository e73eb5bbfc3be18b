"""From a cart to a promise: the order with its prices as shown, and the request for the payment page."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from sqlalchemy import select

from coursehub.accounts.models import Customer
from coursehub.cart import basket
from coursehub.cart.basket import CartView
from coursehub.cart.models import Cart
from coursehub.infra.payments import CheckoutLine, CheckoutRequest
from coursehub.kernel import clock
from coursehub.kernel.db import db
from coursehub.kernel.errors import Conflict, NotAllowed
from coursehub.kernel.ids import new_id, short_code
from coursehub.kernel.money import MAXIMUM_CHARGE, MINIMUM_CHARGE, Money
from coursehub.kernel.moves import record_move
from coursehub.orders.models import OPEN, Order, OrderItem

# Stripe allows 30 minutes to 24 hours; an hour or two is a long dinner, not a forgotten tab.
SESSION_LIFE = timedelta(hours=2)
_LEAST_LIFE = timedelta(minutes=35)


class PriceChanged(Conflict):
    """The total is not the one the buyer was shown."""

    title = "The price just changed"


class NotVerified(NotAllowed):
    """Buying needs a confirmed address (PRD 13)."""

    title = "Confirm your e-mail address first"


class EmptyCart(Conflict):
    """Nothing in the cart can be bought."""

    title = "Your cart is empty"


@dataclass(frozen=True)
class Placed:
    """An order to pay, and the older open orders it replaces."""

    order: Order
    superseded: tuple[UUID, ...]


def place_order(cart: Cart, customer: Customer, *, expected_cents: int | None = None) -> Placed:
    """The one open order for what is in `cart` now, at the prices of now.

    `expected_cents` is the total the buyer was shown; without it, the prices noted when courses were added count.
    Two calls for the same content get the same order. Raises NotVerified, EmptyCart, PriceChanged, NotAllowed.
    """
    if customer.status != "active":
        raise NotAllowed("This account cannot buy at the moment. Please write to support.")
    if not customer.email_verified:
        raise NotVerified("Please confirm your e-mail address before you buy, so that your courses can reach you.")
    basket.locked(cart.id)
    view = basket.view(cart, customer)
    if not view.buyable:
        raise EmptyCart("There is nothing in your cart that can be bought.")
    _check_total(view, view.seen_total if expected_cents is None else expected_cents)

    contents = _hash(view)
    open_orders = db.session.scalars(
        select(Order).where(Order.customer_id == customer.id, Order.status.in_(OPEN)).with_for_update()
    ).all()
    order = next((one for one in open_orders if one.cart_hash == contents), None)
    if order is None:
        order = _new_order(customer, view, contents)
    elif order.stripe_checkout_session_id is None and _worn_out(order.checkout_expires_at):
        new_attempt(order)
    return Placed(order, tuple(one.id for one in open_orders if one.id != order.id))


def new_attempt(order: Order) -> None:
    """The next payment page for this order: a new Stripe idempotency key and a new end."""
    order.attempt += 1
    order.stripe_checkout_session_id = None
    order.checkout_url = None
    order.checkout_expires_at = clock.now() + SESSION_LIFE


def idempotency_key(order: Order) -> str:
    """The key for Stripe: one session for each attempt at an order, however often it is asked for."""
    return f"co:{order.id}:{order.attempt}"


def request_for(order: Order, email: str, base_url: str) -> CheckoutRequest:
    """What to ask Stripe for; the same order and attempt always give the same request."""
    items = db.session.scalars(select(OrderItem).where(OrderItem.order_id == order.id).order_by(OrderItem.id)).all()
    assert order.checkout_expires_at is not None
    return CheckoutRequest(
        order_id=str(order.id),
        order_number=order.number,
        customer_id=str(order.customer_id),
        email=email,
        currency=order.currency,
        lines=tuple(CheckoutLine(item.course_title_snapshot, item.unit_price_cents) for item in items),
        success_url=f"{base_url}/checkout/return?session_id={{CHECKOUT_SESSION_ID}}",
        cancel_url=f"{base_url}/cart?canceled=1",
        expires_at=order.checkout_expires_at,
    )


def _check_total(view: CartView, expected: int) -> None:
    other_currency = any(line.seen.currency != line.price.currency for line in view.buyable)
    if view.total.cents != expected or other_currency:
        raise PriceChanged(f"The price just changed: your cart now comes to {view.total.text()}. Nothing was charged.")
    if view.total.cents > MAXIMUM_CHARGE:
        most = Money(MAXIMUM_CHARGE, view.total.currency).text()
        raise Conflict(f"One payment is at most {most}. Please take something out and buy it separately.")
    least = MINIMUM_CHARGE[view.total.currency]
    if 0 < view.total.cents < least:
        raise Conflict(f"The smallest payment is {Money(least, view.total.currency).text()}.")


def _new_order(customer: Customer, view: CartView, contents: str) -> Order:
    order = Order(
        id=new_id(),
        customer_id=customer.id,
        number=f"CH-{short_code(2, 4)}",
        status="added_2_cart",
        cart_hash=contents,
        total_cents=view.total.cents,
        currency=view.total.currency,
        checkout_expires_at=clock.now() + SESSION_LIFE,
        attempt=1,
    )
    db.session.add(order)
    db.session.flush()  # the lines refer to it
    for line in view.buyable:
        assert line.version_id is not None
        db.session.add(
            OrderItem(
                id=new_id(),
                order_id=order.id,
                course_id=line.course_id,
                course_title_snapshot=line.title,
                version_id_snapshot=line.version_id,
                unit_price_cents=line.price.cents,
            )
        )
    record_move("order", order.id, None, order.status, cause="checkout", actor=f"customer:{customer.id}")
    db.session.flush()
    return order


def _hash(view: CartView) -> str:
    parts = sorted(f"{line.course_id}:{line.price.cents}:{line.price.currency}" for line in view.buyable)
    return sha256("|".join(parts).encode()).hexdigest()


def _worn_out(expires_at: datetime | None) -> bool:
    return expires_at is None or expires_at < clock.now() + _LEAST_LIFE
