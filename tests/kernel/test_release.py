"""`release()` gives the connection back before something slow, keeps what was loaded, and hides nothing new."""

from typing import Any

import pytest
from sqlalchemy import update

from coursehub.accounts.models import Customer
from coursehub.kernel.db import db, release, transaction


def _busy() -> int:
    with db.engine.connect() as connection:
        found = connection.exec_driver_sql(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE state = 'idle in transaction' AND datname = current_database() AND pid <> pg_backend_pid()"
        ).scalar_one()
    return int(found)


def test_a_released_connection_is_idle_and_rows_stay_readable(app: Any, ben: Any) -> None:
    person = db.session.get_one(Customer, ben.id, populate_existing=True)
    assert _busy() == 1
    release()
    assert _busy() == 0
    assert person.name == "Ben Okafor"
    assert _busy() == 0


def test_the_next_transaction_reads_afresh(app: Any, ben: Any) -> None:
    person = db.session.get_one(Customer, ben.id, populate_existing=True)
    release()
    with db.engine.begin() as connection:
        connection.execute(update(Customer).where(Customer.id == ben.id).values(status="banned"))
    with transaction():
        assert person.status == "banned"


def test_it_is_refused_inside_a_transaction(app: Any) -> None:
    with pytest.raises(RuntimeError), transaction():
        release()


def test_unsaved_changes_are_dropped_not_committed(app: Any, ben: Any) -> None:
    person = db.session.get_one(Customer, ben.id, populate_existing=True)
    person.name = "Somebody else"
    release()
    assert db.session.get_one(Customer, ben.id, populate_existing=True).name == "Ben Okafor"
