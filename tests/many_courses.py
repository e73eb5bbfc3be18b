"""Thousands of courses at once, made by PostgreSQL itself: for plans and timings, not for stories."""

from dataclasses import dataclass

from sqlalchemy import text

from coursehub.accounts.models import Customer
from coursehub.courses.models import CourseSearch
from coursehub.courses.search_text import VOCABULARY_SQL, WORDS_SQL
from coursehub.kernel import clock
from coursehub.kernel.db import db, transaction
from coursehub.kernel.ids import new_id

AUTHORS = 40
LANGUAGES = ("en", "en", "en", "en", "de", "fr", "es", "it")
# Three of these syllables make a word that looks like one, and no two numbers make the same.
_SYLLABLES = "babebibodadedidofafefifogagegigokakekikolalelilomamemimonaneninoparasata"


@dataclass(frozen=True)
class Many:
    """What was planted: how many courses, and the words their texts are made of, the commonest first."""

    courses: int
    words: list[str]


def word(number: int) -> str:
    """The word of this number: `bababe`."""
    parts = []
    for _ in range(3):
        number, place = divmod(number, len(_SYLLABLES) // 2)
        parts.append(_SYLLABLES[2 * place : 2 * place + 2])
    return "".join(parts)


def plant(courses: int, *, vocabulary: int = 3000, text_words: int = 80, seed: float = 0.42) -> Many:
    """Fill an empty shop. One course in ten is a draft; words, sales and prices are spread as in a real shop.

    The same numbers give the same shop. Run `ANALYZE` yourself: it is done here, so that plans are those of every day.
    """
    words = [word(number) for number in range(vocabulary)]
    authors = [
        Customer(id=new_id(), email=f"author{n}@example.org", name=f"{word(n).title()} Author", password_hash="-",
                 role="creator", registration_date=clock.now())
        for n in range(AUTHORS)
    ]  # fmt: skip
    with transaction() as session:
        session.add_all(authors)
        session.flush()
        session.execute(text("SET LOCAL statement_timeout = 0"))
        session.execute(text("SELECT setseed(:seed)"), {"seed": seed})
        session.execute(
            text(_COURSES),
            {
                "courses": courses,
                "s": _SYLLABLES,
                "vocabulary": vocabulary,
                "authors": [author.id for author in authors],
                "text_words": text_words,
                "languages": list(LANGUAGES),
            },
        )
        session.execute(text(_VERSIONS))
        session.execute(
            text("UPDATE courses SET current_version_id = id, status = 'published' WHERE pages_count % 10 > 0")
        )
        # An index over all rows is made in a tenth of the time that adding to it row by row takes.
        indexes = [
            index
            for index in db.metadata.tables[CourseSearch.__tablename__].indexes
            if index.dialect_options["postgresql"]["using"]
        ]
        for index in indexes:
            index.drop(session.connection())
        session.execute(text(WORDS_SQL.format(which="true")))
        for index in indexes:
            index.create(session.connection())
        session.execute(text(VOCABULARY_SQL.format(which="true")))
    analyze()
    return Many(courses, words)


def analyze() -> None:
    """Give the planner the numbers it has of every day."""
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("SET statement_timeout = 0")
        connection.exec_driver_sql("VACUUM ANALYZE course_search, courses, title_words, customers")


def clear() -> None:
    """Empty the tables for good: deleted rows would stay in the way of the tests that follow."""
    db.session.remove()
    with db.engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        connection.exec_driver_sql("TRUNCATE customers, courses, title_words CASCADE")


# The square makes the first words common and the last ones rare; sales likewise.
_COURSES = """
INSERT INTO courses (id, slug, title, subtitle, description, author_id, price_cents, currency, status, category, tags,
    language, pages_count, sales_count, rating_sum, rating_count, rating_score, published_at)
SELECT gen_random_uuid(), 'many-' || n, initcap(title.words), '', body.words,
    (CAST(:authors AS uuid[]))[1 + n % array_length(CAST(:authors AS uuid[]), 1)],
    CASE WHEN n % 20 = 0 THEN 0 ELSE 500 + (random() * 6000)::int END, 'USD', 'draft',
    (SELECT slug FROM categories ORDER BY position OFFSET n % 10 LIMIT 1),
    ARRAY['tag' || (random() ^ 2 * 200)::int, 'kind' || n % 7],
    (CAST(:languages AS text[]))[1 + n % array_length(CAST(:languages AS text[]), 1)],
    1 + n % 300, sales.count, sales.ratings * stars.mean, sales.ratings,
    (10 * 3.9 + sales.ratings * stars.mean) / (10 + sales.ratings), now() - random() * interval '700 days'
FROM generate_series(1, :courses) AS n
CROSS JOIN LATERAL (SELECT (random() ^ 6 * 20000)::int + 0 * n AS count) AS drawn
CROSS JOIN LATERAL (SELECT drawn.count, drawn.count / 12 AS ratings) AS sales
CROSS JOIN LATERAL (SELECT 2 + n % 4 AS mean) AS stars
CROSS JOIN LATERAL (
    SELECT string_agg(substr(:s, 1 + 2 * (w % 36), 2) || substr(:s, 1 + 2 * (w / 36 % 36), 2)
        || substr(:s, 1 + 2 * (w / 1296), 2), ' ') AS words
    FROM (SELECT floor(random() ^ 2 * :vocabulary)::int AS w FROM generate_series(1, 3 + n % 3)) AS picked
) AS title
CROSS JOIN LATERAL (
    SELECT string_agg(substr(:s, 1 + 2 * (w % 36), 2) || substr(:s, 1 + 2 * (w / 36 % 36), 2)
        || substr(:s, 1 + 2 * (w / 1296), 2), ' ') AS words
    FROM (SELECT floor(random() ^ 2 * :vocabulary)::int AS w FROM generate_series(1, :text_words + 0 * n)) AS picked
) AS body
"""
_VERSIONS = """
INSERT INTO course_versions (id, course_id, version_number, pdf_url, generated_by, status, pages_count, released_at)
SELECT id, id, 1, 'versions/' || id || '.pdf', 'upload', 'ready', pages_count, published_at FROM courses
"""
