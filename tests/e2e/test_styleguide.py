"""The design system in Chromium: readable, reachable, quiet in the console, and alive where scripts help."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.web.bare_shop import ROOT, Viewer, build, served

pytestmark = pytest.mark.e2e

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
# The third answer is the last; on a busy machine a fourth question may be under way by then.
ENOUGH = re.compile("Asked [34] times")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture
def bare() -> Flask:
    return build(csrf_meta=True)


@pytest.fixture
def address(bare: Flask) -> Iterator[str]:
    with served(bare) as address:
        yield address


@pytest.fixture
def window(chromium: Browser, address: str) -> Iterator[Callable[..., Page]]:
    """Open a page; at the end, while the server still answers, its console must have said nothing worse than a hint."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_window(url: str, *, width: int = 1280, expected: str = "", **options: Any) -> Page:
        context = chromium.new_context(viewport={"width": width, "height": 800}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on(
            "console",
            lambda said: (
                complaints.append(said.text)
                if said.type in {"error", "warning"} and not (expected and expected in said.text)
                else None
            ),
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(url)
        return page

    yield open_window
    for context in contexts:
        context.close()
    assert not complaints


def violations(page: Page) -> list[str]:
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("rules => axe.run({runOnly: rules})", RULES)["violations"]
    return [f"{each['id']}: {node['html'][:160]}" for each in found for node in each["nodes"]]


@pytest.mark.parametrize("width", [360, 768, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_style_guide_is_accessible(window: Callable[..., Page], address: str, scheme: str, width: int) -> None:
    page = window(f"{address}/styleguide", width=width, color_scheme=scheme)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("path", ["styleguide", "workbench", "template/pages/cookies.html", "template/errors/500.html"])
def test_nothing_scrolls_sideways_on_the_smallest_phone(window: Callable[..., Page], address: str, path: str) -> None:
    page = window(f"{address}/{path}", width=320, expected="500")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_error_pages_and_layouts_are_accessible(chromium: Browser, scheme: str, width: int) -> None:
    everyone = build(viewer=Viewer(is_admin=True, email_verified=False), cart_count=2, csrf_meta=True, theme=scheme)
    errors = [f"errors/{path.stem}" for path in ROOT.glob("templates/errors/[!_]*.html")]
    assert len(errors) > 10
    with served(everyone) as address:
        page = chromium.new_page(viewport={"width": width, "height": 800})
        for name in (*errors, "pages/terms", "pages/theme"):
            page.goto(f"{address}/template/{name}.html")
            assert violations(page) == [], name
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        page.locator(".appbar__end summary").click()
        page.wait_for_timeout(300)
        assert violations(page) == []
        assert page.locator("html").get_attribute("data-theme") == scheme
        page.close()


def test_the_readers_choice_beats_the_system(chromium: Browser) -> None:
    with served(build(theme="light")) as address:
        page = chromium.new_page(color_scheme="dark")
        page.goto(f"{address}/template/pages/cookies.html")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(250, 249, 247)"
        page.close()


def test_roboto_arrives_and_icons_are_drawn(window: Callable[..., Page], address: str) -> None:
    page = window(f"{address}/styleguide")
    assert page.evaluate("document.fonts.ready.then(() => document.fonts.check('16px Roboto'))")
    assert page.evaluate("[...document.fonts].some(font => font.family === 'Roboto' && font.status === 'loaded')")
    # A symbol that is missing from the sprite has no size.
    drawn = (
        "[...document.querySelectorAll('main .icon')].filter(icon => icon.checkVisibility() && !icon.getBBox().width)"
    )
    assert page.evaluate(f"{drawn}.length") == 0


def test_without_a_script_menus_open_and_nothing_dead_is_shown(window: Callable[..., Page], address: str) -> None:
    page = window(f"{address}/styleguide", java_script_enabled=False)
    page.locator("#sg_menu summary").click()
    expect(page.get_by_role("link", name="Edit details")).to_be_visible()
    expect(page.locator("[data-password-toggle]")).to_be_hidden()
    expect(page.locator("dialog").first).to_be_hidden()


def test_the_drawer_takes_the_focus_and_gives_it_back(window: Callable[..., Page], address: str) -> None:
    page = window(f"{address}/styleguide")
    page.locator("#sg_drawer_opener").click()
    expect(page.locator("#sg_drawer")).to_be_visible()
    assert page.evaluate("document.querySelector('#sg_drawer').contains(document.activeElement)")
    page.wait_for_timeout(300)
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(page.locator("#sg_drawer")).to_be_hidden()
    expect(page.locator("#sg_drawer_opener")).to_be_focused()
    page.locator("#sg_drawer_opener").click()
    page.mouse.click(100, 400)
    expect(page.locator("#sg_drawer")).to_be_hidden()


def test_a_dialog_closes_by_its_cross_and_by_its_button(window: Callable[..., Page], address: str) -> None:
    page = window(f"{address}/styleguide")
    for way in ("Close", "Done"):
        page.locator("#sg_dialog_opener").click()
        page.locator("#sg_dialog").get_by_role("button", name=way).click()
        expect(page.locator("#sg_dialog")).to_be_hidden()
        expect(page.locator("#sg_dialog_opener")).to_be_focused()


def test_escape_closes_the_menu_and_returns_to_its_opener(window: Callable[..., Page], address: str) -> None:
    page = window(f"{address}/styleguide")
    opener = page.locator("#sg_menu summary")
    opener.click()
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(page.locator("#sg_menu .menu__list")).to_be_hidden()
    expect(opener).to_be_focused()
    opener.click()
    page.locator("h1").click()
    expect(page.locator("#sg_menu .menu__list")).to_be_hidden()


def test_ben_adds_to_the_cart_without_leaving_his_place(window: Callable[..., Page], address: str) -> None:
    page = window(f"{address}/workbench")
    page.locator("#add").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#cart-badge")).to_have_text("1 items in cart")
    expect(page.locator("#toasts [data-toast-text]")).to_have_text("In your cart")
    expect(page.locator("#add")).to_be_focused()
    expect(page.locator("#add")).to_be_enabled()


def test_ben_adds_to_the_cart_without_a_script(window: Callable[..., Page], address: str, bare: Flask) -> None:
    page = window(f"{address}/workbench", java_script_enabled=False)
    page.locator("#add").click()
    page.wait_for_url("**/workbench")
    assert "add" in bare.extensions["received"]


@pytest.mark.parametrize("scripts", [True, False])
def test_a_refused_form_keeps_the_text(window: Callable[..., Page], address: str, scripts: bool) -> None:
    page = window(f"{address}/workbench", java_script_enabled=scripts, expected="422")
    page.locator("#name").fill("Al")
    page.locator("#save").click()
    summary = page.locator("[data-error-summary]")
    expect(summary).to_contain_text("There is a problem")
    if scripts:
        expect(summary).to_be_focused()
    expect(page.locator("#name")).to_have_value("Al")
    expect(page.locator("#name")).to_have_attribute("aria-invalid", "true")
    summary.get_by_role("link").click()
    expect(page.locator("#name")).to_be_focused()


@pytest.mark.parametrize(
    ("button", "words"), [("silent", "Something went wrong. Please try again."), ("speaking", "The shop is closed")]
)
def test_a_failure_says_so_once_and_leaves_the_page(
    window: Callable[..., Page], address: str, button: str, words: str
) -> None:
    page = window(f"{address}/workbench", expected="Failed to load resource")
    page.locator(f"#{button}").click()
    expect(page.locator("#toasts [data-toast-text]")).to_have_text(words)
    page.wait_for_timeout(200)
    expect(page.locator("#toasts [data-toast]")).to_have_count(1)
    expect(page.get_by_role("heading", name="Workbench")).to_be_visible()


def test_a_toast_waits_while_ben_reads_it(window: Callable[..., Page], address: str) -> None:
    page = window(f"{address}/workbench")
    page.evaluate("CourseHub.toast('Removed', {timeout: 3000})")
    toast = page.locator("#toasts [data-toast]")
    toast.hover()
    page.wait_for_timeout(3500)
    expect(toast).to_be_visible()
    page.mouse.move(5, 5)
    expect(toast).to_have_count(0)
    page.evaluate("CourseHub.toast('Stays', {timeout: 0})")
    page.get_by_role("button", name="Dismiss").click()
    expect(toast).to_have_count(0)


def test_a_toast_stands_above_an_open_dialog(window: Callable[..., Page], address: str) -> None:
    page = window(f"{address}/styleguide")
    page.locator("#sg_dialog_opener").click()
    page.evaluate("CourseHub.toast('Saved', {timeout: 0})")
    toast = page.locator("#toasts [data-toast]")
    page.evaluate("Promise.all(document.querySelector('dialog:modal').getAnimations().map((each) => each.finished))")
    box = toast.bounding_box()
    assert box is not None
    assert box["y"] > 600, "at the bottom, where toasts always stand"
    toast.get_by_role("button", name="Dismiss").click()  # neither covered by the dialog nor dead beneath it
    expect(toast).to_have_count(0)
    expect(page.locator("dialog:modal")).to_have_count(1)


@pytest.mark.parametrize("opener", ["delete", "remove"])
def test_a_deed_waits_for_the_answer(window: Callable[..., Page], address: str, bare: Flask, opener: str) -> None:
    page = window(f"{address}/workbench")
    received: list[str] = bare.extensions["received"]
    question = page.locator("#confirm_dialog")
    page.locator(f"#{opener}").click()
    expect(question.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(f"#{opener}")).to_be_focused()
    page.wait_for_timeout(200)
    assert "slow" not in received
    page.locator(f"#{opener}").click()
    words = "Delete" if opener == "delete" else "Continue"
    with page.expect_response("**/slow") as answer:
        question.get_by_role("button", name=words).click()
    assert answer.value.status == 200, "the token went along"
    assert received.count("slow") == 1


def test_paying_twice_in_a_hurry_pays_once(window: Callable[..., Page], address: str, bare: Flask) -> None:
    page = window(f"{address}/workbench")
    page.evaluate("() => { const pay = document.querySelector('#pay'); pay.click(); pay.click(); }")
    page.wait_for_url("**/slow")
    assert bare.extensions["received"].count("slow") == 1


def test_going_back_finds_the_button_ready(window: Callable[..., Page], address: str) -> None:
    page = window(f"{address}/workbench")
    page.locator("#pay").click()
    page.wait_for_url("**/slow")
    page.go_back()
    expect(page.locator("#pay")).to_be_enabled()
    expect(page.locator("#pay")).not_to_have_attribute("aria-busy", "true")


def test_a_poll_rests_in_a_hidden_tab_and_ends_when_finished(
    window: Callable[..., Page], address: str, bare: Flask
) -> None:
    received: list[str] = bare.extensions["received"]
    page = window("about:blank")
    page.add_init_script("Object.defineProperty(document, 'hidden', {get: () => window.asleep ?? true})")
    page.goto(f"{address}/workbench")
    page.wait_for_timeout(800)
    assert "poll" not in received
    page.evaluate("window.asleep = false")
    expect(page.locator("#job")).to_contain_text(ENOUGH)
    asked = received.count("poll")
    page.wait_for_timeout(800)
    assert received.count("poll") == asked


def test_a_password_can_be_looked_at(window: Callable[..., Page], address: str) -> None:
    page = window(f"{address}/workbench")
    page.locator("#password").fill("a short sentence")
    show = page.get_by_role("button", name="Show password")
    show.click()
    expect(page.locator("#password")).to_have_attribute("type", "text")
    expect(show).to_have_attribute("aria-pressed", "true")
    show.click()
    expect(page.locator("#password")).to_have_attribute("type", "password")


def _pdf(folder: Path, name: str, content: bytes) -> str:
    path = folder / name
    path.write_bytes(content)
    return str(path)


@pytest.mark.parametrize("scripts", [True, False])
def test_ada_uploads_and_is_led_on(
    window: Callable[..., Page], address: str, bare: Flask, tmp_path: Path, scripts: bool
) -> None:
    page = window(f"{address}/workbench", java_script_enabled=scripts)
    page.locator("#file").set_input_files(_pdf(tmp_path, "bread.pdf", b"%PDF-1.7" + b"x" * 500_000))
    if scripts:
        expect(page.locator("[data-drop-status]")).to_contain_text("bread.pdf (500 KB)")
    page.locator("#send").click()
    page.wait_for_url("**/cookies.html")
    assert bare.extensions["received"].count("upload 500008") == 1


def test_ada_is_told_at_once_what_does_not_fit(
    window: Callable[..., Page], address: str, bare: Flask, tmp_path: Path
) -> None:
    page = window(f"{address}/workbench", expected="415")
    status = page.locator("[data-drop-status]")
    page.locator("#file").set_input_files(_pdf(tmp_path, "bread.txt", b"flour"))
    expect(status).to_have_text("This kind of file does not fit here.")
    page.locator("#file").set_input_files(_pdf(tmp_path, "big.pdf", b"%PDF" + b"x" * 2_100_000))
    expect(status).to_have_text("This file is larger than the limit. Choose a smaller one.")
    assert page.evaluate("document.querySelector('#file').files.length") == 0
    page.locator("#file").set_input_files(_pdf(tmp_path, "fake.pdf", b"flour"))
    page.locator("#send").click()
    expect(status).to_have_text("This is not a PDF")
    expect(page.locator("#send")).not_to_have_attribute("aria-busy", "true")
    assert [what for what in bare.extensions["received"] if what != "poll"] == ["upload 5"]


def test_a_file_dropped_on_the_zone_is_chosen_and_beside_it_nothing_happens(
    window: Callable[..., Page], address: str
) -> None:
    page = window(f"{address}/workbench")
    drop = """selector => {
      const files = new DataTransfer();
      files.items.add(new File(['%PDF'], 'dropped.pdf', {type: 'application/pdf'}));
      const event = new DragEvent('drop', {dataTransfer: files, bubbles: true, cancelable: true});
      return !document.querySelector(selector).dispatchEvent(event);
    }"""
    assert page.evaluate(drop, "h1"), "the browser must not open it instead of the page"
    assert page.evaluate("document.querySelector('#file').files.length") == 0
    assert page.evaluate(drop, "[data-drop]")
    assert page.evaluate("document.querySelector('#file').files[0].name") == "dropped.pdf"


def test_a_broken_upload_says_so_and_lets_ada_try_again(
    window: Callable[..., Page], address: str, tmp_path: Path
) -> None:
    page = window(f"{address}/workbench", expected="ERR_FAILED")
    page.route("**/upload", lambda route: route.abort())
    page.locator("#file").set_input_files(_pdf(tmp_path, "bread.pdf", b"%PDF"))
    page.locator("#send").click()
    expect(page.locator("[data-drop-status]")).to_contain_text("The upload broke off")
    page.unroute("**/upload")
    page.locator("#send").click()
    page.wait_for_url("**/cookies.html")


def test_going_offline_is_said_and_taken_back(window: Callable[..., Page], address: str) -> None:
    page = window(f"{address}/workbench", expected="ERR_INTERNET_DISCONNECTED")
    expect(page.locator("#job")).to_contain_text(ENOUGH)
    page.context.set_offline(True)
    expect(page.locator("#toasts [data-toast-text]")).to_have_text("You are offline. We keep what you typed.")
    page.context.set_offline(False)
    expect(page.locator("#toasts [data-toast-text]")).to_have_text("You are back online.")
