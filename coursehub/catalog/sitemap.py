"""What search engines may find: every course that is listed, every creator who has one, in parts of bounded size."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from coursehub.courses import queries
from coursehub.courses.models import Course
from coursehub.kernel.db import db

# https://www.sitemaps.org/protocol.html allows 50,000; smaller parts are quicker to make.
PART = 10_000


def parts() -> tuple[int, int]:
    """How many parts the courses and the creators fill."""
    courses, creators = db.session.execute(
        select(func.count(Course.id), func.count(Course.author_id.distinct())).where(queries.visible())
    ).one()
    return -(-courses // PART), -(-creators // PART)


def courses(number: int) -> Sequence[tuple[str, datetime]]:
    """Part `number` (from 1) of the courses: slug and last change."""
    rows = select(Course.slug, Course.updated_at).where(queries.visible()).order_by(Course.id)
    return db.session.execute(rows.offset((number - 1) * PART).limit(PART)).tuples().all()


def creators(number: int) -> Sequence[tuple[UUID, datetime]]:
    """Part `number` (from 1) of the creators: id and the last change of a course of theirs."""
    rows = (
        select(Course.author_id, func.max(Course.updated_at))
        .where(queries.visible())
        .group_by(Course.author_id)
        .order_by(Course.author_id)
    )
    return db.session.execute(rows.offset((number - 1) * PART).limit(PART)).tuples().all()
