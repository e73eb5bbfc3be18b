"""What a creator sold: by day, by course, line by line.

A sale is a line of a paid order that was not refunded. It counts on the day its order was paid, in the shop's zone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Date, cast, exists, func, select, tuple_

from coursehub.accounts.models import Customer
from coursehub.courses.models import Course
from coursehub.entitlements.models import Purchase
from coursehub.kernel import clock
from coursehub.kernel.db import db
from coursehub.kernel.errors import Invalid
from coursehub.kernel.ids import parse_id
from coursehub.kernel.money import Money
from coursehub.kernel.pagination import Page, decode_cursor, encode_cursor
from coursehub.orders.models import PAID, Order, OrderItem

SPANS = (1, 7, 30)
_STALE = "That page does not exist any more. Start again from the first one."


@dataclass(frozen=True)
class Span:
    """The last `days` days, today among them."""

    days: int
    count: int
    revenue: tuple[Money, ...]


@dataclass(frozen=True)
class Day:
    """One day in the shop's zone, from midnight on."""

    begins: datetime
    count: int
    revenue: tuple[Money, ...]


@dataclass(frozen=True)
class Overview:
    """The last 30 days: each day, and the sums of today, 7 and 30 days."""

    spans: tuple[Span, ...]
    days: tuple[Day, ...]
    timezone: str


@dataclass(frozen=True)
class Sale:
    """One sold line. `buyer` is a name; a creator learns no address."""

    item_id: UUID
    order_number: str
    paid_at: datetime
    course_id: UUID
    title: str
    buyer: str
    price: Money


def overview(author_id: UUID, timezone: str) -> Overview:
    """What sold in the last 30 days; one query."""
    today = clock.now().astimezone(ZoneInfo(timezone)).date()
    dates = [today - timedelta(days=back) for back in reversed(range(max(SPANS)))]
    midnights = {one: datetime.combine(one, time.min, ZoneInfo(timezone)) for one in dates}
    day = cast(func.timezone(timezone, Order.paid_at), Date)
    rows = db.session.execute(
        _lines(author_id, day.label("day"), Order.currency, func.count(), func.sum(OrderItem.unit_price_cents))
        .where(Order.paid_at >= midnights[dates[0]])
        .group_by(day, Order.currency)
        .order_by(Order.currency)
    ).all()
    days = tuple(Day(midnights[one], *_sum([row for row in rows if row.day == one])) for one in dates)
    spans = tuple(Span(length, *_sum([row for row in rows if row.day > today - timedelta(length)])) for length in SPANS)
    return Overview(spans, days, timezone)


def by_course(author_id: UUID, course_ids: Sequence[UUID]) -> dict[UUID, tuple[int, tuple[Money, ...]]]:
    """How often each of these courses was sold, and for how much; one query, however many."""
    rows = db.session.execute(
        _lines(author_id, OrderItem.course_id, Order.currency, func.count(), func.sum(OrderItem.unit_price_cents))
        .where(OrderItem.course_id.in_(course_ids))
        .group_by(OrderItem.course_id, Order.currency)
        .order_by(Order.currency)
    ).all()
    sold = {row.course_id for row in rows}
    return {course_id: _sum([row for row in rows if row.course_id == course_id]) for course_id in sold}


def newest(author_id: UUID, *, course_id: UUID | None = None, cursor: str | None = None, limit: int = 30) -> Page[Sale]:
    """Sales, the newest first. Raises Invalid on a bad cursor."""
    rows = _sales(author_id, course_id)
    if cursor:
        rows = rows.where(tuple_(Order.paid_at, OrderItem.id) < _place(cursor))
    found = db.session.execute(rows.order_by(Order.paid_at.desc(), OrderItem.id.desc()).limit(limit + 1)).all()
    page = [_sale(row) for row in found[:limit]]
    end = encode_cursor([page[-1].paid_at.isoformat(), page[-1].item_id]) if len(found) > limit else None
    return Page(page, end)


def since(author_id: UUID, begins: datetime | None, *, after: Sale | None = None, limit: int = 500) -> list[Sale]:
    """The next `limit` sales since `begins` (None: ever), the oldest first, that come after `after`."""
    rows = _sales(author_id, None)
    if begins is not None:
        rows = rows.where(Order.paid_at >= begins)
    if after is not None:
        rows = rows.where(tuple_(Order.paid_at, OrderItem.id) > (after.paid_at, after.item_id))
    return [_sale(row) for row in db.session.execute(rows.order_by(Order.paid_at, OrderItem.id).limit(limit))]


def _lines(author_id: UUID, *columns: Any) -> Any:
    """Columns of the lines that were paid for and not refunded."""
    refunded = exists().where(
        Purchase.order_id == OrderItem.order_id,
        Purchase.course_id == OrderItem.course_id,
        Purchase.refund_status == "refunded",
    )
    return (
        select(*columns)
        .select_from(OrderItem)
        .join(Order, Order.id == OrderItem.order_id)
        .join(Course, Course.id == OrderItem.course_id)
        .where(Course.author_id == author_id, Order.status.in_(PAID), ~refunded)
    )


def _sales(author_id: UUID, course_id: UUID | None) -> Any:
    rows = _lines(
        author_id,
        OrderItem.id,
        Order.number,
        Order.paid_at,
        OrderItem.course_id,
        OrderItem.course_title_snapshot,
        Customer.name,
        OrderItem.unit_price_cents,
        Order.currency,
    ).join(Customer, Customer.id == Order.customer_id)
    return rows.where(OrderItem.course_id == course_id) if course_id is not None else rows


def _sale(row: Any) -> Sale:
    item_id, number, paid_at, course_id, title, buyer, cents, currency = row
    return Sale(item_id, number, paid_at, course_id, title, buyer, Money(cents, currency))


def _sum(rows: Sequence[Any]) -> tuple[int, tuple[Money, ...]]:
    """Rows that end in currency, count and cents, added up by currency; what was given away is no money."""
    cents: dict[str, int] = {}
    for row in rows:
        cents[row[-3]] = cents.get(row[-3], 0) + int(row[-1])
    return sum(row[-2] for row in rows), tuple(Money(amount, currency) for currency, amount in cents.items() if amount)


def _place(cursor: str) -> tuple[datetime, UUID]:
    paid_at, item_id = decode_cursor(cursor, 2)
    found = parse_id(str(item_id))
    try:
        moment = datetime.fromisoformat(str(paid_at))
    except ValueError as error:
        raise Invalid(_STALE, field="cursor") from error
    if found is None or moment.tzinfo is None:
        raise Invalid(_STALE, field="cursor")
    return moment, found
