"""Looking rights up."""

from uuid import UUID

from sqlalchemy import select

from coursehub.entitlements.models import Purchase
from coursehub.kernel.db import db


def of_order(order_id: UUID) -> dict[UUID, Purchase]:
    """The purchases of an order by course."""
    return {p.course_id: p for p in db.session.scalars(select(Purchase).where(Purchase.order_id == order_id))}
