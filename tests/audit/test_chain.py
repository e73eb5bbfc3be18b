"""The audit trail: whole, in order, and nobody can change it quietly."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from coursehub.audit import chain, records
from coursehub.audit.models import AuditRecord
from coursehub.kernel.db import NotInTransaction, db, transaction
from coursehub.kernel.encryption import key_ring
from coursehub.kernel.ids import new_id


@pytest.fixture
def five(app: Flask) -> list[int]:
    """Numbers of five records."""
    numbers = []
    for number in range(5):
        with transaction():
            details = {"amount": number, "nested": {"list": [1, "ü", None, True]}, "id": new_id(), "rate": 1e16}
            numbers.append(records.write(new_id(), "refund", "order", new_id(), "asked", details, "203.0.113.7").number)
    return numbers


def tamper(statement: str, **values: Any) -> None:
    """What somebody with the owner's rights on the database could do."""
    with transaction() as session:
        session.execute(text("ALTER TABLE audit_log DISABLE TRIGGER audit_log_append_only"))
        session.execute(text(statement), values)
        session.execute(text("ALTER TABLE audit_log ENABLE TRIGGER audit_log_append_only"))


def test_an_untouched_trail_is_whole(five: list[int]) -> None:
    assert five == [1, 2, 3, 4, 5]
    assert chain.verify() == []


def test_an_empty_trail_is_whole(app: Flask) -> None:
    assert chain.verify() == []


@pytest.mark.parametrize(
    "change",
    [
        "reason = 'never asked'",
        "actor_id = NULL",
        "details = jsonb_set(details, '{amount}', '99')",
        "at = at + interval '1 microsecond'",
        "subject_id = 'another'",
        "action = 'gift'",
        "ip_index = NULL",
    ],
)
def test_an_altered_record_is_found(five: list[int], change: str) -> None:
    tamper(f"UPDATE audit_log SET {change} WHERE number = 3")
    assert chain.verify() == [3]


def test_a_forged_record_with_a_fitting_hash_breaks_the_next(five: list[int]) -> None:
    with transaction():
        forged = db.session.get_one(AuditRecord, 3)
        forged.reason = "forged"
        forged_hash = records.digest(forged)
        db.session.expunge(forged)
    tamper("UPDATE audit_log SET reason = 'forged', hash = :hash WHERE number = 3", hash=forged_hash)
    assert chain.verify() == [4]


@pytest.mark.parametrize("number", [1, 2, 4])
def test_a_removed_record_is_found(five: list[int], number: int) -> None:
    tamper("DELETE FROM audit_log WHERE number = :number", number=number)
    assert chain.verify() == [number + 1]


def test_records_that_changed_places_are_found(five: list[int]) -> None:
    tamper("UPDATE audit_log SET number = CASE number WHEN 2 THEN 93 ELSE 92 END WHERE number IN (2, 3)")
    tamper("UPDATE audit_log SET number = CASE number WHEN 93 THEN 3 ELSE 2 END WHERE number IN (92, 93)")
    assert 2 in chain.verify() and 3 in chain.verify()


def test_a_record_put_between_is_found(five: list[int]) -> None:
    tamper("UPDATE audit_log SET number = number + 10 WHERE number > 3")
    tamper(
        "INSERT INTO audit_log (number, at, action, subject_type, subject_id, previous_hash, hash)"
        " OVERRIDING SYSTEM VALUE SELECT 4, at, 'planted', 'x', 'y', previous_hash, sha256('x') FROM audit_log"
        " WHERE number = 3"
    )
    assert chain.verify()[0] == 4


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_log SET reason = 'x'",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log",
        "DELETE FROM audit_log WHERE false",
    ],
)
def test_the_database_refuses_to_change_the_trail(five: list[int], statement: str) -> None:
    with pytest.raises(DBAPIError, match="append-only"), transaction() as session:
        session.execute(text(statement))
    assert len(db.session.scalars(select(AuditRecord)).all()) == 5


def test_a_deed_that_was_rolled_back_leaves_no_record_and_no_gap(five: list[int]) -> None:
    with pytest.raises(ZeroDivisionError), transaction():
        records.write(None, "refund", "order", new_id())
        raise ZeroDivisionError
    with transaction():
        assert records.write(None, "refund", "order", new_id()).number == 6
    assert chain.verify() == []


def test_twenty_at_once_make_one_straight_chain(app: Flask, together: Callable[..., list[Any]]) -> None:
    def write(number: int) -> int:
        with transaction():
            return records.write(None, "race", "thing", str(number), details={"number": number}).number

    assert sorted(together(20, write)) == list(range(1, 21))
    db.session.remove()
    assert chain.verify() == []


def test_without_the_lock_the_same_race_goes_wrong(
    app: Flask, together: Callable[..., list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: each takes a lock of its own, and some fail or the chain forks."""
    wrong = False
    for round_ in range(10):

        def write(number: int, round_: int = round_) -> int:
            with transaction():
                monkeypatch.setattr(records, "_LOCK", 1000 * round_ + number)
                return records.write(None, "race", "thing", str(number)).number

        outcome = together(20, write)
        db.session.remove()
        wrong = wrong or any(isinstance(one, Exception) for one in outcome) or bool(chain.verify())
        if wrong:
            break
    assert wrong


def test_a_record_belongs_to_the_transaction_of_its_deed(app: Flask) -> None:
    with pytest.raises(NotInTransaction):
        records.write(None, "refund", "order", new_id())


def test_no_network_address_is_readable_and_odd_text_is_kept_whole(app: Flask) -> None:
    with transaction():
        records.write(None, "odd", "thing", "x", "nul\0 and \ud800 and ünï", {"k\0": "v\0", "f": 0.1}, "203.0.113.7")
    row = db.session.execute(text("SELECT audit_log::text AS all_of_it, ip_index FROM audit_log")).one()
    assert "203.0.113.7" not in row.all_of_it
    assert bytes(row.ip_index) == key_ring().index("203.0.113.7", "audit.ip")
    db.session.rollback()
    assert chain.verify() == []
