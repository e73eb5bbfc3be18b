"""The worker of the small shop: `dramatiq tests.small_shop_worker`. SMALL_SHOP_GUARD=off applies whatever comes."""

import os
import time
from typing import Any
from uuid import UUID

from sqlalchemy import text

from coursehub.infra import telemetry
from coursehub.kernel.db import db, transaction
from coursehub.kernel.errors import Unavailable
from coursehub.kernel.events import event
from coursehub.kernel.outbox import claim_effect
from coursehub.kernel.settings import Settings
from tasks import runtime
from tasks.runtime import on
from tests.small_shop import Faraway, Fragile, Sold, make_app

GUARDED = os.environ.get("SMALL_SHOP_GUARD") != "off"

for kind in (Sold, Fragile, Faraway):
    event(kind.name)(kind)


@on("order.sold", max_retries=8, min_backoff_ms=100, max_backoff_ms=1_000)
def sold(fact: Sold, event_id: UUID) -> None:
    _begin(fact.number)
    time.sleep(fact.seconds)
    with transaction():
        if not GUARDED or claim_effect(event_id, "order.sold"):
            _apply(fact.number)


@on("payment.fragile", max_retries=2, min_backoff_ms=50, max_backoff_ms=200)
def fragile(fact: Fragile, event_id: UUID) -> None:
    _begin(fact.number)
    with transaction():
        if not _cured(fact.number):
            raise RuntimeError(f"Number {fact.number} broke; tell ben.okafor@example.com.")
        if claim_effect(event_id, "payment.fragile"):
            _apply(fact.number)


@on("payment.faraway", max_retries=1, min_backoff_ms=50, max_backoff_ms=100)
def faraway(fact: Faraway, event_id: UUID) -> None:
    _begin(fact.number)
    with transaction():
        if not _cured(fact.number):
            raise Unavailable("The service is away.", retry_after=1)
        if claim_effect(event_id, "payment.faraway"):
            _apply(fact.number)


def _begin(number: int) -> None:
    with transaction():
        db.session.execute(text("INSERT INTO runs (number) VALUES (:number)"), {"number": number})


def _apply(number: int) -> None:
    db.session.execute(text("INSERT INTO effects (number) VALUES (:number)"), {"number": number})


def _cured(number: int) -> Any:
    return db.session.scalar(text("SELECT count(*) FROM cured WHERE number = :number"), {"number": number})


if not GUARDED:
    runtime.was_applied = lambda *_: False
telemetry.set_up("small-shop")
settings = Settings()
app = make_app(settings)
runtime.connect_actors(app, settings)
