"""Carts of guests who never came back go; those of people, and of guests who may come back, stay."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from coursehub.cart import basket
from coursehub.cart.models import Cart, CartItem
from coursehub.courses import queries
from coursehub.kernel import clock
from coursehub.kernel.db import db, transaction
from coursehub.kernel.events import record
from coursehub.kernel.maintenance import AccountsSweep
from tests.factories import a_course


def test_only_carts_that_no_guest_comes_back_to_are_swept(app: Any, ada: Any, ben: Any, work: Any) -> None:
    course = a_course(by=ada)
    # name: (days since it was made, days since something was put in, None when it is empty)
    guests = {
        b"empty": (2, None),
        b"empty, of today": (0, None),
        b"forgotten": (61, 61),
        b"old but used": (90, 5),
        b"recent": (59, 59),
    }
    with transaction():
        for name, (made, added) in guests.items():
            cart = basket.of_guest(name)
            if added is not None:
                item = basket.add(cart, queries.get(course.id), None)
                db.session.execute(
                    update(CartItem).where(CartItem.id == item.id).values(added_at=clock.now() - timedelta(days=added))
                )
            db.session.execute(
                update(Cart).where(Cart.id == cart.id).values(created_at=clock.now() - timedelta(days=made))
            )
        db.session.execute(
            update(Cart)
            .where(Cart.id == basket.of_customer(ben.id).id)
            .values(created_at=clock.now() - timedelta(days=400))
        )
    with transaction():
        record(AccountsSweep())
    work("maintenance.accounts.sweep")
    left = set(db.session.scalars(select(Cart.guest_hash)))
    assert left == {None, b"empty, of today", b"old but used", b"recent"}
