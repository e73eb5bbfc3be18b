"""The shop's housekeeping as events: the clock records them, the workers do them."""

from datetime import timedelta
from typing import Any

from sqlalchemy import CursorResult, delete

from coursehub.kernel import clock
from coursehub.kernel.db import db
from coursehub.kernel.events import Event, event
from coursehub.kernel.idempotency import IdempotencyKey
from coursehub.kernel.outbox import OutboxMessage, ProcessedEvent

KEEP_OUTBOX = timedelta(days=7)
# Longer than a message could possibly come again: a forgotten effect would be applied twice.
KEEP_EFFECTS = timedelta(days=30)
KEEP_ANSWERS = timedelta(hours=24)
# The clock alone writes some 4,000 of these a day, and nobody ever asks for one again.
KEEP_HOUSEKEEPING = timedelta(days=2)
HOUSEKEEPING = "maintenance."


@event("maintenance.orders.expire")
class OrdersExpire(Event):
    """Close the orders whose time to pay has passed."""


@event("maintenance.orders.reconcile")
class OrdersReconcile(Event):
    """Ask Stripe about the orders that wait for a payment."""


@event("maintenance.webhooks.sweep")
class WebhooksSweep(Event):
    """Apply the webhooks that were stored and never applied."""


@event("maintenance.storage.sweep")
class StorageSweep(Event):
    """Delete the files that no row refers to."""


@event("maintenance.accounts.sweep")
class AccountsSweep(Event):
    """Delete the accounts whose address was never confirmed."""


@event("maintenance.search.refresh")
class SearchRefresh(Event):
    """Give search the popularity of today, and what it missed."""


@event("maintenance.outbox.clean")
class OutboxClean(Event):
    """Delete what is finished: messages, effects, kept answers, sessions."""


def clean_outbox() -> int:
    """Delete finished messages, old effects and kept answers, in the open transaction; how many rows went.

    An effect stays as long as its message does: without it a replayed message would be applied again.
    """
    now = clock.now()
    finished = OutboxMessage.finished_at
    ours = OutboxMessage.name.startswith(HOUSEKEEPING, autoescape=True)
    kept = db.session.query(OutboxMessage.id).where(OutboxMessage.id == ProcessedEvent.event_id).exists()
    deletions = (
        delete(OutboxMessage).where(finished < now - KEEP_OUTBOX),
        delete(OutboxMessage).where(finished < now - KEEP_HOUSEKEEPING, ours),
        delete(ProcessedEvent).where(ProcessedEvent.processed_at < now - KEEP_EFFECTS, ~kept),
        delete(ProcessedEvent).where(
            ProcessedEvent.processed_at < now - KEEP_HOUSEKEEPING,
            ProcessedEvent.actor.startswith(HOUSEKEEPING, autoescape=True),
            ~kept,
        ),
        delete(IdempotencyKey).where(IdempotencyKey.created_at < now - KEEP_ANSWERS),
    )
    return sum(_rows(db.session.execute(statement)) for statement in deletions)


def _rows(result: Any) -> int:
    return result.rowcount if isinstance(result, CursorResult) else 0
