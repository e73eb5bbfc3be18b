"""Courses with pages to read: a stored file, the words of each page, a picture of each."""

import hashlib
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from coursehub.courses import queries
from coursehub.courses.models import Course, CourseVersion, PageText
from coursehub.infra.services import services
from coursehub.kernel import clock
from coursehub.kernel.db import db, transaction
from coursehub.kernel.ids import new_id
from coursehub.library import private_files
from coursehub.library.models import PrivateFile, PrivatePageText
from tests.factories import a_course, a_version

# No page of a real book; the tests of the reader's own bytes need any file, only long enough to be cut.
BODY = b"%PDF-1.7\n" + bytes(range(256)) * 1000
WORDS = ("Kerning is the space between two letters.", "Leading is the space between lines.", "Margins frame the page.")


def a_book(*, by: Any, texts: Sequence[str] = WORDS, body: bytes = BODY, **details: Any) -> Course:
    """A published course whose only version has these pages."""
    course = a_course(by=by, pages=len(texts), **details)
    fill(course, course.current_version_id, texts, body)
    return course


def a_new_version(
    course: Course, number: int, texts: Sequence[str], *, released: bool = True, body: bytes = BODY
) -> CourseVersion:
    """The next version, released to buyers or lying ready."""
    version = a_version(course, number=number, pages=len(texts))
    version.released_at = clock.now() if released else None
    with transaction() as session:
        session.add(version)
        session.flush()
        if released:
            session.get_one(Course, course.id).current_version_id = version.id
    fill(course, version.id, texts, body)
    return version


def fill(course: Course, version_id: UUID | None, texts: Sequence[str], body: bytes = BODY) -> None:
    """Put file, words and pictures behind a version."""
    assert version_id is not None
    storage = services().storage
    storage.put(f"versions/{version_id}.pdf", body, "application/pdf")
    for page in range(1, len(texts) + 1):
        for size in queries.SIZES:
            storage.put(queries.page_key(version_id, page, size), f"{size} {page}".encode(), "image/webp")
    with transaction() as session:
        version = session.get_one(CourseVersion, version_id)
        version.byte_size = len(body)
        version.fingerprint = hashlib.sha256(body).hexdigest()
        version.pages_drawn = len(texts)
        version.page_size = "595x842"
        session.add_all(
            PageText(version_id=version_id, page_number=page, text=text) for page, text in enumerate(texts, start=1)
        )


def bytes_of(course: Course, version_id: UUID | None = None) -> str:
    """The address of its bytes."""
    return f"/read/{course.id}/{version_id or course.current_version_id}.pdf"


def rows(model: Any) -> list[Any]:
    """All rows, as the database has them now."""
    db.session.rollback()
    db.session.expire_all()
    return list(db.session.query(model).all())


def a_private_file(
    owner: Any, *, title: str = "Field notes", texts: Sequence[str] = WORDS, **details: Any
) -> PrivateFile:
    """A file of somebody's own, looked at and drawn."""
    file_id = new_id()
    storage = services().storage
    key = private_files.pdf_key(owner.id, file_id)
    storage.put(key, BODY, "application/pdf")
    for page in range(1, len(texts) + 1):
        for size in queries.SIZES:
            storage.put(private_files.page_key(file_id, page, size), f"own {size} {page}".encode(), "image/webp")
    values = {
        "filename": "notes.pdf",
        "byte_size": len(BODY),
        "pages_count": len(texts),
        "pages_drawn": len(texts),
        "status": "ready",
        "received_sha256": "",
        "fingerprint": hashlib.sha256(BODY).hexdigest(),
        **details,
    }
    file = PrivateFile(id=file_id, customer_id=owner.id, title=title, pdf_url=key, **values)
    with transaction() as session:
        session.add(file)
        session.flush()
        session.add_all(
            PrivatePageText(file_id=file_id, page_number=page, text=text) for page, text in enumerate(texts, start=1)
        )
    return file
