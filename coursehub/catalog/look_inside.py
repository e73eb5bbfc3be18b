"""Look inside: on which pages of a course some words stand, without giving away what else stands there.

Of a page that is not a free sample the answer tells one thing, that all the words looked for are on it. It is the same
for every order in which the page's words may stand: no neighbours, no phrases, no number of times, no endings but the
ones typed. So however many looks are put together they never rebuild a sentence; and looks are counted (`web/limits`).
"""

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

from sqlalchemy import ColumnElement, Text, cast, func, literal, literal_column, select

from coursehub.courses.models import CourseVersion, PageText
from coursehub.kernel.db import db
from coursehub.kernel.ids import new_token

MOST_WORDS = 5
LONGEST_WORD = 40
# So many page numbers are named; of the rest only how many there are.
MOST_NUMBERS = 12
# Words of a sample page, or blocks of a hidden one, around what was found.
_SAMPLE_WORDS = 28
_BLOCKS = (5, 8)
_BLOCK_WIDTHS = 4


@dataclass(frozen=True)
class Part:
    """A piece of a snippet: plain text, a word that was looked for, or a block as wide as `width` (1 to 4) says."""

    kind: Literal["text", "hit", "block"]
    text: str = ""
    width: int = 0


@dataclass(frozen=True)
class Snippet:
    """What is shown of one page: in clear where everyone may see the page, else the words alone between blocks."""

    page: int
    is_clear: bool
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Look:
    """The answer: on how many pages, the first of them, and one snippet. `is_text`: there is anything to search."""

    words: str
    count: int
    pages: tuple[int, ...]
    snippet: Snippet | None
    is_text: bool

    @property
    def more(self) -> int:
        """How many pages are not named."""
        return self.count - len(self.pages)


def words_of(query: str) -> str:
    """The words of `query` that are looked for: letters and digits only, so that no operator and no phrase is one."""
    found = re.findall(r"\w+", query.replace("\0", " ").encode("utf-8", "ignore").decode())
    return " ".join(word[:LONGEST_WORD] for word in found[:MOST_WORDS])


def find(version: CourseVersion, query: str, *, samples: int, reads_all: bool = False) -> Look:
    """Where the words of `query` stand. `samples`: so many first pages everyone sees; `reads_all`: this person all."""
    words = words_of(query)
    tsquery = _tsquery(words)
    pages = list(
        db.session.scalars(
            select(PageText.page_number)
            .where(PageText.version_id == version.id, PageText.search.op("@@")(tsquery))
            .order_by(PageText.page_number)
        )
    )
    snippet = None
    if pages:
        is_clear = reads_all or pages[0] <= samples
        snippet = _clear(version, pages[0], tsquery) if is_clear else _masked(version, pages[0], words)
    is_text = (
        bool(pages)
        or db.session.scalar(
            select(PageText.page_number).where(PageText.version_id == version.id, PageText.text != "").limit(1)
        )
        is not None
    )
    return Look(words, len(pages), tuple(pages[:MOST_NUMBERS]), snippet, is_text)


def _clear(version: CourseVersion, page: int, tsquery: ColumnElement[Any]) -> Snippet:
    """The words of a page that this person may see as a whole."""
    mark = new_token()[:16].replace("-", "x").replace("_", "y")  # stands nowhere in the text
    options = f"StartSel={mark}, StopSel={mark}, MaxWords={_SAMPLE_WORDS}, MinWords={_SAMPLE_WORDS // 2}"
    headline = func.ts_headline(_config("english"), PageText.text, tsquery, cast(literal(options), Text))
    found = db.session.scalar(select(headline).where(PageText.version_id == version.id, PageText.page_number == page))
    pieces = " ".join((found or "").split()).split(mark)
    parts = tuple(Part("hit" if place % 2 else "text", piece) for place, piece in enumerate(pieces) if piece)
    return Snippet(page, True, parts)


def _masked(version: CourseVersion, page: int, words: str) -> Snippet:
    """The words looked for between blocks. The blocks are drawn from page and words alone, never from the text."""
    dice = sha256(f"{version.id} {page} {words.casefold()}".encode()).digest()
    before, after = (_BLOCKS[0] + byte % (_BLOCKS[1] - _BLOCKS[0] + 1) for byte in dice[:2])
    blocks = [Part("block", width=1 + byte % _BLOCK_WIDTHS) for byte in dice[2 : 2 + before + after]]
    hits: list[Part] = []
    for place, word in enumerate(words.split()):
        if place:
            hits.append(Part("block", width=1 + dice[-1 - place] % _BLOCK_WIDTHS))
        hits.append(Part("hit", word))
    return Snippet(page, False, (*blocks[:before], *hits, *blocks[before:]))


def _tsquery(words: str) -> ColumnElement[Any]:
    """All of the words, on the same page, in any order: as they are written, or by their English stems."""
    simple, english = _config("simple"), _config("english")
    return func.plainto_tsquery(simple, words).op("||")(func.plainto_tsquery(english, words))


def _config(name: str) -> ColumnElement[Any]:
    return literal_column(f"'{name}'::regconfig")
