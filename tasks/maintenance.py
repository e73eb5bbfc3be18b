"""maintenance.q: the housekeeping that the clock asks for; each may run twice without harm."""

from uuid import UUID

from coursehub.accounts import email_tokens, registration, sessions, tokens
from coursehub.cart import basket
from coursehub.courses import search_upkeep
from coursehub.infra.services import services
from coursehub.kernel import maintenance
from coursehub.kernel.db import transaction
from coursehub.library import sweeping
from coursehub.orders import lifecycle
from coursehub.payments import receipts, reconciliation
from tasks.runtime import on


@on("maintenance.orders.expire", max_retries=2)
def expire_orders(event: maintenance.OrdersExpire, event_id: UUID) -> None:
    """Orders nobody paid in time end."""
    with transaction():
        lifecycle.expire_stale()


@on("maintenance.orders.reconcile", max_retries=2)
def reconcile_orders(event: maintenance.OrdersReconcile, event_id: UUID) -> None:
    """Stripe is asked about open orders, each in a transaction of its own."""
    reconciliation.reconcile_open_orders(services().gateway)


@on("maintenance.webhooks.sweep", max_retries=2)
def sweep_webhooks(event: maintenance.WebhooksSweep, event_id: UUID) -> None:
    """Webhooks that were stored and never applied are handed on again."""
    with transaction():
        receipts.sweep()


@on("maintenance.storage.sweep", max_retries=2, time_limit_ms=3_600_000)
def sweep_storage(event: maintenance.StorageSweep, event_id: UUID) -> None:
    """Files that no row refers to go."""
    sweeping.sweep_storage(services().storage)


@on("maintenance.accounts.sweep", max_retries=2)
def sweep_accounts(event: maintenance.AccountsSweep, event_id: UUID) -> None:
    """Accounts whose address was never confirmed go, and the carts that no guest comes back to."""
    with transaction():
        registration.sweep_unverified()
    with transaction():
        basket.sweep_guests()


@on("maintenance.search.refresh", max_retries=2, time_limit_ms=3_600_000)
def refresh_search(event: maintenance.SearchRefresh, event_id: UUID) -> None:
    """Search learns who is popular today, which words are common, and what it missed; a little at a time."""
    moved = 1
    while moved:
        with transaction():
            moved = search_upkeep.move_head()
    with transaction():
        search_upkeep.recount_words()
    with transaction():
        missed = search_upkeep.missed()
    for course_id in missed:
        with transaction():
            search_upkeep.catch_up(course_id)


@on("maintenance.outbox.clean", max_retries=2)
def clean_outbox(event: maintenance.OutboxClean, event_id: UUID) -> None:
    """Finished messages, old effects, kept answers, and every session or token that has run out."""
    with transaction():
        maintenance.clean_outbox()
    with transaction():
        sessions.sweep_expired()
        tokens.sweep_expired()
        email_tokens.sweep_expired()
