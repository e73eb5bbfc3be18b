"""Search as one types: the courses whose title, tags or author begin so, and the word that was probably meant."""

from dataclasses import dataclass

from sqlalchemy import text

from coursehub.catalog import matching, spelling
from coursehub.catalog.filters import Filters
from coursehub.catalog.search import use_indexes
from coursehub.kernel.db import db

MOST = 6
SHORTEST = 2
# Of a beginning that thousands share, so many of the popular ones are judged.
_JUDGED = 300


@dataclass(frozen=True)
class Suggestion:
    """A course that may be meant."""

    slug: str
    title: str
    author: str


@dataclass(frozen=True)
class Suggestions:
    """What to offer below the field; `meant`: the words without their misspelling."""

    words: str
    courses: list[Suggestion]
    meant: str = ""


def suggest(typed: str) -> Suggestions:
    """What `typed`, the beginning of a search, may be about. Any text will do."""
    filters = Filters(q=typed)
    if len(filters.words) < SHORTEST:
        return Suggestions(filters.words, [])
    use_indexes()
    found = _beginning(filters)
    if found:
        return Suggestions(filters.words, found)
    meant = spelling.corrected(filters.words, spelling.words_in(filters.words))
    return Suggestions(filters.words, _beginning(Filters(q=meant)) if meant else [], meant)


def _beginning(filters: Filters) -> list[Suggestion]:
    columns = "s.course_id, s.popularity, s.headline"
    near = matching.rows(filters, columns, having="s.headline @@ (SELECT title FROM asked)")
    score = matching.SCORE.format(words="headline")
    rows = db.session.execute(
        text(
            f"""
            WITH {matching.asked(filters)},
            near AS MATERIALIZED ({near} LIMIT {_JUDGED}),
            best AS (SELECT course_id, {score} AS score FROM near ORDER BY score DESC, course_id LIMIT {MOST})
            SELECT courses.slug, courses.title, customers.name FROM best
            JOIN courses ON courses.id = best.course_id JOIN customers ON customers.id = courses.author_id
            ORDER BY best.score DESC, courses.id
            """
        ),
        matching.parameters(filters),
    )
    return [Suggestion(*row) for row in rows]
