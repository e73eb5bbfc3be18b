"""How quickly pages stand on a slow phone: the performance score of Lighthouse, the median of five."""

import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import CHROMIUM, FLAGS, start_shop, stop_shop, wait_until_ready
from tests.e2e.lighthouse import audit
from tests.stack import free_port, open_to_all

pytestmark = [pytest.mark.timeout(3600)]

RUNS = 5
ENOUGH = 95
PASSWORD = "coursehub-demo"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a planted shop."""
    folder = tmp_path_factory.mktemp("lighthouse")
    open_to_all(folder)
    port = free_port()
    process = start_shop(folder / "var", port, SEED="1")
    try:
        wait_until_ready(folder / "var", process, 900)
        yield f"http://127.0.0.1:{port}"
    finally:
        stop_shop(process)


@pytest.fixture(scope="module")
def ben(shop: str) -> tuple[str, list[Any]]:
    """The address of a course, and the cookies of Ben, who owns some and has put this one in his cart."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_context(base_url=shop, service_workers="block").new_page()
        page.goto("/login")
        page.get_by_label("E-mail").fill("ben@example.com")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.locator("main").get_by_role("button", name="Sign in").click()
        page.wait_for_url(lambda url: "/login" not in url)
        page.goto("/courses")
        addresses = [str(link.get_attribute("href")) for link in page.locator(".course-card__link").all()]
        for address in addresses:
            page.goto(address)
            if page.get_by_role("button", name="Add to cart").count():
                page.get_by_role("button", name="Add to cart").click()
                page.get_by_role("link", name="In cart", exact=True).wait_for()
                break
        cookies = page.context.cookies()
        browser.close()
    return address, cookies


@pytest.mark.parametrize("place", ["home", "course", "cart", "library"])
def test_pages_stand_quickly_on_a_slow_phone(
    shop: str, ben: tuple[str, list[Any]], place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    course, cookies = ben
    address = {"home": "/", "course": course, "cart": "/cart", "library": "/library"}[place]
    reports = [
        audit(shop + address, ("performance",), tmp_path, cookies if place in ("cart", "library") else [])
        for _ in range(RUNS)
    ]
    scores = [report.scores["performance"] for report in reports]
    paint = statistics.median(report.figures["largest-contentful-paint"] for report in reports)
    with capsys.disabled():
        print(f"\n{place}: {statistics.median(scores):.0f} of 100 {scores}, largest paint {paint:.0f} ms")
    assert statistics.median(scores) >= ENOUGH, reports[-1].lost
