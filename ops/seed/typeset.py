"""A demo course as a book: its Markdown as HTML, its style, its fonts; PdfWorkshop.typeset makes pages of them."""

import html
import re
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

_FONTS = Path(__file__).parents[2] / "static" / "vendor" / "fonts"
_COVER = "course:cover"


@dataclass(frozen=True)
class Typesetting:
    """What the typesetter takes: the text, its style, and everything the two may ask for."""

    html: str
    css: str
    resources: dict[str, tuple[str, bytes]]


@dataclass(frozen=True)
class _Face:
    family: str
    file: str
    style: str
    weights: str = "100 900"


# A serif for long reading where it is installed, else the family of the shop itself.
_FACES = (
    _Face("Course Sans", "inter-latin.woff2", "normal"),
    _Face("Course Sans", "inter-latin-italic.woff2", "italic"),
    _Face("Course Serif", "source-serif-latin.woff2", "normal", "200 900"),
    _Face("Course Serif", "source-serif-latin-italic.woff2", "italic", "200 900"),
)


def as_pages(
    title: str, subtitle: str, author: str, accent: str, description: str, text: str, cover: bytes
) -> Typesetting:
    """The whole book. `text` has its chapters as `#` headings."""
    faces = [face for face in _FACES if (_FONTS / face.file).is_file()]
    resources = {_COVER: ("image/png", cover)}
    resources |= {f"course:font/{face.file}": ("font/woff2", (_FONTS / face.file).read_bytes()) for face in faces}
    chapters = _chapters(text)
    body = _front(title, subtitle, author, description, chapters) + "".join(chapter.html for chapter in chapters)
    page = _DOCUMENT.format(title=html.escape(title), author=html.escape(author), body=body)
    return Typesetting(page, _style(faces, accent, title), resources)


@dataclass(frozen=True)
class _Chapter:
    number: int
    title: str
    html: str


def _chapters(text: str) -> list[_Chapter]:
    chapters = []
    for number, part in enumerate(re.split(r"^# ", text, flags=re.MULTILINE)[1:], start=1):
        title, _, body = part.partition("\n")
        opening = f'<header class="opening"><p class="number">Chapter {number}</p><h1>{_inline(title)}</h1></header>'
        content = _MARKDOWN.render(body)
        # Two page names in turn: each chapter begins a group of pages, and the first of a group has no running head.
        kind = "chapter odd" if number % 2 else "chapter even"
        chapters.append(
            _Chapter(number, title, f'<section class="{kind}" id="chapter-{number}">{opening}{content}</section>')
        )
    return chapters


def _front(title: str, subtitle: str, author: str, description: str, chapters: list[_Chapter]) -> str:
    first = description.split("\n\n")[0]
    entries = "".join(
        f'<li><a href="#chapter-{chapter.number}"><span class="entry">{_inline(chapter.title)}</span></a></li>'
        for chapter in chapters
    )
    return (
        f'<section class="cover"><img src="{_COVER}" alt="Cover: {html.escape(title)}"></section>'
        f'<section class="title"><p class="author">{html.escape(author)}</p><p class="name">{_inline(title)}</p>'
        f'<p class="subtitle">{_inline(subtitle)}</p><div class="about">{_MARKDOWN.render(first)}</div>'
        f'<nav class="contents"><h2 class="label">Contents</h2><ol>{entries}</ol></nav>'
        f'<p class="imprint">First edition. © 2026 {html.escape(author)}. For your own use; please do not pass it on.'
        "</p>"
        "</section>"
    )


def _inline(text: str) -> str:
    return _MARKDOWN.renderInline(text)


def _fence(_self: object, tokens: list[Token], index: int, _options: object, _env: object) -> str:
    """Code; or, where it is marked as `figure`, a drawing of ours with its caption."""
    token = tokens[index]
    kind, _, caption = token.info.partition(" ")
    if kind == "figure":
        # The drawing speaks to those who see it, the caption to everybody.
        drawing = _VIEW_BOX.sub(_with_size, token.content, count=1)
        return f'<figure><div class="drawing">{drawing}</div><figcaption>{_inline(caption)}</figcaption></figure>'
    return f"<pre><code>{html.escape(token.content.rstrip())}</code></pre>"


def _with_size(view_box: re.Match[str]) -> str:
    """A drawing gets its size in print from its own proportions."""
    width, height = float(view_box[1]), float(view_box[2])
    return f'{view_box[0]} width="{_DRAWING_WIDTH}mm" height="{_DRAWING_WIDTH * height / width:.2f}mm"'


_DRAWING_WIDTH = 101
_VIEW_BOX = re.compile(r'viewBox="0 0 (\d+) (\d+)"')

_MARKDOWN = MarkdownIt("commonmark", {"html": False, "typographer": True}).enable(
    ["table", "replacements", "smartquotes"]
)
_MARKDOWN.add_render_rule("fence", _fence)

_DOCUMENT = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<meta name="author" content="{author}">
<meta name="dcterms.created" content="2026-01-01T00:00:00Z">
<meta name="dcterms.modified" content="2026-01-01T00:00:00Z">
</head>
<body>{body}</body>
</html>
"""


def _style(faces: list[_Face], accent: str, title: str) -> str:
    families = {face.family for face in faces}
    sans = ("'Course Sans', " if "Course Sans" in families else "") + "'DejaVu Sans', sans-serif"
    has_serif = "Course Serif" in families
    prose = "'Course Serif', serif" if has_serif else sans
    has_italic = any(face.style == "italic" and face.family in prose for face in faces)
    rules = "".join(
        f"@font-face {{ font-family: '{face.family}'; font-style: {face.style}; font-weight: {face.weights};"
        f" src: url(course:font/{face.file}) format('woff2'); }}\n"
        for face in faces
    )
    values = {
        "sans": sans,
        "prose": prose,
        "accent": accent,
        "title": title.replace("\\", "").replace('"', "\\22 "),
        "size": "10.2pt" if has_serif else "9.5pt",
        "leading": "1.5" if has_serif else "1.57",
        "align": "justify" if has_serif else "left",
        # Without a true italic, a stronger upright is the better emphasis than a slanted one.
        "emphasis": "font-style: italic" if has_italic else "font-style: normal; font-weight: 600",
    }
    style = _STYLE
    for name, value in values.items():
        style = style.replace(f"<{name}>", value)
    return rules + style


# 150 by 200 mm: the shape of the covers, and a comfortable line on a tablet.
_STYLE = """
@page {
  size: 150mm 200mm;
  margin: 22mm 19mm 21mm 21mm;
  font-family: <sans>;
  @top-left { content: "<title>"; font: 500 6.8pt <sans>; color: #6b6b70; vertical-align: bottom; padding-bottom: 5mm }
  @top-right { content: string(chapter); font: 500 6.8pt <sans>; color: #6b6b70; vertical-align: bottom;
    padding-bottom: 5mm }
  @bottom-right { content: counter(page); font: 600 7.6pt <sans>; color: <accent>; vertical-align: top;
    padding-top: 6mm }
}
@page cover { margin: 0; @top-left { content: none } @top-right { content: none } @bottom-right { content: none } }
@page front { @top-left { content: none } @top-right { content: none } @bottom-right { content: none } }
@page :nth(1 of odd), :nth(1 of even) { margin-top: 27mm; @top-left { content: none } @top-right { content: none } }

html { font: 400 <size>/<leading> <prose>; color: #1c1c20; font-variant-numeric: oldstyle-nums; hyphens: auto }
body { margin: 0 }
p { margin: 0 0 0.62em; text-align: <align>; orphans: 2; widows: 2 }
a { color: inherit; text-decoration: none }
strong { font-weight: 700 }
em { <emphasis> }

.cover { page: cover; break-after: page }
.cover img { display: block; width: 150mm; height: 200mm }

.title { page: front; break-after: page; position: relative; height: 156mm }
.title .author { font: 600 8pt/1.3 <sans>; color: <accent>; text-align: left; margin: 0 0 3mm }
.title .name { font: 800 25pt/1.08 <sans>; letter-spacing: -0.02em; text-align: left; margin: 0 0 3mm; hyphens: none }
.title .subtitle { font: 400 11pt/1.35 <sans>; color: #55555c; text-align: left; margin: 0; hyphens: none }
.title .about { margin: 9mm 0 0; padding: 4.5mm 0 0; border-top: 0.6pt solid #d8d5cf; font-size: 0.95em }
.contents { margin-top: 7mm }
.contents .label { font: 700 7.4pt/1 <sans>; color: <accent>; margin: 0 0 2.6mm; bookmark-level: none }
.contents ol { margin: 0; padding: 0; list-style: none; counter-reset: entry }
.contents li { counter-increment: entry; margin: 0; padding: 1.45mm 0; border-bottom: 0.4pt solid #e6e3dd;
  font: 500 8.8pt/1.35 <sans>; hyphens: none }
.contents a::before { content: counter(entry); display: inline-block; width: 5mm; color: <accent>; font-weight: 700 }
.contents a::after { content: target-counter(attr(href), page); float: right; color: #6b6b70;
  font-variant-numeric: tabular-nums lining-nums }

.title .imprint { position: absolute; left: 0; bottom: 0; margin: 0; font: 400 6.8pt/1.4 <sans>; color: #8a8a90 }

.chapter { break-before: page }
.chapter.odd { page: odd }
.chapter.even { page: even }
.opening { margin: 0 0 9mm; padding: 0 0 6mm; border-bottom: 1.6pt solid <accent> }
.opening .number { font: 700 7.8pt/1 <sans>; color: <accent>; margin: 0 0 3.2mm; text-align: left }
.opening h1 { font: 800 20pt/1.12 <sans>; letter-spacing: -0.018em; margin: 0; hyphens: none;
  string-set: chapter content(text); bookmark-level: 1 }
.opening + p { font-size: 1.13em; line-height: 1.48; color: #34343a; margin-bottom: 1em }
h2 { font: 700 11.4pt/1.25 <sans>; letter-spacing: -0.008em; margin: 1.55em 0 0.45em; break-after: avoid;
  hyphens: none; bookmark-level: 2 }
h3 { font: 700 9.2pt/1.3 <sans>; margin: 1.3em 0 0.3em; break-after: avoid; color: <accent>; bookmark-level: none }

ul, ol { margin: 0 0 0.8em; padding: 0 0 0 5.2mm }
li { margin: 0 0 0.28em }
li p { margin: 0 0 0.3em }
li::marker { color: <accent>; font-family: <sans>; font-weight: 700; font-size: 0.92em }

blockquote { margin: 1.1em 0; padding: 3.2mm 4.4mm 2.6mm; border-left: 2.2pt solid <accent>; background: #f5f3ee;
  break-inside: avoid }
blockquote p { text-align: left; font: 400 8.5pt/1.5 <sans> }
blockquote p:last-child { margin-bottom: 0.2em }
blockquote strong:first-child { color: <accent> }

pre { margin: 0.9em 0 1.1em; padding: 3mm 3.6mm; background: #f3f3f5; border: 0.5pt solid #dfdfe4; border-radius: 1.4mm;
  font: 7.2pt/1.5 'DejaVu Sans Mono', monospace; white-space: pre-wrap; hyphens: none; break-inside: avoid }
code { font-family: 'DejaVu Sans Mono', monospace; font-size: 0.84em; hyphens: none }
pre code { font-size: 1em }

table { width: 100%; border-collapse: collapse; margin: 1em 0 1.2em; font: 400 8pt/1.4 <sans>; hyphens: none;
  break-inside: avoid; font-variant-numeric: tabular-nums lining-nums }
th { text-align: left; font-weight: 700; color: <accent>; border-bottom: 1pt solid <accent>;
  padding: 1.2mm 2mm 1.2mm 0 }
td { border-bottom: 0.4pt solid #e0ddd6; padding: 1.25mm 2mm 1.25mm 0; vertical-align: top }

figure { margin: 1.2em 0 1.3em; break-inside: avoid }
figure .drawing { padding: 4mm; background: #faf8f4; border: 0.5pt solid #e6e2da; border-radius: 1.4mm }
figure svg { display: block; margin: 0 auto }
figcaption { font: 400 7.6pt/1.45 <sans>; color: #5c5c63; margin-top: 2mm }
"""
