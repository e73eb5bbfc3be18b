"""Versions: numbers without gaps, one current, buyers told of the next."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from coursehub.accounts.models import Customer
from coursehub.courses import drafting, queries, versions
from coursehub.courses.models import Course, CourseVersion
from coursehub.kernel.db import db, transaction
from coursehub.kernel.errors import Conflict, Invalid
from coursehub.kernel.outbox import OutboxMessage
from tests.factories import a_course, a_version


def numbers(course_id: UUID) -> list[int]:
    db.session.rollback()
    return sorted(version.version_number for version in queries.versions_of(course_id))


def add_twenty(course_id: UUID, together: Any) -> list[Any]:
    def add(_number: int) -> int:
        with transaction():
            return versions.add_version(queries.get(course_id), "upload").version_number

    return list(together(20, add))


def test_twenty_versions_at_once_are_numbered_one_to_twenty(ada: Customer, together: Any) -> None:
    with transaction():
        course = drafting.create(ada, title="Twenty at once")
    given = add_twenty(course.id, together)
    assert sorted(given) == list(range(1, 21))
    assert numbers(course.id) == list(range(1, 21))


def test_without_the_lock_twenty_at_once_collide(ada: Customer, together: Any, monkeypatch: Any) -> None:
    """The control: what the test above measures is the lock, not luck."""
    with transaction():
        course = drafting.create(ada, title="No lock")
    monkeypatch.setattr(queries, "lock", queries.get)
    given = add_twenty(course.id, together)
    assert any(isinstance(result, Exception) for result in given)
    assert len(numbers(course.id)) < 20


def ready(course: Course, number: int, pages: int = 9) -> CourseVersion:
    version = a_version(course, number=number, pages=pages)
    version.released_at = None
    version.status = "processing"
    with transaction() as session:
        session.add(version)
    with transaction():
        version = db.session.get_one(CourseVersion, version.id)
        version.pages_count = pages
        versions.became_ready(version)
    return version


def test_on_a_draft_the_newest_ready_version_is_current_whatever_finishes_first(ada: Customer) -> None:
    with transaction():
        course = drafting.create(ada, title="Late one")
    second = ready(course, 2, pages=20)
    ready(course, 1, pages=10)
    db.session.rollback()
    assert course.current_version_id == second.id
    assert course.pages_count == 20


def test_on_a_published_course_a_new_version_waits_for_its_author(ada: Customer) -> None:
    course = a_course(by=ada)
    first = course.current_version_id
    second = ready(course, 2)
    db.session.rollback()
    assert course.current_version_id == first
    assert versions.newest_unreleased(course) is second
    with transaction():
        versions.make_current(second, " Chapter four is new. ")
    assert course.current_version_id == second.id
    assert course.pages_count == 9
    assert (second.changelog, second.released_at is not None) == ("Chapter four is new.", True)
    (message,) = db.session.scalars(select(OutboxMessage).where(OutboxMessage.name == "course.version.published"))
    assert message.payload["version_number"] == 2
    assert message.payload["changelog"] == "Chapter four is new."
    assert versions.newest_unreleased(course) is None


def test_only_a_ready_and_newer_version_becomes_current(ada: Customer) -> None:
    course = a_course(by=ada)
    first = queries.current_version(course)
    assert first is not None
    failed = a_version(course, number=2, status="failed")
    with transaction() as session:
        session.add(failed)
    third = ready(course, 3)
    with pytest.raises(Conflict, match="not ready"), transaction():
        versions.make_current(failed)
    with pytest.raises(Conflict, match="current one already"), transaction():
        versions.make_current(first)
    with transaction():
        versions.make_current(third)
    with pytest.raises(Conflict, match="newer version"), transaction():
        versions.make_current(first)
    fourth = ready(course, 4)
    with pytest.raises(Invalid), transaction():
        versions.make_current(fourth, "x" * 5001)


def test_publishing_one_version_from_two_tabs_happens_once(ada: Customer, together: Any) -> None:
    course = a_course(by=ada)
    second = ready(course, 2)

    def release(number: int) -> int:
        with transaction():
            version = db.session.get_one(CourseVersion, second.id)
            return versions.make_current(version, f"tab {number}").version_number

    results = together(8, release)
    assert results.count(2) == 1
    assert sum(isinstance(result, Conflict) for result in results) == 7
    db.session.rollback()
    told = db.session.scalars(select(OutboxMessage).where(OutboxMessage.name == "course.version.published")).all()
    assert len(told) == 1
