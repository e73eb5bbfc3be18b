"""Every odd and hostile PDF goes through the whole intake: the expected answer each, and nothing left behind."""

import io
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select

from coursehub.accounts.models import Customer
from coursehub.courses import uploads
from coursehub.courses.models import CourseVersion
from coursehub.infra.pdf import Limits, PdfRefused, PdfWorkshop
from coursehub.infra.services import EXTENSION, services
from coursehub.kernel.db import db
from coursehub.kernel.outbox import OutboxMessage
from tasks import runtime
from tests.browser import Browser
from tests.corpora.hostile_pdfs import ACCEPTED, hostile_pdfs
from tests.corpora.odd_names import ODD_NAMES
from tests.corpora.odd_pdfs import odd_pdfs, outside_pdfs
from tests.courses.intake import a_draft, a_pdf, needed_keys, received, stored_keys, version

# Bombs are waited for until their limit ends them; the bound only catches a hang.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
SENTENCES = set(PdfRefused.sentences)


@dataclass(frozen=True)
class Case:
    name: str
    make: Callable[[], bytes]
    answers: frozenset[str]
    pages: int | None = None
    removed: frozenset[str] = frozenset()


@pytest.fixture(autouse=True)
def less_patience(app: Any, full_scale: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless at full scale, bombs get half the time: the answer is the same, and comes sooner."""
    if not full_scale:
        hurried = PdfWorkshop(Limits(opening=(5, 30), cleaning=(5, 60)))
        monkeypatch.setitem(app.extensions, EXTENSION, replace(app.extensions[EXTENSION], pdf=hurried))


def corpus(every: bool) -> Iterator[Case]:
    """All hostile files; of the odd ones two of three, unless every one is wanted."""
    for odd in (odd for number, odd in enumerate(odd_pdfs()) if every or number % 3):
        pages = None if odd.refused else odd.pages
        yield Case(odd.name, odd.make, frozenset({odd.refused or ACCEPTED}), pages, odd.removed)
    for hostile in hostile_pdfs():
        yield Case(hostile.name, hostile.make, hostile.answers, None, hostile.removed)
    for path in outside_pdfs():
        yield Case(path.name, path.read_bytes, frozenset({ACCEPTED, *SENTENCES}))


def code_of(sentence: str | None) -> str:
    """The code whose sentence the creator was shown; the numbers in it may be any."""
    for code, pattern in PdfRefused.sentences.items():
        parts = pattern.replace("}", "{").split("{")[::2]
        if sentence and all(part in sentence for part in parts):
            return code
    return f"no known sentence: {sentence}"


def test_the_whole_corpus_through_intake_and_worker(
    app: Flask, ada: Customer, tmp_path: Path, full_scale: bool
) -> None:
    course = a_draft(ada)
    versions: dict[UUID, Case] = {}
    faults: list[str] = []
    walked = 0
    for case in corpus(full_scale):
        walked += 1
        try:
            versions[received(course, case.make(), tmp_path)] = case
        except PdfRefused as refused:
            if refused.code not in case.answers:
                faults.append(f"{case.name}: {refused.code} at once, expected {sorted(case.answers)}")
    assert walked >= 320

    def look(payload: dict[str, Any]) -> None:
        with app.app_context():
            runtime.handle("course.inspect.request", payload)

    waiting = select(OutboxMessage.payload).where(OutboxMessage.name == "course.inspect.request")
    payloads = list(db.session.scalars(waiting))
    db.session.rollback()  # this takes minutes: no transaction is left open meanwhile
    with ThreadPoolExecutor(3) as workers:
        for payload, done in [(payload, workers.submit(look, payload)) for payload in payloads]:
            error = done.exception()
            if error is not None:
                faults.append(f"{versions[UUID(payload['version_id'])].name}: {error!r}")

    for version_id, case in versions.items():
        faults += list(_faults(case, version(version_id)))
    assert not faults, "\n".join(faults)
    assert stored_keys() == needed_keys()
    assert not any(key.startswith("uploads/") for key in stored_keys())


def _faults(case: Case, made: CourseVersion) -> Iterator[str]:
    answer = {"ready": ACCEPTED, "failed": code_of(made.error)}.get(made.status, made.status)
    if answer not in case.answers:
        yield f"{case.name}: {answer}, expected {sorted(case.answers)}"
    if answer == ACCEPTED:
        if case.pages is not None and made.pages_count != case.pages:
            yield f"{case.name}: {made.pages_count} pages, expected {case.pages}"
        if not case.removed <= set(made.removed):
            yield f"{case.name}: removed {made.removed}, expected {sorted(case.removed)}"


def test_a_sample_of_the_corpus_through_the_browser(app: Flask, ada: Customer, browser: Browser, work: Any) -> None:
    """Over HTTP the answer is the next page or a sentence at the field, never a 500, and storage stays tidy."""
    course = a_draft(ada)
    mine = browser.as_(ada)
    for case in list(corpus(every=True))[::20]:
        sent = {"file": (io.BytesIO(case.make()), f"{case.name}.pdf", "application/pdf")}
        answer = mine.post(f"/studio/courses/{course.id}/uploads", sent, content_type="multipart/form-data")
        if answer.status == 422:
            assert code_of(answer.visible) in case.answers, case.name
        else:
            assert answer.expect(303).location.endswith(f"/studio/courses/{course.id}/content"), case.name
            work("course.inspect.request", "course.thumbnails.request")
            page = mine.get(f"/studio/courses/{course.id}/content").expect(200)
            ready = "is ready" in page.visible
            assert (ACCEPTED if ready else code_of(page.visible)) in case.answers, case.name
    assert stored_keys() == needed_keys()


def test_no_name_reaches_a_path_or_a_header_raw(ada: Customer, tmp_path: Path) -> None:
    course = a_draft(ada)
    for name in ODD_NAMES:
        made = version(received(course, a_pdf(), tmp_path, filename=name))
        assert made.filename, repr(name)
        assert len(made.filename) <= 120
        assert not set(made.filename) & set("/\\\0\r\n"), repr(made.filename)
        assert made.filename.isprintable(), repr(made.filename)
    assert stored_keys() == {f"uploads/{made.id}.pdf" for made in db.session.scalars(select(CourseVersion))}


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.99])
def test_an_upload_that_breaks_off_leaves_no_row_and_no_object(ada: Customer, browser: Browser, cut: float) -> None:
    course = a_draft(ada)
    mine = browser.as_(ada)
    edge = "cut"
    whole = (
        f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="c.pdf"\r\n\r\n'.encode()
        + a_pdf(40)
        + f"\r\n--{edge}--\r\n".encode()
    )
    answer = mine.post(
        f"/studio/courses/{course.id}/uploads",
        whole[: int(len(whole) * cut)],
        content_type=f"multipart/form-data; boundary={edge}",
    )
    assert answer.status in (400, 422)
    assert stored_keys() == set()
    assert db.session.scalar(select(func.count()).select_from(CourseVersion)) == 0


def test_a_failed_commit_takes_its_object_with_it(ada: Customer, tmp_path: Path) -> None:
    path = tmp_path / "x.pdf"
    path.write_bytes(a_pdf())
    stored = uploads.stored(path, "x.pdf", storage=services().storage, limit=10**6)
    with pytest.raises(ZeroDivisionError), stored:
        assert len(stored_keys()) == 1
        raise ZeroDivisionError
    assert stored_keys() == set()
