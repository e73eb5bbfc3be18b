"""The one way into the audit trail: each record carries the hash of the one before it."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from coursehub.audit.models import AuditRecord
from coursehub.kernel import clock
from coursehub.kernel.db import NotInTransaction, db, in_transaction
from coursehub.kernel.encryption import key_ring

GENESIS = bytes(32)  # what the first record follows
_LOCK = 0x61756469  # "audi": whoever appends holds it until the commit, so the chain never forks


def write(
    actor_id: UUID | None,
    action: str,
    subject_type: str,
    subject_id: UUID | str,
    reason: str = "",
    details: Mapping[str, Any] | None = None,
    ip: str | None = None,
) -> AuditRecord:
    """Append who (`actor_id`, None for the program) did `action` to what, in the transaction that did it.

    `details` are plain data without addresses or secrets; `ip` is kept as a blind index.
    Raises NotInTransaction outside `transaction()`.
    """
    if not in_transaction():
        raise NotInTransaction(f"{action} must be audited in the transaction that does it.")
    db.session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    last = db.session.execute(
        select(AuditRecord.number, AuditRecord.hash).order_by(AuditRecord.number.desc()).limit(1)
    ).first()
    record = AuditRecord(
        # Counted under the lock, not by the sequence: a rollback leaves no gap, so every gap is a deleted record.
        number=last.number + 1 if last else 1,
        at=clock.now(),
        actor_id=actor_id,
        action=_storable(action),
        subject_type=_storable(subject_type),
        subject_id=_storable(str(subject_id)),
        reason=_storable(reason),
        details=_plain(dict(details or {})),
        ip_index=key_ring().index(ip, "audit.ip") if ip else None,
        previous_hash=bytes(last.hash) if last else GENESIS,
    )
    record.hash = digest(record)
    db.session.add(record)
    db.session.flush()
    return record


def digest(record: AuditRecord) -> bytes:
    """SHA-256 over the hash before and every other column, in one canonical form."""
    content = {
        "number": record.number,
        "at": record.at.isoformat(timespec="microseconds"),
        "actor_id": str(record.actor_id) if record.actor_id else None,
        "action": record.action,
        "subject_type": record.subject_type,
        "subject_id": record.subject_id,
        "reason": record.reason,
        "details": record.details,
        "ip_index": bytes(record.ip_index).hex() if record.ip_index is not None else None,
    }
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(bytes(record.previous_hash) + canonical.encode()).digest()


def _plain(value: Any) -> Any:
    # What JSONB gives back exactly as it was put in: no floats (1e16 returns as an integer), no NUL.
    if isinstance(value, Mapping):
        return {_storable(str(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, bool | int):
        return value
    return _storable(str(value))


def _storable(text_: str) -> str:
    return text_.replace("\0", "").encode("utf-8", "replace").decode()
