"""order.lifecycle.q: what follows from orders and payments."""

from uuid import UUID

from sqlalchemy import update

from coursehub.accounts.models import Customer
from coursehub.cart import basket
from coursehub.courses.models import Course
from coursehub.entitlements import queries as rights
from coursehub.kernel.db import db, transaction
from coursehub.kernel.outbox import claim_effect
from coursehub.library import fulfillment
from coursehub.library.events import FulfillmentRequested
from coursehub.mail import delivery
from coursehub.orders import queries
from coursehub.orders.events import OrderDownloaded, OrderExpired, OrderStarted
from coursehub.payments.events import PaymentSucceeded
from coursehub.reviews import statistics
from tasks.runtime import on


@on("order.started", max_retries=3)
def order_started(event: OrderStarted, event_id: UUID) -> None:
    """Nothing follows yet but the record; the clock asks Stripe about orders that stay here."""
    with transaction():
        claim_effect(event_id, "order.started")


@on("order.expired", max_retries=3)
def order_expired(event: OrderExpired, event_id: UUID) -> None:
    """Nothing follows yet but the record: the cart is kept for the buyer."""
    with transaction():
        claim_effect(event_id, "order.expired")


@on("order.downloaded", max_retries=3)
def order_downloaded(event: OrderDownloaded, event_id: UUID) -> None:
    """Nothing follows yet but the record."""
    with transaction():
        claim_effect(event_id, "order.downloaded")


@on("payment.succeeded", max_retries=8)
def payment_succeeded(event: PaymentSucceeded, event_id: UUID) -> None:
    """Carts retired, sales counted, creators told; a review whose course was given back and bought again counts."""
    with transaction():
        if not claim_effect(event_id, "payment.succeeded"):
            return
        order = queries.find(event.order_id)
        if order is None:
            return
        given = rights.of_order(order.id)
        # A line that gave no right (owned already) is no sale; its money waits for a person.
        items = [item for item in queries.items_of(order.id) if given[item.course_id].access != "revoked"]
        # In id order, so that two sales of the same courses never wait for each other in a ring.
        for course_id in sorted(item.course_id for item in items):
            db.session.execute(
                update(Course)
                .where(Course.id == course_id)
                .values(sales_count=Course.sales_count + 1, updated_at=Course.updated_at)
            )
        statistics.follow_rights(order.customer_id, [item.course_id for item in items])
        basket.retire(order.customer_id, [item.course_id for item in items])
        for item in items:
            course = db.session.get_one(Course, item.course_id)
            author = db.session.get_one(Customer, course.author_id)
            delivery.request_email(
                "course_sold",
                to=author.email,
                subject_key=str(given[item.course_id].id),
                customer_id=author.id,
                data={
                    "name": author.name,
                    "title": item.course_title_snapshot,
                    "price_cents": item.unit_price_cents,
                    "currency": order.currency,
                    "course_id": str(course.id),
                },
            )


@on("purchase.fulfill", max_retries=8)
def purchase_fulfill(event: FulfillmentRequested, event_id: UUID) -> None:
    """Purchases made ready and the receipt asked for."""
    with transaction():
        if claim_effect(event_id, "purchase.fulfill"):
            fulfillment.fulfill(event.order_id)
