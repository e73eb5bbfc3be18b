"""Finding a course by hand: filters that swap the list, a sheet of them on a phone, suggestions while one types."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import expect

from tests.e2e.test_axe import AXE, OVERHANGING, RULES
from tests.factories import a_course

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

DESK, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}


@pytest.fixture
def shop(app: Flask, ada: Any) -> None:
    """Thirty courses: enough to scroll, in two subjects and two languages."""
    for n in range(30):
        a_course(
            by=ada,
            title=f"{'Paper' if n % 2 else 'Ink'} number {n:02}",
            category="design" if n % 3 else "music",
            language="de" if n % 5 == 0 else "en",
            price=100 * n,
            tags=["craft"] if n % 2 else ["writing"],
            cover_image_url=None,
        )


@pytest.fixture
def open_page(chromium: Any, live_server: str, shop: None) -> Iterator[Callable[..., Any]]:
    """`open_page(size, js=True)`: a window of somebody new; complaints of the console fail the test at its end."""
    opened: list[Any] = []
    complaints: list[str] = []

    def open_window(size: dict[str, int], *, js: bool = True, touch: bool = False) -> Any:
        context = chromium.new_context(
            base_url=live_server, java_script_enabled=js, viewport=size, has_touch=touch, service_workers="block"
        )
        context.set_default_timeout(20_000)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        opened.append(context)
        return page

    yield open_window
    for context in opened:
        context.close()
    assert complaints == []


def titles(page: Any) -> list[str]:
    return list(page.locator("#courses_grid .course-card__link").all_inner_texts())


def axe(page: Any) -> list[str]:
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("rules => axe.run({runOnly: rules}).then(({violations}) => violations.map(({id, nodes}) =>"
                          " `${id}: ${nodes[0].html}`))", RULES)  # fmt: skip
    return list(found)


def test_a_filter_swaps_the_list_and_the_address_and_keeps_the_focus(open_page: Callable[..., Any]) -> None:
    page = open_page(DESK)
    page.goto("/courses?q=number")
    page.evaluate("window.stayed = true")
    page.locator("#facet_category_music").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/courses?q=number&category=music")
    expect(page.locator("#results_count")).to_contain_text("10 courses")
    assert page.evaluate("window.stayed") is True
    assert page.evaluate("document.activeElement.id") == "facet_category_music"
    expect(page).to_have_title(re.compile("^“number” · Courses"))
    page.locator("#facet_language_de").click()
    page.wait_for_url("**/courses?q=number&category=music&language=de")
    expect(page.locator("#results_count")).to_contain_text("2 courses")
    # Back, and back again, and forward: each address shows what it says.
    page.go_back()
    expect(page.locator("#results_count")).to_contain_text("10 courses")
    page.go_back()
    expect(page.locator("#results_count")).to_contain_text("30 courses")
    page.go_forward()
    expect(page.locator("#results_count")).to_contain_text("10 courses")
    page.locator("#facet_category_music").click()  # the one in force leads out of it
    expect(page.locator("#results_count")).to_contain_text("30 courses")


def test_forward_before_the_scripts_stand_is_followed_too(open_page: Callable[..., Any]) -> None:
    page = open_page(DESK)
    page.goto("/courses?q=number")
    page.locator("#facet_category_music").click()
    expect(page.locator("#results_count")).to_contain_text("10 courses")
    page.wait_for_url("**/courses?q=number&category=music")
    held: list[Any] = []
    page.route("**/htmx.min.js*", lambda route: held.append(route), times=1)
    page.evaluate("history.back()")
    expect(page.locator("#results_count")).to_contain_text("30 courses")
    page.evaluate("history.forward()")
    page.wait_for_url("**/courses?q=number&category=music", wait_until="commit")
    expect(page.locator("#results_count")).to_contain_text("30 courses")
    held[0].continue_()
    expect(page.locator("#results_count")).to_contain_text("10 courses")


def test_back_from_a_course_restores_filters_and_place(open_page: Callable[..., Any]) -> None:
    page = open_page(DESK)
    page.goto("/courses")
    page.locator("#facet_category_design").click()
    page.wait_for_url("**category=design")
    expect(page.locator("#results_count")).to_contain_text("20 courses")
    last = page.locator("#courses_grid .course-card__link").last
    last.scroll_into_view_if_needed()
    place = page.evaluate("scrollY")
    assert place > 300
    last.click()
    page.get_by_role("heading", level=1).wait_for()
    page.wait_for_url(re.compile(r"/courses/[\w-]+$"))
    page.go_back()
    expect(page.locator("#results_count")).to_contain_text("20 courses")
    page.wait_for_function(f"Math.abs(scrollY - {place}) < 60")


def test_the_order_and_a_range_of_prices_make_a_short_address(open_page: Callable[..., Any]) -> None:
    page = open_page(DESK)
    page.goto("/courses?category=design")
    page.get_by_label("Sort by").select_option("price_desc")
    page.wait_for_url("**/courses?category=design&sort=price_desc")
    assert titles(page)[0] == "Paper number 29"
    page.get_by_label("From").fill("20")
    page.get_by_role("button", name="Apply").click()
    page.wait_for_url("**/courses?category=design&sort=price_desc&price_min=20")
    expect(page.locator("#results_chips")).to_contain_text("$20 and more")
    page.get_by_role("link", name="Remove $20 and more").click()
    page.wait_for_url("**/courses?category=design&sort=price_desc")


@pytest.mark.parametrize("js", [True, False], ids=["script", "no script"])
def test_on_a_phone_the_filters_are_a_sheet(open_page: Callable[..., Any], js: bool) -> None:
    page = open_page(PHONE, js=js)
    page.goto("/courses")
    choice = page.locator("#facet_category_music")
    expect(choice).to_be_hidden()
    page.get_by_role("button", name="Filters", exact=True).click()
    expect(choice).to_be_visible()
    choice.click()
    page.wait_for_url("**/courses?category=music")
    if js:
        # It stays for the next choice, and its button says what there is.
        page.get_by_role("button", name="Show 10 courses").click()
    expect(page.locator("#facet_category_music")).to_be_hidden()
    expect(page.locator("#results_count")).to_contain_text("10 courses")
    expect(page.get_by_role("button", name="Filters (1)")).to_be_visible()


def test_escape_puts_the_sheet_away_and_gives_the_focus_back(open_page: Callable[..., Any]) -> None:
    page = open_page(PHONE)
    page.goto("/courses")
    page.locator("#open_filters").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#facet_category_music")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#facet_category_music")).to_be_hidden()
    assert page.evaluate("document.activeElement.id") == "open_filters"


def test_without_a_script_the_forms_work(open_page: Callable[..., Any]) -> None:
    page = open_page(DESK, js=False)
    page.goto("/courses?category=design")
    page.get_by_label("From").fill("20")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("#results_chips")).to_contain_text("$20 and more")
    page.get_by_label("Sort by").select_option("price")
    page.get_by_role("button", name="Sort").click()
    assert titles(page)[0] == "Ink number 20"
    page.get_by_role("link", name="Clear all").click()
    expect(page.locator("#results_count")).to_contain_text("30 courses")


def test_suggestions_come_while_one_types_and_are_walked_with_the_arrows(open_page: Callable[..., Any]) -> None:
    page = open_page(DESK)
    asked: list[str] = []
    page.on("request", lambda sent: asked.append(sent.url) if "/suggestions" in sent.url else None)
    page.clock.install()
    page.goto("/courses")
    field, offered = page.locator("#appbar_q"), page.locator(".appbar .suggestions__one")
    # The page's clock stands while the keys are struck, however slowly this machine strikes them.
    page.clock.pause_at(page.evaluate("Date.now() + 60_000"))
    for key in "paper numb":
        page.keyboard.press(key) if key != "p" else field.press(key)
        page.clock.run_for(30)
    assert asked == []
    page.clock.resume()
    expect(offered).to_have_count(7)
    assert len(asked) == 1, "one question, when the typing rests"
    assert asked[0].endswith("/courses/suggestions?q=paper%20numb") or asked[0].endswith("?q=paper+numb")
    expect(page.locator(".appbar [data-suggestions-count]")).to_have_text("6 suggestions")
    assert axe(page) == []
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(offered.nth(1)).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(field).to_be_focused()
    page.keyboard.press("Escape")
    expect(offered.first).to_be_hidden()
    expect(field).to_be_focused()
    expect(field).to_have_value("paper numb")
    page.keyboard.press("ArrowUp")
    expect(offered.last).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/courses\?q=paper(\+|%20)numb$"))


def test_an_answer_that_comes_too_late_is_not_shown(open_page: Callable[..., Any]) -> None:
    page = open_page(DESK)
    waiting: list[Any] = []
    page.route("**/courses/suggestions?q=ink*", lambda route: waiting.append(route))
    page.goto("/courses")
    page.locator("#appbar_q").press_sequentially("ink")
    page.wait_for_function("() => true", timeout=1000)
    for _ in range(50):
        if waiting:
            break
        page.wait_for_timeout(50)
    assert waiting, "the first question was never asked"
    page.locator("#appbar_q").fill("paper")
    expect(page.locator(".appbar .suggestions__title").first).to_contain_text("Paper")
    try:
        waiting[0].continue_()
    except Exception as error:  # the browser has given the request up already
        assert "closed" in str(error) or "handled" in str(error) or "nvalid" in str(error)
    page.wait_for_timeout(400)
    assert all("Paper" in text for text in page.locator(".appbar .suggestions__title").all_inner_texts())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_list_and_its_sheet_are_accessible_and_fit(open_page: Callable[..., Any], scheme: str) -> None:
    page = open_page({"width": 320, "height": 700}, touch=True)
    page.emulate_media(color_scheme=scheme)
    for address in ("/courses?q=number&category=music&language=de", "/courses?q=" + "endless" * 20, "/"):
        page.goto(address)
        assert page.evaluate(OVERHANGING) == []
        assert axe(page) == []
    page.goto("/courses?category=music")
    page.locator("#open_filters").click()
    page.locator("#facet_category_music").wait_for()
    assert page.evaluate(OVERHANGING) == []
    assert axe(page) == []
    small = page.evaluate(
        "() => [...document.querySelectorAll('#filters a, #filters button')].filter((one) => {"
        " const { width, height } = one.getBoundingClientRect(); return width && (height < 44 || width < 44) })"
        ".map((one) => one.outerHTML.slice(0, 90))"
    )
    assert small == [], "too small for a thumb"
