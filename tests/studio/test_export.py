"""Sales as CSV: whole, in order, harmless in a spreadsheet, and not held up by a slow reader."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from coursehub.accounts.models import Customer
from coursehub.kernel import clock
from coursehub.kernel.db import db
from coursehub.studio import exports, views
from tests.browser import Browser
from tests.factories import a_course, a_sale
from tests.people import a_person


@pytest.fixture
def adas(browser: Browser, ada: Customer) -> Browser:
    return browser.as_(ada)


def table(answer: Any) -> list[dict[str, str]]:
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))


def test_every_sale_is_a_line_the_oldest_first(
    adas: Browser, ada: Customer, ben: Customer, cleo: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "BATCH", 2)
    course, given = a_course(by=ada, title="Quiet, “Typography”", price=1950), a_course(by=ada, price=0)
    yen = a_course(by=ada, price=2400, currency="JPY")
    a_sale(yen, by=ben, on=clock.now() - timedelta(days=2))
    a_sale(course, by=ben, on=clock.now() - timedelta(days=400))
    a_sale(course, by=cleo, on=clock.now() - timedelta(days=40))
    a_sale(given, by=cleo, on=clock.now() - timedelta(days=1))
    a_sale(a_course(by=cleo, title="Not Ada’s"), by=ben)
    answer = adas.get("/studio/sales.csv").expect(200)
    rows = table(answer)
    assert [row["amount"] for row in rows] == ["19.50", "19.50", "2400", "0.00"]
    assert [row["currency"] for row in rows] == ["USD", "USD", "JPY", "USD"]
    assert rows[0]["course"] == "Quiet, “Typography”" and rows[0]["buyer"] == "Ben Okafor"
    assert rows[0]["paid_at"].endswith("Z") and rows[0]["order"].startswith("T-")
    assert "@example.com" not in answer.text
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="sales-')
    assert answer.headers["Cache-Control"] == "private, no-store"
    for days, count in ((30, 2), (90, 3), (365, 3), (0, 4)):
        assert len(table(adas.get(f"/studio/sales.csv?days={days}"))) == count
    adas.get("/studio/sales.csv?days=7").expect(422)


def test_who_sold_nothing_gets_the_head_alone(adas: Browser) -> None:
    assert table(adas.get("/studio/sales.csv").expect(200)) == []


@pytest.mark.parametrize("evil", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1+1", "\n=1"])
def test_no_cell_is_taken_for_a_formula(evil: str) -> None:
    assert exports.harmless(evil) == f"'{evil}"


@pytest.mark.parametrize("plain", ["Ben", "2-1", "a=b", "19.50", "", "’"])
def test_ordinary_words_stay_as_they_are(plain: str) -> None:
    assert exports.harmless(plain) == plain


def test_a_buyers_evil_name_and_a_title_are_only_text(adas: Browser, ada: Customer) -> None:
    eve = a_person('=HYPERLINK("http://evil.example","Click")', email="eve@example.com")
    a_sale(a_course(by=ada, title="@Home with type"), by=eve)
    [row] = table(adas.get("/studio/sales.csv"))
    assert row["buyer"].startswith("'=") and row["course"] == "'@Home with type"


def test_a_slow_reader_holds_no_connection(
    app: Flask, ada: Customer, ben: Customer, cleo: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "BATCH", 1)
    course = a_course(by=ada)
    a_sale(course, by=ben)
    a_sale(course, by=cleo)
    db.session.remove()
    lines = exports.lines(views._batches(app, ada.id, None))
    assert "order" in next(lines) and "Ben" in next(lines)
    open_ = text("SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'")
    assert db.session.scalar(open_) == 0
    db.session.remove()
    assert "Cleo" in next(lines)
    assert list(lines) == []
