"""Searching the pages of everything somebody owns: the right to each is asked in the same moment as the words."""

from collections import defaultdict
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import select

from coursehub.accounts.models import Customer
from coursehub.courses import queries as courses
from coursehub.courses.models import Course, CourseVersion
from coursehub.entitlements.models import Purchase
from coursehub.kernel.db import db
from coursehub.library.downloads import released
from coursehub.library.models import PrivateFile
from coursehub.reading import queries

# Books on a page of results, hits shown of each, and hits on a page that shows one book's alone.
BOOKS = 8
HITS = 3
HITS_OF_ONE = 20


@dataclass(frozen=True)
class Source:
    """A book to search in: a version of a course that this person may read, or a file of their own."""

    id: UUID  # of the course or file
    holder: UUID  # what its pages hang on: the version, or the file itself
    is_own_file: bool
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
        return self.total >= queries.MOST


@dataclass(frozen=True)
class _Match:
    source: Source
    page: int
    rank: float

    @property
    def place(self) -> tuple[UUID, int]:
        return self.source.holder, self.page


def find(reader: Customer, text: str, *, within: UUID | None = None, page: int = 1) -> Results:
    """The pages with these words in everything the reader owns; `within` names one book. Any text will do."""
    words = queries.cleaned(text)
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


def _sources(reader: Customer) -> list[Source]:
    """Everything this person may read now: what they bought, in the version they read, and their own files."""
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
    bought = [
        Source(id_, version_id, False, title, author, f"/read/{id_}", courses.cover_address(slug, cover))
        for id_, version_id, title, author, slug, cover in rows
    ]
    files = db.session.execute(
        select(PrivateFile.id, PrivateFile.title).where(
            PrivateFile.customer_id == reader.id, PrivateFile.status == "ready"
        )
    )
    return bought + [Source(id_, id_, True, title, "", f"/read/files/{id_}", None) for id_, title in files]


def _matches(words: str, sources: list[Source]) -> list[_Match]:
    by_holder = {source.holder: source for source in sources}
    versions = [source.holder for source in sources if not source.is_own_file]
    files = [source.holder for source in sources if source.is_own_file]
    rows = list(db.session.execute(queries.pages_of_versions(words, versions))) if versions else []
    rows += list(db.session.execute(queries.pages_of_files(words, files))) if files else []
    # A page that says the name of a version is not a page of it.
    return [_Match(by_holder[holder], page, rank) for holder, page, rank in rows if holder in by_holder]


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
    cuts = queries.snippets_of_versions(words, [match.place for match in matches if not match.source.is_own_file])
    cuts |= queries.snippets_of_files(words, [match.place for match in matches if match.source.is_own_file])
    for match in matches:
        snippet = _pieces(cuts.get(match.place, ""))
        hits[match.source].append(Hit(match.page, snippet, _found_words(snippet) or words))
    return hits


def _pieces(snippet: str) -> tuple[Piece, ...]:
    begin, end = queries.MARKS
    pieces: list[Piece] = []
    for number, part in enumerate(snippet.split(begin)):
        found, _, beside = part.rpartition(end) if number else ("", "", part)
        pieces += [Piece(text, is_found) for text, is_found in ((found, True), (beside, False)) if text]
    return tuple(pieces)


def _found_words(snippet: tuple[Piece, ...]) -> str:
    words = dict.fromkeys(piece.text.casefold() for piece in snippet if piece.found)
    return " ".join(list(words)[:6])
