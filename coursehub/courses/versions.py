"""Versions of a course: numbered without gaps, immutable once ready, one of them current."""

from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from coursehub.accounts.models import Customer
from coursehub.courses import drafting, queries, search_text
from coursehub.courses.events import VersionPublished
from coursehub.courses.models import Course, CourseVersion
from coursehub.kernel import clock
from coursehub.kernel.db import db
from coursehub.kernel.errors import Conflict, Invalid, NotAllowed
from coursehub.kernel.events import record
from coursehub.kernel.ids import new_id

LONGEST_CHANGELOG = 5_000


def add_version(
    course: Course,
    generated_by: str,
    *,
    version_id: UUID | None = None,
    filename: str = "",
    byte_size: int = 0,
    layout_config: dict[str, Any] | None = None,
) -> CourseVersion:
    """The next version of `course`, still `processing`. The course is locked, so two at once get two numbers."""
    course = queries.lock(course.id)
    highest = db.session.scalar(
        select(func.max(CourseVersion.version_number)).where(CourseVersion.course_id == course.id)
    )
    version_id = version_id or new_id()
    version = CourseVersion(
        id=version_id,
        course_id=course.id,
        version_number=(highest or 0) + 1,
        pdf_url=queries.pdf_key(version_id),
        generated_by=generated_by,
        filename=filename,
        byte_size=byte_size,
        layout_config=layout_config,
    )
    db.session.add(version)
    db.session.flush()
    return version


def became_ready(version: CourseVersion) -> None:
    """The file of `version` is in place; on a draft the newest ready version is the current one."""
    course = queries.lock(version.course_id)
    version.status = "ready"
    db.session.flush()
    if course.status == "draft" and _is_newer(version, course):
        _let_be_current(course, version)


def make_current(version: CourseVersion, changelog: str = "") -> CourseVersion:
    """Publish `version`: from now on it is what buyers get. Raises Conflict unless it is ready and newer.

    Raises NotAllowed while its author may not sell, and for a course that staff took down.
    """
    course = queries.lock(version.course_id)
    if db.session.scalar(select(Customer.status).where(Customer.id == course.author_id)) != "active":
        raise NotAllowed("This account may not publish courses at present.")
    if course.is_taken_down:
        raise NotAllowed(f"Our staff took this course out of the shop: {course.takedown_reason}")
    db.session.refresh(version)
    changelog = changelog.replace("\r\n", "\n").strip()
    if "\0" in changelog or len(changelog) > LONGEST_CHANGELOG:
        raise Invalid(f"Say what is new in at most {LONGEST_CHANGELOG:,} characters.", field="changelog")
    if course.current_version_id == version.id:
        raise Conflict(f"Version {version.version_number} is the current one already.")
    if version.status != "ready":
        raise Conflict(f"Version {version.version_number} is not ready.")
    if not _is_newer(version, course):
        raise Conflict("A newer version is current: upload the file again to go back to it.")
    version.changelog = changelog
    version.released_at = clock.now()
    _let_be_current(course, version)
    search_text.reindex(course)
    if course.status != "draft":
        record(
            VersionPublished(
                course_id=course.id,
                author_id=course.author_id,
                version_id=version.id,
                version_number=version.version_number,
                changelog=changelog,
            )
        )
    return version


def newest_unreleased(course: Course) -> CourseVersion | None:
    """The newest ready version that is newer than the current one: what "Publish new version" would publish."""
    newest = db.session.scalar(
        select(CourseVersion)
        .where(CourseVersion.course_id == course.id, CourseVersion.status == "ready")
        .order_by(CourseVersion.version_number.desc())
        .limit(1)
    )
    return newest if newest is not None and _is_newer(newest, course) else None


def _is_newer(version: CourseVersion, course: Course) -> bool:
    current = queries.current_version(course)
    return current is None or version.version_number > current.version_number


def _let_be_current(course: Course, version: CourseVersion) -> None:
    course.current_version_id = version.id
    course.pages_count = version.pages_count
    course.revision += 1
    drafting.show_first_page(course, version)
