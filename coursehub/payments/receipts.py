"""The inbox of webhooks: each event stored once, and every row's end written down."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.dialects.postgresql import insert

from coursehub.infra.payments import StripeEvent
from coursehub.kernel import clock
from coursehub.kernel.db import db
from coursehub.kernel.events import record
from coursehub.kernel.ids import new_id
from coursehub.payments.events import StripeEventReceived
from coursehub.payments.models import WebhookReceipt

SWEEP_AFTER = timedelta(seconds=60)
# A row that could not be applied this often is left for a person; Stripe itself gives up after three days.
MOST_ATTEMPTS = 12


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
    """Hand on again what was not applied within a minute; give up after many tries. Returns how many were handed on."""
    before = clock.now() - SWEEP_AFTER
    waiting = db.session.scalars(
        select(WebhookReceipt)
        .where(
            WebhookReceipt.status.in_(["received", "deferred"]),
            WebhookReceipt.received_at < before,
            or_(WebhookReceipt.processed_at.is_(None), WebhookReceipt.processed_at < before),
        )
        .order_by(WebhookReceipt.received_at)
        .limit(500)
        .with_for_update(skip_locked=True)
    ).all()
    handed_on = 0
    for receipt in waiting:
        receipt.attempts += 1
        if receipt.attempts > MOST_ATTEMPTS:
            receipt.status, receipt.error = "failed", receipt.error or "not applied after many tries"
            continue
        receipt.processed_at = clock.now()
        record(
            StripeEventReceived(
                receipt_id=receipt.id, stripe_event_id=receipt.event_id, stripe_event_type=receipt.event_type
            )
        )
        handed_on += 1
    return handed_on
