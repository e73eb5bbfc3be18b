"""Feature flags: for whom they are on, how soon, and on whose word."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select, text

from coursehub.accounts.models import Customer
from coursehub.flags import toggles
from coursehub.flags.models import Flag
from coursehub.kernel.db import db, transaction


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    toggles.forget()
    yield
    toggles.forget()


def test_an_unknown_flag_is_off_for_everybody(app: Flask, ben: Customer, root: Customer) -> None:
    assert not toggles.is_enabled("nobody.heard.of.it")
    assert not toggles.is_enabled("nobody.heard.of.it", root)


def test_a_flag_is_on_for_everyone_for_a_role_or_for_a_person(ben: Customer, cleo: Customer, ada: Customer) -> None:
    with transaction():
        toggles.set_flag("everyone", True)
        toggles.set_flag("creators", False, roles=["creator"])
        toggles.set_flag("bens", False, customer_ids=[ben.id])
        toggles.set_flag("nobody", False)

    def who(name: str) -> list[bool]:
        return [toggles.is_enabled(name, person) for person in (None, ben, cleo, ada)]

    assert who("everyone") == [True, True, True, True]
    assert who("creators") == [False, False, False, True]
    assert who("bens") == [False, True, False, False]
    assert who("nobody") == [False, False, False, False]


def test_a_change_counts_here_at_once_and_elsewhere_within_five_seconds(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not toggles.is_enabled("slow")
    with transaction():
        toggles.set_flag("slow", True)
    assert toggles.is_enabled("slow")
    with transaction() as session:  # another process changes it
        session.execute(text("UPDATE feature_flags SET enabled = false"))
    assert toggles.is_enabled("slow")
    now = toggles.time.monotonic()
    monkeypatch.setattr(toggles.time, "monotonic", lambda: now + toggles.SECONDS_KEPT + 0.1)
    assert toggles.SECONDS_KEPT <= 5
    assert not toggles.is_enabled("slow")


def test_asking_often_asks_the_database_once(app: Flask) -> None:
    from sqlalchemy import event

    asked = []

    def listen(*about: object) -> None:
        asked.append(about[2])

    event.listen(db.engine, "before_cursor_execute", listen)
    try:
        for _ in range(100):
            toggles.is_enabled("popular")
    finally:
        event.remove(db.engine, "before_cursor_execute", listen)
    assert len([sql for sql in asked if "feature_flags" in str(sql)]) == 1


def test_a_change_tells_what_was_before(ben: Customer) -> None:
    with transaction():
        first = toggles.set_flag("beta", False, roles=["creator"])
    with transaction():
        second = toggles.set_flag("beta", True, customer_ids=[ben.id, ben.id])
    assert second.before == first.after == {"enabled": False, "roles": ["creator"], "customer_ids": []}
    assert second.after == {"enabled": True, "roles": [], "customer_ids": [str(ben.id)]}
    assert db.session.scalars(select(Flag.customer_ids)).one() == [ben.id]


def test_a_change_that_was_rolled_back_did_not_happen(app: Flask) -> None:
    with pytest.raises(ZeroDivisionError), transaction():
        toggles.set_flag("broken", True)
        raise ZeroDivisionError
    assert not toggles.is_enabled("broken")
