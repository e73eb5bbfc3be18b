"""Steps many payment tests share."""

from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from coursehub.cart import basket
from coursehub.entitlements.models import Purchase
from coursehub.infra.services import services
from coursehub.kernel.db import db, transaction
from coursehub.orders.models import Order
from coursehub.payments import sessions
from coursehub.payments.sessions import CheckoutLink

BASE = "http://127.0.0.1"


def fill_cart(person: Any, *courses: Any) -> None:
    """Put the courses into the person's cart."""
    with transaction():
        cart = basket.of_customer(person.id)
        for course in courses:
            basket.add(cart, course, person)


def go_to_payment(person: Any) -> CheckoutLink:
    """Open the payment page for the person's cart."""
    return sessions.open_checkout(person.id, gateway=services().gateway, base_url=BASE)


def paid_session(stripe: Any, person: Any, *courses: Any) -> CheckoutLink:
    """A session that was paid with a good card while no webhook went out."""
    fill_cart(person, *courses)
    link = go_to_payment(person)
    assert stripe.pay(link.url).status_code == 303
    return link


def order_of(link: CheckoutLink) -> Order:
    db.session.rollback()
    return db.session.get_one(Order, link.order_id, populate_existing=True)


def count(model: Any, *where: Any) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model).where(*where)) or 0


def purchases(order_id: UUID) -> list[Purchase]:
    db.session.rollback()
    return list(db.session.scalars(select(Purchase).where(Purchase.order_id == order_id)))
