"""Misspelt words: what was meant, by the words that titles are made of."""

import re
from collections.abc import Iterable
from functools import lru_cache

from rapidfuzz.distance import OSA
from sqlalchemy import text
from sqlalchemy.engine import Engine

from coursehub.kernel.db import db

MOST_WORDS = 8
# Where the database cannot compare words itself, so many of them are fetched; the most used ones.
_MOST_COMPARED = 50_000
# How alike by trigrams a word must be to be looked at (0 to 1): two letters changing places cost most of them.
_ALIKE = 0.15
_WORD = re.compile(r"\w{3,40}")

_BY_TRIGRAMS = """
SELECT asked.word, near.word AS candidate, near.courses
FROM unnest(CAST(:words AS text[])) AS asked (word)
CROSS JOIN LATERAL (
    SELECT title_words.word, title_words.courses FROM title_words WHERE title_words.word % asked.word
    ORDER BY similarity(title_words.word, asked.word) DESC, title_words.courses DESC LIMIT 50
) AS near
"""
_BY_LENGTH = f"""
SELECT word, courses FROM title_words
WHERE length(word) BETWEEN :shortest AND :longest
ORDER BY courses DESC, word LIMIT {_MOST_COMPARED}
"""


def words_in(query: str) -> list[str]:
    """The words of a query that can be misspelt, each once."""
    found = (word.lower() for word in _WORD.findall(query) if not word.isnumeric())
    return list(dict.fromkeys(found))[:MOST_WORDS]


def corrected(query: str, unknown: Iterable[str]) -> str:
    """`query` with its `unknown` words as they were probably meant; "" where nothing comes close."""
    words = [word for word in words_in(query) if word in set(unknown)]
    nearest = _nearest(words, last=_last_word(query)) if words else {}
    better = _WORD.sub(lambda found: nearest.get(found[0].lower(), found[0]), query)
    return better if better != query else ""


def _nearest(words: list[str], last: str) -> dict[str, str]:
    candidates = _by_trigrams(words) if knows_trigrams(db.engine) else _by_length(words)
    nearest: dict[str, str] = {}
    for word in words:
        judged = sorted(
            (distance, -courses, candidate)
            for candidate, courses in candidates[word]
            if (distance := _distance(word, candidate, may_be_begun=word == last)) <= _allowed(word)
        )
        if judged:
            nearest[word] = judged[0][2]
    return nearest


def _by_trigrams(words: list[str]) -> dict[str, list[tuple[str, int]]]:
    found: dict[str, list[tuple[str, int]]] = {word: [] for word in words}
    db.session.execute(text("SELECT set_config('pg_trgm.similarity_threshold', :alike, true)"), {"alike": str(_ALIKE)})
    for word, candidate, courses in db.session.execute(text(_BY_TRIGRAMS), {"words": words}):
        found[word].append((candidate, courses))
    return found


def _by_length(words: list[str]) -> dict[str, list[tuple[str, int]]]:
    # A word that is only begun may be much longer; those that come within reach of it are its beginnings too.
    lengths = [len(word) for word in words]
    bounds = {"shortest": min(lengths) - 3, "longest": max(lengths) + 6}
    known = [(word, courses) for word, courses in db.session.execute(text(_BY_LENGTH), bounds)]
    return dict.fromkeys(words, known)


def _distance(word: str, candidate: str, *, may_be_begun: bool) -> float:
    """How many letters are wrong, missing, too many or out of place; half a one more for a mere beginning."""
    most = _allowed(word)
    whole = OSA.distance(word, candidate, score_cutoff=most)
    if not may_be_begun or len(candidate) <= len(word) or whole <= 1:
        return float(whole)
    return min(float(whole), OSA.distance(word, candidate[: len(word)], score_cutoff=most) + 0.5)


def _allowed(word: str) -> int:
    return 1 if len(word) <= 4 else 2 if len(word) <= 8 else 3


def _last_word(query: str) -> str:
    last = re.search(r"(\w+)$", query)
    return last[1].lower() if last else ""


@lru_cache(maxsize=8)
def knows_trigrams(engine: Engine) -> bool:
    """Whether this database has pg_trgm; asked once per process."""
    with engine.connect() as connection:
        return connection.execute(text("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'")).first() is not None
