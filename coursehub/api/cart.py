"""The customer's cart, and from there to the payment page."""

from typing import Any

from flask import current_app

from coursehub.api.blueprint import answer, caller, operation
from coursehub.api.schemas import CartItemBody, CartItemShown, CartShown, CheckoutBody, CheckoutOpened, ItemPath, Once
from coursehub.cart import basket
from coursehub.courses import queries as courses
from coursehub.infra.services import services
from coursehub.kernel.db import transaction
from coursehub.kernel.errors import Invalid
from coursehub.payments import sessions
from coursehub.web.idempotency import idempotent
from coursehub.web.limits import limited, spend

TAG = "cart"


@operation("get", "/cart", tag=TAG, answers={200: CartShown})
def show_cart() -> Any:
    """What I mean to buy, at the prices of now."""
    return answer(CartShown.of(basket.view(basket.find(customer_id=caller().id), caller())))


@operation("post", "/cart/items", tag=TAG, answers={201: CartItemShown})
@limited("cart")
def create_cart_item(body: CartItemBody) -> Any:
    """Add a course; a second time changes nothing. One's own or an owned course: 409."""
    with transaction():
        course = courses.get(body.course_id)
        cart = basket.of_customer(caller().id)
        item = basket.add(cart, course, caller())
        line = next(line for line in basket.view(cart, caller()).lines if line.item_id == item.id)
    return answer(CartItemShown.of(line), 201)


@operation("delete", "/cart/items/<uuid:item_id>", tag=TAG, answers={204: None})
@limited("cart")
def delete_cart_item(path: ItemPath) -> Any:
    """Take a course out."""
    with transaction():
        basket.remove(basket.of_customer(caller().id), path.item_id)
    return answer(None)


@operation("post", "/checkout/session", tag="checkout", answers={201: CheckoutOpened})
@idempotent(lambda: f"customer:{caller().id}")
def create_checkout_session(header: Once, body: CheckoutBody) -> Any:
    """Open the payment page for what is in the cart.

    The same cart gets the same page however often it is asked for. A price that changed since the course was put
    into the cart: 409, and the next call takes the new price. A free order is paid at once and its `url` is null.
    """
    customer_id = caller().id
    spend("checkout", f"customer {customer_id}")
    if (body.coupon_code or "").strip():
        raise Invalid("There is no such coupon.", field="coupon_code")
    link = sessions.open_checkout(
        customer_id, gateway=services().gateway, base_url=current_app.config["SETTINGS"].base_url
    )
    opened = CheckoutOpened(order_id=link.order_id, checkout_session_id=link.session_id, url=link.url)
    return answer(opened, 201)
