"""What search needs: a narrow row per course, the words that titles are made of; and what courses are rated."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# The row follows its course and its author's standing. An UPDATE that leaves both alone writes no index: only `tags`
# and the words stand in one.
_FOLLOWS_COURSE = """
CREATE FUNCTION course_search_follows_course() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sells boolean := false;
    rated real := NEW.rating_sum::real / nullif(NEW.rating_count, 0);
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.status = OLD.status AND NEW.author_id = OLD.author_id THEN
        UPDATE course_search SET category = NEW.category, language = NEW.language, currency = NEW.currency,
            price_cents = NEW.price_cents, popularity = NEW.sales_count, rating = rated,
            rating_score = NEW.rating_score, published_at = NEW.published_at, tags = NEW.tags
        WHERE course_id = NEW.id;
        RETURN NULL;
    END IF;
    IF NEW.status = 'published' THEN
        -- Locked, so that a ban at this very moment waits for this row, or this row sees the ban.
        SELECT status = 'active' INTO sells FROM customers WHERE id = NEW.author_id FOR SHARE;
    END IF;
    INSERT INTO course_search (course_id, author_id, listed, category, language, currency, price_cents, popularity,
        rating, rating_score, published_at, tags)
    VALUES (NEW.id, NEW.author_id, coalesce(sells, false), NEW.category, NEW.language, NEW.currency, NEW.price_cents,
        NEW.sales_count, rated, NEW.rating_score, NEW.published_at, NEW.tags)
    ON CONFLICT (course_id) DO UPDATE SET author_id = excluded.author_id, listed = excluded.listed,
        category = excluded.category, language = excluded.language, currency = excluded.currency,
        price_cents = excluded.price_cents, popularity = excluded.popularity, rating = excluded.rating,
        rating_score = excluded.rating_score, published_at = excluded.published_at, tags = excluded.tags;
    RETURN NULL;
END
$$
"""
_FOLLOWS_AUTHOR = """
CREATE FUNCTION course_search_follows_author() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE course_search SET listed = (NEW.status = 'active' AND courses.status = 'published')
    FROM courses WHERE courses.id = course_search.course_id AND courses.author_id = NEW.id;
    RETURN NULL;
END
$$
"""
_WATCHED = (
    "status, author_id, category, language, currency, price_cents, sales_count, rating_sum, rating_count,"
    " rating_score, published_at, tags"
)
_ORDERS = {
    "popular": ["sales_count"],
    "rated": ["rating_score"],
    "priced": ["price_cents"],
    "shelved": ["category", "sales_count"],
}
# For courses that are there already; the nightly job adds the words of their pages.
_GAP = r"CAST('''·''\:1' AS tsvector)"  # parts of a course are no neighbours
_WORDS = f"""
WITH made AS (
    SELECT courses.id,
        setweight(to_tsvector('simple', title) || {_GAP} || to_tsvector('english', title), 'A')
        || {_GAP} || setweight(to_tsvector('simple', array_to_string(tags, ' '))
            || {_GAP} || to_tsvector('simple', customers.name)
            || {_GAP} || to_tsvector('english', array_to_string(tags, ' ')), 'B') || {_GAP} AS headline,
        setweight(to_tsvector('simple', subtitle || ' ' || description)
            || {_GAP} || to_tsvector('english', subtitle || ' ' || description), 'C') AS rest
    FROM courses JOIN customers ON customers.id = courses.author_id
)
UPDATE course_search SET headline = made.headline, topic = made.headline || made.rest,
    words = strip(made.headline || made.rest)
FROM made WHERE made.id = course_search.course_id
"""
_VOCABULARY = """
INSERT INTO title_words (word, courses)
SELECT lexeme, count(*) FROM courses JOIN course_search ON course_id = id AND listed,
    unnest(to_tsvector('simple', title || ' ' || array_to_string(courses.tags, ' ')))
GROUP BY lexeme
"""
# As 0001 does: contrib may not be installed, or not allowed to this role.
_TRIGRAMS = """
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm') THEN
        CREATE INDEX {name} ON {table} USING gin ({column} gin_trgm_ops);
    END IF;
END
$$
"""


def upgrade() -> None:
    op.add_column("courses", sa.Column("rating_sum", sa.Integer(), server_default="0", nullable=False))
    op.add_column("courses", sa.Column("rating_count", sa.Integer(), server_default="0", nullable=False))
    op.add_column("courses", sa.Column("rating_score", sa.Double(), server_default="3.9", nullable=False))
    op.create_check_constraint(
        op.f("ck_courses_ratings_not_negative"), "courses", "rating_count >= 0 AND rating_sum >= 0"
    )
    for name, columns in _ORDERS.items():
        op.create_index(
            f"ix_courses_{name}", "courses", [*columns, "id"], postgresql_where=sa.text("status = 'published'")
        )
    op.execute("DROP INDEX IF EXISTS ix_courses_title_trgm")
    op.drop_index("ix_courses_search", table_name="courses", postgresql_using="gin")
    op.drop_column("courses", "search")

    op.create_table(
        "title_words",
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("courses", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("word", name=op.f("pk_title_words")),
    )
    op.execute(_TRIGRAMS.format(name="ix_title_words_trgm", table="title_words", column="word"))
    op.create_table(
        "course_search",
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.Column("head", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("price_cents", sa.Integer(), nullable=False),
        sa.Column("popularity", sa.Integer(), nullable=False),
        sa.Column("rating", sa.REAL(), nullable=True),
        sa.Column("rating_score", sa.Double(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tags", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("pages_of", sa.Uuid(), nullable=True),
        sa.Column("headline", postgresql.TSVECTOR(), nullable=True),
        sa.Column("topic", postgresql.TSVECTOR(), nullable=True),
        sa.Column("words", postgresql.TSVECTOR(), nullable=True),
        sa.ForeignKeyConstraint(
            ["course_id"], ["courses.id"], name=op.f("fk_course_search_course_id_courses"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("course_id", name=op.f("pk_course_search")),
    )
    # The words lie beside the row, uncompressed: a list reads the row alone, ranking reads a few hundred topics. The
    # tags stay in the row: facets count those of a thousand. Room on each page lets a sale be written where the row is.
    op.execute(
        "ALTER TABLE course_search ALTER headline SET STORAGE EXTERNAL, ALTER topic SET STORAGE EXTERNAL,"
        " ALTER words SET STORAGE EXTERNAL, ALTER tags SET STORAGE MAIN,"
        " SET (fillfactor = 80, toast_tuple_target = 128)"
    )
    # Nobody plans by the words' statistics: the queries say which index they want.
    op.execute("ALTER TABLE course_search ALTER words SET STATISTICS 0")
    op.execute(_FOLLOWS_COURSE)
    op.execute(_FOLLOWS_AUTHOR)
    op.execute(
        f"CREATE TRIGGER course_search_follows_course AFTER INSERT OR UPDATE OF {_WATCHED} ON courses"
        " FOR EACH ROW EXECUTE FUNCTION course_search_follows_course()"
    )
    op.execute(
        "CREATE TRIGGER course_search_follows_author AFTER UPDATE OF status ON customers"
        " FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)"
        " EXECUTE FUNCTION course_search_follows_author()"
    )
    op.execute(
        "INSERT INTO course_search (course_id, author_id, listed, category, language, currency, price_cents,"
        " popularity, rating_score, published_at, tags)"
        " SELECT courses.id, author_id, courses.status = 'published' AND customers.status = 'active', category,"
        " language, currency, price_cents, sales_count, rating_score, published_at, tags"
        " FROM courses JOIN customers ON customers.id = author_id"
    )
    op.execute(_WORDS)
    op.execute(_VOCABULARY)
    op.create_index(op.f("ix_course_search_author_id"), "course_search", ["author_id"])
    op.create_index("ix_course_search_tags", "course_search", ["tags"], postgresql_using="gin")
    for name, column, where in (
        ("words", "words", None),
        ("words_head", "words", sa.text("head")),
        ("topic", "topic", None),
        ("headline", "headline", None),
        ("headline_head", "headline", sa.text("head")),
    ):
        # At once, not in a list to be merged later: a book has ten thousand words, and every search reads that list.
        op.create_index(
            f"ix_course_search_{name}",
            "course_search",
            [column],
            postgresql_using="gin",
            postgresql_with={"fastupdate": "off"},
            postgresql_where=where,
        )


def downgrade() -> None:
    op.execute("DROP TRIGGER course_search_follows_author ON customers")
    op.execute("DROP TRIGGER course_search_follows_course ON courses")
    op.execute("DROP FUNCTION course_search_follows_author()")
    op.execute("DROP FUNCTION course_search_follows_course()")
    op.add_column("courses", sa.Column("search", postgresql.TSVECTOR(), nullable=True))
    op.execute("UPDATE courses SET search = topic FROM course_search WHERE course_id = id")
    op.create_index("ix_courses_search", "courses", ["search"], postgresql_using="gin")
    op.execute(_TRIGRAMS.format(name="ix_courses_title_trgm", table="courses", column="title"))
    op.drop_table("course_search")
    op.drop_table("title_words")
    for name in _ORDERS:
        op.drop_index(f"ix_courses_{name}", table_name="courses")
    op.drop_constraint(op.f("ck_courses_ratings_not_negative"), "courses", type_="check")
    for column in ("rating_score", "rating_count", "rating_sum"):
        op.drop_column("courses", column)
