"""Uploads in tests: received as the web edge receives them, worked through by the real actors."""

from pathlib import Path
from typing import Any
from uuid import UUID

from coursehub.accounts.models import Customer
from coursehub.courses import drafting, queries, uploads
from coursehub.courses.models import Course, CourseVersion
from coursehub.infra.services import services
from coursehub.kernel.db import db, transaction
from tests.corpora.pdf_sketch import document

LIMIT = 250_000_000


def a_draft(author: Customer, **details: Any) -> Course:
    """A course that its author has just begun."""
    with transaction():
        return drafting.create(author, **({"title": "Quiet Typography"} | details))


def received(course: Course, body: bytes, folder: Path, filename: str = "course.pdf") -> UUID:
    """The version that the upload of `body` makes, still unexamined."""
    path = folder / "incoming.bin"
    path.write_bytes(body)
    with uploads.stored(path, filename, storage=services().storage, limit=LIMIT) as upload, transaction():
        return uploads.accept(queries.get(course.id), upload).id


def version(version_id: UUID) -> CourseVersion:
    """The version as the database has it now."""
    db.session.rollback()
    return db.session.get_one(CourseVersion, version_id)


def a_pdf(pages: int = 1, title: str | None = None) -> bytes:
    """A sound file."""
    return document(pages=pages, title=f"({title})".encode() if title else None).with_table()


def stored_keys() -> set[str]:
    """Every key in storage."""
    return {found.key for found in services().storage.walk()}


def needed_keys() -> set[str]:
    """Every key that some row names."""
    db.session.rollback()
    return set(queries.referenced_keys())
