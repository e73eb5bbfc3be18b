"""The numbers of the overview, each a count that a person may have to act on."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from coursehub.kernel import clock, dead_letters
from coursehub.kernel.db import db
from coursehub.kernel.dead_letters import Standing
from coursehub.kernel.money import Money
from coursehub.orders.models import Order
from coursehub.payments.models import WebhookReceipt


@dataclass(frozen=True)
class Sales:
    """What one span of time brought, by currency."""

    days: int  # 1 is today, from midnight on
    orders: int
    revenue: tuple[Money, ...]


@dataclass(frozen=True)
class Overview:
    """The first page of the back office."""

    sales: tuple[Sales, ...]
    flagged: int
    unapplied: int
    refused: int
    standing: Standing


def overview(timezone: str) -> Overview:
    """Everything the first page shows; five queries, whatever happened."""
    flagged = db.session.scalar(select(func.count()).select_from(Order).where(Order.flag.is_not(None))) or 0
    waiting, failed = db.session.execute(
        select(
            func.count().filter(WebhookReceipt.status.in_(["received", "deferred"])),
            func.count().filter(WebhookReceipt.status == "failed"),
        ).where(WebhookReceipt.status.in_(["received", "deferred", "failed"]))
    ).one()
    return Overview(sales(timezone), flagged, waiting, failed, dead_letters.standing())


def sales(timezone: str) -> tuple[Sales, ...]:
    """Paid orders of today, of the last 7 and of the last 30 days; the shop's zone says when today began."""
    now = clock.now()
    starts = {1: _midnight(now, timezone), 7: now - timedelta(days=7), 30: now - timedelta(days=30)}
    columns = [
        column
        for start in starts.values()
        for column in (
            func.count().filter(Order.paid_at >= start),
            func.coalesce(func.sum(Order.total_cents).filter(Order.paid_at >= start), 0),
        )
    ]
    rows = db.session.execute(
        select(Order.currency, *columns)
        .where(Order.paid_at >= min(starts.values()))
        .group_by(Order.currency)
        .order_by(Order.currency)
    ).all()
    return tuple(
        Sales(
            days,
            sum(int(row[1 + 2 * place]) for row in rows),
            tuple(Money(int(row[2 + 2 * place]), row[0]) for row in rows if row[1 + 2 * place]),
        )
        for place, days in enumerate(starts)
    )


def _midnight(now: datetime, timezone: str) -> datetime:
    return now.astimezone(ZoneInfo(timezone)).replace(hour=0, minute=0, second=0, microsecond=0)
