"""The right of a purchase: given, suspended, restored, revoked; the only writer of `Purchase.access`."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from coursehub.entitlements import licences
from coursehub.entitlements.events import AccessChanged
from coursehub.entitlements.models import Purchase
from coursehub.kernel import clock
from coursehub.kernel.db import db
from coursehub.kernel.errors import Conflict
from coursehub.kernel.events import record
from coursehub.kernel.ids import new_id
from coursehub.kernel.moves import record_move

_LEGAL = {("active", "suspended"), ("suspended", "active"), ("active", "revoked"), ("suspended", "revoked")}


def grant(order_id: UUID, customer_id: UUID, course_id: UUID, version_id: UUID, *, reason: str, actor: str) -> Purchase:
    """The purchase of one paid line, made once: a repeat returns the row that is there.

    A second living right to the same course is impossible; the newer purchase is then born revoked as a duplicate,
    and its caller must see to the money. Runs in the open transaction.
    """
    values = {
        "id": new_id(),
        "order_id": order_id,
        "customer_id": customer_id,
        "course_id": course_id,
        "version_id": version_id,
        "license_key": licences.new_key(),
        "access": "active",
        "access_reason": reason,
        "access_actor": actor,
    }
    inserted = _insert(values)
    if inserted is None:
        existing = _of_line(order_id, course_id)
        if existing is not None:
            return existing
        inserted = _insert({**values, "access": "revoked", "access_reason": "duplicate"})
    purchase = _of_line(order_id, course_id)
    assert purchase is not None
    if inserted is not None:
        record_move("entitlement", purchase.id, None, purchase.access, cause=purchase.access_reason, actor=actor)
    return purchase


def suspend(purchase: Purchase, *, reason: str, actor: str) -> None:
    """Hold the right back for a while (a dispute). Raises Conflict when it is not active."""
    _move(purchase, "suspended", reason, actor)


def restore(purchase: Purchase, *, reason: str, actor: str) -> None:
    """Give a suspended right back. Raises Conflict when it is not suspended."""
    _move(purchase, "active", reason, actor)


def revoke(purchase: Purchase, *, reason: str, actor: str) -> None:
    """End the right for good. Raises Conflict when it has ended already."""
    _move(purchase, "revoked", reason, actor)


def _move(purchase: Purchase, after: str, reason: str, actor: str) -> None:
    locked = db.session.scalars(
        select(Purchase).where(Purchase.id == purchase.id).with_for_update().execution_options(populate_existing=True)
    ).one()
    if (locked.access, after) not in _LEGAL:
        raise Conflict(f"This right is {locked.access}; it cannot become {after}.")
    record_move("entitlement", locked.id, locked.access, after, cause=reason, actor=actor)
    locked.access, locked.access_reason, locked.access_actor = after, reason, actor
    locked.access_changed_at = clock.now()
    record(
        AccessChanged(customer_id=locked.customer_id, course_id=locked.course_id, purchase_id=locked.id, access=after)
    )


def _insert(values: dict[str, object]) -> object | None:
    # Any unique index may stop it (this line again, or a living right from another order): then nothing is written.
    return db.session.execute(
        insert(Purchase).values(**values).on_conflict_do_nothing().returning(Purchase.id)
    ).scalar_one_or_none()


def _of_line(order_id: UUID, course_id: UUID) -> Purchase | None:
    return db.session.scalar(
        select(Purchase)
        .where(Purchase.order_id == order_id, Purchase.course_id == course_id)
        .execution_options(populate_existing=True)
    )
