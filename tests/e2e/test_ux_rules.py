"""The numbered rules of how the shop treats people, each seen in the browser."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from coursehub.infra.pdf import PdfWorkshop
from tests.e2e import people
from tests.e2e.conftest import Shop
from tests.e2e.database import database_of
from tests.stack import wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

PHONE = {"width": 390, "height": 844}


@dataclass
class Bazaar:
    """A shop with two courses of Ada's, and the people who walk in it."""

    shop: Shop
    cookies: dict[str, list[Any]] = field(default_factory=dict)
    courses: list[str] = field(default_factory=list)
    studio: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def bazaar(shop: Shop, chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bazaar]:
    pdf = tmp_path_factory.mktemp("rules") / "ink.pdf"
    chapters = "".join(f"<h1>Ink {n}</h1><p>Black words of page {n}.</p>" for n in range(1, 4))
    pdf.write_bytes(PdfWorkshop().typeset(f"<html lang=en><title>Ink</title>{chapters}", {}, "h1 {break-before: page}"))
    ready = Bazaar(shop)
    for who, act in (("Ada", _ada), ("Ben", _ben), ("Dana", _newcomer)):
        context = chromium.new_context(base_url=shop.address, service_workers="block")
        context.set_default_timeout(60_000)
        act(context.new_page(), ready, pdf)
        ready.cookies[who] = context.cookies()
        context.close()
    yield ready


def _ada(page: Any, bazaar: Bazaar, pdf: Path) -> None:
    page.goto("/account/register")
    people.register(page, bazaar.shop, "Ada Brandt", "ada.rules@example.org")
    people.become_creator(page)
    for title, price in (("Ink and paper", "12"), ("Paper and ink", "7")):
        bazaar.courses.append(people.upload_and_publish(page, pdf, title=title, price=price, js=True))
        bazaar.studio.append(page.url.split("/publish")[0].removeprefix(bazaar.shop.address))


def _ben(page: Any, bazaar: Bazaar, _pdf: Path) -> None:
    page.goto("/account/register")
    people.register(page, bazaar.shop, "Ben Okafor", "ben.rules@example.org")


def _newcomer(page: Any, _bazaar: Bazaar, _pdf: Path) -> None:
    page.goto("/account/register")
    page.get_by_label("Name").fill("Dana Duarte")
    page.get_by_label("E-mail", exact=False).first.fill("dana.rules@example.org")
    page.get_by_label("Password", exact=True).fill(people.PASSWORD)
    page.get_by_role("button", name="Create account").click()
    page.get_by_role("heading", name="Confirm your e-mail address").wait_for()


@pytest.fixture
def visit(window: Callable[..., Any], bazaar: Bazaar) -> Callable[..., Any]:
    """`visit("/cart", who="Ben")`: a page of the shop in a window of its own; nobody by default."""

    def open_page(address: str, who: str = "", **options: Any) -> Any:
        page = window(**options)
        page.context.add_cookies(bazaar.cookies.get(who, []))
        page.goto(address)
        return page

    return open_page


def _add(page: Any, *courses: str) -> None:
    for course in courses:
        page.goto(course)
        with page.expect_response("**/cart/items") as answer:
            page.get_by_role("button", name="Add to cart").click()
        assert answer.value.ok, "the course was not added"


def _titles(page: Any) -> list[str]:
    return [text.strip() for text in page.locator("#cart_contents .row__title").all_inner_texts()]


def test_rule_02_one_main_button_and_a_bar_that_hides_nothing(visit: Any, bazaar: Bazaar) -> None:
    page = visit(bazaar.courses[0], width=PHONE["width"], height=PHONE["height"])
    for address in (bazaar.courses[0], "/cart", "/login", "/account/register", "/account/forgotten"):
        page.goto(address)
        assert page.locator("main .btn--contained:visible").count() == 1, address
    page.goto(bazaar.courses[0])
    bar = page.locator(".sticky-action")
    assert bar.locator(".btn--contained").count() == 1
    box = bar.bounding_box()
    assert box["y"] + box["height"] <= PHONE["height"] + 1, "it is in sight at once"
    assert box["y"] > PHONE["height"] / 2, "and at the bottom"
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    page.wait_for_timeout(100)
    covered = page.evaluate(
        """() => {
          const bar = document.querySelector(".sticky-action").getBoundingClientRect();
          const words = [...document.querySelectorAll("main p, main li, main h2, .footer a")].filter(
            (one) => !one.closest(".sticky-action, dialog") && one.checkVisibility());
          const last = words.map((one) => one.getBoundingClientRect()).filter((box) => box.height);
          return last.filter((box) => box.bottom > bar.top + 1 && box.top < bar.bottom - 1).length;
        }"""
    )
    assert covered == 0


def test_rule_05_adding_is_seen_at_once_and_the_focus_stays(visit: Any, bazaar: Bazaar) -> None:
    page = visit(bazaar.courses[0])
    page.get_by_role("button", name="Add to cart").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("document.getElementById('cart-badge').textContent.startsWith('1')")
    page.locator("#toasts", has_text="is in your cart").wait_for()
    link = page.get_by_role("link", name="In cart", exact=True)
    link.wait_for()
    assert page.url.endswith(bazaar.courses[0])
    assert link.evaluate("link => document.activeElement === link")


def test_rule_05_without_javascript_the_cart_says_so(visit: Any, bazaar: Bazaar) -> None:
    page = visit(bazaar.courses[0], js=False)
    page.get_by_role("button", name="Add to cart").click()
    page.get_by_text("“Ink and paper” is in your cart.").wait_for()


def test_rule_05_a_slow_shop_is_not_waited_for(visit: Any, bazaar: Bazaar) -> None:
    """The button and the badge change before the answer is there, and nothing is sent twice."""
    page = visit(bazaar.courses[0])
    asked: list[Any] = []
    page.route("**/cart/items", lambda route: asked.append(route))
    page.get_by_role("button", name="Add to cart").click()
    page.locator("#cart-badge", has_text="1").wait_for()
    page.get_by_role("button", name="In cart").click()
    page.wait_for_timeout(200)
    assert len(asked) == 1
    asked[0].continue_()
    page.get_by_role("link", name="In cart", exact=True).wait_for()
    assert page.locator("#cart-badge").inner_text().startswith("1")


@pytest.mark.parametrize("trouble", ["refusal", "failure", "silence", "no net"])
def test_rule_05_what_was_refused_is_taken_back_in_sight(visit: Any, bazaar: Bazaar, trouble: str) -> None:
    page = visit(bazaar.courses[0], expected=("Failed to load resource", "htmx:error"))
    if trouble == "silence":
        page.evaluate("htmx.config.defaultTimeout = 1500")

    held: list[Any] = []

    def answer(route: Any) -> None:
        if trouble == "refusal":
            body = '<div hx-swap-oob="beforeend:#toasts"><div data-toast>A cart holds 50 courses.</div></div>'
            route.fulfill(status=409, body=body, content_type="text/html", headers={"X-Toast": "1"})
        elif trouble == "failure":
            route.fulfill(status=500, body="", content_type="text/html")
        elif trouble == "no net":
            route.abort("internetdisconnected")

    page.route("**/cart/items", lambda route: held.append(route))
    page.get_by_role("button", name="Add to cart").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="In cart").wait_for()
    assert page.locator("#cart-badge").inner_text().startswith("1")
    wait_for(lambda: page.wait_for_timeout(20) or held, 10, "the request")
    answer(held[0])
    again = page.get_by_role("button", name="Add to cart")
    again.wait_for()
    words = "A cart holds 50 courses." if trouble == "refusal" else "It was not put in your cart."
    page.locator("#toasts [data-toast]", has_text=words).wait_for()
    assert page.locator("#toasts [data-toast]").count() == 1
    assert page.locator("#cart-badge").inner_text() == ""
    assert again.evaluate("button => document.activeElement === button")
    page.unroute("**/cart/items")
    again.click()
    page.get_by_role("link", name="In cart", exact=True).wait_for()


@pytest.mark.parametrize("place", ["page", "drawer"])
def test_rule_06_what_was_removed_comes_back_to_its_place(visit: Any, bazaar: Bazaar, place: str) -> None:
    page = visit("/")
    page.clock.install()
    _add(page, *bazaar.courses)
    if place == "page":
        page.goto("/cart")
        lines = page.locator("#cart_contents .row__title")
    else:
        page.locator("#cart_link").click()
        lines = page.locator("#cart_panel .row__title")
    lines.first.wait_for()
    assert lines.all_inner_texts() == ["Ink and paper", "Paper and ink"]
    page.get_by_role("button", name="Remove “Ink and paper”").focus()
    page.keyboard.press("Enter")
    undo = page.locator("#toasts").get_by_role("button", name="Undo")
    undo.wait_for()
    assert lines.all_inner_texts() == ["Paper and ink"]
    # The same deed, one row on.
    wait_for(lambda: "Paper and ink" in (page.evaluate("document.activeElement.ariaLabel") or ""), 5, "the focus")
    page.clock.run_for(9000)
    assert undo.is_visible()
    undo.click()
    lines.nth(1).wait_for()
    assert lines.all_inner_texts() == ["Ink and paper", "Paper and ink"]
    wait_for(lambda: "Ink and paper" in (page.evaluate("document.activeElement.ariaLabel") or ""), 5, "the focus")
    assert page.locator("#cart-badge").inner_text().startswith("2")
    page.get_by_role("button", name="Remove “Ink and paper”").click()
    undo.wait_for()
    page.clock.run_for(10500)
    assert undo.count() == 0


def test_rule_06_without_javascript_too(visit: Any, bazaar: Bazaar) -> None:
    page = visit(bazaar.courses[0], js=False)
    for course in bazaar.courses:
        page.goto(course)
        page.get_by_role("button", name="Add to cart").click()
    page.get_by_role("button", name="Remove “Ink and paper”").click()
    page.get_by_text("“Ink and paper” was removed.").wait_for()
    page.get_by_role("button", name="Undo").click()
    assert _titles(page) == ["Ink and paper", "Paper and ink"]


def test_rule_06_what_left_in_the_drawer_may_be_added_on_the_page(visit: Any, bazaar: Bazaar) -> None:
    page = visit("/")
    _add(page, bazaar.courses[0])
    page.locator("#cart_link").click()
    page.get_by_role("button", name="Remove “Ink and paper”").click()
    page.locator("#cart_panel").get_by_text("Your cart is empty").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Add to cart").click()
    page.get_by_role("link", name="In cart", exact=True).wait_for()


def test_rule_07_the_cart_says_all_and_asks_for_no_number(visit: Any, bazaar: Bazaar) -> None:
    page = visit("/")
    _add(page, *bazaar.courses)
    page.goto("/cart")
    words = page.locator("main").inner_text()
    for said in ("Ink and paper", "Ada Brandt", "$12.00", "$7.00", "Tax is worked out at checkout.", "Total", "$19.00"):
        assert said in words
    assert page.locator("main input:visible, main select").count() == 0


def test_rule_09_an_unconfirmed_buyer_is_told_before_the_payment(visit: Any, bazaar: Bazaar) -> None:
    page = visit("/", who="Dana")
    _add(page, bazaar.courses[1])
    page.goto("/cart")
    assert page.get_by_role("button", name="Go to payment").count() == 0
    before = len(bazaar.shop.mailbox.to("dana.rules@example.org"))
    page.get_by_role("button", name="Send the link again").click()
    page.get_by_text("A new mail is on its way").wait_for()
    wait_for(lambda: len(bazaar.shop.mailbox.to("dana.rules@example.org")) > before, 30, "the mail")


def test_rule_10_and_11_paying_twice_in_a_hurry_and_changing_ones_mind(visit: Any, bazaar: Bazaar) -> None:
    page = visit("/", who="Ben")
    _add(page, *bazaar.courses)
    page.goto("/cart")
    asked: list[str] = []

    def slowly(route: Any) -> None:
        asked.append(route.request.url)
        page.wait_for_timeout(500)
        route.continue_()

    page.route("**/checkout", slowly)
    pay = page.get_by_role("button", name="Go to payment")
    pay.dblclick(no_wait_after=True)
    assert pay.is_disabled()
    page.wait_for_url(re.compile("/c/pay/"))
    assert len(asked) == 1
    page.locator("a[href*='/cart']").first.click()
    page.get_by_text("Nothing was charged").wait_for()
    assert _titles(page) == ["Ink and paper", "Paper and ink"]
    page.unroute("**/checkout")
    page.get_by_role("button", name="Go to payment").click()
    page.wait_for_url(re.compile("/c/pay/"))
    page.goto("/orders")
    assert page.locator("main .row").count() == 1, "the same order, the same session"


def test_rule_12_and_13_the_way_back_from_the_payment_is_not_believed(visit: Any, bazaar: Bazaar) -> None:
    page = visit("/orders", who="Ben")
    order = page.locator("main a[href^='/orders/']").first.get_attribute("href")
    page.goto(f"{order}/thanks?session_id=cs_test_of_somebody_else")
    status = page.locator("#payment_status")
    status.get_by_text("Confirming your payment").first.wait_for()
    assert status.get_attribute("aria-live") == "polite"
    with page.expect_response(f"**{order}/status"):
        pass
    words = page.locator("main").inner_text()
    assert "Payment received" not in words
    assert "a receipt goes to ben.rules@example.org" in words, "nobody has to wait here"
    assert re.search(r"Order CH-\S+", words)
    page.goto("/cart")
    page.get_by_role("button", name="Go to payment").click()
    people.pay(page)
    page.wait_for_url(re.compile("/orders/.*/thanks"))
    page.get_by_text("Payment received").wait_for()
    mine = page.url
    before = len(bazaar.shop.mailbox.to("ben.rules@example.org"))
    for _ in range(2):
        page.reload()
        page.get_by_text("Payment received").wait_for()
    page.goto("/orders")
    assert page.locator("main .row").count() == 1
    assert len([one for one in bazaar.shop.mailbox.to("ben.rules@example.org") if "eceipt" in str(one["Subject"])]) <= 1
    assert before >= 1
    others = visit("/", who="Dana")
    assert others.goto(mine).status == 404


def test_rule_14_the_receipt_says_first_what_matters_first(visit: Any) -> None:
    page = visit("/orders", who="Ben")
    order = page.locator("main a[href^='/orders/']").first.get_attribute("href")
    page.goto(f"{order}/thanks")
    words = page.locator("main").inner_text()
    told = [
        "Payment received",
        "Order CH-",
        "Read",
        "Download",
        "The receipt is on its way to ben.rules@example.org",
        "Payment receipt",
        "What happens next",
        "24 hours",
        "5 downloads",
        "your money back",
    ]
    places = [words.find(one) for one in told]
    assert -1 not in places, words
    assert places == sorted(places), words
    source = page.request.get(f"{order}/thanks").text()
    assert source.index('id="related"') > source.index("What happens next"), "others come last, and by themselves"


def test_rule_15_the_library_says_what_each_course_still_gives(visit: Any, bazaar: Bazaar) -> None:
    page = visit("/library", who="Ben")
    cards = page.locator("article.owned")
    assert cards.count() == 2
    for card in cards.all():
        words = card.inner_text()
        assert "Version 1" in words and "5 of 5 downloads left" in words
        assert card.get_by_role("link", name="Read").count() == 1
        assert card.get_by_role("link", name="Download").count() == 1
    cards.first.get_by_role("link", name="Download").click()
    with page.expect_download(), page.expect_request(re.compile("/d/")) as asked:
        page.get_by_role("button", name="Download PDF").click()
    page.goto("/library")
    words = page.locator("main").inner_text()
    assert "4 of 5 downloads left · link valid until" in words
    with psycopg.connect(database_of(bazaar.shop)) as connection:
        connection.execute("UPDATE download_grants SET expires_at = now() - interval '1 hour'")
    page.goto(asked.value.url)
    page.get_by_role("button", name="Get a new link").wait_for()


def test_rule_16_orders_speak_like_people(visit: Any) -> None:
    page = visit("/orders", who="Ben")
    words = page.locator("main").inner_text()
    assert "Downloaded" in words
    assert not re.search(r"[a-z]_[a-z0-9]", page.locator("main").inner_text())


@pytest.mark.parametrize("js", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_rule_17_a_failed_form_says_what_and_where(visit: Any, js: bool) -> None:
    page = visit("/account/register", js=js)
    page.get_by_label("Name").fill("Ben")
    page.get_by_label("E-mail").first.fill("no address")
    with page.expect_response("**/account/register") as answer:
        page.get_by_role("button", name="Create account").click()
    assert answer.value.status == 422
    summary = page.locator("[data-error-summary]")
    summary.wait_for()
    assert page.title().startswith("Error: ")
    assert "There is a problem" in summary.inner_text()
    if js:
        assert summary.evaluate("node => document.activeElement === node")
    for link in summary.get_by_role("link").all():
        target = page.locator(str(link.get_attribute("href")))
        described = page.locator(f"#{target.get_attribute('aria-describedby').split()[-1]}")
        assert described.inner_text().strip() == link.inner_text().strip()
    assert page.get_by_label("Name").input_value() == "Ben"
    assert page.get_by_label("E-mail").first.input_value() == "no address"


def test_rule_18_labels_are_seen_and_fields_know_what_they_are(visit: Any) -> None:
    page = visit("/account/register")
    mail, password = page.get_by_label("E-mail").first, page.get_by_label("Password", exact=True)
    assert (mail.get_attribute("type"), mail.get_attribute("autocomplete")) == ("email", "username")
    assert password.get_attribute("autocomplete") == "new-password"
    page.get_by_role("button", name="Show password").first.click()
    assert password.get_attribute("type") == "text"
    password.focus()
    page.evaluate("document.execCommand('insertText', false, 'pasted in one go')")
    assert password.input_value() == "pasted in one go"
    for address, who in (
        ("/login", ""),
        ("/account", "Ben"),
        ("/studio/courses/new", "Ada"),
        ("/account/password", "Ben"),
    ):
        other = visit(address, who=who)
        fields = other.locator("main :is(input, textarea, select):visible:not([tabindex='-1'])")
        for index in range(fields.count()):
            one = fields.nth(index)
            labels = one.evaluate("node => [...node.labels].map((label) => [label.checkVisibility(), label.innerText])")
            assert labels and all(seen and words.strip() and "*" not in words for seen, words in labels), address
    assert "(optional)" in visit("/studio/courses/new", who="Ada").locator("main").inner_text()
    assert visit("/login").get_by_label("Password", exact=True).get_attribute("autocomplete") == "current-password"


def test_rule_19_nobody_is_scolded_before_they_have_answered(visit: Any) -> None:
    page = visit("/account/register")
    create = page.get_by_role("button", name="Create account")
    assert create.is_enabled()
    for _ in range(12):
        page.keyboard.press("Tab")
    assert page.locator(".field__error, [aria-invalid=true]").count() == 0
    create.click()
    page.locator(".field__error").first.wait_for()
    assert page.get_by_role("button", name="Create account").is_enabled()


def test_rule_20_the_way_to_a_course_can_be_left_and_taken_up(visit: Any) -> None:
    page = visit("/studio/courses/new", who="Ada")
    page.locator("#title").fill("Quills")
    page.locator("#category").select_option("design")
    page.locator("#price").fill("3")
    page.get_by_role("button", name="Save and continue").click()
    page.wait_for_url(re.compile("/content"))
    steps = page.locator("ol.stepper > li")
    assert [text.split(",")[0].strip() for text in steps.all_inner_texts()] == [
        "Details",
        "Content",
        "Preview",
        "Publish",
    ]
    assert steps.nth(1).get_attribute("aria-current") == "step"
    steps.nth(0).get_by_role("link").click()
    page.locator("#subtitle").fill("Cut and kept")
    page.get_by_role("button", name="Save draft").click()
    page.wait_for_url(re.compile("/details"))
    page.reload()
    assert page.locator("#subtitle").input_value() == "Cut and kept"
    assert page.locator("ol.stepper > li").nth(0).get_attribute("aria-current") == "step"


def test_rule_21_what_is_missing_has_a_link_that_mends_it(visit: Any) -> None:
    page = visit("/studio/courses/new", who="Ada")
    page.locator("#title").fill("Blotting")
    page.locator("#category").select_option("design")
    page.locator("#price").fill("3")
    page.get_by_role("button", name="Save and continue").click()
    page.wait_for_url(re.compile("/content"))
    page.goto(page.url.replace("/content", "/publish"))
    checks = page.locator("ul.checks > li")
    words = " ".join(checks.all_inner_texts())
    for asked in ("PDF", "price", "e-mail", "description", "cover"):
        assert asked in words
    missing = checks.filter(has=page.get_by_role("link"))
    assert missing.count() >= 2
    for link in missing.get_by_role("link").all():
        answer = page.request.get(str(link.get_attribute("href")))
        assert answer.ok
    assert "found by search" in page.locator("#publish_form").inner_text(), "what publishing does"
    page.get_by_role("button", name="Publish", exact=True).click()
    page.locator("[data-error-summary]").wait_for()


def test_rule_23_nothing_there_is_an_invitation(visit: Any) -> None:
    for address, who in (
        ("/library", "Dana"),
        ("/orders", "Dana"),
        ("/cart", ""),
        ("/courses?q=zeppelins&language=en", ""),
    ):
        page = visit(address, who=who)
        empty = page.locator("main .empty")
        assert empty.locator("h2, h3").count() == 1, address
        assert empty.locator("p").count() == 1, address
        assert empty.locator(".btn--contained").count() == 1, address
    assert "zeppelins" in page.locator("main").inner_text()
    page.locator("main .empty").get_by_role("link", name=re.compile("Clear")).click()
    page.wait_for_url(lambda url: "language" not in url)


def test_rule_24_a_deed_that_hurts_is_asked_about(visit: Any, bazaar: Bazaar) -> None:
    page = visit(f"{bazaar.studio[1]}/publish", who="Ada")
    opener = page.locator("#ask_archived")
    opener.click()
    question = page.locator("dialog:modal")
    assert "Paper and ink" in question.inner_text()
    assert re.search(r"buyers? keeps? the course|Nobody has bought it", question.inner_text())
    assert question.get_by_role("button", name="Cancel").evaluate("button => document.activeElement === button")
    page.keyboard.press("Escape")
    question.wait_for(state="detached")
    assert opener.evaluate("node => document.activeElement === node")
    opener.click()
    question.get_by_role("button", name="Cancel").click()
    visit(bazaar.courses[1]).get_by_role("button", name="Add to cart").wait_for()


# Where each Tab leads: every stop can be seen, has a ring and is big enough to hit.
STOP = """() => {
  const node = document.activeElement;
  if (!node || node === document.body) return null;
  // A card's link reaches as far as what it lays over the card.
  const over = getComputedStyle(node, "::after");
  const isCover = over.content !== "none" && over.position === "absolute";
  const box = (isCover ? node.offsetParent : node.closest("label") ?? node).getBoundingClientRect();
  const near = [node, node.parentElement, node.nextElementSibling].filter(Boolean);
  const styles = [...near.map((one) => getComputedStyle(one)), getComputedStyle(node, "::after")];
  const outlined = (style) => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
  const ring = styles.some((style) => outlined(style) || style.boxShadow.includes("inset"));
  node.dataset.reached = "";
  const inText = getComputedStyle(node).display === "inline";
  return {html: node.outerHTML.slice(0, 120), ring, small: !inText && (box.width < 24 || box.height < 24)};
}"""

MOST_STOPS = 120
UNREACHED = """() => {
  const controls = "a[href], button, input:not([type=hidden]), select, textarea, summary";
  const isStop = (one) => one.checkVisibility({visibilityProperty: true}) && one.tabIndex >= 0 && !one.disabled;
  const isLoneRadio = (one) => one.type === "radio" && !one.checked;
  const all = [...document.querySelectorAll(controls)];
  const left = all.filter((one) => isStop(one) && !one.closest("dialog:not([open])") && !isLoneRadio(one));
  return left.filter((one) => !("reached" in one.dataset)).map((one) => one.outerHTML.slice(0, 120));
}"""


@pytest.mark.parametrize("address", ["/", "/courses", "course", "/cart", "/account/register"])
def test_rule_25_tab_reaches_everything_with_a_ring(visit: Any, bazaar: Bazaar, address: str) -> None:
    page = visit(bazaar.courses[0] if address == "course" else address)
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")  # what comes when it is seen has come
    page.wait_for_timeout(300)
    page.wait_for_load_state("networkidle")
    page.evaluate("scrollTo(0, 0)")
    page.keyboard.press("Tab")
    assert "skip-link" in page.evaluate("document.activeElement.className"), "the first stop skips to the content"
    stops = []
    for _ in range(MOST_STOPS):
        stop = page.evaluate(STOP)
        if stop is None:
            break
        stops.append(stop)
        page.keyboard.press("Tab")
    assert len(stops) > 5
    assert [stop["html"] for stop in stops if not stop["ring"]] == []
    assert [stop["html"] for stop in stops if stop["small"]] == []
    assert len(stops) == MOST_STOPS or page.evaluate(UNREACHED) == []


def test_rule_25_without_javascript_ben_browses_buys_and_reads(visit: Any, bazaar: Bazaar) -> None:
    page = visit("/courses", who="Ben", js=False)
    for address, words in (
        ("/courses?q=ink", "Ink and paper"),
        ("/library", "Your library"),
        ("/orders", "Your orders"),
    ):
        page.goto(address)
        assert words in page.locator("main").inner_text()
    page.goto("/library")
    assert "Ink and paper" in page.locator("main").inner_text()
