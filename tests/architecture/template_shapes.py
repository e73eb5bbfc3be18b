"""Reads templates without rendering them: their roots, their statements, what they call."""

from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser

from jinja2 import Environment, nodes

_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
# Components whose first argument is their id.
FIRST_IS_ID = {"poll", "lazy", "dialog", "drawer", "drawer_panel", "add_to_cart"}
# Components that bring their own place (`hx-swap-oob="beforeend:#toasts"`), so they need no id.
PLACES_ITSELF = {"toast", "undo"}

_environment = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)


@dataclass(frozen=True)
class Root:
    """One element (or stray text) at the top of a template."""

    what: str
    has_id: bool


def parse(source: str) -> nodes.Template:
    return _environment.parse(source)


def variants(source: str) -> list[list[Root]]:
    """The roots of the template, once for each way its `if`s may go together: first branches, second branches, …"""
    tree = parse(source)
    ways = max([1 + len(found.elif_) + 1 for found in tree.find_all(nodes.If)] or [1])
    return [_roots("".join(_sketch(tree.body, way))) for way in range(ways)]


def _sketch(body: list[nodes.Node], way: int) -> Iterator[str]:
    """The template as plain HTML: each component is an element, each other expression a word."""
    for node in body:
        if isinstance(node, nodes.Output):
            for part in node.nodes:
                if isinstance(part, nodes.TemplateData):
                    yield part.data
                else:
                    yield _component(part)
        elif isinstance(node, nodes.CallBlock):
            yield _component(node.call)
        elif isinstance(node, nodes.If):
            branches = [node.body, *(other.body for other in node.elif_), node.else_]
            yield from _sketch(branches[min(way, len(branches) - 1)], way)
        elif isinstance(node, nodes.For):
            # Twice: what a loop repeats at the top is no single root.
            yield from [*_sketch(node.body, way), *_sketch(node.body, way)]
        elif isinstance(node, nodes.With | nodes.Block | nodes.Scope):
            yield from _sketch(node.body, way)
        elif isinstance(node, nodes.Include):
            yield "<x-include></x-include>"


def _component(part: nodes.Node) -> str:
    """`{{ ui.button(…) }}` as an element; any other expression as a word (which may stand inside a tag)."""
    if not (isinstance(part, nodes.Call) and isinstance(part.node, nodes.Getattr)):
        return "word"
    owner, name = part.node.node, part.node.attr
    if not (isinstance(owner, nodes.Name) and owner.name == "ui"):
        return "word"
    named = any(given.key == "id" for given in part.kwargs) or (name in FIRST_IS_ID and bool(part.args))
    identity = ' id="given"' if named or name in PLACES_ITSELF else ""
    return f"<x-{name}{identity}></x-{name}>"


class _Top(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.depth = 0
        self.roots: list[Root] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self.depth == 0:
            self.roots.append(Root(tag, any(name == "id" for name, _ in attrs)))
        if tag not in _VOID:
            self.depth += 1

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            self.depth -= 1

    def handle_data(self, data: str) -> None:
        if self.depth == 0 and data.strip():
            self.roots.append(Root("text", False))


def _roots(html: str) -> list[Root]:
    parser = _Top()
    parser.feed(html)
    parser.close()
    return parser.roots


def stray_statements(source: str) -> list[str]:
    """What stands in the template beside includes, `set`, `with` and `if`."""
    found: list[str] = []

    def look(body: list[nodes.Node]) -> None:
        for node in body:
            if isinstance(node, nodes.Output):
                for part in node.nodes:
                    if not (isinstance(part, nodes.TemplateData) and not part.data.strip()):
                        found.append(part.data.strip() if isinstance(part, nodes.TemplateData) else "{{ … }}")
            elif isinstance(node, nodes.With):
                look(node.body)
            elif isinstance(node, nodes.If):
                for branch in (node.body, *(other.body for other in node.elif_), node.else_):
                    look(branch)
            elif not isinstance(node, nodes.Include | nodes.Assign | nodes.AssignBlock):
                found.append(type(node).__name__)

    look(parse(source).body)
    return found


def called(source: str) -> set[str]:
    """Every name and method that the template calls: `_`, `ui.button`, `.items`; not its own blocks and macros."""
    tree = parse(source)
    found = set()
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name):
            found.add(call.node.name)
        elif isinstance(call.node, nodes.Getattr):
            owner = call.node.node
            if isinstance(owner, nodes.Name) and owner.name == "self":
                continue
            component = isinstance(owner, nodes.Name) and owner.name == "ui"
            found.add(f"{'ui' if component else ''}.{call.node.attr}")
        else:
            found.add(type(call.node).__name__)
    return found - {macro.name for macro in tree.find_all(nodes.Macro)}


def includes(source: str) -> set[str]:
    """The templates that it includes by name."""
    return {
        found.template.value
        for found in parse(source).find_all(nodes.Include)
        if isinstance(found.template, nodes.Const)
    }
