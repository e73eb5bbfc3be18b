"""What is finished goes after its time, what is not stays."""

from datetime import timedelta
from uuid import UUID

from flask import Flask
from sqlalchemy import select

from coursehub.kernel import clock
from coursehub.kernel.db import db, transaction
from coursehub.kernel.idempotency import IdempotencyKey
from coursehub.kernel.ids import new_id
from coursehub.kernel.maintenance import clean_outbox
from coursehub.kernel.outbox import OutboxMessage, ProcessedEvent


def message(name: str, finished_days_ago: float | None) -> UUID:
    made = OutboxMessage(id=new_id(), name=name, payload={})
    if finished_days_ago is not None:
        made.finished_at = clock.now() - timedelta(days=finished_days_ago)
    db.session.add(made)
    return made.id


def effect(actor: str, days_ago: float, event_id: UUID | None = None) -> UUID:
    made = ProcessedEvent(event_id=event_id or new_id(), actor=actor)
    made.processed_at = clock.now() - timedelta(days=days_ago)
    db.session.add(made)
    return made.event_id


def test_old_messages_effects_and_answers_go_and_nothing_else(app: Flask) -> None:
    with transaction():
        kept_messages = {
            message("order.started", None),
            message("order.started", 6.9),
            message("maintenance.storage.sweep", 1.9),
            message("maintenance.storage.sweep", None),
        }
        unfinished = message("order.started", None)
        for name, days in (("order.started", 7.1), ("maintenance.storage.sweep", 2.1)):
            message(name, days)
        kept_effects = {
            effect("order.started", 29),
            effect("maintenance.storage.sweep", 1.9),
            effect("order.started", 31, unfinished),  # its message can still come again
        }
        effect("order.started", 31)
        effect("maintenance.storage.sweep", 2.1)
        for key, hours in (("young", 23), ("old", 25)):
            answer = IdempotencyKey(scope="ben", key=key, request_hash=b"")
            answer.created_at = clock.now() - timedelta(hours=hours)
            db.session.add(answer)
    with transaction():
        assert clean_outbox() == 5
    assert set(db.session.scalars(select(OutboxMessage.id))) == kept_messages | {unfinished}
    assert set(db.session.scalars(select(ProcessedEvent.event_id))) == kept_effects
    assert list(db.session.scalars(select(IdempotencyKey.key))) == ["young"]
    with transaction():
        assert clean_outbox() == 0
