"""What a list can be narrowed by, with how many courses there would be: counted on one look at the first thousand."""

from dataclasses import dataclass
from typing import Any

from coursehub.catalog.filters import NAMES, Filters

# Beyond this many a count only says "at least".
COUNTED = 1000
MOST_TAGS = 12
# Prices in minor units, both ends counted in, as the filter does; None is open.
BANDS: tuple[tuple[int | None, int | None], ...] = (
    (None, 0),
    (None, 1000),
    (1000, 2500),
    (2500, 5000),
    (5000, None),
)
RATINGS = (4, 3)


@dataclass(frozen=True)
class Count:
    """How many courses one value of a group would show; `at_least` where not all were looked at."""

    value: Any
    label: str
    number: int
    at_least: bool


@dataclass(frozen=True)
class Facets:
    """The counts by group. `without`: for each group that narrows now, how many there would be without it."""

    category: list[Count]
    price: list[Count]
    rating: list[Count]
    language: list[Count]
    tag: list[Count]
    without: dict[str, int]

    @classmethod
    def of(cls, counted: dict[str, Any], total: int) -> "Facets":
        """From the JSON that `sql` makes; `total` rows passed all filters."""
        without = counted["without"]

        def counts(group: str, listed: list[list[Any]]) -> list[Count]:
            more = without.get(group, total) > COUNTED
            return [Count(value, str(label), number, more and number > 0) for value, label, number in listed]

        return cls(
            category=counts("category", counted["category"] or []),
            price=counts("price", [[band, "", n] for band, n in zip(BANDS, counted["price"], strict=True)]),
            rating=counts("rating", [[stars, "", n] for stars, n in zip(RATINGS, counted["rating"], strict=True)]),
            language=counts("language", counted["language"] or []),
            tag=counts("tag", counted["tag"] or []),
            without=without,
        )


def bases(filters: Filters) -> dict[str, Filters]:
    """For each group that narrows: the filters without it. Its other values are counted among those."""
    return {group: filters.without(group) for group in filters.narrowing}


def sql(filters: Filters) -> str:
    """One JSON value: the counts of every group, from the CTEs `main` and, for the narrowing ones, `base_<group>`."""
    base = {group: f"base_{group}" if group in filters.narrowing else "main" for group in NAMES if group != "q"}
    without = ", ".join(f"'{group}', (SELECT count(*) FROM {base[group]})" for group in filters.narrowing)
    bands = ", ".join(f"count(*) FILTER (WHERE {_within(*band)})" for band in BANDS)
    ratings = ", ".join(f"count(*) FILTER (WHERE rating >= {stars})" for stars in RATINGS)
    return f"""jsonb_build_object(
        'without', jsonb_build_object({without}),
        'category', (
            SELECT jsonb_agg(jsonb_build_array(slug, title, coalesce(n, 0)) ORDER BY position)
            FROM categories LEFT JOIN (SELECT category, count(*) AS n FROM {base["category"]} GROUP BY category) AS c
                ON c.category = slug
            WHERE n > 0 OR slug = :category
        ),
        'price', (SELECT jsonb_build_array({bands}) FROM {base["price"]}),
        'rating', (SELECT jsonb_build_array({ratings}) FROM {base["rating"]}),
        'language', (
            SELECT jsonb_agg(jsonb_build_array(language, language, n) ORDER BY n DESC, language)
            FROM (SELECT language, count(*) AS n FROM {base["language"]} GROUP BY language) AS c
        ),
        'tag', (
            SELECT jsonb_agg(jsonb_build_array(tag, tag, n) ORDER BY n DESC, tag)
            FROM (
                SELECT tag, count(*) AS n FROM (SELECT unnest(tags) AS tag FROM {base["tag"]}) AS each
                GROUP BY tag ORDER BY tag = :tag DESC, n DESC, tag LIMIT {MOST_TAGS}
            ) AS c
        )
    )"""


def _within(low: int | None, high: int | None) -> str:
    ends = [f"price_cents >= {low}" if low is not None else "", f"price_cents <= {high}" if high is not None else ""]
    return " AND ".join(end for end in ends if end)
