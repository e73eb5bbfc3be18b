"""The page a course is bought from: what stands above the fold, the sample pages, the one button, the reviews."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from coursehub.infra.pdf import PdfWorkshop
from tests.e2e import people
from tests.e2e.conftest import Shop

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(420)]

DESK, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
TITLE = "Leading by example"


@dataclass
class Stage:
    """Ada's course, and Ben, who may buy it."""

    course: str
    ben: list[Any]


@pytest.fixture(scope="module")
def stage(shop: Shop, chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    pdf = tmp_path_factory.mktemp("course") / "leading.pdf"
    text = "".join(f"<h1>Chapter {n}</h1><p>Leading and what follows, part {n}.</p>" for n in range(1, 7))
    body = f"<html lang=en><title>{TITLE}</title><body>{text}</body></html>"
    pdf.write_bytes(PdfWorkshop().typeset(body, {}, "h1 { break-before: page }"))

    def sit_down() -> Any:
        context = chromium.new_context(base_url=shop.address)
        context.set_default_timeout(60_000)
        return context.new_page()

    ada, ben = sit_down(), sit_down()
    ada.goto("/account/register")
    people.register(ada, shop, "Ada Brandt", "ada.page@example.org")
    people.become_creator(ada)
    course = people.upload_and_publish(ada, pdf, title=TITLE, price="0", js=True)
    ben.goto("/account/register")
    people.register(ben, shop, "Ben Okafor", "ben.page@example.org")
    yield Stage(course, ben.context.cookies())
    for page in (ada, ben):
        page.context.close()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_rule_1_what_decides_stands_above_the_fold(window: Callable[..., Any], stage: Stage, size: Any) -> None:
    page = window(**size)
    page.goto(stage.course)
    seen = {
        "cover": page.locator(".course__cover .cover"),
        "title": page.get_by_role("heading", level=1, name=TITLE),
        "creator": page.locator(".course__author a", has_text="Ada Brandt"),
        "price": page.locator("#buy .price"),
        "pages": page.locator(".course__facts dt", has_text="Pages"),
        "last updated": page.locator(".course__facts dt", has_text="Updated"),
        "button": page.get_by_role("button", name="Add to cart"),
    }
    for what, locator in seen.items():
        box = locator.bounding_box()
        assert box, f"there is no {what}"
        assert box["y"] >= 0 and box["y"] + box["height"] <= size["height"], f"{what} lies below the fold: {box}"
        assert box["x"] >= 0 and box["x"] + box["width"] <= size["width"], f"{what} lies beside the page: {box}"


def test_rule_2_one_button_and_on_a_phone_a_bar_that_covers_no_last_line(
    window: Callable[..., Any], stage: Stage
) -> None:
    page = window(**PHONE)
    page.goto(stage.course)
    assert page.locator("main .btn--contained").count() == 1
    bar = page.locator("#buy")
    for depth in (0, 0.3, 0.6):
        page.evaluate("depth => scrollTo(0, depth * document.body.scrollHeight)", depth)
        box = bar.bounding_box()
        whole = page.locator(".course").bounding_box()
        bottom, end = box["y"] + box["height"], whole["y"] + whole["height"]
        assert box["y"] >= 0 and bottom <= PHONE["height"] + 1, "the bar stays in reach"
        assert bottom >= min(PHONE["height"], end) - 1, "at the foot of the screen, or where the course ends"
    page.locator("#related, #related_hole > a").first.wait_for(state="attached")
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.wait_for_timeout(500)
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    above = page.locator(".course > :not(.buy)")
    last = max(one.bounding_box()["y"] + one.bounding_box()["height"] for one in above.all())
    box = bar.bounding_box()
    assert last <= box["y"] + 1, "the last line of the page stands above the bar"
    assert box["y"] + box["height"] <= page.locator(".footer").bounding_box()["y"] + 1, "and the footer below it"


def test_rule_3_sample_pages_open_for_everyone_also_without_javascript(
    window: Callable[..., Any], stage: Stage
) -> None:
    page = window(js=False)
    page.goto(stage.course)
    thumbnails = page.locator(".samples__link")
    assert thumbnails.count() == 3
    for number, link in enumerate(thumbnails.all(), 1):
        assert link.locator("img").get_attribute("alt") == f"Page {number}"
        answer = page.request.get(str(link.get_attribute("href")))
        assert answer.ok and answer.headers["content-type"] == "image/webp"


def test_the_light_box_by_keyboard_and_pointer(window: Callable[..., Any], stage: Stage) -> None:
    page = window(**DESK)
    page.goto(stage.course)
    first, count = page.get_by_role("link", name="Page 1"), page.locator("[data-lightbox-count]")
    first.focus()
    page.keyboard.press("Enter")
    page.get_by_role("dialog", name="Sample pages").wait_for()
    assert count.inner_text() == "Page 1 of 3"
    for key, said in (
        ("ArrowRight", 2),
        ("ArrowLeft", 1),
        ("ArrowLeft", 1),
        ("End", 3),
        ("ArrowRight", 3),
        ("Home", 1),
    ):
        page.keyboard.press(key)
        assert count.inner_text() == f"Page {said} of 3", key
    page.get_by_role("button", name="Next page").click()
    page.get_by_role("dialog").get_by_role("img", name="Page 2").wait_for()
    assert page.locator("#lightbox img").evaluate("image => image.decode().then(() => image.naturalWidth)") > 500
    page.keyboard.press("Escape")
    page.wait_for_function("document.activeElement.id === 'sample_2'")
    with page.context.expect_page() as opened:
        first.click(modifiers=["ControlOrMeta"])
    assert opened.value.url.endswith(str(first.get_attribute("href"))), "the link stays a link"


def test_look_inside_answers_in_the_page(window: Callable[..., Any], stage: Stage) -> None:
    page = window(**PHONE)
    page.goto(stage.course)
    page.get_by_label("Does it cover what you need?").fill("leading")
    page.keyboard.press("Enter")
    page.get_by_text(re.compile(r"On \d pages")).wait_for()
    page.get_by_label("Does it cover what you need?").fill("part 6")
    page.keyboard.press("Enter")
    page.get_by_text("the words around it are for readers").wait_for()
    assert page.url.endswith(stage.course)


def test_structured_data_stands_in_the_page_and_the_policy_has_nothing_against_it(
    window: Callable[..., Any], stage: Stage
) -> None:
    page = window(**DESK)
    noting = "addEventListener('securitypolicyviolation', (event) => refused.push(event.violatedDirective))"
    page.add_init_script(f"window.refused = []; {noting}")
    page.goto(stage.course)
    page.wait_for_load_state("networkidle")
    assert page.locator('script[type="application/ld+json"]').count() == 1
    assert page.evaluate("refused") == []


def test_rule_4_what_is_owned_is_read_what_is_in_the_cart_is_there_and_a_review_needs_no_script(
    window: Callable[..., Any], stage: Stage
) -> None:
    page = window(**PHONE)
    page.context.add_cookies(stage.ben)
    page.goto(stage.course)
    page.get_by_role("button", name="Add to wishlist").click()
    page.get_by_role("button", name="On your wishlist").wait_for()
    page.get_by_role("button", name="Add to cart").click()
    in_cart = page.get_by_role("link", name="In cart", exact=True)
    in_cart.wait_for()
    assert in_cart.get_attribute("href") == "/cart"
    page.goto("/cart")
    page.get_by_role("button", name="Get it free").click()
    page.wait_for_url(re.compile("/orders/.*/thanks"))
    people.wait_for_text(page, "Your courses are in your library", js=True)
    page.goto(stage.course)
    assert re.fullmatch(
        r"/read/[0-9a-f-]{36}", page.locator("#buy").get_by_role("link", name="Read").get_attribute("href")
    )
    assert page.locator("#buy .price").count() == 0
    assert page.get_by_role("button", name="Add to cart").count() == 0

    plain = window(js=False, **PHONE)
    plain.context.add_cookies(page.context.cookies())
    plain.goto(stage.course)
    plain.get_by_role("button", name="Publish review").click()
    plain.get_by_text("Choose between one and five stars.").first.wait_for()
    assert plain.title().startswith("Error: ")
    plain.locator("#review_rating-1").focus()
    for _ in range(3):
        plain.keyboard.press("ArrowRight")  # radios by keyboard: one star more each time
    plain.get_by_label("Your review").fill("Four stars, without a script.")
    plain.get_by_role("button", name="Publish review").click()
    plain.locator("#my_review", has_text="Four stars, without a script.").wait_for()

    page.goto(stage.course)
    page.locator("#my_review summary").click()
    page.locator("#review_text").fill("Four stars, with one.")
    page.get_by_role("button", name="Save review").click()
    page.locator("#my_review", has_text="Four stars, with one.").wait_for()
    page.wait_for_function("document.activeElement.closest('#reviews')")
    page.get_by_role("button", name="Remove", exact=True).click()
    page.get_by_role("dialog").get_by_text("Remove your review").wait_for()
    page.keyboard.press("Escape")
    assert page.locator("#my_review").count() == 1
    page.get_by_role("button", name="Remove", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Remove", exact=True).click()
    page.get_by_text("How is it?").wait_for()
