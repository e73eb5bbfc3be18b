"""The clock records the housekeeping at its times, from one process only, and ends when told."""

import asyncio
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select, update

from coursehub.kernel import clock, maintenance
from coursehub.kernel.db import db, transaction
from coursehub.kernel.outbox import OutboxMessage, finish
from tasks.schedule import NIGHTLY, OFTEN, Leadership, build_scheduler, catch_up, remind, tick
from tests.stack import wait_for


def recorded(name: str) -> list[Any]:
    return list(db.session.scalars(select(OutboxMessage.id).where(OutboxMessage.name == name)))


def test_a_reminder_is_recorded_once_until_it_has_been_done(app: Flask) -> None:
    assert remind(app, maintenance.WebhooksSweep)
    assert not remind(app, maintenance.WebhooksSweep)
    (event_id,) = recorded("maintenance.webhooks.sweep")
    with transaction():
        finish(event_id)
    assert remind(app, maintenance.WebhooksSweep)
    db.session.rollback()
    assert len(recorded("maintenance.webhooks.sweep")) == 2


def test_a_reminder_while_the_database_is_away_is_left_out_without_an_error(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy.exc import OperationalError

    import tasks.schedule

    def away() -> Any:
        raise OperationalError("SELECT 1", {}, Exception("the database is away"))

    monkeypatch.setattr(tasks.schedule, "transaction", away)
    assert remind(app, maintenance.WebhooksSweep) is False


def test_nights_that_were_slept_through_are_made_up_for(app: Flask) -> None:
    assert catch_up(app) == [kind.name for kind in NIGHTLY]
    assert catch_up(app) == []
    with transaction():
        db.session.execute(
            update(OutboxMessage).values(created_at=clock.now() - timedelta(hours=25), finished_at=clock.now())
        )
    assert catch_up(app) == [kind.name for kind in NIGHTLY]


def test_each_job_has_the_time_it_should(app: Flask) -> None:
    zone = ZoneInfo("Europe/Berlin")
    jobs = {job.id: job for job in build_scheduler(app, timezone="Europe/Berlin").get_jobs()}
    assert set(jobs) == {kind.name for kind in (*OFTEN, *NIGHTLY)}
    noon = datetime(2026, 6, 1, 12, tzinfo=zone)
    nightly = jobs["maintenance.storage.sweep"].trigger.get_next_fire_time(None, noon)
    assert (nightly.hour, nightly.minute, nightly.tzinfo) == (3, 40, zone)
    often = jobs["maintenance.webhooks.sweep"].trigger
    first = often.get_next_fire_time(None, noon)
    assert often.get_next_fire_time(first, first) - first == timedelta(seconds=30)


def test_only_one_of_two_clocks_leads_and_the_other_takes_over(app: Flask) -> None:
    first, second = (Leadership(app.config["SQLALCHEMY_DATABASE_URI"]) for _ in range(2))
    try:
        assert first.held()
        assert not second.held()
        assert first.held()
        first.release()
        assert second.held()
        assert not first.held()
    finally:
        first.release()
        second.release()


def test_a_leader_whose_session_was_ended_notices(app: Flask) -> None:
    leader = Leadership(app.config["SQLALCHEMY_DATABASE_URI"])
    try:
        assert leader.held()
        with db.engine.connect() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
            )
        assert not leader.held()
        assert leader.held()
    finally:
        leader.release()


@pytest.fixture
def ticking(app: Flask) -> Iterator[list[asyncio.Event]]:
    """Two clocks in threads of this process."""
    stops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    def run() -> None:
        async def main() -> None:
            stopped = asyncio.Event()
            stops.append((asyncio.get_running_loop(), stopped))
            await tick(app, app.config["SETTINGS"], stopped)

        asyncio.run(main())

    threads = [threading.Thread(target=run, daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(stops) == 2, 5, "the clocks")
    yield [stop for _, stop in stops]
    for loop, stop in stops:
        loop.call_soon_threadsafe(stop.set)
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


def test_two_clocks_record_what_was_missed_once(app: Flask, ticking: Any) -> None:
    def missed() -> list[Any]:
        db.session.rollback()
        return recorded("maintenance.storage.sweep")

    wait_for(missed, 10, "the nightly job that was missed")
    time.sleep(1)
    assert len(missed()) == 1
