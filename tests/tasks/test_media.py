"""media.q: an upload is looked at and its pages drawn; done twice it is as done once; it gives up cleanly."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import current_app
from sqlalchemy import select

from coursehub.accounts.models import Customer
from coursehub.courses import drafting, publishing, queries, thumbnails, versions
from coursehub.courses.models import Course, PageText
from coursehub.infra.pdf import PdfRefused, PdfToolsUnavailable
from coursehub.infra.services import EXTENSION, services
from coursehub.kernel.db import db, transaction
from coursehub.kernel.errors import Unavailable
from coursehub.kernel.outbox import OutboxMessage
from coursehub.library import sweeping
from coursehub.mail.models import MailMessage
from tasks import runtime
from tests.corpora.pdf_sketch import document
from tests.courses.intake import a_draft, a_pdf, needed_keys, received, stored_keys, version

Work = Callable[..., int]


def waiting(name: str) -> list[OutboxMessage]:
    db.session.rollback()
    found = select(OutboxMessage).where(OutboxMessage.name == name, OutboxMessage.finished_at.is_(None))
    return list(db.session.scalars(found.order_by(OutboxMessage.id)))


def mails(kind: str) -> list[MailMessage]:
    db.session.rollback()
    return list(db.session.scalars(select(MailMessage).where(MailMessage.kind == kind)))


def run(message: OutboxMessage) -> None:
    """One delivery, as the broker makes it, whether it was delivered before or not."""
    runtime.actors()[message.name].function(*runtime._read(message.name, dict(message.payload)))


class Broken:
    """PDF tools that fail in one method."""

    def __init__(self, real: Any, method: str, error: Exception) -> None:
        self._real, self._method, self._error = real, method, error

    def __getattr__(self, name: str) -> Any:
        if name == self._method:
            return self._fail
        return getattr(self._real, name)

    def _fail(self, *_arguments: Any, **_more: Any) -> Any:
        raise self._error


@contextmanager
def broken(part: str, method: str, error: Exception) -> Iterator[None]:
    """While this lasts, one method of one service fails."""
    now = current_app.extensions[EXTENSION]
    failing = replace(now, **{part: Broken(getattr(now, part), method, error)})
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(current_app.extensions, EXTENSION, failing)
        yield


def test_an_upload_becomes_a_version_with_pages_pictures_texts_and_a_cover(
    ada: Customer, tmp_path: Path, work: Work
) -> None:
    course = a_draft(ada)
    version_id = received(course, a_pdf(3, "Type in Practice"), tmp_path)
    work("course.inspect.request", "course.thumbnails.request")
    made = version(version_id)
    assert (made.status, made.version_number, made.pages_count, made.pages_drawn) == ("ready", 1, 3, 3)
    assert (made.title, made.page_size, made.removed) == ("Type in Practice", "612x792", [])
    assert len(made.fingerprint or "") == 64
    now = queries.get(course.id)
    assert (now.current_version_id, now.pages_count) == (version_id, 3)
    assert now.cover_image_url == f"pages/{version_id}/1-large.webp"
    texts = db.session.scalars(select(PageText.text).where(PageText.version_id == version_id)).all()
    assert len(texts) == 3
    assert all(texts)
    assert stored_keys() == needed_keys()
    assert f"uploads/{version_id}.pdf" not in stored_keys()
    assert services().storage.get(f"pages/{version_id}/2-small.webp")[8:12] == b"WEBP"
    assert len(mails("course_ready")) == 1


def test_a_refused_upload_leaves_a_sentence_and_nothing_else(ada: Customer, tmp_path: Path, work: Work) -> None:
    course = a_draft(ada)
    version_id = received(course, b"%PDF-1.7\nThis is a letter, really.\n", tmp_path)
    work("course.inspect.request")
    made = version(version_id)
    assert made.status == "failed"
    assert made.error == PdfRefused("damaged").sentence
    assert queries.get(course.id).current_version_id is None
    assert stored_keys() == set() == needed_keys()
    assert len(mails("upload_failed")) == 1
    assert mails("course_ready") == []


def test_what_was_taken_out_is_told(ada: Customer, tmp_path: Path, work: Work) -> None:
    body = document(catalogue=b"/OpenAction << /S /JavaScript /JS (app.alert(1)) >>").with_table()
    version_id = received(a_draft(ada), body, tmp_path)
    work("course.inspect.request")
    assert "JavaScript" in version(version_id).removed
    assert b"JavaScript" not in services().storage.get(f"versions/{version_id}.pdf")
    (mail,) = mails("course_ready")
    assert "JavaScript" in mail.data["removed"]


def test_every_message_delivered_twice_and_twice_more_leaves_the_same(
    ada: Customer, tmp_path: Path, work: Work
) -> None:
    version_id = received(a_draft(ada), a_pdf(25), tmp_path)
    seen: list[OutboxMessage] = []
    for name in ("course.inspect.request", "course.thumbnails.request", "course.thumbnails.request"):
        (message,) = waiting(name)
        seen.append(message)
        run(message)
        run(message)
    assert waiting("course.thumbnails.request") == []
    before = (version(version_id).pages_drawn, stored_keys())
    for message in seen:
        run(message)
    assert (version(version_id).pages_drawn, stored_keys()) == before
    assert before[0] == 25
    assert before[1] == needed_keys()
    assert len(mails("course_ready")) == 1


def test_two_workers_with_one_message_at_once_have_one_effect(
    ada: Customer, tmp_path: Path, together: Any, work: Work
) -> None:
    version_id = received(a_draft(ada), a_pdf(2), tmp_path)
    (message,) = waiting("course.inspect.request")
    payload = dict(message.payload)
    results = together(4, lambda _n: runtime.handle("course.inspect.request", payload))
    assert not [result for result in results if isinstance(result, Exception)], results
    assert len(waiting("course.thumbnails.request")) == 1
    work("course.thumbnails.request")
    assert version(version_id).pages_drawn == 2
    assert stored_keys() == needed_keys()


def test_a_long_course_is_drawn_a_first_slice_at_once_then_batch_by_batch(
    ada: Customer, tmp_path: Path, work: Work
) -> None:
    version_id = received(a_draft(ada), a_pdf(125), tmp_path)
    work("course.inspect.request")
    asked = []
    while messages := waiting("course.thumbnails.request"):
        (message,) = messages  # never two at a time: a long course does not stand before everybody else's
        asked.append((message.payload["first"], message.payload["last"]))
        run(message)
    assert asked == [(1, 20), (21, 120), (121, 125)]
    assert version(version_id).pages_drawn == 125


def test_a_worker_that_died_between_slices_goes_on_where_it_was(
    ada: Customer, tmp_path: Path, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    version_id = received(a_draft(ada), a_pdf(70), tmp_path)
    work("course.inspect.request")
    run(waiting("course.thumbnails.request")[0])
    (message,) = waiting("course.thumbnails.request")
    drawn: list[tuple[int, int]] = []
    real = thumbnails.draw

    def dies_at_third(key_of: Any, path: Path, first: int, last: int, *rest: Any, **more: Any) -> Any:
        if len(drawn) == 2:
            drawn.append((first, last))
            raise KeyboardInterrupt
        drawn.append((first, last))
        return real(key_of, path, first, last, *rest, **more)

    monkeypatch.setattr(thumbnails, "draw", dies_at_third)
    with pytest.raises(KeyboardInterrupt):
        run(message)
    assert version(version_id).pages_drawn == 60
    run(message)
    assert drawn == [(21, 40), (41, 60), (61, 70), (61, 70)]
    assert version(version_id).pages_drawn == 70
    assert waiting("course.thumbnails.request") == []


def test_pages_that_cannot_be_read_never_block_the_course(ada: Customer, tmp_path: Path, work: Work) -> None:
    version_id = received(a_draft(ada), a_pdf(2), tmp_path)
    work("course.inspect.request")
    with broken("pdf", "page_images", PdfRefused("damaged")):
        work("course.thumbnails.request")
    made = version(version_id)
    assert (made.status, made.pages_drawn) == ("ready", 2)
    assert queries.get(made.course_id).cover_image_url is None


@pytest.mark.parametrize(
    ("part", "method", "error"),
    [
        ("pdf", "inspect", PdfToolsUnavailable("no process to be had")),
        ("pdf", "sanitise", PdfToolsUnavailable("disk full")),
        ("storage", "fetch", Unavailable("The storage does not answer.")),
        ("storage", "put_file", Unavailable("The storage does not answer.")),
    ],
)
def test_our_own_trouble_is_not_the_authors_fault(
    ada: Customer, tmp_path: Path, part: str, method: str, error: Exception
) -> None:
    version_id = received(a_draft(ada), a_pdf(), tmp_path)
    (message,) = waiting("course.inspect.request")
    with broken(part, method, error), pytest.raises(Unavailable):
        run(message)
    assert version(version_id).status == "processing"
    assert f"uploads/{version_id}.pdf" in stored_keys()
    assert mails("upload_failed") == []
    run(message)
    assert version(version_id).status == "ready"


def test_an_upload_that_came_out_of_storage_changed_is_refused(ada: Customer, tmp_path: Path, work: Work) -> None:
    version_id = received(a_draft(ada), a_pdf(), tmp_path)
    services().storage.put(f"uploads/{version_id}.pdf", a_pdf(2), "application/pdf")
    work("course.inspect.request")
    assert "did not arrive whole" in (version(version_id).error or "")
    assert stored_keys() == set()


def test_an_upload_that_is_lost_is_said_to_be_lost(ada: Customer, tmp_path: Path, work: Work) -> None:
    version_id = received(a_draft(ada), a_pdf(), tmp_path)
    services().storage.delete(f"uploads/{version_id}.pdf")
    work("course.inspect.request")
    assert (version(version_id).status, "upload the file once more" in (version(version_id).error or "")) == (
        "failed",
        True,
    )


@pytest.mark.parametrize("when", ["before the look", "before the drawing"])
def test_a_course_deleted_meanwhile_leaves_nothing(ada: Customer, tmp_path: Path, work: Work, when: str) -> None:
    course = a_draft(ada)
    received(course, a_pdf(2), tmp_path)
    if when == "before the drawing":
        work("course.inspect.request")
    with transaction():
        drafting.destroy(course)
    if when == "before the drawing":
        sweeping.sweep_storage(services().storage, older_than=timedelta(seconds=-5))
    work("course.inspect.request", "course.thumbnails.request")
    assert stored_keys() == set() == needed_keys()


def test_a_new_version_of_a_published_course_changes_nothing_until_it_is_published(
    ada: Customer, tmp_path: Path, work: Work
) -> None:
    course = a_draft(ada)
    first = received(course, a_pdf(2), tmp_path)
    work("course.inspect.request", "course.thumbnails.request")
    with transaction():
        publishing.publish(course, ada)
    second = received(course, a_pdf(5), tmp_path)
    work("course.inspect.request", "course.thumbnails.request")
    now: Course = queries.get(course.id)
    assert (now.current_version_id, now.pages_count, now.cover_image_url) == (first, 2, f"pages/{first}/1-large.webp")
    with transaction():
        versions.make_current(version(second))
    assert (now.pages_count, now.cover_image_url) == (5, f"pages/{second}/1-large.webp")


def test_a_cover_of_ones_own_is_never_replaced(ada: Customer, tmp_path: Path, work: Work) -> None:
    course = a_draft(ada)
    key = drafting.new_cover_key(course.id)
    with transaction():
        drafting.set_cover(course, key)
    received(course, a_pdf(), tmp_path)
    work("course.inspect.request", "course.thumbnails.request")
    assert queries.get(course.id).cover_image_url == key
    with transaction():
        assert drafting.set_cover(course, None) == key
    assert (queries.get(course.id).cover_image_url or "").startswith("pages/")
