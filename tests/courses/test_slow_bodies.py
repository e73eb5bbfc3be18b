"""Bodies on their way: a slow one holds no connection of the database, a stranger's is not read."""

import http.client
import threading
import time
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import select

from coursehub.courses import queries
from coursehub.courses.models import Course
from coursehub.kernel.db import db
from tests.api.program import Program
from tests.browser import Browser
from tests.courses.intake import a_draft, a_pdf
from tests.courses.test_studio import Unread

EDGE = b"slow-body"
# The server ends a transaction that idles for 10 seconds.
PAUSE = 11.0
FORM = f"multipart/form-data; boundary={EDGE.decode()}"


def send_slowly(server: str, path: str, headers: dict[str, str]) -> tuple[int, str]:
    """POST a PDF whose second half comes after a pause."""
    head = b'--%s\r\nContent-Disposition: form-data; name="file"; filename="slow.pdf"\r\n\r\n' % EDGE
    body = head + a_pdf(2) + b"\r\n--%s--\r\n" % EDGE
    connection = http.client.HTTPConnection(urlsplit(server).netloc, timeout=60)
    connection.putrequest("POST", path)
    for name, value in {**headers, "Content-Type": FORM, "Content-Length": str(len(body))}.items():
        connection.putheader(name, value)
    connection.endheaders(body[:200])
    time.sleep(PAUSE)
    connection.send(body[200:])
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def test_a_body_that_pauses_arrives_whole(live_server: str, app: Flask, browser: Browser, ada: Any) -> None:
    in_studio, by_program = a_draft(ada, title="In the studio"), a_draft(ada, title="By program")
    adas, program = browser.as_(ada), Program(app).as_(ada)
    token = adas.csrf_token()
    cookie = adas.client.get_cookie("coursehub", domain="localhost")
    assert cookie is not None
    wanted = {
        f"/studio/courses/{in_studio.id}/uploads": {"Cookie": f"coursehub={cookie.value}", "X-CSRFToken": token},
        f"/api/v1/courses/{by_program.id}/upload": {"Authorization": f"Bearer {program.tokens['access_token']}"},
    }
    db.session.remove()
    answers: dict[str, tuple[int, str]] = {}

    def send(path: str) -> None:
        answers[path] = send_slowly(live_server, path, wanted[path])

    senders = [threading.Thread(target=send, args=(path,)) for path in wanted]
    for sender in senders:
        sender.start()
    time.sleep(PAUSE / 2)
    idle = db.session.execute(
        db.text(
            "SELECT query FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' AND pid <> pg_backend_pid()"
        )
    ).all()
    db.session.remove()
    for sender in senders:
        sender.join(60)
    assert [status for status, _ in (answers[path] for path in wanted)] == [303, 202], answers
    assert idle == []
    uploaded = db.session.scalars(select(Course.title).order_by(Course.title)).all()
    assert uploaded == ["By program", "In the studio"]
    for course in (in_studio, by_program):
        assert [version.version_number for version in queries.versions_of(course.id)] == [1]


@pytest.mark.parametrize("path", ["uploads", "cover"])
def test_ben_who_is_no_creator_sends_in_vain(browser: Browser, ada: Any, ben: Any, path: str) -> None:
    course = a_draft(ada)
    answer = browser.as_(ben).post(
        f"/studio/courses/{course.id}/{path}", input_stream=Unread(10_000_000), content_type=FORM
    )
    answer.expect(403).says("Become a creator first")


def test_a_creator_whose_uploads_are_used_up_sends_in_vain(
    app: Flask, browser: Browser, ada: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = a_draft(ada)
    adas = browser.as_(ada)
    monkeypatch.setitem(app.config, "LIMIT_FACTOR", 1)
    monkeypatch.setenv("COURSEHUB_LIMIT_UPLOAD", "1/hour")
    body = b"--%s\r\n\r\n\r\n--%s--\r\n" % (EDGE, EDGE)
    adas.post(f"/studio/courses/{course.id}/uploads", body, content_type=FORM).expect(422)
    answer = adas.post(f"/studio/courses/{course.id}/uploads", input_stream=Unread(10_000_000), content_type=FORM)
    answer.expect(429)


def test_a_program_of_a_buyer_sends_in_vain(app: Flask, ada: Any, ben: Any) -> None:
    course = a_draft(ada)
    for person, status in ((ben, 404), (ada, 422)):
        program = Program(app).as_(person)
        empty = b"--%s--\r\n" % EDGE
        program.ask("POST", f"/courses/{course.id}/upload", input_stream=None, data=empty, content_type=FORM).expect(
            status
        )
