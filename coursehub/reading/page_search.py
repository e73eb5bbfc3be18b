"""Searching the pages of everything somebody owns: the right to each is asked in the same moment as the words."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import ColumnElement, cast, func, literal, literal_column, select, tuple_, values
from sqlalchemy import column as sql_column
from sqlalchemy.dialects.postgresql import REGCONFIG, TSQUERY
from sqlalchemy.types import Integer, Text, Uuid

from coursehub.accounts.models import Customer
from coursehub.courses import queries
from coursehub.courses.models import Course, CourseVersion, PageText
from coursehub.entitlements.models import Purchase
from coursehub.kernel.db import db
from coursehub.library.downloads import released

LONGEST_QUERY = 200
# Books on a page of results, hits shown of each, and hits on a page that shows one book's alone.
BOOKS = 8
HITS = 3
HITS_OF_ONE = 20
# A word that stands on more pages than this is no search; the best of so many are shown.
MOST = 5000
_LAST_WORD = re.compile(r"(?:^|.*\s)(\w{2,})$", re.S)
_MARKS = "\x02", "\x03"
_SNIPPET = (
    f"StartSel={_MARKS[0]}, StopSel={_MARKS[1]}, MaxFragments=2, MaxWords=18, MinWords=8, "
    'ShortWord=2, FragmentDelimiter=" … "'
)
_SNIPPET_FROM = 40_000  # characters of a page, as many as the index knows


@dataclass(frozen=True)
class Source:
    """A book to search in: a version of a course that this person may read."""

    id: UUID  # of the course
    version_id: UUID
    title: str
    author: str
    address: str
    cover: str | None

    def at(self, page: int, words: str) -> str:
        """Address of a page with `words` to be marked on it."""
        return f"{self.address}?{urlencode({'page': page, 'q': words})}"


@dataclass(frozen=True)
class Piece:
    """A stretch of a snippet, as found or beside it."""

    text: str
    found: bool


@dataclass(frozen=True)
class Hit:
    """A page with the words."""

    page: int
    snippet: tuple[Piece, ...]
    words: str  # as they stand there, for the reader to mark


@dataclass(frozen=True)
class Found:
    """A book with its best pages, and how many pages have the words."""

    source: Source
    hits: list[Hit]
    total: int


@dataclass(frozen=True)
class Results:
    """One page of books, the best first; `pages` such pages there are."""

    books: list[Found]
    page: int
    pages: int
    total: int  # pages with the words, in all books
    sources: int  # books that were searched

    @property
    def is_more(self) -> bool:
        return self.total >= MOST


@dataclass(frozen=True)
class _Match:
    source: Source
    page: int
    rank: float


def find(reader: Customer, text: str, *, within: UUID | None = None, page: int = 1) -> Results:
    """The pages with these words in everything the reader owns; `within` names one book. Any text will do."""
    words = cleaned(text)
    sources = [source for source in _sources(reader) if within in (None, source.id)]
    matches = _matches(words, sources) if words and sources else []
    grouped: dict[Source, list[_Match]] = defaultdict(list)
    for match in sorted(matches, key=lambda match: (-match.rank, match.page)):
        grouped[match.source].append(match)
    if within is not None:
        return _of_one(words, grouped, page, len(sources))
    order = list(grouped)  # by each book's best page
    pages = max(1, -(-len(order) // BOOKS))
    page = max(1, min(page, pages))
    shown = order[(page - 1) * BOOKS : page * BOOKS]
    hits = _hits(words, [match for source in shown for match in grouped[source][:HITS]])
    books = [Found(source, hits[source], len(grouped[source])) for source in shown]
    return Results(books, page, pages, len(matches), len(sources))


def cleaned(text: str) -> str:
    """The words as PostgreSQL can take them: no NUL, no half characters, not endless."""
    return text.replace("\0", " ").encode("utf-8", "ignore").decode()[:LONGEST_QUERY].strip()


def statement(words: str, version_ids: Iterable[UUID]) -> Any:
    """SQL: pages of these versions with these words, with how well they fit; one index knows both."""
    query = query_of(words)
    theirs = cast(literal(" | ".join(f"'{version_id}'" for version_id in version_ids), Text), TSQUERY)
    found = (
        select(PageText.version_id, PageText.page_number, PageText.search)
        .where(PageText.search.op("@@")(query.op("&&")(theirs)))
        .limit(MOST)
        .subquery("found")
    )
    # 1: a long page is not better because it is long.
    return select(found.c.version_id, found.c.page_number, func.ts_rank(found.c.search, query, 1))


def query_of(words: str) -> ColumnElement[Any]:
    """Whole words and English stems, with "quotes", -minus and or; the last word may be a mere beginning."""
    english, simple = _config("english"), _config("simple")
    query = func.websearch_to_tsquery(english, words).op("||")(func.websearch_to_tsquery(simple, words))
    last = _LAST_WORD.match(words)
    # Inside quotes or after a minus a beginning would mean something else.
    if last and '"' not in words:
        begun = func.to_tsquery(simple, f"'{last[1]}':*")
        before = func.websearch_to_tsquery(english, words[: last.start(1)])
        query = query.op("||")(before.op("&&")(begun))
    return query.self_group()


def _config(name: str) -> ColumnElement[Any]:
    return literal_column(f"'{name}'::regconfig", REGCONFIG)


def _sources(reader: Customer) -> list[Source]:
    """Everything this person bought and may read now, in the version they read; one query."""
    newest = (
        select(CourseVersion.id)
        .where(
            CourseVersion.course_id == Purchase.course_id,
            released() | (CourseVersion.id == Purchase.version_id),
            CourseVersion.version_number
            >= select(CourseVersion.version_number)
            .where(CourseVersion.id == Purchase.version_id)
            .correlate(Purchase)
            .scalar_subquery(),
        )
        .order_by(CourseVersion.version_number.desc())
        .limit(1)
        .correlate(Purchase)
        .scalar_subquery()
    )
    rows = db.session.execute(
        select(Course.id, newest, Course.title, Customer.name, Course.slug, Course.cover_image_url)
        .select_from(Purchase)
        .join(Course, Course.id == Purchase.course_id)
        .join(Customer, Customer.id == Course.author_id)
        .where(Purchase.customer_id == reader.id, Purchase.access == "active")
    )
    return [
        Source(course_id, version_id, title, author, f"/read/{course_id}", queries.cover_address(slug, cover))
        for course_id, version_id, title, author, slug, cover in rows
    ]


def _matches(words: str, sources: list[Source]) -> list[_Match]:
    by_version = {source.version_id: source for source in sources}
    rows = db.session.execute(statement(words, by_version))
    # A page that says the name of a version is not a page of it.
    return [_Match(by_version[version], page, rank) for version, page, rank in rows if version in by_version]


def _of_one(words: str, grouped: dict[Source, list[_Match]], page: int, sources: int) -> Results:
    if not grouped:
        return Results([], 1, 1, 0, sources)
    source, matches = next(iter(grouped.items()))
    pages = max(1, -(-len(matches) // HITS_OF_ONE))
    page = max(1, min(page, pages))
    shown = matches[(page - 1) * HITS_OF_ONE : page * HITS_OF_ONE]
    return Results([Found(source, _hits(words, shown)[source], len(matches))], page, pages, len(matches), sources)


def _hits(words: str, matches: list[_Match]) -> dict[Source, list[Hit]]:
    """The snippets of these pages, in their order; cut by PostgreSQL, for the few that are shown."""
    hits: dict[Source, list[Hit]] = defaultdict(list)
    if not matches:
        return hits
    wanted = values(sql_column("version_id", Uuid), sql_column("page_number", Integer), name="wanted").data(
        [(match.source.version_id, match.page) for match in matches]
    )
    text = func.translate(func.left(PageText.text, _SNIPPET_FROM), "".join(_MARKS), "")
    cut = func.ts_headline(_config("english"), text, query_of(words), _SNIPPET)
    rows = db.session.execute(
        select(PageText.version_id, PageText.page_number, cut).join(
            wanted,
            tuple_(PageText.version_id, PageText.page_number) == tuple_(wanted.c.version_id, wanted.c.page_number),
        )
    )
    cuts = {(version_id, page): snippet for version_id, page, snippet in rows}
    for match in matches:
        snippet = _pieces(cuts.get((match.source.version_id, match.page), ""))
        hits[match.source].append(Hit(match.page, snippet, _found_words(snippet) or words))
    return hits


def _pieces(snippet: str) -> tuple[Piece, ...]:
    begin, end = _MARKS
    pieces: list[Piece] = []
    for number, part in enumerate(snippet.split(begin)):
        found, _, beside = part.rpartition(end) if number else ("", "", part)
        pieces += [Piece(text, is_found) for text, is_found in ((found, True), (beside, False)) if text]
    return tuple(pieces)


def _found_words(snippet: tuple[Piece, ...]) -> str:
    words = dict.fromkeys(piece.text.casefold() for piece in snippet if piece.found)
    return " ".join(list(words)[:6])
