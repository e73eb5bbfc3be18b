"""What search is given every night: who is at the head, how common a word is, and whatever was missed."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import or_, select, text

from coursehub.courses import search_text
from coursehub.courses.models import Course, CourseSearch
from coursehub.kernel.db import db

# So many of the most popular courses are looked at first; and new ones, that nobody could buy yet.
HEAD = 10_000
NEW_DAYS = 30
# Whoever changes sides is written into every index of the words anew.
BATCH = 100

_SWAPS = f"""
UPDATE course_search SET head = NOT head WHERE course_id IN (
    SELECT course_id FROM (
        SELECT course_id, head, row_number() OVER (ORDER BY popularity DESC, course_id) <= {HEAD}
            OR published_at > now() - interval '{NEW_DAYS} days' AS belongs
        FROM course_search WHERE listed
    ) AS judged
    WHERE head <> belongs ORDER BY course_id LIMIT {BATCH}
)
"""
_RECOUNT = """
WITH counted AS (
    SELECT found.lexeme AS word, count(*) AS courses
    FROM courses
    JOIN course_search ON course_search.course_id = courses.id AND course_search.listed,
        unnest(to_tsvector('simple', courses.title || ' ' || array_to_string(courses.tags, ' '))) AS found
    GROUP BY found.lexeme
), gone AS (
    DELETE FROM title_words WHERE word NOT IN (SELECT word FROM counted)
)
UPDATE title_words SET courses = counted.courses FROM counted
WHERE counted.word = title_words.word AND title_words.courses <> counted.courses
"""


def move_head() -> int:
    """Let some of those who belong to the head join it, and others leave; how many changed, 0 when all is right."""
    return _rows(_SWAPS)


def recount_words() -> int:
    """Count in how many listed titles each word is, and forget those that are in none; how many counts changed."""
    return _rows(_RECOUNT)


def missed() -> Sequence[UUID]:
    """Courses whose words are not those of their current version: one by one they want `catch_up`."""
    other = CourseSearch.pages_of.is_distinct_from(Course.current_version_id)
    return db.session.scalars(
        select(CourseSearch.course_id)
        .join(Course, Course.id == CourseSearch.course_id)
        .where(Course.status != "draft", or_(CourseSearch.words.is_(None), other))
        .order_by(CourseSearch.course_id)
    ).all()


def catch_up(course_id: UUID) -> None:
    """Write the words of one course, if it is still there."""
    course = db.session.get(Course, course_id)
    if course is not None:
        search_text.reindex(course)


def _rows(statement: str) -> int:
    db.session.flush()
    return int(db.session.execute(text(statement)).rowcount)  # type: ignore[attr-defined]
