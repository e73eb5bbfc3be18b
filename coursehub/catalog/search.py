"""Finding courses: words, filters and order become one page of cards, at the same cost wherever it stands."""

import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Float, cast, func, literal, literal_column, select, text, tuple_
from sqlalchemy.engine import Engine

from coursehub.catalog.cards import Card, cards, joined
from coursehub.courses import queries
from coursehub.courses.models import Course
from coursehub.kernel.db import db
from coursehub.kernel.errors import Invalid
from coursehub.kernel.pagination import Page, decode_cursor, encode_cursor

SORTS = ("relevance", "newest", "popular", "price", "price_desc")
PAGE_SIZE = 24
LONGEST_QUERY = 200
# Beyond this many the count only says "more than".
COUNTED = 1000
# How alike a misspelt query and a title must be (0 to 1).
_ALIKE = 0.35
_LAST_WORD = re.compile(r"(?:^|.*\s)(\w{2,})$", re.S)


@dataclass(frozen=True)
class Filters:
    """What somebody looks for. Prices in minor units; an unknown sort is the usual one."""

    q: str = ""
    category: str = ""
    tag: str = ""
    sort: str = ""
    price_min: int | None = None
    price_max: int | None = None
    author_id: UUID | None = None

    @property
    def words(self) -> str:
        """The query as PostgreSQL can take it: any text will do, but no NUL, no half characters, not endless."""
        return cleaned(self.q)[:LONGEST_QUERY].strip()

    @property
    def order(self) -> str:
        if self.sort in SORTS and (self.sort != "relevance" or self.words):
            return self.sort
        return "relevance" if self.words else "newest"


@dataclass(frozen=True)
class Results:
    """One page of what was found, how many there are in all (at most COUNTED + 1), whether the words were corrected."""

    page: Page[Card]
    total: int
    similar: bool = False

    @property
    def is_more(self) -> bool:
        return self.total > COUNTED


def find(filters: Filters, *, cursor: str | None = None, limit: int = PAGE_SIZE) -> Results:
    """The page of listed courses that `filters` ask for. Raises Invalid for a cursor that is none."""
    conditions = _conditions(filters)
    found = _page(filters, conditions, cursor, limit)
    total = _count(conditions)
    if not total and filters.words and _knows_trigrams(db.engine):
        alike = _alike(filters, limit)
        if alike.items:
            return Results(alike, len(alike.items), similar=True)
    return Results(found, total)


def cleaned(text_: str) -> str:
    """`text_` without what PostgreSQL cannot hold."""
    return text_.replace("\0", "").encode("utf-8", "ignore").decode()


def _page(filters: Filters, conditions: list[ColumnElement[bool]], cursor: str | None, limit: int) -> Page[Card]:
    key, descending = _key(filters)
    ordered = (key.desc(), Course.id.desc()) if descending else (key, Course.id)
    chosen = select(Course.id, key.label("sort_key")).where(*conditions)
    if cursor:
        sort, value, last_id = _read_cursor(cursor)
        if sort != filters.order:
            raise Invalid("That page does not exist any more. Start again from the first one.", field="cursor")
        here, mark = tuple_(key, Course.id), tuple_(literal(value, key.type), literal(last_id, Course.id.type))
        chosen = chosen.where(here < mark if descending else here > mark)
    # The page is chosen before anything is joined to it: the join then costs the same for ten courses or a million.
    page = chosen.order_by(*ordered).limit(limit + 1).subquery("page")
    order = (page.c.sort_key.desc(), page.c.id.desc()) if descending else (page.c.sort_key, page.c.id)
    rows = db.session.execute(joined(page, page.c.sort_key).order_by(*order)).all()
    more = len(rows) > limit
    rows = rows[:limit]
    end = encode_cursor([filters.order, _written(rows[-1].sort_key), str(rows[-1].id)]) if more else None
    return Page(cards(rows), end)


def _count(conditions: list[ColumnElement[bool]]) -> int:
    some = select(Course.id).where(*conditions).limit(COUNTED + 1).subquery()
    return db.session.scalar(select(func.count()).select_from(some)) or 0


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
    conditions = [queries.visible()]
    if filters.words:
        conditions.append(Course.search.op("@@")(_tsquery(filters.words)))
    return conditions + _narrowed(filters)


def _narrowed(filters: Filters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if filters.category:
        conditions.append(Course.category == cleaned(filters.category))
    if filters.tag:
        conditions.append(Course.tags.contains([cleaned(filters.tag).strip().lower()]))
    if filters.price_min is not None:
        conditions.append(Course.price_cents >= filters.price_min)
    if filters.price_max is not None:
        conditions.append(Course.price_cents <= filters.price_max)
    if filters.author_id is not None:
        conditions.append(Course.author_id == filters.author_id)
    return conditions


def _key(filters: Filters) -> tuple[ColumnElement[Any], bool]:
    """The sort value and whether the highest comes first; ties fall to the id."""
    if filters.order == "relevance":
        # As double: the cursor carries it through JSON and back unchanged.
        return cast(func.ts_rank(Course.search, _tsquery(filters.words)), Float(53)), True
    keys: dict[str, tuple[ColumnElement[Any], bool]] = {
        "newest": (Course.published_at.expression, True),
        "popular": (Course.sales_count.expression, True),
        "price": (Course.price_cents.expression, False),
        "price_desc": (Course.price_cents.expression, True),
    }
    return keys[filters.order]


def _tsquery(words: str) -> ColumnElement[Any]:
    """Whole words and English stems, with "quotes", -minus and or; the last word may be a mere beginning."""
    english: ColumnElement[Any] = literal_column("'english'::regconfig")
    simple: ColumnElement[Any] = literal_column("'simple'::regconfig")
    query = func.websearch_to_tsquery(english, words).op("||")(func.websearch_to_tsquery(simple, words))
    last = _LAST_WORD.match(words)
    # Inside quotes or after a minus a beginning would mean something else.
    if last and '"' not in words:
        begun = func.to_tsquery(simple, f"'{last[1]}':*")
        before = func.websearch_to_tsquery(english, words[: last.start(1)])
        query = query.op("||")(before.op("&&")(begun))
    return query


def _alike(filters: Filters, limit: int) -> Page[Card]:
    """Courses whose title looks like the query: "pyhton basics"."""
    closeness = func.greatest(
        func.similarity(Course.title, filters.words), func.word_similarity(filters.words, Course.title)
    )
    page = (
        select(Course.id, closeness.label("sort_key"))
        .where(queries.visible(), *_narrowed(filters), closeness >= _ALIKE)
        .order_by(closeness.desc(), Course.id.desc())
        .limit(limit)
        .subquery("page")
    )
    return Page(cards(db.session.execute(joined(page).order_by(page.c.sort_key.desc(), page.c.id.desc())).all()))


@lru_cache(maxsize=8)
def _knows_trigrams(engine: Engine) -> bool:
    """Whether this database has pg_trgm; asked once per process."""
    with engine.connect() as connection:
        return connection.execute(text("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'")).first() is not None


def _written(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _read_cursor(cursor: str) -> tuple[str, Any, UUID]:
    sort, value, last_id = decode_cursor(cursor, 3)
    try:
        if sort == "newest":
            value = datetime.fromisoformat(value)
        elif sort == "relevance":
            value = float(value)
        elif sort not in SORTS or isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**31:
            raise ValueError
        return sort, value, UUID(last_id)
    except (ValueError, TypeError, AttributeError) as error:
        raise Invalid("That page does not exist any more. Start again from the first one.", field="cursor") from error
