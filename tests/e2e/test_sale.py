"""A course is sold: upload, publish, find, pay, receipt, download; in Chromium, with JavaScript and without."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import people
from tests.e2e.conftest import Shop
from tests.stack import wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(420)]


@pytest.fixture(scope="session")
def a_pdf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real file of twelve pages with text."""
    from coursehub.infra.pdf import PdfWorkshop

    pages = "".join(f"<h1>Chapter {n}</h1><p>Words of chapter {n} about kerning.</p>" for n in range(1, 13))
    css = "h1 { break-before: page }"
    body = PdfWorkshop().typeset(f"<html lang=en><title>Kerning</title><body>{pages}</body></html>", {}, css)
    path = tmp_path_factory.mktemp("pdf") / "kerning.pdf"
    path.write_bytes(body)
    return path


@pytest.mark.parametrize("js", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_course_is_sold(shop: Shop, window: Any, a_pdf: Path, js: bool, tmp_path: Path) -> None:
    word = "with" if js else "without"
    title = f"Kerning {word} care"

    # Ada
    adas = window(js=js)
    adas.goto("/account/register")
    ada = f"ada.{word}@example.org"
    people.register(adas, shop, "Ada Brandt", ada)
    people.become_creator(adas)
    place = people.upload_and_publish(adas, a_pdf, title=title, price="19.00", js=js)

    # Ben, a guest first
    bens = window(js=js, width=390, height=844)
    bens.goto("/")
    bens.goto(f"/courses?q={word}+care")
    bens.get_by_role("link", name=title).first.click()
    assert bens.url.endswith(place)
    bens.get_by_role("button", name="Add to cart").click()
    if js:
        bens.get_by_role("link", name="In cart", exact=True).wait_for()
    bens.goto("/cart")
    bens.get_by_text("$19.00").first.wait_for()
    bens.get_by_role("link", name="Create an account").click()
    ben = f"ben.{word}@example.org"
    people.register(bens, shop, "Ben Okafor", ben)
    bens.goto("/cart")
    bens.get_by_role("button", name="Go to payment").click()
    people.pay(bens, card="4000000000000002")
    bens.get_by_text(re.compile("declined", re.I)).first.wait_for()
    people.pay(bens)
    bens.wait_for_url(re.compile("/orders/.*/thanks"))
    people.wait_for_text(bens, "Payment received", js=js)

    # The receipt, once, and the creator's notice
    receipt = shop.mail_to(ben, "eceipt")
    assert title in shop.mailbox.text(receipt)
    shop.mail_to(ada, title)

    # The library and the download
    bens.get_by_role("link", name="Open my library").click()
    bens.get_by_role("link", name=re.compile("Download")).first.click()
    with bens.expect_download() as started:
        bens.get_by_role("button", name="Download PDF").click()
    kept = tmp_path / "copy.pdf"
    started.value.save_as(kept)
    assert kept.read_bytes().startswith(b"%PDF-")
    assert started.value.suggested_filename == f"{title} (v1).pdf"
    bens.goto("/library")
    bens.get_by_text("4 of 5 downloads left").wait_for()
    bens.goto("/orders")
    bens.get_by_text("Downloaded").wait_for()
    assert len([mail for mail in shop.mailbox.to(ben) if "eceipt" in str(mail["Subject"])]) == 1


def test_ben_cancels_and_nothing_is_charged(shop: Shop, window: Any, a_pdf: Path) -> None:
    adas = window()
    adas.goto("/account/register")
    people.register(adas, shop, "Ada Brandt", "ada.cancel@example.org")
    people.become_creator(adas)
    place = people.upload_and_publish(adas, a_pdf, title="Kerning in doubt", price="5", js=True)
    bens = window()
    bens.goto("/account/register")
    people.register(bens, shop, "Ben Okafor", "ben.cancel@example.org")
    bens.goto(place)
    bens.get_by_role("button", name="Add to cart").click()
    bens.get_by_role("link", name="In cart", exact=True).wait_for()
    bens.goto("/cart")
    bens.get_by_role("button", name="Go to payment").click()
    bens.wait_for_url(re.compile("/c/pay/"))
    bens.locator("a[href*='/cart']").first.click()
    bens.get_by_text("Nothing was charged").wait_for()
    bens.get_by_text("Kerning in doubt").first.wait_for()


def test_the_whole_purchase_by_keyboard(shop: Shop, window: Any, a_pdf: Path) -> None:
    """Tab and Enter alone reach the cart and the payment page."""
    adas = window()
    adas.goto("/account/register")
    people.register(adas, shop, "Ada Brandt", "ada.keys@example.org")
    people.become_creator(adas)
    place = people.upload_and_publish(adas, a_pdf, title="Kerning by keys", price="7", js=True)
    bens = window()
    bens.goto("/account/register")
    people.register(bens, shop, "Ben Okafor", "ben.keys@example.org")
    bens.goto(place)
    _tab_to(bens, "Add to cart")
    bens.keyboard.press("Enter")
    bens.get_by_role("link", name="In cart", exact=True).wait_for()
    wait_for(lambda: bens.evaluate("document.activeElement.textContent").strip() == "In cart", 5, "the focus")
    bens.goto("/cart")
    _tab_to(bens, "Go to payment")
    bens.keyboard.press("Enter")
    bens.wait_for_url(re.compile("/c/pay/"))


def _tab_to(page: Any, name: str) -> None:
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent").strip() == name:
            return
    raise AssertionError(f"Tab never reached {name!r}")
