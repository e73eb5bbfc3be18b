"""What somebody looks for: words, filters and an order, as they stand in the address."""

import re
from dataclasses import dataclass, fields, replace
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

SORTS = ("relevance", "popular", "newest", "rating", "price", "price_desc")
LONGEST_QUERY = 200
# What narrows a list, each by itself. `price` stands for its two ends.
GROUPS = ("category", "price", "rating", "language", "tag")
_LAST_WORD = re.compile(r"(?:^|.*\s)(\w{2,})$", re.S)
# A minus before a word means "without" to websearch_to_tsquery.
_WITHOUT = re.compile(r"(?:^|(?<=\s))-+(?=\w)")
_STRAY_MINUS = re.compile(r"(?<!\w)-+")


@dataclass(frozen=True)
class Filters:
    """What somebody looks for. Prices in minor units; an unknown sort is the usual one."""

    q: str = ""
    category: str = ""
    tag: str = ""
    language: str = ""
    sort: str = ""
    price_min: int | None = None
    price_max: int | None = None
    rating_min: float | None = None
    author_id: UUID | None = None

    @property
    def words(self) -> str:
        """The query as PostgreSQL can take it: any text will do, but no NUL, no half characters, not endless."""
        return cleaned(self.q)[:LONGEST_QUERY].strip()

    @property
    def is_exact(self) -> bool:
        """Whether "quotes" or a -minus ask for more than words: then the words of the pages do not count."""
        return '"' in self.words or bool(_WITHOUT.search(self.words))

    @property
    def asked(self) -> str:
        """The words as websearch_to_tsquery gets them."""
        return self.words if self.is_exact else _STRAY_MINUS.sub(" ", self.words)

    @property
    def begun(self) -> tuple[str, str] | None:
        """The last word, which may be a mere beginning, after what stands before it. None where it cannot be one."""
        last = None if self.is_exact else _LAST_WORD.match(self.asked)
        return (self.asked[: last.start(1)], last[1]) if last else None

    @property
    def order(self) -> str:
        if self.sort in SORTS and (self.sort != "relevance" or self.words):
            return self.sort
        return "relevance" if self.words else "newest"

    @property
    def narrowing(self) -> tuple[str, ...]:
        """The groups that narrow the list."""
        return tuple(group for group in GROUPS if any(getattr(self, name) not in ("", None) for name in NAMES[group]))

    def address(self, **more: str) -> str:
        """Where the list narrowed so is found; what is not asked for is not in it."""
        return "/courses" + (f"?{urlencode(dict(self.parameters) | more)}" if self.parameters or more else "")

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """The names and values in the address. Prices in whole units, as people type them."""
        named = {
            "q": self.words,
            "category": cleaned(self.category),
            "tag": cleaned(self.tag),
            "language": cleaned(self.language),
            "price_min": _amount(self.price_min),
            "price_max": _amount(self.price_max),
            "rating_min": f"{self.rating_min:g}" if self.rating_min is not None else "",
            "sort": self.sort if self.sort in SORTS else "",
        }
        return [(name, value) for name, value in named.items() if value]

    def without(self, *groups: str) -> "Filters":
        """The same without some groups, or without the words (`q`)."""
        empty: dict[str, Any] = {field.name: field.default for field in fields(self)}
        gone = {name for group in groups for name in NAMES[group]}
        return replace(self, **{name: empty[name] for name in gone})


NAMES = {
    "q": ("q",),
    "category": ("category",),
    "price": ("price_min", "price_max"),
    "rating": ("rating_min",),
    "language": ("language",),
    "tag": ("tag",),
}


def cleaned(text: str) -> str:
    """`text` without what PostgreSQL cannot hold."""
    return text.replace("\0", "").encode("utf-8", "ignore").decode()


def _amount(cents: int | None) -> str:
    if cents is None:
        return ""
    return f"{cents / 100:.2f}" if cents % 100 else str(cents // 100)
