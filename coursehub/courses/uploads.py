"""PDF intake: a strange file is received, stored raw, examined in a child, stored clean, made a version."""

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import UUID

from coursehub.accounts.models import Customer
from coursehub.courses import queries, thumbnails, versions
from coursehub.courses.events import InspectRequested
from coursehub.courses.models import Course, CourseVersion
from coursehub.infra.pdf import Inspection, PdfRefused, PdfTools, SanitisedReport
from coursehub.infra.storage import ObjectStorage
from coursehub.kernel.db import db
from coursehub.kernel.errors import TooLarge
from coursehub.kernel.events import record
from coursehub.kernel.ids import new_id
from coursehub.mail import delivery

PDF = "application/pdf"
LOST = "The upload did not arrive whole. Please upload the file once more."
_LONGEST_NAME = 120


@dataclass(frozen=True)
class Received:
    """An upload that lies in storage and belongs to nothing yet."""

    version_id: UUID
    key: str
    filename: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Examined:
    """What the examination of a file told; the clean copy is `clean`."""

    inspection: Inspection
    report: SanitisedReport
    clean: Path
    fingerprint: str


@contextmanager
def stored(path: Path, filename: str, *, storage: ObjectStorage, limit: int) -> Iterator[Received]:
    """Put the file at `path` into storage, outside any transaction; the body accepts it inside one.

    If the body fails the object is deleted. Raises PdfRefused or TooLarge before anything is stored.
    """
    size = path.stat().st_size
    if size > limit:
        raise TooLarge(f"This file has {size / 1e6:,.0f} MB; at most {limit / 1e6:,.0f} MB are possible.", field="file")
    with path.open("rb") as stream:
        start = stream.read(5)
        if not start:
            raise PdfRefused("empty_file")
        # At the very start: a PDF that begins later may be a second kind of file as well.
        if start != b"%PDF-":
            raise PdfRefused("not_a_pdf")
        stream.seek(0)
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    version_id = new_id()
    received = Received(version_id, queries.raw_key(version_id), readable_name(filename), size, digest)
    storage.put_file(received.key, path, PDF)
    try:
        yield received
    except BaseException:
        storage.delete(received.key)
        raise


def accept(course: Course, received: Received) -> CourseVersion:
    """The next version of `course`, to be examined by a worker; in the open transaction."""
    version = versions.add_version(
        course, "upload", version_id=received.version_id, filename=received.filename, byte_size=received.size
    )
    record(InspectRequested(course_id=course.id, version_id=version.id, key=received.key, sha256=received.sha256))
    return version


def readable_name(filename: str) -> str:
    """The name of a strange file as text to show: no folders, no invisible signs, not too long."""
    name = unicodedata.normalize("NFC", filename.encode("utf-8", "replace").decode())
    name = re.split(r"[/\\]", name)[-1]
    name = "".join(sign if unicodedata.category(sign)[0] not in "CZ" else " " for sign in name)
    name = " ".join(name.split()).strip(". ")
    if len(name) > _LONGEST_NAME:
        name = f"{name[: _LONGEST_NAME - 20]}…{name[-15:]}"
    return name or "course.pdf"


def examine(raw: Path, clean: Path, pdf: PdfTools) -> Examined:
    """Look at the file and write its clean copy; slow, outside any transaction. Raises PdfRefused."""
    inspection = pdf.inspect(raw)
    report = pdf.sanitise(raw, clean)
    with clean.open("rb") as stream:
        return Examined(inspection, report, clean, hashlib.file_digest(stream, "sha256").hexdigest())


def check_arrival(raw: Path, sha256: str) -> None:
    """What came out of storage is what went in. Raises PdfRefused."""
    with raw.open("rb") as stream:
        if hashlib.file_digest(stream, "sha256").hexdigest() != sha256:
            raise PdfRefused("damaged", LOST)


def in_process(version_id: UUID) -> CourseVersion | None:
    """The version that still waits for its examination, None when it was deleted or is settled."""
    version = db.session.get(CourseVersion, version_id, populate_existing=True)
    return version if version is not None and version.status == "processing" else None


def is_gone(version_id: UUID) -> bool:
    """Whether the version was deleted."""
    return db.session.get(CourseVersion, version_id, populate_existing=True) is None


def succeed(version_id: UUID, examined: Examined) -> CourseVersion | None:
    """The clean copy is stored: the version is ready, and its first pages are to be drawn.

    None when the version was deleted or settled meanwhile; in the open transaction.
    """
    version = _locked(version_id)
    if version is None:
        return None
    inspection = examined.inspection
    version.fingerprint = examined.fingerprint
    version.byte_size = examined.report.size
    version.title = inspection.title
    version.pages_count = examined.report.pages_count
    version.page_size = f"{inspection.page_width:g}x{inspection.page_height:g}"
    version.outline = [asdict(entry) for entry in inspection.outline]
    version.removed = list(examined.report.removed)
    versions.became_ready(version)
    thumbnails.ask_for(version, 1)
    _tell_author(version, "course_ready")
    return version


def fail(version_id: UUID, sentence: str) -> CourseVersion | None:
    """The file was refused; its author reads why. None when the version was deleted or settled meanwhile."""
    version = _locked(version_id)
    if version is None:
        return None
    version.status = "failed"
    version.error = sentence
    _tell_author(version, "upload_failed")
    return version


def _locked(version_id: UUID) -> CourseVersion | None:
    """The version in process, with its course locked first, as everywhere."""
    version = in_process(version_id)
    if version is not None:
        queries.lock(version.course_id)
        version = in_process(version_id)
    return version


def _tell_author(version: CourseVersion, kind: str) -> None:
    course = db.session.get_one(Course, version.course_id)
    author = db.session.get_one(Customer, course.author_id)
    delivery.request_email(
        kind,
        to=author.email,
        subject_key=str(version.id),
        data={
            "name": author.name,
            "course_id": str(course.id),
            "course_title": course.title,
            "version_number": version.version_number,
            "pages_count": version.pages_count,
            "filename": version.filename,
            "removed": list(version.removed or []),
            "sentence": version.error or "",
            "path": f"/studio/courses/{course.id}/{'preview' if kind == 'course_ready' else 'content'}",
        },
        customer_id=author.id,
    )
