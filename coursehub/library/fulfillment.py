"""Handing over what was paid for: purchases made ready, the receipt asked for once."""

from uuid import UUID

from sqlalchemy import select, update

from coursehub.accounts.models import Customer
from coursehub.entitlements.models import Purchase
from coursehub.kernel.db import db
from coursehub.kernel.moves import record_move
from coursehub.mail import delivery
from coursehub.orders import queries
from coursehub.orders.models import Order


def fulfill(order_id: UUID) -> None:
    """Make the order's purchases ready and ask for the receipt; in the open transaction, safe to run twice."""
    order = queries.find(order_id)
    if order is None or not order.is_paid:
        return
    ready = db.session.scalars(
        update(Purchase)
        .where(Purchase.order_id == order.id, Purchase.fulfillment_status == "none", Purchase.access == "active")
        .values(fulfillment_status="ready")
        .returning(Purchase.id)
    ).all()
    for purchase_id in ready:
        record_move("fulfilment", purchase_id, "none", "ready", cause="paid", actor="worker")
    send_receipt(order)


def send_receipt(order: Order, *, again: str = "") -> None:
    """Ask for the receipt mail: once for each order, or once more for each `again` (a resend's own key)."""
    customer = db.session.get_one(Customer, order.customer_id)
    keys = {
        purchase.course_id: purchase.license_key
        for purchase in db.session.scalars(select(Purchase).where(Purchase.order_id == order.id))
    }
    delivery.request_email(
        "receipt",
        to=customer.email,
        subject_key=f"{order.id}{again}",
        customer_id=customer.id,
        data={
            "name": customer.name,
            "order_id": str(order.id),
            "order_number": order.number,
            "paid_at": (order.paid_at or order.created_at).isoformat(),
            "currency": order.currency,
            "total_cents": order.total_cents,
            "tax_cents": order.tax_cents,
            "discount_cents": order.discount_cents,
            "receipt_url": order.receipt_url or "",
            "items": [
                {
                    "title": item.course_title_snapshot,
                    "price_cents": item.unit_price_cents,
                    "license_key": keys.get(item.course_id, ""),
                }
                for item in queries.items_of(order.id)
            ],
        },
    )
