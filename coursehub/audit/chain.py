"""Whether the audit trail is whole: no record altered, removed, put between or moved."""

from sqlalchemy import select

from coursehub.audit import records
from coursehub.audit.models import AuditRecord
from coursehub.kernel.db import db


def verify() -> list[int]:
    """Numbers of the records at which the chain breaks, oldest first; empty when it is whole.

    A removed record shows at the one after it. Records cut off the end show nothing here: compare with a backup.
    """
    broken: list[int] = []
    number, before = 0, records.GENESIS
    rows = select(AuditRecord).order_by(AuditRecord.number).execution_options(yield_per=500, populate_existing=True)
    for record in db.session.scalars(rows):
        follows = record.number == number + 1 and bytes(record.previous_hash) == before
        if not follows or bytes(record.hash) != records.digest(record):
            broken.append(record.number)
        number, before = record.number, bytes(record.hash)
    return broken
