"""Putting a purchase away and bringing it back; its right stays as it is."""

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from coursehub.entitlements.models import Purchase
from coursehub.kernel.db import db
from coursehub.kernel.errors import NotFound
from coursehub.library.models import ArchivedPurchase


def archive(purchase: Purchase) -> None:
    """Put it away; again changes nothing. Raises NotFound for a right that has ended. In the open transaction."""
    _check(purchase)
    db.session.execute(insert(ArchivedPurchase).values(purchase_id=purchase.id).on_conflict_do_nothing())


def restore(purchase: Purchase) -> None:
    """Bring it back; again changes nothing. Raises NotFound for a right that has ended. In the open transaction."""
    _check(purchase)
    db.session.execute(delete(ArchivedPurchase).where(ArchivedPurchase.purchase_id == purchase.id))


def _check(purchase: Purchase) -> None:
    if purchase.access == "revoked":
        raise NotFound("There is no such purchase in your library.")
