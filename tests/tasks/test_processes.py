"""The shop's own processes, started as an operator starts them: they work together and end when told."""

import json
import signal
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from coursehub.infra.cache import connect
from coursehub.kernel import maintenance
from coursehub.kernel.db import db, transaction
from coursehub.kernel.events import record
from coursehub.kernel.outbox import OutboxMessage
from coursehub.orders.events import OrderExpired
from tests.stack import wait_for
from tests.tasks.processes import running

pytestmark = pytest.mark.slow


def unfinished() -> list[str]:
    db.session.rollback()
    waiting = select(OutboxMessage.name).where(OutboxMessage.finished_at.is_(None)).order_by(OutboxMessage.name)
    return list(db.session.scalars(waiting))


def test_relay_and_worker_do_the_work_of_the_queues_they_were_given(app: Flask, tmp_path: Path, ben: object) -> None:
    settings = app.config["SETTINGS"]
    redis = connect(settings.redis_url)
    relay_log, worker_log = tmp_path / "relay.log", tmp_path / "worker.log"
    worker = ["dramatiq", "tasks.worker", "--processes", "1", "--threads", "2", "--queues", "maintenance.q"]
    with (
        running(settings, relay_log, "flask", "--app", "wsgi", "coursehub", "outbox", "relay") as relaying,
        running(settings, worker_log, *worker, COURSEHUB_WORKER_NAME="worker-io") as working,
    ):
        with transaction():
            record(maintenance.OutboxClean())
            record(OrderExpired(order_id=ben.id, customer_id=ben.id))  # type: ignore[attr-defined]
        wait_for(lambda: unfinished() == ["order.expired"], 120, "the effect")
        assert redis.exists("heartbeat:relay") and redis.exists("heartbeat:worker-io")
        wait_for(lambda: db.session.scalar(select(OutboxMessage.publishes)) or db.session.rollback(), 20)
        relaying.send_signal(signal.SIGTERM)
        working.send_signal(signal.SIGTERM)
        assert relaying.wait(30) == 0
        assert working.wait(30) == 0
    assert unfinished() == ["order.expired"]  # another worker's queue
    lines = [json.loads(line) for line in worker_log.read_text().splitlines() if line.startswith("{")]
    (applied,) = [line for line in lines if line.get("outcome") == "applied"]
    assert applied["event_name"] == "maintenance.outbox.clean"
    assert applied["process"] == "worker-io"
    assert applied["attempt"] == 1
    assert applied["trace_id"]


def test_the_clock_beats_reminds_and_ends_when_told(app: Flask, tmp_path: Path) -> None:
    settings = app.config["SETTINGS"]
    redis = connect(settings.redis_url)
    redis.delete("heartbeat:clock")
    with running(settings, tmp_path / "clock.log", "tasks.schedule") as clock:
        wait_for(lambda: redis.exists("heartbeat:clock"), 60, "the clock's heartbeat")
        wait_for(lambda: "maintenance.outbox.clean" in unfinished(), 60, "its first reminders")
        clock.send_signal(signal.SIGTERM)
        assert clock.wait(30) == 0
    assert not redis.exists("heartbeat:clock")
