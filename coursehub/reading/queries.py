"""Pages with words on them, in SQL: which, how well they fit, and what stands around the words."""

import re
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, cast, func, literal, literal_column, select, tuple_, values
from sqlalchemy import column as sql_column
from sqlalchemy.dialects.postgresql import REGCONFIG, TSQUERY
from sqlalchemy.types import Integer, Text, Uuid

from coursehub.courses.models import PageText
from coursehub.kernel.db import db
from coursehub.library.models import PrivatePageText

LONGEST_QUERY = 200
# A word that stands on more pages than this is no search; the best of so many are shown.
MOST = 5000
# Around each word found in a snippet.
MARKS = "\x02", "\x03"
_SNIPPET = (
    f"StartSel={MARKS[0]}, StopSel={MARKS[1]}, MaxFragments=2, MaxWords=18, MinWords=8, "
    'ShortWord=2, FragmentDelimiter=" … "'
)
_SNIPPET_FROM = 40_000  # characters of a page, as many as the index knows
_LAST_WORD = re.compile(r"(?:^|.*\s)(\w{2,})$", re.S)


def cleaned(text: str) -> str:
    """The words as PostgreSQL can take them: no NUL, no half characters, not endless."""
    return text.replace("\0", " ").encode("utf-8", "ignore").decode()[:LONGEST_QUERY].strip()


def pages_of_versions(words: str, version_ids: Iterable[UUID]) -> Any:
    """SQL: version, page and rank of pages of these versions with these words; one index knows both.

    A page whose text says the id of a version may be among them too.
    """
    query = _query(words)
    theirs = cast(literal(" | ".join(f"'{version_id}'" for version_id in version_ids), Text), TSQUERY)
    return _ranked(PageText, PageText.version_id, query, PageText.search.op("@@")(query.op("&&")(theirs)))


def pages_of_files(words: str, file_ids: Sequence[UUID]) -> Any:
    """SQL: file, page and rank of pages of these private files with these words."""
    query, holder = _query(words), PrivatePageText.file_id
    return _ranked(PrivatePageText, holder, query, holder.in_(file_ids), PrivatePageText.search.op("@@")(query))


def snippets_of_versions(words: str, pages: Sequence[tuple[UUID, int]]) -> dict[tuple[UUID, int], str]:
    """What stands around the words on these pages of versions, MARKS around each word."""
    return _snippets(words, PageText, PageText.version_id, pages)


def snippets_of_files(words: str, pages: Sequence[tuple[UUID, int]]) -> dict[tuple[UUID, int], str]:
    """The same for pages of private files."""
    return _snippets(words, PrivatePageText, PrivatePageText.file_id, pages)


def _ranked(table: Any, holder: Any, query: ColumnElement[Any], *conditions: ColumnElement[bool]) -> Any:
    found = select(holder, table.page_number, table.search).where(*conditions).limit(MOST).subquery("found")
    # 1: a long page is not better because it is long.
    return select(found.c[0], found.c.page_number, func.ts_rank(found.c.search, query, 1))


def _snippets(words: str, table: Any, holder: Any, pages: Sequence[tuple[UUID, int]]) -> dict[tuple[UUID, int], str]:
    if not pages:
        return {}
    columns = sql_column("holder", Uuid), sql_column("page_number", Integer)
    wanted = values(*columns, name="wanted").data(list(pages))
    text = func.translate(func.left(table.text, _SNIPPET_FROM), "".join(MARKS), "")
    cut = func.ts_headline(_config("english"), text, _query(words), _SNIPPET)
    same = tuple_(holder, table.page_number) == tuple_(wanted.c.holder, wanted.c.page_number)
    rows = db.session.execute(select(holder, table.page_number, cut).join(wanted, same))
    return {(found, page): snippet for found, page, snippet in rows}


def _query(words: str) -> ColumnElement[Any]:
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
