"""Every component says its name, keeps its promises and breaks no rule of the house."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from flask import Flask, render_template, render_template_string
from flask_wtf import FlaskForm
from jinja2 import nodes
from jinja2.exceptions import UndefinedError
from lxml import html
from wtforms import BooleanField, EmailField, IntegerField, PasswordField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length, NumberRange, Optional

from coursehub.web import components
from tests.web.bare_shop import ROOT, Viewer, build

CSS = ROOT / "static" / "css"
ERRORS = (400, 403, 404, 405, 409, 413, 422, 429, 500, 503)
LAYOUTS = ("shop", "account", "studio", "admin", "bare")

# One example of each component, as a page would call it.
CALLS = dict(
    piece.strip().split("\n", 1)
    for piece in (ROOT / "tests" / "web" / "component_calls.jinja").read_text("utf-8").split("## ")[1:]
)


class Details(FlaskForm):
    class Meta:
        csrf = False

    name = StringField("Name", [DataRequired("Enter your name"), Length(max=80)])
    email = EmailField("E-mail", [DataRequired("Enter your e-mail address")])
    password = PasswordField("Password", description="At least 10 characters.")
    about = TextAreaField("About you", [Optional()])
    copies = IntegerField("Copies", [NumberRange(min=1, max=5)], default=1)
    category = SelectField("Category", choices=[("art", "Art"), ("bread", "Bread")], default="bread")
    terms = BooleanField("I accept the terms", [DataRequired("Accept the terms")])


@pytest.fixture(scope="module")
def bare() -> Flask:
    return build()


@pytest.fixture
def shop(bare: Flask) -> Iterator[Flask]:
    with bare.test_request_context("/somewhere"):
        yield bare


def element(source: str, **values: object) -> html.HtmlElement:
    roots = html.fragments_fromstring(render_template_string(source, **values).strip())
    assert len(roots) == 1, "a component has one root element and no text beside it"
    return roots[0]


def names(node: html.HtmlElement) -> str:
    """The accessible name, near enough: the label, else the text that is not hidden from it."""
    return (node.get("aria-label") or _spoken(node)).strip()


def _spoken(node: html.HtmlElement) -> str:
    if node.get("aria-hidden") == "true":
        return ""
    return (node.text or "") + "".join(_spoken(child) + (child.tail or "") for child in node)


def test_every_component_is_tried_here(shop: Flask) -> None:
    assert sorted(CALLS) == shop.jinja_env.globals["ui"]()


def test_every_component_file_has_its_sheet() -> None:
    made = {path.stem for path in (ROOT / "templates" / "components").glob("*.html")}
    assert made <= {path.stem for path in (CSS / "components").glob("*.css")}


@pytest.mark.parametrize("name", sorted(CALLS))
def test_a_component_keeps_the_rules(shop: Flask, name: str) -> None:
    root = element(CALLS[name])
    everything = [root, *root.iterdescendants()]
    assert not root.xpath("//@style | //script | //style"), "nothing inline: the CSP would stop it"
    assert not [key for node in everything for key in node.attrib if key.startswith("on") or key.startswith("hx-on")]
    ids = [node.get("id") for node in everything if node.get("id")]
    assert len(ids) == len(set(ids))
    for attribute in ("for", "aria-describedby", "aria-labelledby", "aria-controls"):
        for node in everything:
            assert set((node.get(attribute) or "").split()) <= set(ids), f"{attribute} points at nothing"
    for node in root.xpath("descendant-or-self::button | descendant-or-self::a | descendant-or-self::summary"):
        assert names(node), f"a control without a name in {name}"
    for node in root.xpath(
        'descendant-or-self::input[not(@type="hidden")] | descendant-or-self::select | descendant-or-self::textarea'
    ):
        assert root.xpath(f'descendant-or-self::label[@for="{node.get("id")}"]'), f"a field without a label in {name}"
    for node in root.xpath("descendant-or-self::svg"):
        assert node.get("aria-hidden") == "true" or node.get("aria-label")
    for node in root.xpath("descendant-or-self::button"):
        assert node.get("type") in {"submit", "button"}


@pytest.mark.parametrize("name", sorted(CALLS))
def test_a_hostile_title_stays_text(shop: Flask, name: str) -> None:
    hostile = '"><script>alert(1)</script>'
    source = re.sub(r'"(Bread|Paid|Sales|Your cart|Orders|New|Save|Details|Edit|Overview|Studio)"', "evil", CALLS[name])
    rendered = render_template_string(source, evil=hostile)
    assert "<script>alert" not in rendered


def test_every_template_calls_components_with_arguments_they_have(shop: Flask) -> None:
    environment = shop.jinja_env
    ui = environment.globals["ui"]
    names_known = set(ui())
    wrong: list[str] = []
    for path in (ROOT / "templates").rglob("*.html"):
        for call in environment.parse(path.read_text("utf-8")).find_all(nodes.Call):
            node = call.node
            if not (isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name) and node.node.name == "ui"):
                continue
            if node.attr not in names_known:
                wrong.append(f"{path.name}:{call.lineno} no component {node.attr}")
                continue
            known = getattr(ui, node.attr).arguments
            wrong += [
                f"{path.name}:{call.lineno} {node.attr}({each.key}=)" for each in call.kwargs if each.key not in known
            ]
    assert not wrong


def test_an_unknown_component_fails_loudly(shop: Flask) -> None:
    with pytest.raises(UndefinedError):
        render_template_string('{{ ui.buton("Save") }}')


def test_a_failed_form_names_each_problem_and_keeps_what_ben_typed(shop: Flask) -> None:
    with shop.test_request_context(
        "/x", method="POST", data={"name": "", "email": "ben@", "password": "secret words", "copies": "9"}
    ):
        form = Details()
        assert not form.validate()
        source = """{% call ui.form("/x", errors=form) %}
          {{ ui.field(form.name) }}{{ ui.field(form.email, autocomplete="email") }}{{ ui.field(form.password) }}
          {{ ui.field(form.about) }}{{ ui.field(form.copies) }}{{ ui.select(form.category) }}
          {{ ui.checkbox(form.terms) }}{% endcall %}"""
        root = element(source, form=form)
        prefix = render_template_string("{{ ui.error_prefix(form) }}Account", form=form)
    assert prefix == "Error: Account"
    summary = root.xpath("//*[@data-error-summary]")[0]
    assert (summary.get("role"), summary.get("tabindex")) == ("alert", "-1")
    assert summary.xpath(".//h2/text()") == ["There is a problem"]
    for link in summary.xpath(".//a"):
        field = root.get_element_by_id(link.get("href")[1:])
        assert field.get("aria-invalid") == "true"
        assert link.text in root.get_element_by_id(field.get("aria-describedby").split()[-1]).text_content()
    assert {link.text for link in summary.xpath(".//a")} >= {"Enter your name", "Accept the terms"}
    assert root.get_element_by_id("email").get("value") == "ben@"
    assert root.get_element_by_id("email").get("type") == "email"
    assert root.get_element_by_id("name").get("maxlength") == "80"
    assert (root.get_element_by_id("copies").get("min"), root.get_element_by_id("copies").get("max")) == ("1", "5")
    assert root.xpath("//option[@selected]/@value") == ["bread"]
    assert "(optional)" in root.xpath('//label[@for="about"]')[0].text_content()
    assert "(optional)" not in root.xpath('//label[@for="email"]')[0].text_content()
    password = root.get_element_by_id("password")
    assert password.get("value") is None, "a password is never sent back"
    assert "secret words" not in html.tostring(root).decode()
    assert root.get_element_by_id("password-helper").text == "At least 10 characters."


def test_a_good_form_shows_no_summary(shop: Flask) -> None:
    data = {
        "name": "Ben",
        "email": "ben@example.com",
        "copies": "1",
        "category": "art",
        "terms": "y",
        "about": "<b>Hi</b>",
    }
    with shop.test_request_context("/x", method="POST", data=data):
        form = Details()
        assert form.validate()
        root = element('{% call ui.form("/x", errors=form) %}{{ ui.field(form.about) }}{% endcall %}', form=form)
    assert not root.xpath("//*[@data-error-summary]")
    assert root.get_element_by_id("about").text.strip() == "<b>Hi</b>"


def test_a_post_form_carries_the_token_unless_told_otherwise(shop: Flask) -> None:
    assert element('{% call ui.form("/x") %}{% endcall %}').xpath('//input[@name="csrf_token"]')
    assert not element('{% call ui.form("/x", csrf=false) %}{% endcall %}').xpath('//input[@name="csrf_token"]')
    assert not element('{% call ui.form("/x", method="get") %}{% endcall %}').xpath('//input[@name="csrf_token"]')


def test_a_finished_poll_asks_no_more(shop: Flask) -> None:
    running = element('{% call ui.poll("j", "/job", every="2s") %}x{% endcall %}')
    assert (running.get("hx-get"), running.get("hx-trigger"), running.get("hx-swap")) == (
        "/job",
        "every 2s",
        "outerMorph",
    )
    finished = element('{% call ui.poll("j", "/job", finished=true) %}x{% endcall %}')
    assert not [key for key in finished.attrib if key.startswith("hx-")]


def test_a_toast_can_travel_with_any_answer(shop: Flask) -> None:
    root = element('{{ ui.toast("In your cart", oob=true) }}')
    assert root.get("hx-swap-oob") == "beforeend:#toasts"
    assert root.xpath("count(./div[@data-toast])") == 1


def test_an_empty_cart_keeps_a_badge_to_swap(shop: Flask) -> None:
    root = element('{{ ui.badge(0, id="cart-badge", oob=true) }}')
    assert (root.get("id"), root.get("hx-swap-oob"), root.text_content()) == ("cart-badge", "true", "")
    assert element("{{ ui.badge(120) }}").text_content() == "99+"


def test_a_question_before_a_deed_starts_on_cancel(shop: Flask) -> None:
    root = element(CALLS["confirm"])
    start = root.xpath("//*[@autofocus]")
    assert [names(node) for node in start] == ["Cancel"]
    assert start[0].get("formmethod") == "dialog", "works without a script too"
    assert root.xpath('//form[@method="post"]//input[@name="csrf_token"]')


def test_only_finished_steps_lead_back(shop: Flask) -> None:
    root = element(CALLS["stepper"])
    assert root.xpath("//a/@href") == ["/1"]
    assert [names(node) for node in root.xpath('//li[@aria-current="step"]')] == ["Content"]


def test_the_pager_keeps_the_question(shop: Flask) -> None:
    root = element('{{ ui.pager(1, 3, "/courses?q=bread") }}')
    assert root.xpath("//a/@href")[-1] == "/courses?q=bread&page=2"
    assert root.xpath('//a[@aria-current="page"]')[0].text == "1"
    assert render_template_string('{{ ui.pager(1, 1, "/courses") }}').strip() == ""


def test_a_course_without_a_picture_has_a_cover_of_its_own_colour(shop: Flask) -> None:
    first = element('{{ ui.cover("Bread", seed="c1") }}').get("class")
    assert first == element('{{ ui.cover("Bread without fear", seed="c1") }}').get("class"), (
        "a new title keeps the colour"
    )
    assert 0 <= components.cover_tone("c1") < 6


def test_every_icon_used_is_in_the_sprite() -> None:
    listed = {line.strip() for line in (ROOT / "ops" / "icons.txt").read_text().splitlines()}
    used: set[str] = set()
    for path in (ROOT / "templates").rglob("*.html"):
        source = path.read_text()
        used |= set(re.findall(r"""(?<![\w-])icon=["']([a-z_-]+)["']""", source))
        used |= set(re.findall(r"""ui\.icon(?:_button)?\(["']([a-z_-]+)["']""", source))
        used |= set(re.findall(r"""["']icon["']: ["']([a-z_-]+)["']""", source))
        used |= set(re.findall(r"""ui\.error_page\(["']([a-z_-]+)["']""", source))
    assert used <= listed, f"add to ops/icons.txt: {sorted(used - listed)}"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_stands_without_any_context(shop: Flask, layout: str) -> None:
    source = (
        '{% extends "layouts/'
        + layout
        + '.html" %}{% block title %}Orders{% endblock %}{% block content %}<h1>Orders</h1>{% endblock %}'
    )
    page = html.document_fromstring(render_template_string(source))
    assert page.xpath("//title/text()") == ["Orders · CourseHub"]
    assert page.get("lang") == "en"
    assert page.get("data-theme") is None
    assert len(page.xpath("//main[@id='main']")) == 1
    assert page.xpath("//a[@class='skip-link']/@href") == ["#main"]
    assert len(page.xpath("//*[@id='toasts'][@role='status']")) == 1
    assert not page.xpath("//script[not(@src)] | //style | //@style")
    ids = page.xpath("//@id")
    assert len(ids) == len(set(ids))


def test_an_anonymous_page_carries_no_token_and_sets_no_cookie() -> None:
    app = build(show_flashes=False)
    answer = app.test_client().get("/template/pages/cookies.html")
    assert b"csrf" not in answer.data
    assert "Set-Cookie" not in answer.headers
    assert "Cookie" not in answer.headers.get("Vary", "")


def test_ada_signed_in_finds_her_places_and_the_way_out() -> None:
    app = build(viewer=Viewer(is_admin=True), cart_count=2, csrf_meta=True, theme="dark", dev_mode=True)
    page = html.document_fromstring(app.test_client().get("/template/pages/cookies.html").data)
    assert page.get("data-theme") == "dark"
    assert page.xpath("//meta[@name='csrf-token']/@content")
    places = page.xpath("//div[@class='appbar__end']//details//a/@href")
    assert set(places) == {"/library", "/orders", "/studio", "/account", "/admin"}
    assert page.xpath("//form[@action='/logout'][@method='post']//input[@name='csrf_token']")
    assert names(page.get_element_by_id("cart_link")) == "Cart2 items in cart"
    assert page.xpath("//form[@action='/theme']//button[@aria-pressed='true']/@value") == ["dark"]
    assert page.xpath("//a[@href='/dev/mail']")


def test_cleo_unconfirmed_is_told_how_to_confirm() -> None:
    app = build(viewer=Viewer("Cleo", is_creator=False, email_verified=False), csrf_meta=True)
    page = html.document_fromstring(app.test_client().get("/template/pages/cookies.html").data)
    assert page.xpath("//a[@href='/account/verify']/text()") == ["Send the link again"]
    assert "/admin" not in page.xpath("//a/@href")


@pytest.mark.parametrize("status", ERRORS)
def test_an_error_page_is_human_and_leads_on(shop: Flask, status: int) -> None:
    page = html.document_fromstring(render_template(f"errors/{status}.html"))
    assert len(page.xpath("//h1")) == 1
    assert page.xpath("//main//a[@href]"), "there is always a way on"
    assert page.xpath("//meta[@name='robots']/@content") == ["noindex"]
    told = render_template(f"errors/{status}.html", message="Ada's <b>words</b>", request_id="abc123")
    assert "Ada&#39;s &lt;b&gt;words" in told
    assert "abc123" in told


def test_an_error_for_a_fragment_is_one_toast(shop: Flask) -> None:
    root = html.fragment_fromstring(render_template("errors/_error.html", message="Sold out").split("#}")[-1].strip())
    assert root.get("hx-swap-oob") == "beforeend:#toasts"
    assert root.xpath(".//*[@data-toast-text]/text()") == ["Sold out"]


@pytest.mark.parametrize("page", ["terms", "privacy", "cookies", "theme", "styleguide"])
def test_a_page_of_ours_has_one_heading_in_order(bare: Flask, page: str) -> None:
    answer = bare.test_client().get(f"/template/pages/{page}.html")
    assert answer.status_code == 200
    levels = [
        int(node.tag[1])
        for node in html.document_fromstring(answer.data).xpath(
            "//main//*[self::h1 or self::h2 or self::h3 or self::h4]"
        )
    ]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_the_bundle_is_named_by_its_content(tmp_path: Path) -> None:
    for folder in ("css/components", "js"):
        (tmp_path / folder).mkdir(parents=True)
    for source in [*CSS.glob("*.css"), *(CSS / "components").glob("*.css"), *(ROOT / "static" / "js").glob("*.js")]:
        (tmp_path / source.relative_to(ROOT / "static")).write_bytes(source.read_bytes())
    name, content = components.stylesheet_bundle(tmp_path)
    assert re.fullmatch(r"app\.[0-9a-f]{12}\.css", name)
    assert components.stylesheet_bundle(tmp_path)[0] == name
    text = content.decode()
    assert text.index("--paper") < text.index(".btn") < text.index(".visually-hidden")
    assert "/*" not in text
    (tmp_path / "css" / "components" / "price.css").write_text(".price { color: red; }")
    assert components.stylesheet_bundle(tmp_path)[0] != name
    assert components.script_bundle(tmp_path)[0].endswith(".js")


def test_only_todays_bundle_is_served(shop: Flask) -> None:
    name = render_template_string("{{ bundle_css() }}").rsplit("/", 1)[1]
    body, media_type = components.bundle(name) or (b"", "")
    assert (media_type, b".btn" in body) == ("text/css", True)
    for wrong in ("app.0123456789ab.css", "../app.py", "app.css", ""):
        assert components.bundle(wrong) is None


def test_a_static_file_is_addressed_with_its_mark(shop: Flask) -> None:
    assert re.fullmatch(
        r"/static/img/favicon\.svg\?v=[0-9a-f]{8}", render_template_string("{{ asset('img/favicon.svg') }}")
    )
    assert render_template_string("{{ asset('img/none.svg') }}") == "/static/img/none.svg"


def _tokens(block: str) -> dict[str, str]:
    return dict(re.findall(r"(--[\w-]+):\s*([^;]+);", block))


def _themes() -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    sheet = (CSS / "tokens.css").read_text()
    light, rest = sheet.split("@media screen and (prefers-color-scheme: dark)", 1)
    system, chosen = rest.split(':root[data-theme="dark"]', 1)
    return _tokens(light), _tokens(system), _tokens(chosen.split("@media", 1)[0])


def test_dark_by_the_system_and_dark_by_choice_are_the_same() -> None:
    light, system, chosen = _themes()
    assert system == chosen
    assert set(chosen) <= set(light), "dark changes tokens, it adds none"


def _colour(text: str, under: tuple[float, float, float] = (255, 255, 255)) -> tuple[float, float, float]:
    if text.startswith("#"):
        digits = text[1:] if len(text) == 7 else "".join(digit * 2 for digit in text[1:])
        return int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)
    red, green, blue, alpha = (float(part) for part in re.findall(r"[\d.]+", text))
    share = alpha / 100
    return tuple(part * share + base * (1 - share) for part, base in zip((red, green, blue), under, strict=True))  # type: ignore[return-value]


def _contrast(front: str, back: str, page: str) -> float:
    ground = _colour(back, _colour(page))

    def light(colour: tuple[float, float, float]) -> float:
        parts = [part / 255 for part in colour]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    first, second = sorted((light(_colour(front, ground)), light(ground)), reverse=True)
    return (first + 0.05) / (second + 0.05)


_ON_PAGES = ("text", "text-secondary", "link", "error-text", "warning-text", "info-text", "success-text")
TEXTS = [
    *((text, ground) for text in _ON_PAGES for ground in ("bg", "paper", "paper-sunken", "overlay")),
    *((f"{kind}-fg", f"{kind}-bg") for kind in ("error", "warning", "info", "success")),
    ("on-primary", "primary"), ("on-primary", "primary-hover"), ("on-primary", "primary-active"),
    ("on-error", "error"), ("on-error", "error-hover"), ("link", "primary-tint-strong"), ("link", "primary-tint"),
    ("on-snackbar", "snackbar"), ("snackbar-action", "snackbar"), ("on-tooltip", "tooltip"),
]  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read_and_every_edge_seen(scheme: str) -> None:
    light, dark, _ = _themes()
    tokens = light if scheme == "light" else light | dark
    page = tokens["--paper"]
    weak = [(front, back) for front, back in TEXTS if _contrast(tokens[f"--{front}"], tokens[f"--{back}"], page) < 4.5]
    assert not weak
    edges = [(edge, ground) for edge in ("outline", "primary", "focus", "icon") for ground in ("bg", "paper")]
    assert not [pair for pair in edges if _contrast(tokens[f"--{pair[0]}"], tokens[f"--{pair[1]}"], page) < 3]
