"""A course described for machines: structured data for search engines, the card that a shared link shows."""

from decimal import Decimal
from typing import Any

from coursehub.catalog.showing import Shown
from coursehub.courses import queries
from coursehub.kernel import money

# https://developers.google.com/search/docs/appearance/structured-data/product


def amount(cents: int, currency: str) -> str:
    """`19.00` for machines, `1900` where the currency has no cents."""
    return str(Decimal(cents).scaleb(-money.decimals(currency)))


def structured(shown: Shown, *, base_url: str, summary: str) -> dict[str, Any]:
    """The course as schema.org's Product and Book with its offer, its rating where there is one, and the way to it."""
    course = shown.course
    url = f"{base_url}/courses/{course.slug}"
    cover = queries.cover_path(course)
    product: dict[str, Any] = {
        "@type": ["Product", "Book"],
        "@id": f"{url}#course",
        "name": course.title,
        "url": url,
        "description": summary,
        "sku": str(course.id),
        "category": shown.category,
        "inLanguage": course.language,
        "bookFormat": "https://schema.org/EBook",
        "author": {"@type": "Person", "name": shown.author, "url": f"{base_url}/creators/{course.author_id}"},
        "brand": {"@type": "Brand", "name": shown.author},
        "offers": {
            "@type": "Offer",
            "url": url,
            "price": amount(course.price_cents, course.currency),
            "priceCurrency": course.currency,
            "availability": "https://schema.org/InStock" if shown.is_for_sale else "https://schema.org/OutOfStock",
        },
    }
    if cover:
        product["image"] = [f"{base_url}{cover}"]
    if course.pages_count:
        product["numberOfPages"] = course.pages_count
    if course.tags:
        product["keywords"] = ", ".join(course.tags)
    if shown.version is not None and shown.version.released_at is not None:
        product["dateModified"] = shown.version.released_at.date().isoformat()
        product["bookEdition"] = f"Version {shown.version.version_number}"
    if course.published_at is not None:
        product["datePublished"] = course.published_at.date().isoformat()
    if course.rating_count:
        product["aggregateRating"] = {
            "@type": "AggregateRating",
            "ratingValue": f"{course.rating_sum / course.rating_count:.1f}",
            "ratingCount": course.rating_count,
            "bestRating": 5,
            "worstRating": 1,
        }
    way = [
        ("Courses", f"{base_url}/courses"),
        (shown.category, f"{base_url}/courses?category={course.category}"),
        (course.title, url),
    ]
    steps = [
        {"@type": "ListItem", "position": place, "name": name, "item": address}
        for place, (name, address) in enumerate(way, 1)
    ]
    return {
        "@context": "https://schema.org",
        "@graph": [product, {"@type": "BreadcrumbList", "itemListElement": steps}],
    }
