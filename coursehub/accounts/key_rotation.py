"""Moving sealed values and blind indexes to the newest key, a batch at a time, while the shop is open."""

from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Column, LargeBinary, Table, and_, delete, func, or_, select, type_coerce, update

from coursehub.accounts.models import EMAIL, Customer, EmailToken
from coursehub.kernel.db import Base, db, transaction
from coursehub.kernel.encryption import Encrypted, EncryptedJson, KeyRing, fold_email, key_ring
from coursehub.mail.models import MailMessage, MailPreference

BATCH = 200
# The purpose of the blind index in mail_preferences.
MAIL_PREFERENCE = "mail_preferences.address"
# Blind index → the sealed column it is made from, in the same row. Both change in one statement.
_INDEXES: dict[tuple[str, str], tuple[str, Callable[[str], str], str]] = {
    ("customers", "email_index"): ("email", fold_email, EMAIL),
}


def rotate() -> Iterator[tuple[str, int]]:
    """Seal again whatever an older key sealed; yields (table, rows) for each table with such rows.

    Each batch is a transaction of its own, and what is done is not done again: stop and start it as you like. While
    it runs, look-ups try the indexes of every key. When it is through, the older keys may leave COURSEHUB_KEYS.
    """
    for table in Base.metadata.sorted_tables:
        sealed = [column for column in table.columns if isinstance(column.type, Encrypted | EncryptedJson)]
        moved = 0
        while sealed and (count := _move_batch(table, sealed)):
            moved += count
        if moved:
            yield table.name, moved
    moved = _move_preferences()
    if moved:
        yield MailPreference.__tablename__, moved


def _move_batch(table: Table, sealed: list[Column[Any]]) -> int:
    """Seal the next rows again; how many there were."""
    ring = key_ring()
    keys = list(table.primary_key.columns)
    raw = [type_coerce(column, LargeBinary).label(column.name) for column in sealed]
    old = or_(*(_is_old(column, ring) for column in sealed))
    with transaction() as session:
        rows = session.execute(select(*keys, *raw).where(old).limit(BATCH).with_for_update(skip_locked=True)).all()
        for row in rows:
            found = row._mapping
            values: dict[str, Any] = {}
            for column in sealed:
                before = found[column.name]
                if before is not None and not ring.is_current(bytes(before)):
                    values.update(_moved(table, column, bytes(before), ring))
            same = and_(*(key == found[key.name] for key in keys))
            session.execute(update(table).where(same).values(values))
    return len(rows)


def _is_old(column: Column[Any], ring: KeyRing) -> Any:
    # A sealed value begins with the form's version, the length of the key's id and the id.
    name = ring.current.encode()
    head = b"\x01" + bytes([len(name)]) + name
    return func.substr(type_coerce(column, LargeBinary), 1, len(head)) != head


def _moved(table: Table, column: Column[Any], before: bytes, ring: KeyRing) -> dict[str, Any]:
    purpose = column.type.purpose  # type: ignore[attr-defined]
    plain = ring.open(before, purpose)
    values: dict[str, Any] = {column.name: type_coerce(ring.seal(plain, purpose), LargeBinary)}
    for (table_name, index_name), (source, fold, index_purpose) in _INDEXES.items():
        if (table_name, source) == (table.name, column.name):
            values[index_name] = ring.index(fold(plain.decode()), index_purpose)
    return values


def _move_preferences() -> int:
    """Preferences know an address by its blind index alone: find the index of each address we hold."""
    moved = 0
    for source in (Customer.email, MailMessage.to_address, EmailToken.email):
        last = None
        while rows := _next_addresses(source, last):
            last = rows[-1][0]
            with transaction():
                moved += sum(_move_preference(address) for _, address in rows)
    return moved


def _next_addresses(source: Any, after: Any) -> list[Any]:
    owner = source.class_
    rows = select(owner.id, source).order_by(owner.id).limit(BATCH)
    return list(db.session.execute(rows.where(owner.id > after) if after else rows).all())


def _move_preference(address: str) -> int:
    new, *older = key_ring().indexes(fold_email(address), MAIL_PREFERENCE)
    moved = 0
    for old in older:
        newer = select(MailPreference.kind).where(MailPreference.address_index == new)
        # What was said since the new key is in use counts; the older word goes.
        db.session.execute(
            delete(MailPreference).where(MailPreference.address_index == old, MailPreference.kind.in_(newer))
        )
        told = update(MailPreference).where(MailPreference.address_index == old).values(address_index=new)
        moved += len(db.session.execute(told.returning(MailPreference.kind)).all())
    return moved
