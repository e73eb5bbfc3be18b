"""What search finds a course by: its words, weighted, written in the transaction that changes them."""

from uuid import UUID

from sqlalchemy import select, text

from coursehub.courses.models import Course
from coursehub.kernel.db import db

# A tsvector holds 1 MB at most. So many words of the pages, none longer, leave room for everything else.
MOST_PAGE_WORDS = 12_000
_LONGEST_WORD = 60  # bytes
# What is read of the pages, in characters: about 700 full ones. Of a longer book each page gives its beginning.
MOST_PAGE_TEXT = 1_500_000
MOST_PAGES = 5_000
_MOST_OF_A_PAGE, _LEAST_OF_A_PAGE = 20_000, 300

# A word that nobody can ask for: with it between them, the end of one part and the beginning of the next do not stand
# side by side, where a phrase would find them. The backslash keeps SQLAlchemy from seeing a parameter.
_GAP = r"CAST('''·''\:1' AS tsvector)"
# `simple` keeps whole words as written, for every language; `english` keeps stems, so that "baking" finds "bake".
# The words of the pages go in without weight and place: they say that a course is found, not how near the top.
WORDS_SQL = f"""
WITH made AS (
    SELECT courses.id,
        setweight(to_tsvector('simple', courses.title) || {_GAP} || to_tsvector('english', courses.title), 'A')
        || {_GAP} || setweight(to_tsvector('simple', array_to_string(courses.tags, ' '))
            || {_GAP} || to_tsvector('simple', customers.name)
            || {_GAP} || to_tsvector('english', array_to_string(courses.tags, ' ')), 'B') || {_GAP} AS headline,
        setweight(to_tsvector('simple', courses.subtitle || ' ' || courses.description)
            || {_GAP} || to_tsvector('english', courses.subtitle || ' ' || courses.description), 'C') AS about,
        pages.words AS pages,
        CASE WHEN courses.status <> 'draft' THEN courses.current_version_id END AS pages_of
    FROM courses
    JOIN customers ON customers.id = courses.author_id
    LEFT JOIN course_versions ON course_versions.id = courses.current_version_id AND courses.status <> 'draft'
    LEFT JOIN LATERAL (
        SELECT array_to_tsvector(array_agg(often.lexeme)) AS words
        FROM (
            SELECT found.lexeme
            FROM page_texts, unnest(to_tsvector('english', left(page_texts.text, greatest({_LEAST_OF_A_PAGE},
                least({_MOST_OF_A_PAGE}, {MOST_PAGE_TEXT} / greatest(course_versions.pages_count, 1)))))) AS found
            WHERE page_texts.version_id = course_versions.id AND page_texts.page_number <= {MOST_PAGES}
                AND octet_length(found.lexeme) <= {_LONGEST_WORD}
            GROUP BY found.lexeme
            ORDER BY count(*) DESC, found.lexeme
            LIMIT {MOST_PAGE_WORDS}
        ) AS often
    ) AS pages ON true
    WHERE {{which}}
)
UPDATE course_search
SET headline = made.headline, topic = made.headline || made.about, pages_of = made.pages_of,
    words = strip(made.headline || made.about) || coalesce(made.pages, '')
FROM made WHERE made.id = course_search.course_id
"""
# In one order, so that two courses published at once never wait for each other in a ring.
VOCABULARY_SQL = """
INSERT INTO title_words (word)
SELECT DISTINCT found.lexeme
FROM courses
JOIN course_search ON course_search.course_id = courses.id AND course_search.listed,
    unnest(to_tsvector('simple', courses.title || ' ' || array_to_string(courses.tags, ' '))) AS found
WHERE {which} AND length(found.lexeme) BETWEEN 3 AND 40
ORDER BY found.lexeme
ON CONFLICT (word) DO NOTHING
"""


def reindex(course: Course) -> None:
    """Write what search knows of one course anew, in the open transaction: its words and its pages' words."""
    db.session.flush()
    _write(course.id)


def reindex_author(author_id: UUID) -> None:
    """The same for all courses of an author, whose name has changed."""
    db.session.flush()
    # One by one: each may have a book's worth of words, and a statement has its time limit.
    for course_id in db.session.scalars(select(Course.id).where(Course.author_id == author_id).order_by(Course.id)):
        _write(course_id)


def _write(course_id: UUID) -> None:
    for sql in (WORDS_SQL, VOCABULARY_SQL):
        db.session.execute(text(sql.format(which="courses.id = :id")), {"id": course_id})
