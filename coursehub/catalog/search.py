"""Finding courses: words, filters and order become one page of cards, at the same cost wherever it stands."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from coursehub.catalog import facets, matching, spelling
from coursehub.catalog.cards import Card, cards_of
from coursehub.catalog.facets import COUNTED, Facets
from coursehub.catalog.filters import SORTS, Filters
from coursehub.kernel.db import db
from coursehub.kernel.errors import Invalid
from coursehub.kernel.pagination import Page, decode_cursor, encode_cursor

PAGE_SIZE = 24
# With fewer than this many a misspelt word may be the reason.
FEW = 5
# Of more matches than this the most popular ones are judged one by one, and those that have the words in their title.
_JUDGED = 400
_TITLED = 200

# The value each order goes by, in `courses` and in its narrow copy, and whether the highest comes first.
_KEYS = {
    "newest": ("published_at", "published_at", True),
    "popular": ("sales_count", "popularity", True),
    "rating": ("rating_score", "rating_score", True),
    "price": ("price_cents", "price_cents", False),
    "price_desc": ("price_cents", "price_cents", True),
}
_TYPES = {"relevance": "float8", "rating": "float8", "newest": "timestamptz"}


@dataclass(frozen=True)
class Results:
    """One page of what was found, and how many there are in all (at most COUNTED + 1).

    `corrected`: what was looked for instead, because nothing has the words as they were typed. `meant`: what would
    find more. `facets` are there when they were asked for.
    """

    page: Page[Card]
    total: int
    facets: Facets | None = None
    corrected: str = ""
    meant: str = ""

    @property
    def is_more(self) -> bool:
        return self.total > COUNTED


@dataclass(frozen=True)
class _Found:
    """What one look brought: (course, sort value) of a page and one more, the total, the counts, odd words."""

    keys: list[tuple[UUID, Any]]
    total: int
    facets: Facets | None
    unknown: list[str]


def find(filters: Filters, *, cursor: str | None = None, limit: int = PAGE_SIZE, with_facets: bool = False) -> Results:
    """The page of listed courses that `filters` ask for. Raises Invalid for a cursor that is none."""
    mark = _read_cursor(cursor, filters.order) if cursor else None
    found = _look(filters, mark, limit, with_facets)
    corrected = meant = ""
    if found.total < FEW and found.unknown:
        better = spelling.corrected(filters.words, found.unknown)
        second = _look(replace(filters, q=better), mark, limit, with_facets) if better else found
        if not found.total and second.total:
            found, filters, corrected = second, replace(filters, q=better), better
        elif second.total > found.total:
            meant = better
    shown = found.keys[:limit]
    end = None
    if len(found.keys) > limit:
        last_id, value = shown[-1]
        end = encode_cursor([filters.order, value, str(last_id)])
    return Results(Page(_cards(shown), end), found.total, found.facets, corrected, meant)


def _look(filters: Filters, mark: tuple[Any, UUID] | None, limit: int, with_facets: bool) -> _Found:
    if filters.words:
        use_indexes()
    values = matching.parameters(filters) | {"limit": limit + 1, "odd": spelling.words_in(filters.words)}
    if mark is not None:
        values |= {"value": mark[0], "last_id": mark[1]}
    row = db.session.execute(text(_sql(filters, mark is not None, with_facets)), values).one()
    return _Found(
        keys=[(UUID(course_id), value) for course_id, value in row.page or []],
        total=row.total,
        facets=Facets.of(row.facets, row.total) if with_facets else None,
        unknown=row.odd or [],
    )


def use_indexes() -> None:
    """For the rest of the transaction: PostgreSQL reads rows of words only where an index has found them.

    It believes a look at a row to cost nothing, even where the row's words fill a book. And it plans each query once:
    planning costs as much as running it.
    """
    db.session.execute(
        text(
            "SELECT set_config('enable_seqscan', 'off', true),"
            " set_config('plan_cache_mode', 'force_generic_plan', true)"
        )
    )


def _sql(filters: Filters, continued: bool, with_facets: bool) -> str:
    """One statement: a page of (id, sort value), how many there are, and the counts of the facets."""
    tables = [matching.asked(filters)] if filters.words else []
    tables.append(f"main AS MATERIALIZED ({matching.rows(filters)} LIMIT {COUNTED + 1})")
    if filters.order == "relevance":
        tables += _ranked(filters)
    if with_facets:
        tables += [
            f"base_{group} AS MATERIALIZED ({matching.rows(base)} LIMIT {COUNTED + 1})"
            for group, base in facets.bases(filters).items()
        ]
    tables.append(f"page AS MATERIALIZED ({_page(filters, continued)})")
    direction = _direction(filters.order)
    return f"""
        WITH {", ".join(tables)}
        SELECT
            (SELECT jsonb_agg(jsonb_build_array(id, key) ORDER BY key {direction}, id {direction}) FROM page) AS page,
            (SELECT count(*) FROM main) AS total,
            {facets.sql(filters) if with_facets else "NULL"} AS facets,
            (SELECT array_agg(odd) FROM unnest(CAST(:odd AS text[])) AS odd
                WHERE NOT EXISTS (SELECT FROM title_words WHERE word = odd)) AS odd
    """


def _ranked(filters: Filters) -> list[str]:
    """CTEs: `scored`, the matches with their score. Judging a thousand rows would cost more than finding them."""
    many = f"(SELECT count(*) > {_JUDGED} FROM main)"
    titled = matching.rows(filters, having=f"s.headline @@ (SELECT title FROM asked) AND {many}")
    score = matching.SCORE.format(words="topic")
    return [
        f"titled AS MATERIALIZED ({titled} LIMIT {_TITLED})",
        f"""scored AS MATERIALIZED (
            SELECT course_id, CASE
                WHEN place <= {_JUDGED} OR course_id IN (SELECT course_id FROM titled) THEN {score}
                ELSE {matching.FAINT} END AS key
            FROM (
                SELECT *, row_number() OVER (ORDER BY popularity DESC, course_id) AS place FROM (
                    SELECT * FROM main
                    UNION ALL SELECT * FROM titled WHERE course_id NOT IN (SELECT course_id FROM main)
                ) AS every
            ) AS pool
        )""",
    ]


def _page(filters: Filters, continued: bool) -> str:
    """SQL: one page and one more of (id, key) in the order asked for."""
    if filters.order == "relevance":
        return _stretch("scored", "scored.course_id", "scored.key", "true", filters.order, continued)
    wide, narrow, _ = _KEYS[filters.order]
    # A few matches are sorted as they are, all of them being at hand.
    few = f"(SELECT count(*) <= {COUNTED} FROM main)"
    at_hand = _stretch("main", "main.course_id", f"main.{narrow}", few, filters.order, continued)
    if filters.words or filters.author_id:
        where = f"NOT {few} AND {matching.narrowed(filters)} AND {matching.found(filters)}"
        rest = _stretch("course_search AS s", "s.course_id", f"s.{narrow}", where, filters.order, continued)
    else:
        # In the order of an index of `courses`, until the page is full.
        source = "courses AS c JOIN course_search AS s ON s.course_id = c.id"
        where = f"NOT {few} AND c.status = 'published' AND {matching.narrowed(filters)}"
        rest = _stretch(source, "c.id", f"c.{wide}", where, filters.order, continued)
    return f"({at_hand}) UNION ALL ({rest})"


def _stretch(source: str, identity: str, key: str, where: str, order: str, continued: bool) -> str:
    direction = _direction(order)
    if continued:
        sign = "<" if direction == "DESC" else ">"
        where += f" AND ({key}, {identity}) {sign} (CAST(:value AS {_TYPES.get(order, 'int')}), CAST(:last_id AS uuid))"
    return (
        f"SELECT {identity} AS id, {key} AS key FROM {source} WHERE {where}"
        f" ORDER BY {key} {direction}, {identity} {direction} LIMIT :limit"
    )


def _direction(order: str) -> str:
    return "DESC" if order == "relevance" or _KEYS[order][2] else "ASC"


def _cards(keys: Sequence[tuple[UUID, Any]]) -> list[Card]:
    return cards_of([course_id for course_id, _ in keys]) if keys else []


def _read_cursor(cursor: str, order: str) -> tuple[Any, UUID]:
    sort, value, last_id = decode_cursor(cursor, 3)
    try:
        if sort != order or sort not in SORTS:
            raise ValueError
        if sort == "newest":
            value = datetime.fromisoformat(value)
        elif sort in _TYPES:
            value = float(value)
        elif isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**31:
            raise ValueError
        return value, UUID(last_id)
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        raise Invalid("That page does not exist any more. Start again from the first one.", field="cursor") from error
