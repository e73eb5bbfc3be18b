"""What machines read of the shop: structured data, shared links, the sitemap; and what else a course page leads to."""

import json
import re
from typing import Any
from xml.etree import ElementTree

import pytest

from coursehub.accounts.models import Customer
from coursehub.catalog import sitemap
from coursehub.courses import drafting, publishing, queries
from coursehub.courses.models import Course
from coursehub.kernel import clock
from coursehub.kernel.db import transaction
from coursehub.reviews import statistics
from coursehub.reviews.models import Review
from tests.browser import Answer, Browser
from tests.factories import a_course, a_purchase
from tests.people import a_person

NAMESPACE = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


def structured(page: Answer) -> tuple[dict[str, Any], dict[str, Any]]:
    """The product and the way to it, as a search engine reads them."""
    found = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page.text, flags=re.S)
    assert len(found) == 1
    data = json.loads(found[0])
    assert data["@context"] == "https://schema.org"
    product, way = data["@graph"]
    return product, way


def meta(page: Answer, name: str) -> str | None:
    found = re.search(rf'<meta (?:name|property)="{name}" content="([^"]*)">', page.text)
    return found[1] if found else None


def rate(course: Course, *stars: int) -> None:
    for number, rating in enumerate(stars):
        person = a_person(f"Reader {number}", email=f"reader{number}@{course.slug}.example.org")
        purchase = a_purchase(course, by=person)
        with transaction() as session:
            session.add(
                Review(
                    customer_id=person.id,
                    course_id=course.id,
                    purchase_id=purchase.id,
                    rating=rating,
                    created_at=clock.now(),
                )
            )
            session.flush()
            statistics.recount(course.id)


def test_a_course_is_a_product_with_an_offer_and_a_rating(browser: Browser, app: Any, ada: Customer) -> None:
    course, base = a_course(by=ada, title="Quiet Typography", tags=["type"]), app.config["SETTINGS"].base_url
    product, way = structured(browser.get(f"/courses/{course.slug}").expect(200))
    assert product["@type"] == ["Product", "Book"]
    assert (product["name"], product["numberOfPages"], product["inLanguage"]) == ("Quiet Typography", 12, "en")
    assert product["offers"] == {
        "@type": "Offer",
        "url": f"{base}/courses/{course.slug}",
        "price": "19.00",
        "priceCurrency": "USD",
        "availability": "https://schema.org/InStock",
    }
    assert product["author"]["name"] == "Ada Brandt"
    assert "aggregateRating" not in product, "no ratings, no claim"
    assert [step["name"] for step in way["itemListElement"]] == ["Courses", "Design", "Quiet Typography"]
    rate(course, 5, 4, 4)
    product, _ = structured(browser.get(f"/courses/{course.slug}"))
    assert product["aggregateRating"]["ratingValue"] == "4.3"
    assert product["aggregateRating"]["ratingCount"] == 3


def test_money_without_cents_is_written_so(browser: Browser, ada: Customer) -> None:
    course = a_course(by=ada, price=1900, currency="JPY")
    page = browser.get(f"/courses/{course.slug}")
    assert structured(page)[0]["offers"]["price"] == "1900"
    assert meta(page, "product:price:amount") == "1900"


def test_nothing_ends_the_script_but_its_own_end(browser: Browser, ada: Customer) -> None:
    evil = "</script><script>alert(1)</script><!-- ]]>"
    course = a_course(by=ada, title=evil, subtitle=evil, tags=["</script>"])
    page = browser.get(f"/courses/{course.slug}").expect(200)
    assert structured(page)[0]["name"] == evil
    page.is_silent_about("<script>alert", "<!-- ]]")


def test_a_banned_creators_course_is_out_of_stock(browser: Browser, ada: Customer) -> None:
    course = a_course(by=ada)
    with transaction() as session:
        session.get_one(Customer, ada.id).status = "banned"
    product, _ = structured(browser.get(f"/courses/{course.slug}"))
    assert product["offers"]["availability"].endswith("OutOfStock")


def test_a_draft_is_described_to_nobody(browser: Browser, ada: Customer) -> None:
    course = a_course(by=ada, status="draft")
    assert "ld+json" not in browser.as_(ada).get(f"/courses/{course.slug}").expect(200).text


def test_a_shared_link_shows_cover_title_and_one_line(browser: Browser, app: Any, ada: Customer) -> None:
    course, base = a_course(by=ada, title="Quiet Typography"), app.config["SETTINGS"].base_url
    with transaction():
        drafting.update(queries.get(course.id), description="Setting **type** " + "that nobody notices " * 20)
    page = browser.get(f"/courses/{course.slug}")
    assert f'<link rel="canonical" href="{base}/courses/{course.slug}">' in page.text
    assert meta(page, "og:title") == "Quiet Typography"
    assert meta(page, "twitter:card") == "summary_large_image"
    assert (meta(page, "og:image") or "").startswith(f"{base}/courses/{course.slug}/cover.webp")
    summary = meta(page, "description") or ""
    assert summary.startswith("Setting type that nobody") and summary.endswith("…") and len(summary) <= 160
    assert meta(page, "og:description") == meta(page, "twitter:description") == summary


# The sitemap


def locations(browser: Browser, path: str) -> list[str]:
    answer = browser.get(path).expect(200)
    assert answer.headers["Content-Type"].startswith("application/xml")
    return [node.text or "" for node in ElementTree.fromstring(answer.text).iter(f"{NAMESPACE}loc")]


def test_the_sitemap_names_what_is_listed_and_nothing_else(browser: Browser, app: Any, ada: Customer) -> None:
    base = app.config["SETTINGS"].base_url
    assert locations(browser, "/sitemap.xml") == [f"{base}/sitemap/pages-1.xml"]
    listed = a_course(by=ada)
    banned: Any = a_person("Carl Dent", role="creator")
    a_course(by=banned)
    with transaction() as session:
        session.get_one(Customer, banned.id).status = "banned"
    for status in ("draft", "unlisted", "archived"):
        a_course(by=ada, status=status)
    parts = locations(browser, "/sitemap.xml")
    assert parts == [f"{base}/sitemap/{name}-1.xml" for name in ("pages", "courses", "creators")]
    assert locations(browser, "/sitemap/courses-1.xml") == [f"{base}/courses/{listed.slug}"]
    assert locations(browser, "/sitemap/creators-1.xml") == [f"{base}/creators/{ada.id}"]
    for url in locations(browser, "/sitemap/pages-1.xml"):
        browser.get(url.removeprefix(base)).expect(200)


def test_a_large_shop_fills_several_parts(browser: Browser, ada: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sitemap, "PART", 2)
    slugs = {a_course(by=ada, title=f"Course {number}").slug for number in range(5)}
    assert len([part for part in locations(browser, "/sitemap.xml") if "courses" in part]) == 3
    found = [url for number in (1, 2, 3) for url in locations(browser, f"/sitemap/courses-{number}.xml")]
    assert len(found) == 5 and {url.rsplit("/", 1)[1] for url in found} == slugs


@pytest.mark.parametrize("name", ["courses-0", "courses-2", "pages-2", "orders-1", "courses-99999999999", "x-1"])
def test_there_is_no_such_part(browser: Browser, ada: Customer, name: str) -> None:
    a_course(by=ada)
    browser.get(f"/sitemap/{name}.xml").expect(404)


def test_robots_find_the_sitemap_and_stay_out_of_private_pages(browser: Browser, app: Any) -> None:
    text = browser.get("/robots.txt").expect(200).text
    assert f"Sitemap: {app.config['SETTINGS'].base_url}/sitemap.xml" in text
    for path in ("/cart", "/library", "/wishlist", "/account", "/admin"):
        assert f"Disallow: {path}\n" in text
    assert "Disallow: /\n" not in text and "Disallow: /courses" not in text


# More like this


def test_related_courses_are_alike_and_not_ones_own(browser: Browser, ada: Customer, ben: Customer) -> None:
    carl: Any = a_person("Carl Dent", role="creator")
    course = a_course(by=ada, title="Here", category="design", tags=["type", "print"])
    owned = a_course(by=carl, title="Owned already", category="design", tags=["type"])
    a_course(by=carl, title="Same tags", category="music", tags=["type", "print"])
    a_course(by=ada, title="Same author", category="health")
    a_course(by=carl, title="Same subject", category="design", sales_count=50)
    a_course(by=carl, title="Something else", category="music", tags=["guitar"])
    a_course(by=carl, title="Hidden", category="design", status="unlisted")
    a_purchase(owned, by=ben)
    part = browser.get(f"/courses/{course.slug}/related", htmx=True).expect(200).says("More like this", "Owned already")
    assert part.text.lstrip().startswith('<section class="stack" id="related"')
    part.is_silent_about("Something else", "Hidden", ">Here<")
    assert part.text.index("Same tags") < part.text.index("Same author") < part.text.index("Same subject")
    browser.as_(ben).get(f"/courses/{course.slug}/related").expect(200).is_silent_about("Owned already")
    page = browser.get(f"/courses/{course.slug}/related").expect(200).says("More like “Here”")
    assert "noindex" in page.text


def test_a_course_without_its_like_says_so(browser: Browser, ada: Customer) -> None:
    course = a_course(by=ada)
    browser.get(f"/courses/{course.slug}/related").expect(200).says("There is nothing like it yet.")
    assert "<h2" not in browser.get(f"/courses/{course.slug}/related", htmx=True).text
    page = browser.get(f"/courses/{course.slug}")
    assert f'hx-get="/courses/{course.slug}/related"' in page.text
    assert re.search(f'<a [^>]*href="/courses/{course.slug}/related">', page.text), "without a script it is a link"


def test_related_courses_of_what_is_not_public_are_nobodys_business(browser: Browser, ada: Customer) -> None:
    course = a_course(by=ada)
    with transaction():
        publishing.archive(queries.get(course.id), ada)
    browser.get(f"/courses/{course.slug}/related").expect(404)


def test_related_courses_cost_the_same_for_ten_or_a_hundred(browser: Browser, ada: Customer, queries: Any) -> None:
    course = a_course(by=ada)
    a_course(by=ada)
    browser.get(f"/courses/{course.slug}/related")
    with queries() as few:
        browser.get(f"/courses/{course.slug}/related")
    for _ in range(15):
        a_course(by=ada)
    with queries() as many:
        browser.get(f"/courses/{course.slug}/related")
    assert few.count == many.count <= 3


# The creator's page


def test_a_creators_page_says_who_they_are(browser: Browser, app: Any, ada: Customer) -> None:
    course = a_course(by=ada, title="Hers")
    a_course(by=ada, title="Hers too")
    rate(course, 5, 4)
    with transaction() as session:
        session.get_one(Customer, ada.id).bio = "Sets type.\nSlowly. <script>alert(1)</script>"
    page = browser.get(f"/creators/{ada.id}").expect(200)
    page.says("Ada Brandt", "2 courses", "Rated 4.5 of 5", "(2 ratings)", "Here since", "Sets type.")
    page.is_silent_about("<script>alert")
    base = app.config["SETTINGS"].base_url
    assert f'<link rel="canonical" href="{base}/creators/{ada.id}">' in page.text
    assert meta(page, "og:type") == "profile"


def test_the_course_page_introduces_its_creator(browser: Browser, ada: Customer) -> None:
    course = a_course(by=ada)
    with transaction() as session:
        session.get_one(Customer, ada.id).bio = "Sets type, slowly."
    page = browser.get(f"/courses/{course.slug}").says("About the creator", "1 course", "Sets type, slowly.")
    assert f'href="/creators/{ada.id}"' in page.text


def test_what_changed_is_told_version_by_version(browser: Browser, ada: Customer) -> None:
    from coursehub.courses import versions
    from tests.factories import a_version

    course = a_course(by=ada)
    browser.get(f"/courses/{course.slug}").is_silent_about("What’s new", "what changed")
    for number in range(2, 6):
        newer = a_version(course, number=number)
        newer.released_at = None
        with transaction() as session:
            session.add(newer)
        with transaction():
            versions.make_current(newer, f"News of {number}.")
    page = browser.get(f"/courses/{course.slug}").says("What’s new", "what changed", "News of 5.", "2 older versions")
    assert page.text.index("News of 5.") < page.text.index("News of 4.") < page.text.index("First edition")
