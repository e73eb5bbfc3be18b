"""The library in a real browser: a file of one's own, with and without JavaScript; Undo; the receipt on paper."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from coursehub.infra.pdf import PdfWorkshop
from tests.e2e import people
from tests.e2e.conftest import Shop

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
# Each piece of text on the page with its colour.
SHOWN = """() => [...document.querySelectorAll("body *")]
  .filter((each) => each.checkVisibility() && each.children.length === 0)
  .map((each) => [each.textContent.trim(), getComputedStyle(each).color])"""
CHAPTER = "<h1>Ferns</h1><p>Where it is damp.</p>"


@pytest.fixture(scope="module")
def pdf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("own") / "scan.pdf"
    path.write_bytes(PdfWorkshop().typeset(f"<html lang=en><title>Ferns</title><body>{CHAPTER}</body></html>", {}, ""))
    return path


@pytest.mark.parametrize("js", [True, False])
def test_a_file_of_ones_own(shop: Shop, window: Callable[..., Any], pdf: Path, js: bool) -> None:
    page = window(js=js, width=390)
    page.goto("/account/register")
    people.register(page, shop, "Ben Okafor", f"ben.files.{js}@example.org".lower())
    page.goto("/library/files")
    page.get_by_role("heading", name="No files of your own yet").wait_for()
    page.set_input_files("input[type=file]", str(pdf))
    page.get_by_role("button", name="Upload", exact=True).click()
    page.get_by_text("has arrived and is being checked").first.wait_for()
    _until(page, js, lambda: page.get_by_role("link", name="Read “Ferns”").count() == 1)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.get_by_role("link", name="Ferns", exact=True).click()
    page.get_by_label("Title").fill("Ferns of the north wall")
    page.get_by_role("button", name="Rename").click()
    page.get_by_role("heading", level=1, name="Ferns of the north wall").wait_for()
    with page.expect_download() as fetched:
        page.get_by_role("link", name=re.compile("Download")).click()
    assert fetched.value.suggested_filename == "Ferns of the north wall.pdf"
    assert Path(fetched.value.path()).read_bytes().startswith(b"%PDF-")
    page.get_by_role("button", name="Delete this file").click()
    if js:  # a deed that cannot be undone asks first, and Escape is no
        page.locator("#confirm_dialog[open]").get_by_text("“Ferns of the north wall”").wait_for()
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Delete this file").click()
        page.locator("#confirm_dialog [data-confirm-yes]").click()
    page.get_by_text("“Ferns of the north wall” is deleted.").first.wait_for()
    page.get_by_role("heading", name="No files of your own yet").wait_for()


def test_what_is_no_pdf_is_said_beside_the_field(shop: Shop, window: Callable[..., Any], tmp_path: Path) -> None:
    page = window()
    page.goto("/account/register")
    people.register(page, shop, "Cleo Marsh", "cleo.files@example.org")
    page.goto("/library/files")
    wrong = tmp_path / "renamed.pdf"
    wrong.write_bytes(b"GIF89a, and not a PDF at all")
    page.set_input_files("input[type=file]", str(wrong))
    page.get_by_role("button", name="Upload", exact=True).click()
    page.locator("[data-error-summary]").get_by_text("This file is not a PDF").wait_for()
    assert page.evaluate("document.activeElement.matches('[data-error-summary]')")
    assert page.title().startswith("Error: ")


def test_put_away_undone_and_printed(shop: Shop, window: Callable[..., Any], pdf: Path) -> None:
    adas = window()
    adas.goto("/account/register")
    people.register(adas, shop, "Ada Brandt", "ada.library@example.org")
    people.become_creator(adas)
    course = people.upload_and_publish(adas, pdf, title="Ferns at Home", price="0", js=True)
    page = window()
    page.goto("/account/register")
    people.register(page, shop, "Dora Lind", "dora.library@example.org")
    page.goto(course)
    page.get_by_role("button", name="Add to cart").click()
    page.get_by_role("link", name="In cart", exact=True).wait_for()
    page.goto("/cart")
    page.get_by_role("button", name="Get it free").click()
    page.wait_for_url(re.compile("/orders/.*/thanks"))
    people.wait_for_text(page, "Your courses are in your library", js=True)
    receipt = page.url.split("/thanks")[0]

    page.goto("/library")
    card = page.locator("article.owned")
    place = card.bounding_box()
    page.get_by_role("button", name="Archive “Ferns at Home”").click()
    card.wait_for(state="detached")
    page.get_by_role("button", name="Undo").click()
    card.wait_for()
    assert card.bounding_box() == place
    page.reload()
    card.wait_for()
    page.get_by_role("button", name="Archive “Ferns at Home”").click()
    card.wait_for(state="detached")
    page.goto("/library/archived")
    page.get_by_role("button", name="Restore “Ferns at Home”").click()
    page.wait_for_url(re.compile("/library$"))
    card.wait_for()

    page.goto(receipt)
    page.emulate_media(media="print", color_scheme="dark")
    shown = page.evaluate(SHOWN)
    words = " ".join(text for text, _ in shown)
    assert "Receipt for order" in words and "Ferns at Home" in words and "dora.library@example.org" in words
    assert not re.search("Open my library|Search courses|Terms|Download|Print|Your orders", words), words
    assert {colour for text, colour in shown if text} == {"rgb(0, 0, 0)"}


def _until(page: Any, js: bool, there: Callable[[], bool], seconds: int = 60) -> None:
    """Until it is there; without JavaScript a person reloads."""
    for _ in range(seconds * 2):
        if there():
            return
        page.wait_for_timeout(500)
        if not js:
            page.reload()
    raise AssertionError(page.inner_text("main"))
