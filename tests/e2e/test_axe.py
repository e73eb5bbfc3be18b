"""Every page, for everyone who may see it, on a desk and under a finger, in light and dark.

axe finds nothing, nothing scrolls sideways, and whatever a finger means to hit is large enough.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from coursehub.infra.pdf import PdfWorkshop
from tests.e2e import people
from tests.e2e.conftest import ROOT, Shop
from tests.e2e.database import database_of, environment_of

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
TEMPLATES = ROOT / "templates"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# What the colours of the page decide; all other rules give the same answer in both schemes.
COLOUR_RULES = ["color-contrast", "link-in-text-block"]
PLACES: dict[str, dict[str, Any]] = {
    "a desk": {"width": 1440, "schemes": ("light", "dark")},
    "a phone": {"width": 360, "schemes": ("dark", "light"), "has_touch": True, "is_mobile": True},
}
NARROWEST = 320

# A colour on its way to the other scheme is none to measure; what inherits it sets out a frame later.
SETTLED = """async () => {
  const frame = () => new Promise(requestAnimationFrame);
  const passing = () => document.getAnimations().filter((each) => each.effect.getComputedTiming().endTime !== Infinity);
  await frame();
  await frame();
  const pause = () => new Promise((done) => setTimeout(done, 100));  // what is paused never finishes
  for (let left = 50; left && passing().length; left -= 1) {
    await Promise.race([Promise.allSettled(passing().map((each) => each.finished)), pause()]);
    await frame();
  }
}"""

# What reaches past the edge, leaving out what scrolls inside a frame of its own.
OVERHANGING = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  const framed = (node) => {
    for (let up = node.parentElement; up && up !== document.body; up = up.parentElement) {
      if (getComputedStyle(up).overflowX !== "visible") return true;
    }
    return false;
  };
  const over = (node) => node.getBoundingClientRect().right > width + 0.5;
  const out = [...document.querySelectorAll("body *")].filter((node) => over(node) && !framed(node));
  return [`${document.documentElement.scrollWidth} px`, ...out.slice(0, 3).map((node) => node.outerHTML.slice(0, 120))];
}"""


# One h1, a way past the frame, a title and a language.
SHAPE = """() => {
  const heads = [...document.querySelectorAll("h1")].filter((one) => one.checkVisibility());
  const skips = document.querySelector('a.skip-link[href="#main"]') && document.getElementById("main");
  return [
    heads.length === 1 ? "" : `${heads.length} h1`,
    skips ? "" : "no skip link",
    document.title.replace("CourseHub", "").length > 3 ? "" : `the title is only ${document.title}`,
    document.documentElement.lang ? "" : "no language",
  ].filter(Boolean);
}"""

# Whatever a finger means to hit: 44 by 44, with its label, and with what a card's link lays over the card. Links within
# a sentence are as high as the sentence.
TOO_SMALL = """() => {
  const FINGER = 43.5;
  const controls = "a[href], button, input:not([type=hidden]), select, textarea, summary, [role=button]";
  const seen = (one) => {
    const box = one.getBoundingClientRect();
    return one.checkVisibility({visibilityProperty: true}) && box.width > 1 && box.height > 1;
  };
  const inSentence = (one) => {
    if (getComputedStyle(one).display !== "inline") return false;
    const around = [...one.parentElement.childNodes].filter((near) => near !== one);
    return around.some((near) => near.textContent.trim().length > 1);
  };
  const target = (one) => {
    const boxes = [one, ...(one.labels ?? [])].map((each) => each.getBoundingClientRect());
    const over = getComputedStyle(one, "::after");
    if (over.content !== "none" && over.position === "absolute") boxes.push(one.offsetParent.getBoundingClientRect());
    const control = one.matches("input, select, textarea") && one.closest(".field__control, .rating-input__star");
    if (control) boxes.push(control.getBoundingClientRect());
    const side = (of, name) => of(...boxes.map((box) => box[name]));
    const width = side(Math.max, "right") - side(Math.min, "left");
    return {width, height: side(Math.max, "bottom") - side(Math.min, "top")};
  };
  const skipped = ".skip-link, [disabled], dialog:not([open]) *, .textLayer *, [tabindex='-1']";
  const open = document.querySelector("dialog:modal") ?? document;
  return [...open.querySelectorAll(controls)]
    .filter((one) => seen(one) && !one.matches(skipped) && !inSentence(one))
    .map((one) => [target(one), one])
    .filter(([box]) => box.width < FINGER || box.height < FINGER)
    .map(([box, one]) => `${Math.round(box.width)}x${Math.round(box.height)} ${one.outerHTML.slice(0, 140)}`);
}"""


@dataclass
class Stage:
    """A shop with something to see on every page, and the people who see it."""

    shop: Shop
    cookies: dict[str, list[Any]] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Visit:
    """One page as one of `WHO` sees it: its template, its address with {places}, and what to do there first."""

    template: str
    who: str
    address: str
    first: Callable[[Any], None] = lambda page: None


WHO = ("a passer-by", "a newcomer", "a buyer", "a creator", "an admin")


def _ask_for_a_new_password(page: Any) -> None:
    page.get_by_label("E-mail").first.fill("nobody@example.org")
    page.locator("main button[type=submit]").click()
    page.get_by_role("heading", level=1).wait_for()
    page.wait_for_function("!document.querySelector('main input[name=email]')")


def _register_badly(page: Any) -> None:
    page.get_by_label("E-mail").first.fill("no address")
    page.get_by_role("button", name="Create account").click()
    page.locator("[data-error-summary]").wait_for()


def _open_the_cart(page: Any) -> None:
    page.get_by_role("button", name="Add to cart").click()
    page.get_by_role("link", name="In cart", exact=True).wait_for()
    page.locator("#cart_link").click()
    page.locator("#cart_panel").wait_for()


def _open_the_light_box(page: Any) -> None:
    page.get_by_role("link", name="Page 2").click()
    page.locator("#lightbox img").wait_for()


def _look_inside(page: Any) -> None:
    page.locator("#look_q").fill("space")
    page.locator("#look_button").click()
    page.locator(".look__snippet").wait_for()


def _wish_for_it(page: Any) -> None:
    page.get_by_role("button", name="wishlist").click()
    page.get_by_role("button", name="On your wishlist").wait_for()
    page.goto("/wishlist")


def _edit_the_review_badly(page: Any) -> None:
    page.locator("#my_review summary").click()
    page.evaluate("for (const star of document.querySelectorAll('#review_form [type=radio]')) star.checked = false")
    page.locator("#send_review").click()
    page.locator("[data-error-summary]").wait_for()


def _begin_a_reply(page: Any) -> None:
    page.get_by_role("link", name="Reply", exact=True).first.click()
    page.locator("#review_reply").wait_for()


def _reply_on_a_page(page: Any) -> None:
    page.goto(page.get_by_role("link", name="Reply", exact=True).first.get_attribute("href"))


def _open_the_menu(page: Any) -> None:
    page.locator(".appbar__end summary").click()


def _read_the_numbers(page: Any) -> None:
    page.locator(".bars__numbers summary").click()


def _ask_to_archive(page: Any) -> None:
    page.locator("#ask_archived").click()
    page.locator("#confirm_archived").wait_for()


def _put_away_and_undo(page: Any) -> None:
    page.get_by_role("button", name="Archive “Margins”").click()
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Archive “Margins”").wait_for()


def _open_the_book(page: Any) -> None:
    page.locator("#reader[data-state=ready]").wait_for()


def _open_its_contents(page: Any) -> None:
    _open_the_book(page)
    page.locator("#reader_panel_button").click()
    page.locator("#reader_panel").wait_for()


def _send_nothing(page: Any) -> None:
    page.get_by_role("button", name="Upload", exact=True).click()
    page.locator("[data-error-summary]").wait_for()


VISITS = [
    Visit("catalog/home.html", "a passer-by", "/"),
    Visit("catalog/index.html", "a passer-by", "/courses"),
    Visit("catalog/index.html", "a passer-by", "/courses?q=" + "endless" * 30),
    Visit("catalog/show.html", "a passer-by", "{course}"),
    Visit("catalog/show.html", "a passer-by", "{course}", _open_the_cart),
    Visit("catalog/show.html", "a passer-by", "{course}", _open_the_light_box),
    Visit("catalog/show.html", "a passer-by", "{course}", _look_inside),
    Visit("catalog/look.html", "a passer-by", "{course}/look-inside?q=space"),
    Visit("catalog/related.html", "a passer-by", "{course}/related"),
    Visit("reviews/index.html", "a passer-by", "{course}/reviews"),
    Visit("cart/show.html", "a passer-by", "/cart"),
    Visit("catalog/creator.html", "a passer-by", "{author}"),
    Visit("accounts/sign_in.html", "a passer-by", "/login"),
    Visit("accounts/register.html", "a passer-by", "/account/register"),
    Visit("accounts/register.html", "a passer-by", "/account/register", _register_badly),
    Visit("accounts/forgotten.html", "a passer-by", "/account/forgotten"),
    Visit("accounts/forgotten_sent.html", "a passer-by", "/account/forgotten", _ask_for_a_new_password),
    Visit("accounts/reset.html", "a passer-by", "/account/reset?token=stale"),
    Visit("accounts/confirm.html", "a passer-by", "/account/verify?token=stale"),
    Visit("mail/unsubscribe.html", "a passer-by", "{unsubscribe}"),
    Visit("mail/mailbox.html", "a passer-by", "/dev/mail"),
    Visit("mail/captured.html", "a passer-by", "{mail}"),
    Visit("pages/terms.html", "a passer-by", "/terms"),
    Visit("pages/privacy.html", "a passer-by", "/privacy"),
    Visit("pages/cookies.html", "a passer-by", "/cookies"),
    Visit("pages/theme.html", "a passer-by", "/theme"),
    Visit("pages/offline.html", "a passer-by", "/offline"),
    Visit("errors/404.html", "a passer-by", "/nowhere"),
    Visit("errors/405.html", "a passer-by", "/checkout"),
    Visit("accounts/verify.html", "a newcomer", "/account/verify"),
    Visit("cart/show.html", "a newcomer", "/cart"),
    Visit("catalog/wishlist.html", "a newcomer", "/wishlist"),
    Visit("catalog/wishlist.html", "a newcomer", "{course}", _wish_for_it),
    Visit("reading/refused.html", "a newcomer", "/read/{course_id}"),
    Visit("reading/recent.html", "a newcomer", "/reading/recent"),
    Visit("reading/search.html", "a newcomer", "/library/search?q=margin"),
    Visit("catalog/show.html", "a buyer", "{course}"),
    Visit("reviews/index.html", "a buyer", "{course}/reviews"),
    Visit("reviews/index.html", "a buyer", "{course}/reviews", _edit_the_review_badly),
    Visit("reading/show.html", "a buyer", "/read/{course_id}", _open_the_book),
    Visit("reading/show.html", "a buyer", "/read/{course_id}?page=2&q=margin", _open_its_contents),
    Visit("reading/recent.html", "a buyer", "/reading/recent"),
    Visit("reading/search.html", "a buyer", "/library/search?q=margin"),
    Visit("library/index.html", "a buyer", "/library"),
    Visit("library/index.html", "a buyer", "/library", _put_away_and_undo),
    Visit("library/archived.html", "a buyer", "/library/archived"),
    Visit("library/files.html", "a buyer", "/library/files"),
    Visit("library/files.html", "a buyer", "/library/files", _send_nothing),
    Visit("library/show_file.html", "a buyer", "{file}"),
    Visit("library/show.html", "a buyer", "{purchase}"),
    Visit("library/link_ended.html", "a buyer", "{ended}"),
    Visit("orders/index.html", "a buyer", "/orders"),
    Visit("orders/show.html", "a buyer", "{order}"),
    Visit("orders/thanks.html", "a buyer", "{order}/thanks"),
    Visit("accounts/profile.html", "a buyer", "/account"),
    Visit("accounts/email.html", "a buyer", "/account/email"),
    Visit("accounts/confirm_email.html", "a buyer", "/account/email/confirm?token=stale"),
    Visit("accounts/password.html", "a buyer", "/account/password"),
    Visit("accounts/sessions.html", "a buyer", "/account/sessions"),
    Visit("mail/preferences.html", "a buyer", "/account/mail"),
    Visit("studio/teach.html", "a buyer", "/studio"),
    Visit("studio/home.html", "a creator", "/studio"),
    Visit("studio/home.html", "a creator", "/studio", _open_the_menu),
    Visit("studio/home.html", "a creator", "/studio", _read_the_numbers),
    Visit("studio/home.html", "a creator", "/studio?q=nothing"),
    Visit("studio/sales.html", "a creator", "/studio/sales"),
    Visit("accounts/profile.html", "a creator", "/account"),
    Visit("catalog/show.html", "a creator", "{course}?as=buyer"),
    Visit("catalog/show.html", "a creator", "{course}", _begin_a_reply),
    Visit("reviews/reply.html", "a creator", "{course}", _reply_on_a_page),
    Visit("courses/new.html", "a creator", "/studio/courses/new"),
    Visit("courses/details.html", "a creator", "{draft}/details"),
    Visit("courses/content.html", "a creator", "{draft}/content"),
    Visit("courses/preview.html", "a creator", "{draft}/preview"),
    Visit("courses/publish.html", "a creator", "{draft}/publish"),
    Visit("courses/details.html", "a creator", "{published}/details"),
    Visit("courses/content.html", "a creator", "{published}/content"),
    Visit("courses/preview.html", "a creator", "{published}/preview"),
    Visit("courses/publish.html", "a creator", "{published}/publish"),
    Visit("courses/publish.html", "a creator", "{published}/publish", _ask_to_archive),
    Visit("courses/versions.html", "a creator", "{published}/versions"),
    Visit("admin/dashboard.html", "an admin", "/admin"),
    Visit("admin/orders/index.html", "an admin", "/admin/orders"),
    Visit("admin/orders/show.html", "an admin", "/admin{order}"),
    Visit("admin/customers/index.html", "an admin", "/admin/customers"),
    Visit("admin/customers/show.html", "an admin", "{customer}"),
    Visit("admin/courses/index.html", "an admin", "/admin/courses"),
    Visit("admin/courses/show.html", "an admin", "/admin/courses/{course_id}"),
    Visit("admin/flags/index.html", "an admin", "/admin/flags"),
    Visit("admin/flags/show.html", "an admin", "/admin/flags/reader.dark_paper"),
    Visit("admin/system.html", "an admin", "/admin/system"),
    Visit("admin/job.html", "an admin", "/admin/system/jobs/{job}"),
    Visit("admin/audit.html", "an admin", "/admin/audit"),
]

# Walked elsewhere, or one sheet with other words that only a broken shop shows.
ELSEWHERE = {"pages/styleguide.html"} | {
    f"errors/{code}.html" for code in (400, 403, 409, 413, 422, 429, 500, 503, "maintenance")
}


def test_no_page_is_left_out() -> None:
    pages = {
        str(path.relative_to(TEMPLATES))
        for path in TEMPLATES.rglob("*.html")
        if '{% extends "layouts/' in path.read_text("utf-8") and path.parent.name != "layouts"
    }
    assert pages == {visit.template for visit in VISITS} | ELSEWHERE


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("who", WHO)
def test_pages_are_accessible_and_fit(stage: Stage, window: Callable[..., Any], who: str, place: str) -> None:
    options = dict(PLACES[place])
    width, schemes = options.pop("width"), options.pop("schemes")
    page = window(width=width, **options)
    page.context.add_cookies(stage.cookies.get(who, []))
    page.add_init_script(path=AXE)
    problems: list[str] = []
    for visit in (visit for visit in VISITS if visit.who == who):
        address = visit.address.format(**stage.places)
        page.emulate_media(color_scheme=schemes[0], reduced_motion="reduce")
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(address)
        visit.first(page)
        page.evaluate(SETTLED)
        found = [*_violations(page, RULES), *page.evaluate(OVERHANGING), *page.evaluate(SHAPE)]
        page.emulate_media(color_scheme=schemes[1], reduced_motion="reduce")
        page.evaluate(SETTLED)
        found += [f"{schemes[1]}: {said}" for said in _violations(page, COLOUR_RULES)]
        if "has_touch" in options:
            found += [f"too small for a finger: {said}" for said in page.evaluate(TOO_SMALL)]
            page.set_viewport_size({"width": NARROWEST, "height": 800})
            found += [f"at {NARROWEST}: {said}" for said in page.evaluate(OVERHANGING)]
        problems += [f"{address} on {place}: {said}" for said in found]
    assert not problems, "\n".join(problems)


def test_what_left_the_cart_can_be_put_back_from_the_drawer(stage: Stage, window: Callable[..., Any]) -> None:
    """The offer stands above the open drawer, in reach of pointer and Tab; the focus never falls off the page."""
    page = window(width=390)
    page.goto(stage.places["course"])
    _open_the_cart(page)
    page.get_by_role("button", name="Remove “Margins”").click()
    page.locator("#cart_panel").get_by_text("Your cart is empty").wait_for()
    page.wait_for_function("document.activeElement.closest('#cart_drawer')")
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent").strip() == "Undo":
            break
    else:
        raise AssertionError("Tab never reached the offer")
    page.get_by_role("button", name="Undo").click()
    page.locator("#cart_panel").get_by_role("link", name="Margins").wait_for()
    page.locator("#cart-badge", has_text="1").wait_for()
    page.keyboard.press("Escape")
    page.wait_for_function("document.activeElement.id === 'cart_link'")


def _violations(page: Any, rules: list[str]) -> list[str]:
    # What pdf.js draws is its own.
    run = "rules => axe.run({exclude: ['.pdfViewer']}, {runOnly: rules, resultTypes: ['violations']})"
    found = page.evaluate(run, rules)["violations"]
    return [f"{each['id']}: {node['html'][:160]}" for each in found for node in each["nodes"]]


@pytest.fixture(scope="module")
def stage(shop: Shop, chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Ada's draft and published course, Ben who owns it, a newcomer without a confirmed address, Root."""
    pdf = tmp_path_factory.mktemp("axe") / "margins.pdf"
    chapters = "".join(f"<h1>Margin {n}</h1><p>White space of page {n}.</p>" for n in range(1, 5))
    page_of_text = f"<html lang=en><title>Margins</title><body>{chapters}</body></html>"
    pdf.write_bytes(PdfWorkshop().typeset(page_of_text, {}, "h1 { break-before: page }"))
    contexts: list[Any] = []

    def sit_down() -> Any:
        contexts.append(chromium.new_context(base_url=shop.address))
        contexts[-1].set_default_timeout(60_000)
        return contexts[-1].new_page()

    ready = Stage(shop)
    for who, act in (("a creator", _ada), ("a buyer", _ben), ("a newcomer", _newcomer), ("an admin", _root)):
        page = sit_down()
        act(page, ready, pdf)
        ready.cookies[who] = page.context.cookies()
    for context in contexts:
        context.close()
    yield ready


def _ada(page: Any, stage: Stage, pdf: Path) -> None:
    page.goto("/account/register")
    people.register(page, stage.shop, "Ada Brandt", "ada.axe@example.org")
    people.become_creator(page)
    stage.places["course"] = people.upload_and_publish(page, pdf, title="Margins", price="0", js=True)
    stage.places["published"] = page.url.split("/publish")[0].removeprefix(stage.shop.address)
    stage.places["course_id"] = stage.places["published"].rsplit("/", 1)[1]
    page.goto("/studio/courses/new")
    page.locator("#title").fill("Gutters, a draft")
    page.locator("#category").select_option("design")
    page.locator("#price").fill("7")
    page.get_by_role("button", name="Save and continue").click()
    page.wait_for_url(re.compile("/content"))
    stage.places["draft"] = page.url.split("/content")[0].removeprefix(stage.shop.address)
    page.goto(stage.places["course"])
    stage.places["author"] = page.locator("main a[href^='/creators/']").first.get_attribute("href")


def _ben(page: Any, stage: Stage, pdf: Path) -> None:
    page.goto("/account/register")
    people.register(page, stage.shop, "Ben Okafor", "ben.axe@example.org")
    page.goto(stage.places["course"])
    page.get_by_role("button", name="Add to cart").click()
    page.get_by_role("link", name="In cart", exact=True).wait_for()
    page.goto("/cart")
    page.get_by_role("button", name="Get it free").click()
    page.wait_for_url(re.compile("/orders/.*/thanks"))
    people.wait_for_text(page, "Your courses are in your library", js=True)
    stage.places["order"] = page.url.split("/thanks")[0].removeprefix(stage.shop.address)
    page.goto("/library")
    stage.places["purchase"] = page.locator("main .owned__title a").first.get_attribute("href")
    stage.places["ended"] = _a_link_that_has_ended(page, stage)
    page.goto("/library/files")
    page.set_input_files("input[type=file]", str(pdf))
    page.get_by_role("button", name="Upload", exact=True).click()
    page.get_by_role("link", name="Read “Margins”").wait_for()
    stage.places["file"] = page.locator("main .owned__title a").first.get_attribute("href")
    sold = stage.shop.mailbox.text(stage.shop.mail_to("ada.axe@example.org", "Margins"))
    link = re.search(r"/mail/unsubscribe/\S+", sold)
    assert link, sold
    stage.places["unsubscribe"] = link[0]
    page.goto("/dev/mail")
    stage.places["mail"] = page.locator("main a[href^='/dev/mail/']").first.get_attribute("href")
    page.goto(stage.places["course"])
    page.locator("#review_rating-4").check(force=True)
    page.locator("#review_text").fill("White space, and what it is for.")
    page.locator("#send_review").click()
    page.locator("#my_review").wait_for()


def _a_link_that_has_ended(page: Any, stage: Stage) -> str:
    page.goto(stage.places["purchase"])
    with page.expect_download(), page.expect_request(re.compile("/d/")) as asked:
        page.get_by_role("button", name="Download PDF").click()
    with psycopg.connect(database_of(stage.shop)) as connection:
        connection.execute("UPDATE download_grants SET expires_at = now() - interval '1 hour'")
    return str(asked.value.url).removeprefix(stage.shop.address)


def _newcomer(page: Any, stage: Stage, _pdf: Path) -> None:
    page.goto("/account/register")
    page.get_by_label("Name").fill("Cleo Duarte")
    page.get_by_label("E-mail", exact=False).first.fill("cleo.axe@example.org")
    page.get_by_label("Password", exact=True).fill(people.PASSWORD)
    page.get_by_role("button", name="Create account").click()
    page.get_by_role("heading", name="Confirm your e-mail address").wait_for()


def _root(page: Any, stage: Stage, _pdf: Path) -> None:
    environment = {**os.environ, **environment_of(stage.shop)}
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "coursehub", "create-admin", "root.axe@example.org"]
    subprocess.run(
        [*command, "--password-file", "-"], cwd=ROOT, env=environment, input=people.PASSWORD, text=True, check=True
    )
    page.goto("/login")
    page.get_by_label("E-mail", exact=False).first.fill("root.axe@example.org")
    page.get_by_label("Password", exact=True).fill(people.PASSWORD)
    page.locator("main").get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/login" not in url)
    page.goto("/admin/flags")
    page.locator("#name").fill("reader.dark_paper")
    page.locator("#enabled").check()
    page.locator("#reason").fill("A look at it")
    page.locator("main form button[type=submit]").last.click()
    page.locator("#confirm_dialog [data-confirm-yes]").click()
    page.get_by_text("reader.dark_paper").first.wait_for()
    page.goto("/admin/customers")
    stage.places["customer"] = page.get_by_role("link", name="Ben Okafor").first.get_attribute("href")
    stage.places["job"] = _a_job_that_gave_up(database_of(stage.shop))


def _a_job_that_gave_up(database_url: str) -> str:
    with psycopg.connect(database_url) as connection:
        row = connection.execute(
            "INSERT INTO failed_jobs (id, event_id, actor, queue, payload, attempts, error)"
            " VALUES (gen_random_uuid(), gen_random_uuid(), 'email.send', 'email.send.q', '{}', 5, 'No mail server')"
            " RETURNING id"
        ).fetchone()
    assert row
    return str(row[0])
