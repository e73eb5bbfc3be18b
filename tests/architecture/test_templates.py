"""The shapes of templates: a fragment is one element with an id, an htmx answer is made of fragments, none asks."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, before_render_template, template_rendered

from tests.architecture.template_shapes import called, includes, stray_statements, variants
from tests.browser import Browser
from tests.factories import a_course, a_purchase
from tests.payments.helpers import fill_cart

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "templates"
NAMES = sorted(path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.html"))
FRAGMENTS = [name for name in NAMES if Path(name).name.startswith("_")]
ANSWERS = [name for name in NAMES if name.endswith(".htmx.html")]

# Parts of pages: included, never sent alone, so they need not be one element with an id.
PARTS = {
    "accounts/_creator.html": "a card of the profile page",
    "accounts/_tabs.html": "the tabs above each account page",
    "admin/_act.html": "a form of staff, in several pages",
    "admin/_filters.html": "the form above each table",
    "admin/_records.html": "a table in several pages",
    "admin/_turn.html": "the links under each table",
    "admin/courses/_status.html": "a chip in rows and headings",
    "admin/customers/_status.html": "a chip in rows and headings",
    "admin/flags/_form.html": "the fields that two forms share",
    "cart/_lines.html": "the rows in drawer and page, which have the id",
    "catalog/_chapter.html": "a line of the contents",
    "catalog/_course_card.html": "a card in every grid; the same course may stand in two",
    "courses/_details_fields.html": "the fields that two forms share",
    "courses/_status.html": "a chip in rows and headings",
    "courses/_way.html": "the steps above each page of a course",
    "layouts/_account_menu.html": "part of the frame",
    "layouts/_appbar.html": "part of the frame",
    "layouts/_flashes.html": "part of the frame",
    "layouts/_footer.html": "part of the frame",
    "library/_filter.html": "the form above two lists",
    "library/_search.html": "the box above two lists",
    "library/_tabs.html": "the tabs above each page of the library",
    "orders/_status.html": "a chip in rows and headings",
    "reviews/_words.html": "who said what, in the list and apart",
    "studio/_nav.html": "the links in the studio's bar",
}

# What a template may call: components, translation, addresses, and the methods of plain values.
GLOBALS = {
    *("_", "gettext", "ngettext", "url_for", "dom_id", "csrf_token", "get_flashed_messages", "caller"),
    *("namespace", "dict", "range", "asset", "bundle_css", "bundle_js", "cover_tone", "ui"),
    "cover",  # makes an address out of a course at hand
}
METHODS = {
    *(".items", ".get", ".values", ".keys", ".append", ".format", ".isoformat", ".join"),
    *(".split", ".splitlines", ".startswith", ".endswith", ".replace", ".strip", ".lower", ".upper"),
    *("._value", ".iter_choices"),  # a WTForms field's own
    *(".at", ".picture"),  # addresses within a book at hand
}


def source(name: str) -> str:
    return (TEMPLATES / name).read_text()


@pytest.fixture(scope="module")
def sent_alone() -> set[str]:
    """Fragments that reach a browser without a page around them: named by Python, or part of an htmx answer."""
    python = "\n".join(path.read_text() for path in (ROOT / "coursehub").rglob("*.py"))
    named = set(re.findall(r'"([a-z_/]+/_[a-z_]+\.html)"', python))
    return named | {fragment for answer in ANSWERS for fragment in includes(source(answer))}


def test_there_are_fragments_and_answers() -> None:
    assert len(FRAGMENTS) > 20 and len(ANSWERS) >= 3


@pytest.mark.parametrize("name", [name for name in FRAGMENTS if name not in PARTS])
def test_a_fragment_is_one_element_with_an_id(name: str) -> None:
    for roots in variants(source(name)):
        shown = [root for root in roots if root.what != "text"] or roots
        assert len(roots) <= 1, f"{[root.what for root in roots]} stand side by side"
        assert all(root.has_id for root in shown), f"<{shown[0].what}> has no id"


def test_a_fragment_sent_alone_is_no_part(sent_alone: set[str]) -> None:
    assert sent_alone & set(PARTS) == set()


def test_the_list_of_parts_is_true() -> None:
    """Each is there, is included somewhere, and would break the rule."""
    included = {part for name in NAMES for part in includes(source(name))}
    for name in PARTS:
        assert name in FRAGMENTS and name in included
        assert any(len(roots) != 1 or not roots[0].has_id for roots in variants(source(name))), f"{name} keeps the rule"


def test_every_fragment_is_used(sent_alone: set[str]) -> None:
    included = {part for path in TEMPLATES.rglob("*") if path.is_file() for part in _mentions(path)}
    assert set(FRAGMENTS) <= sent_alone | included


def _mentions(path: Path) -> set[str]:
    return set(re.findall(r'["\']([a-z_/]+/_[a-z_]+\.html)["\']', path.read_text()))


@pytest.mark.parametrize("name", ANSWERS)
def test_an_htmx_answer_consists_of_includes(name: str) -> None:
    assert stray_statements(source(name)) == []
    assert includes(source(name)) <= set(FRAGMENTS)


@pytest.mark.parametrize("name", NAMES)
def test_a_template_calls_components_and_plain_values_only(name: str) -> None:
    strange = {
        found for found in called(source(name)) if not found.startswith("ui.") and found not in GLOBALS | METHODS
    }
    assert strange == set()


def test_components_are_never_imported() -> None:
    for path in TEMPLATES.rglob("*.html"):
        assert not re.search(r"\{%-?\s*(import|from)\s", path.read_text()), path


def test_no_template_has_inline_script_style_or_handlers() -> None:
    for path in TEMPLATES.rglob("*.html"):
        if "emails" in path.parts:
            continue
        text = re.sub(r"\{#.*?#\}", "", path.read_text(), flags=re.S)
        assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*ld\+json)|<style\b|\sstyle=|\son[a-z]+=|\shx-on", text), (
            path
        )
        assert "|safe" not in text.replace(" ", ""), path


def test_rendering_asks_the_database_nothing(app: Flask, ada: Any, ben: Any, queries: Any) -> None:
    """What a page shows is known before its template begins."""
    course = a_course(by=ada)
    owned = a_course(by=ada, title="Watercolour Skies")
    a_purchase(owned, by=ben)
    fill_cart(ben, course)
    bens, adas = Browser(app).as_(ben), Browser(app).as_(ada)
    visits = [
        *((Browser(app), path) for path in ("/", "/courses", f"/courses/{course.slug}", "/cart", "/login", "/terms")),
        *((bens, path) for path in ("/", f"/courses/{course.slug}", "/cart", "/orders", "/library", "/account")),
        *((bens, path) for path in ("/account/sessions", "/account/mail")),
        *((bens, path) for path in (f"/read/{owned.id}", "/reading/recent", "/library/search?q=margin")),
        *((adas, f"/studio{path}") for path in ("", "/sales", "/courses/new")),
        *(
            (adas, f"/studio/courses/{course.id}{path}")
            for path in ("/details", "/content", "/preview", "/publish", "/versions")
        ),
    ]
    asked: dict[str, list[str]] = {}
    with queries() as seen, _while_rendering(app, seen.statements, asked):
        for browser, path in visits:
            assert browser.get(path).status == 200, path
    assert len(asked) >= 15, f"only {sorted(asked)} were rendered"
    assert {name: statements for name, statements in asked.items() if statements} == {}


@contextmanager
def _while_rendering(app: Flask, statements: list[str], asked: dict[str, list[str]]) -> Iterator[None]:
    """Collects what was asked between the beginning and the end of each template."""
    begun: list[int] = []

    def begin(_app: Flask, **_more: Any) -> None:
        begun.append(len(statements))

    def end(_app: Flask, template: Any, **_more: Any) -> None:
        asked.setdefault(template.name, []).extend(statements[begun.pop() :])

    with before_render_template.connected_to(begin, app), template_rendered.connected_to(end, app):
        yield


def test_the_shapes_are_read_rightly() -> None:
    """The control of everything above."""
    assert [[root.has_id for root in way] for way in variants('<p id="a">{{ x }}</p>')] == [[True]]
    assert len(variants("<p>a</p><p>b</p>")[0]) == 2
    assert variants('{% for x in xs %}<li id="{{ x }}">a</li>{% endfor %}')[0][0].what == "li"
    assert len(variants('{% for x in xs %}<li id="{{ x }}">a</li>{% endfor %}')[0]) == 2
    assert not variants("{% if a %}<p id='x'></p>{% else %}<p></p>{% endif %}")[1][0].has_id
    assert variants('{% call ui.poll("x", url) %}<p></p>{% endcall %}')[0][0].has_id
    assert not variants("{{ ui.card(title) }}")[0][0].has_id
    assert stray_statements('{% include "a.html" %}<b>') == ["<b>"]
    assert stray_statements("{% if x %}{{ y }}{% endif %}") == ["{{ … }}"]
    assert called("{{ course.versions.filter_by(x=1).all() }}") == {".filter_by", ".all"}
