"""Lighthouse finds nothing to mend on home, course, cart and library, each as it is used."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from coursehub.infra.pdf import PdfWorkshop
from tests.e2e import people
from tests.e2e.conftest import Shop
from tests.e2e.lighthouse import audit

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(600)]

CATEGORIES = ("accessibility", "best-practices", "seo")
# Found by search engines, and so judged as such; the others say noindex.
PUBLIC = {"home", "courses", "course"}


@dataclass
class Visitor:
    """Ben with a course in his library and one in his cart, and the addresses of both."""

    cookies: list[Any]
    addresses: dict[str, str]


@pytest.fixture(scope="module")
def ben(shop: Shop, chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    pdf = tmp_path_factory.mktemp("lighthouse") / "lamps.pdf"
    pages = "".join(f"<h1>Lamp {n}</h1><p>Light on page {n}.</p>" for n in range(1, 5))
    pdf.write_bytes(PdfWorkshop().typeset(f"<html lang=en><title>Lamps</title>{pages}", {}, "h1 {break-before: page}"))
    adas, bens = (chromium.new_context(base_url=shop.address, service_workers="block") for _ in range(2))
    courses = []
    page = adas.new_page()
    page.set_default_timeout(60_000)
    page.goto("/account/register")
    people.register(page, shop, "Ada Brandt", "ada.lamps@example.org")
    people.become_creator(page)
    for title, price in (("Lamps for nothing", "0"), ("Lamps and lenses", "9")):
        courses.append(people.upload_and_publish(page, pdf, title=title, price=price, js=True))
    page = bens.new_page()
    page.set_default_timeout(60_000)
    page.goto("/account/register")
    people.register(page, shop, "Ben Okafor", "ben.lamps@example.org")
    for course in courses:
        page.goto(course)
        page.get_by_role("button", name="Add to cart").click()
        page.get_by_role("link", name="In cart", exact=True).wait_for()
        page.goto("/cart")
        if course == courses[0]:
            page.get_by_role("button", name="Get it free").click()
            people.wait_for_text(page, "Your courses are in your library", js=True)
    cookies = bens.cookies()
    adas.close()
    bens.close()
    addresses = {"home": "/", "courses": "/courses", "course": courses[1], "cart": "/cart", "library": "/library"}
    yield Visitor(cookies, addresses)


@pytest.mark.parametrize("place", ["home", "course", "cart", "library"])
def test_nothing_is_left_to_mend(shop: Shop, ben: Visitor, place: str, tmp_path: Path) -> None:
    report = audit(
        shop.address + ben.addresses[place],
        CATEGORIES if place in PUBLIC else CATEGORIES[:2],
        tmp_path,
        [] if place in PUBLIC else ben.cookies,
    )
    assert set(report.scores.values()) == {100}, [report.scores, *report.lost]
