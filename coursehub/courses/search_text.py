"""What search finds a course by: its words, weighted, written in the transaction that changes them."""

from uuid import UUID

from sqlalchemy import text

from coursehub.courses.models import Course
from coursehub.kernel.db import db

# `simple` keeps whole words as written, for every language; `english` keeps stems, so that "baking" finds "bake".
_SQL = """
UPDATE courses SET search =
    setweight(to_tsvector('simple', courses.title) || to_tsvector('english', courses.title), 'A')
    || setweight(to_tsvector('simple', array_to_string(courses.tags, ' ') || ' ' || customers.name)
        || to_tsvector('english', array_to_string(courses.tags, ' ')), 'B')
    || setweight(to_tsvector('simple', courses.subtitle || ' ' || courses.description)
        || to_tsvector('english', courses.subtitle || ' ' || courses.description), 'C')
FROM customers WHERE customers.id = courses.author_id AND
"""


def reindex(course: Course) -> None:
    """Write the search column of one course anew, in the open transaction."""
    db.session.flush()
    db.session.execute(text(_SQL + "courses.id = :id"), {"id": course.id})


def reindex_author(author_id: UUID) -> None:
    """The same for all courses of an author, whose name has changed."""
    db.session.flush()
    db.session.execute(text(_SQL + "courses.author_id = :id"), {"id": author_id})
