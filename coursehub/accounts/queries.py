"""Finding people, by the blind index of their address under every key in use."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, column, exists, select, table

from coursehub.accounts.models import EMAIL, Customer
from coursehub.kernel.db import Base, db
from coursehub.kernel.encryption import fold_email, key_ring


def find(customer_id: UUID) -> Customer | None:
    """The person with this id, unless the account was deleted."""
    customer = db.session.get(Customer, customer_id)
    return customer if customer and customer.is_active else None


def verified_by_email(email: str) -> Customer | None:
    """The one account that owns this address."""
    return db.session.scalars(
        select(Customer).where(has_email(email), Customer.email_verified_at.is_not(None), Customer.status != "deleted")
    ).first()


def may_sign_in(email: str, most: int) -> list[Customer]:
    """The account that owns this address, then the newest unconfirmed ones of it, together at most `most`.

    Also beside an owner: if only unknown addresses let a new account in, registering would tell which are known.
    """
    candidates = select(Customer).where(has_email(email), Customer.status != "deleted")
    ordered = candidates.order_by(Customer.email_verified_at.is_(None), Customer.id.desc())
    return list(db.session.scalars(ordered.limit(most)))


def has_email(email: str) -> ColumnElement[bool]:
    """SQL: the account's address is `email`, whatever its case and whichever key it was indexed with."""
    return Customer.email_index.in_(key_ring().indexes(fold_email(email), EMAIL))


def may_vanish() -> list[ColumnElement[bool]]:
    """SQL: nothing that must be kept (an order, a purchase, a course) points at the account.

    Read off the foreign keys, so that a table added later is respected without being named here.
    """
    here: Any = Customer.__table__
    kept = [
        key.parent
        for table in Base.metadata.sorted_tables
        for key in table.foreign_keys
        if key.column.table is here and key.ondelete is None
    ]
    return [~exists().where(column == Customer.id) for column in kept]


def has_public_page(customer_id: UUID) -> bool:
    """Whether anybody finds a course of theirs. Courses lie above this feature; only their being is asked."""
    courses = table("courses", column("author_id"), column("status"))
    published = exists().where(courses.c.author_id == customer_id, courses.c.status == "published")
    return bool(db.session.scalar(select(published)))
