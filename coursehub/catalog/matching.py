"""Filters as SQL on `course_search`: which rows match, how well, in which order."""

from typing import Any

from coursehub.catalog.filters import Filters, cleaned

# Rows with these columns are what facets are counted from.
COLUMNS = (
    "s.course_id, s.category, s.language, s.price_cents, s.rating, s.rating_score, s.published_at, s.tags,"
    " s.popularity, s.topic"
)

# How well a row matches. The logarithm lets a title outweigh any number of sales; the small number keeps an order
# among those that only their pages have brought here.
SCORE = "(ts_rank({words}, (SELECT title FROM asked))::float8 + 0.005) * (1 + ln(1 + popularity) / 5)"
# The score of rows that are not worth judging one by one: below all that were judged.
FAINT = "(1 + ln(1 + popularity) / 5) * 0.001"

_ENGLISH_AND_PLAIN = "(websearch_to_tsquery('english', {words}) || websearch_to_tsquery('simple', {words}))"


def asked(filters: Filters) -> str:
    """A CTE of one row: `whole`, what the words must hold; `title`, the same where the last word may be a beginning.

    `e-mail` asks for its parts side by side, and `words` knows no places: there all of them together do.
    """
    whole = _ENGLISH_AND_PLAIN.format(words=":asked")
    if not filters.is_exact:
        whole = f"regexp_replace({whole}::text, '<(-|\\d+)>', '&', 'g')::tsquery"
    begun = ""
    if filters.begun:
        before = _ENGLISH_AND_PLAIN.format(words=":before")
        begun = f" || ({before} && to_tsquery('simple', :begun))"
    return f"asked AS MATERIALIZED (SELECT whole, whole{begun} AS title FROM (SELECT {whole} AS whole) AS q)"


def parameters(filters: Filters) -> dict[str, Any]:
    """What the fragments of this module refer to."""
    before, begun = filters.begun or ("", "")
    return {
        "asked": filters.asked,
        "before": before,
        "begun": f"'{begun}':*",
        "category": cleaned(filters.category),
        "tag": cleaned(filters.tag).strip().lower(),
        "language": cleaned(filters.language),
        "price_min": filters.price_min,
        "price_max": filters.price_max,
        "rating_min": filters.rating_min,
        "author_id": filters.author_id,
    }


def found(filters: Filters) -> str:
    """SQL: the row has the words. Each branch is one look into one index."""
    if not filters.words:
        return "true"
    if filters.is_exact:
        return "s.topic @@ (SELECT whole FROM asked)"
    if filters.begun:
        return "(s.words @@ (SELECT whole FROM asked) OR s.headline @@ (SELECT title FROM asked))"
    return "s.words @@ (SELECT whole FROM asked)"


def narrowed(filters: Filters) -> str:
    """SQL: the row passes the filters."""
    conditions = ["s.listed"]
    if filters.category:
        conditions.append("s.category = :category")
    if filters.tag:
        conditions.append("s.tags @> ARRAY[CAST(:tag AS text)]")
    if filters.language:
        conditions.append("s.language = :language")
    if filters.price_min is not None:
        conditions.append("s.price_cents >= :price_min")
    if filters.price_max is not None:
        conditions.append("s.price_cents <= :price_max")
    if filters.rating_min is not None:
        conditions.append("s.rating >= :rating_min")
    if filters.author_id is not None:
        conditions.append("s.author_id = :author_id")
    return " AND ".join(conditions)


def rows(filters: Filters, columns: str = COLUMNS, *, having: str = "") -> str:
    """SQL: the matching rows, the popular and the new ones first where there are words. To be cut by a LIMIT."""
    where = f"{narrowed(filters)} AND {having or found(filters)}"
    select = f"SELECT {columns} FROM course_search AS s WHERE {where}"
    if not filters.words:
        return select
    # Two looks, the second one only as far as the first leaves room: the index of the popular ones is small.
    return f"({select} AND s.head) UNION ALL ({select} AND NOT s.head)"
