"""Sales as a table for other programs: CSV that no spreadsheet takes for a formula."""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import UTC
from decimal import Decimal

from coursehub.kernel.money import decimals
from coursehub.studio.sales import Sale

COLUMNS = ("order", "paid_at", "course_id", "course", "buyer", "currency", "amount")
# A cell that begins so may be run by a spreadsheet: https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = ("=", "+", "-", "@")
_BREAK = ("\t", "\r", "\n")
# Without it Excel reads UTF-8 as something else.
_MARK = "\ufeff"


def lines(batches: Iterable[list[Sale]]) -> Iterator[str]:
    """The table as text, its head and then each batch. Times are UTC, amounts in whole units."""
    yield _MARK + _written([COLUMNS])
    for batch in batches:
        yield _written(_row(sale) for sale in batch)


def harmless(text: str) -> str:
    """`text` as a cell that is only ever read: what might be a formula gets an apostrophe before it."""
    risky = text.startswith(_BREAK) or text.lstrip().startswith(_FORMULA)
    return f"'{text}" if risky else text


def _row(sale: Sale) -> tuple[str, ...]:
    amount = Decimal(sale.price.cents).scaleb(-decimals(sale.price.currency))
    paid = sale.paid_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    cells = (sale.order_number, paid, str(sale.course_id), sale.title, sale.buyer, sale.price.currency, f"{amount:f}")
    return tuple(harmless(cell) for cell in cells)


def _written(rows: Iterable[tuple[str, ...]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()
