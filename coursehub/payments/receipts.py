"""The inbox of webhooks: each event stored once, and every row's end written down."""

import logging
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Text, cast, exists, select, update
from sqlalchemy.dialects.postgresql import insert

from coursehub.infra.payments import StripeEvent
from coursehub.kernel import clock
from coursehub.kernel.db import db
from coursehub.kernel.events import record
from coursehub.kernel.ids import new_id
from coursehub.kernel.outbox import OutboxMessage
from coursehub.payments.events import StripeEventReceived
from coursehub.payments.models import WebhookReceipt

SWEEP_AFTER = timedelta(seconds=60)
GIVE_UP_AFTER = timedelta(days=3)
log = logging.getLogger(__name__)


def store_once(event: StripeEvent) -> bool:
    """Keep the event and hand it on; False when it was here before. One insert decides, so ten at once store one."""
    receipt_id = new_id()
    stored = db.session.execute(
        insert(WebhookReceipt)
        .values(
            id=receipt_id,
            provider="stripe",
            event_id=event.id,
            event_type=event.type,
            object_id=event.object_id,
            payload=event.payload,
            signature_valid=True,
        )
        .on_conflict_do_nothing(index_elements=["event_id"])
        .returning(WebhookReceipt.id)
    ).scalar_one_or_none()
    if stored is None:
        return False
    record(StripeEventReceived(receipt_id=receipt_id, stripe_event_id=event.id, stripe_event_type=event.type))
    return True


def find(receipt_id: UUID) -> WebhookReceipt | None:
    return db.session.get(WebhookReceipt, receipt_id)


def is_settled(receipt: WebhookReceipt) -> bool:
    """Whether nothing is left to do for it."""
    return receipt.status in ("applied", "ignored", "failed")


def settle(receipt_id: UUID, status: str, error: str | None = None) -> None:
    """Write down how it ended (`applied`, `ignored`, `failed`) or that it waits (`deferred`)."""
    db.session.execute(
        update(WebhookReceipt)
        .where(WebhookReceipt.id == receipt_id, WebhookReceipt.status.in_(["received", "deferred"]))
        .values(status=status, error=error, processed_at=clock.now(), attempts=WebhookReceipt.attempts + 1)
    )


def sweep() -> int:
    """Hand on again what was not applied within a minute, unless a message for it is on its way already.

    Waits longer after each try. What could not be applied for three days is left for a person: Stripe gives up then
    too. Returns how many were handed on; in the open transaction.
    """
    now = clock.now()
    waiting = db.session.scalars(
        select(WebhookReceipt)
        .where(
            WebhookReceipt.status.in_(["received", "deferred"]),
            WebhookReceipt.received_at < now - SWEEP_AFTER,
            ~_on_its_way(),
        )
        .order_by(WebhookReceipt.processed_at.asc().nulls_first())
        .limit(500)
        .with_for_update(skip_locked=True)
    ).all()
    handed_on = 0
    for receipt in waiting:
        if receipt.received_at < now - GIVE_UP_AFTER:
            receipt.status, receipt.error = "failed", receipt.error or "not applied within three days"
            log.error("webhook.given_up", extra={"stripe_event_id": receipt.event_id})
        elif receipt.processed_at is None or receipt.processed_at < now - _pause(receipt.attempts):
            receipt.processed_at = now
            record(
                StripeEventReceived(
                    receipt_id=receipt.id, stripe_event_id=receipt.event_id, stripe_event_type=receipt.event_type
                )
            )
            handed_on += 1
    return handed_on


def _on_its_way() -> ColumnElement[bool]:
    return exists().where(
        OutboxMessage.name == StripeEventReceived.name,
        OutboxMessage.finished_at.is_(None),
        OutboxMessage.payload["receipt_id"].astext == cast(WebhookReceipt.id, Text),
    )


def _pause(attempts: int) -> timedelta:
    return min(SWEEP_AFTER * 2**attempts, timedelta(hours=1))
