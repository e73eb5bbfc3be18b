"""What a first visit costs: bytes of code, of fonts, whom they come from; and that nothing jumps while they arrive."""

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from coursehub.infra.pdf import PdfWorkshop
from tests.e2e import people
from tests.e2e.conftest import Shop
from tests.e2e.database import copies_of, database_of

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

CODE = 47 * 1024  # HTML, CSS and JavaScript as they travel
FONTS = 45 * 1024
SHIFT = 0.02
SHELF = 48

SHIFTS = """
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (entry.hadRecentInput) continue;
      const what = (entry.sources ?? []).map((source) => source.node?.outerHTML?.slice(0, 80));
      window.shifts.push([entry.value, what]);
    }
  }).observe({type: "layout-shift", buffered: true});
"""


@pytest.fixture(scope="module")
def shelf(shop: Shop, chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A shop with full shelves; the address of one course."""
    pdf = tmp_path_factory.mktemp("weight") / "scales.pdf"
    pages = "".join(f"<h1>Scale {n}</h1><p>How heavy is page {n}?</p>" for n in range(1, 9))
    pdf.write_bytes(PdfWorkshop().typeset(f"<html lang=en><title>Scales</title>{pages}", {}, "h1 {break-before: page}"))
    context = chromium.new_context(base_url=shop.address, service_workers="block")
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.goto("/account/register")
    people.register(page, shop, "Ada Brandt", "ada.weight@example.org")
    people.become_creator(page)
    course = people.upload_and_publish(page, pdf, title="Scales and measures", price="19", js=True)
    context.close()
    with psycopg.connect(database_of(shop)) as connection:
        copies_of(connection, course.rsplit("/", 1)[1], SHELF)
    yield course


class Traffic:
    """What came over the wire, by kind, in bytes as they were sent, headers included."""

    def __init__(self, page: Any) -> None:
        self.bytes: dict[str, int] = {}
        self.hosts: set[str] = set()
        self._kinds: dict[str, str] = {}
        wire = page.context.new_cdp_session(page)
        wire.send("Network.enable")
        wire.send("Network.setCacheDisabled", {"cacheDisabled": True})
        wire.on("Network.responseReceived", self._begun)
        wire.on("Network.loadingFinished", self._arrived)

    def _begun(self, event: dict[str, Any]) -> None:
        self._kinds[event["requestId"]] = event["type"]
        url = urlsplit(event["response"]["url"])
        if url.scheme in ("http", "https"):
            self.hosts.add(url.netloc)

    def _arrived(self, event: dict[str, Any]) -> None:
        kind = self._kinds.get(event["requestId"], "Other")
        self.bytes[kind] = self.bytes.get(kind, 0) + event["encodedDataLength"]

    @property
    def code(self) -> int:
        return sum(self.bytes.get(kind, 0) for kind in ("Document", "Stylesheet", "Script", "Fetch", "XHR"))


@pytest.mark.parametrize("address", ["/", "/courses", "/courses?q=scales", "course", "/cart"])
def test_a_first_visit_is_light_and_asks_nobody_else(
    window: Callable[..., Any], shop: Shop, shelf: str, address: str
) -> None:
    page = window(width=390, height=844)
    traffic = Traffic(page)
    page.goto(shelf if address == "course" else address)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.fonts.ready.then(() => document.fonts.check('16px Roboto'))")
    assert traffic.bytes["Document"] > 1000
    assert traffic.bytes["Script"] > 10_000, "the bytes are counted"
    assert traffic.code <= CODE, traffic.bytes
    assert 0 < traffic.bytes["Font"] <= FONTS, traffic.bytes
    assert traffic.hosts == {urlsplit(shop.address).netloc}


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("address", ["/", "/courses", "course", "/cart"])
def test_nothing_jumps_while_fonts_and_pictures_arrive(
    window: Callable[..., Any], shelf: str, address: str, width: int
) -> None:
    page = window(width=width)
    late = re.compile(r"\.woff2|/pages/|/cover|\.webp|/img/")

    held: list[Any] = []
    page.route(late, lambda route: held.append(route))
    page.add_init_script(SHIFTS)
    page.goto(shelf if address == "course" else address, wait_until="domcontentloaded")
    page.wait_for_timeout(300)
    for _ in range(3):  # what is seen first, then what is scrolled to
        while held:
            held.pop(0).continue_()
            page.wait_for_timeout(20)
        page.wait_for_timeout(200)
        page.mouse.wheel(0, 900)
    page.unroute_all(behavior="ignoreErrors")
    page.wait_for_load_state("networkidle")
    shifts = page.evaluate("window.shifts")
    assert page.evaluate("document.fonts.check('16px Roboto')")
    assert sum(value for value, _ in shifts) <= SHIFT, shifts


def test_a_jump_would_be_seen(window: Callable[..., Any], shelf: str) -> None:
    """The measure works: what is pushed down counts."""
    page = window()
    page.add_init_script(SHIFTS)
    page.goto("/courses")
    page.wait_for_load_state("networkidle")
    page.evaluate(
        "document.querySelector('main').before(Object.assign(document.createElement('p'), {textContent: 'x'}))"
    )
    page.evaluate("document.querySelector('main').previousSibling.className = 'skeleton__bar--cover'")
    page.wait_for_function("window.shifts.length > 0")
