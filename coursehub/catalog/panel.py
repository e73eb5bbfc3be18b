"""The filters beside a list as its page shows them: groups of links with counts, chips of what narrows it now."""

from dataclasses import dataclass, replace
from typing import Any

from flask_babel import get_locale, ngettext
from flask_babel import gettext as _

from coursehub.catalog.facets import COUNTED, Count, Facets
from coursehub.catalog.filters import Filters
from coursehub.courses.drafting import LANGUAGES
from coursehub.kernel.money import Money

_CURRENCY = "USD"  # as in the form


@dataclass(frozen=True)
class Choice:
    """One value of a group: where it leads, and how many courses are there. The one in force leads out of it."""

    id: str
    label: str
    count: str
    address: str
    is_current: bool


@dataclass(frozen=True)
class Group:
    """What a list can be narrowed by in one way."""

    name: str
    title: str
    choices: list[Choice]


@dataclass(frozen=True)
class Chip:
    """What narrows the list now, and the list without it; `more`: how many courses that would show."""

    label: str
    address: str
    more: str


@dataclass(frozen=True)
class Panel:
    """Everything around the results. `kept`: what a form beside them has to carry on."""

    groups: list[Group]
    chips: list[Chip]
    cleared: str
    kept: list[tuple[str, str]]

    @classmethod
    def of(cls, filters: Filters, facets: Facets) -> "Panel":
        groups = [
            _group("category", _("Subject"), filters, facets.category),
            _group("price", _("Price"), filters, facets.price),
            _group("rating", _("Rating"), filters, facets.rating),
            _group("language", _("Language"), filters, facets.language),
            _group("tag", _("Tag"), filters, facets.tag),
        ]
        return cls(
            groups=[group for group in groups if _says_something(group)],
            chips=[_chip(group, filters, facets) for group in filters.narrowing],
            cleared=filters.without(*filters.narrowing).address(),
            kept=filters.parameters,
        )


def count_text(number: int, *, at_least: bool = False) -> str:
    """`87`, `87+` where not all were looked at, never more than `1,000+`."""
    if number > COUNTED:
        number, at_least = COUNTED, True
    return f"{number:,}+" if at_least else f"{number:,}"


def _group(name: str, title: str, filters: Filters, counts: list[Count]) -> Group:
    choices = [_choice(name, place, filters, count) for place, count in enumerate(counts)]
    shown = [choice for choice, count in zip(choices, counts, strict=True) if count.number or choice.is_current]
    return Group(name, title, shown)


def _choice(group: str, place: int, filters: Filters, count: Count) -> Choice:
    chosen = replace(filters, **_values(group, count.value))
    is_current = chosen == filters
    return Choice(
        # By its place in fixed lists, so that the focus stays where it is; by name where the list changes.
        id=f"facet_{group}_{place if group in ('price', 'rating') else _plain(count.value)}",
        label=_label(group, count.value, count.label),
        count=count_text(count.number, at_least=count.at_least),
        address=(filters.without(group) if is_current else chosen).address(),
        is_current=is_current,
    )


def _values(group: str, value: Any) -> dict[str, Any]:
    if group == "price":
        return {"price_min": value[0], "price_max": value[1]}
    if group == "rating":
        return {"rating_min": float(value)}
    return {group: value}


def _label(group: str, value: Any, label: str) -> str:
    if group == "price":
        return _range(*value)
    if group == "rating":
        return ngettext("%(num)s star and more", "%(num)s stars and more", value)
    if group == "language":
        return LANGUAGES.get(value, value)
    return _(label) if group == "category" else label


def _range(low: int | None, high: int | None) -> str:
    """A stretch of prices in words."""
    if high == 0:
        return _("Free")
    if low is not None and high is not None:
        return _("%(low)s to %(high)s", low=_money(low), high=_money(high))
    return _("%(low)s and more", low=_money(low)) if low is not None else _("Up to %(high)s", high=_money(high or 0))


def _money(cents: int) -> str:
    return Money(cents, _CURRENCY).text(str(get_locale() or "en")).removesuffix(".00")


def _chip(group: str, filters: Filters, facets: Facets) -> Chip:
    labels = {
        "category": next((_(one.label) for one in facets.category if one.value == filters.category), filters.category),
        "price": _range(filters.price_min, filters.price_max),
        "rating": _label("rating", int(filters.rating_min or 0), ""),
        "language": LANGUAGES.get(filters.language, filters.language),
        "tag": filters.tag,
    }
    more = count_text(facets.without.get(group, 0))
    return Chip(labels[group], filters.without(group).address(), more)


def _says_something(group: Group) -> bool:
    """Whether a choice would change anything: one language that all courses have is no choice."""
    return len(group.choices) > 1 or any(choice.is_current for choice in group.choices)


def _plain(value: Any) -> str:
    return "-".join("".join(letter if letter.isalnum() else " " for letter in str(value)).split())
