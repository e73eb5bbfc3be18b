"""What templates may call: money, dates, ids of elements, safe Markdown."""

import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import nh3
from babel.dates import format_date, format_datetime, format_timedelta
from babel.numbers import format_decimal
from flask import Flask, current_app
from flask_babel import get_locale
from markdown_it import MarkdownIt
from markupsafe import Markup, escape

from coursehub.kernel import clock
from coursehub.kernel.money import Money

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
_ADDRESS = re.compile(r"\bhttps?://[^\s<>\"]+")
_LINK = Markup('<a href="{}" rel="noopener noreferrer nofollow ugc">{}</a>')
_TAGS = {
    "p", "br", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a", "h2", "h3", "h4", "hr",
    "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip


def init_app(app: Flask) -> None:
    """Register the filters and globals."""
    app.jinja_env.filters.update(
        money=money,
        day=day,
        moment=moment,
        ago=ago,
        markdown=markdown,
        linked=linked,
        filesize=filesize,
        decimal=decimal,
        whole=whole,
    )
    app.jinja_env.globals.update(dom_id=dom_id)


def _locale() -> str:
    return str(get_locale() or "en")


def money(value: Money | int, currency: str | None = None) -> str:
    """`$19.99` from Money, or from minor units and a currency."""
    amount = value if isinstance(value, Money) else Money(value, currency or "USD")
    return amount.text(_locale())


def _local(moment: datetime) -> datetime:
    return moment.astimezone(ZoneInfo(current_app.config["TIMEZONE"]))


def day(value: datetime) -> str:
    """`23 Nov 2026` in the shop's zone."""
    return format_date(_local(value).date(), "medium", locale=_locale())


def moment(value: datetime) -> str:
    """Date and time in the shop's zone."""
    return format_datetime(_local(value), "medium", locale=_locale())


def ago(value: datetime) -> str:
    """`3 hours ago`."""
    return format_timedelta(value - clock.now(), add_direction=True, locale=_locale())


def markdown(text: str) -> Markup:
    """Creator's Markdown as safe HTML: raw HTML off, then an allowlist; headings start at h2."""
    html = _MARKDOWN.render(text).replace("<h1>", "<h2>").replace("</h1>", "</h2>")
    clean = nh3.clean(
        html,
        tags=_TAGS,
        attributes={"a": {"href", "title"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow ugc",
    )
    return Markup(clean)


def linked(text: str) -> Markup:
    """Plain text of a stranger as paragraphs, its addresses as links; nothing else in it means anything."""
    paragraphs = []
    for block in re.split(r"\n{2,}", text.replace("\r\n", "\n").strip()):
        pieces, end = [], 0
        for found in _ADDRESS.finditer(block):
            address = found[0].rstrip(".,;:!?)]'")
            pieces += [escape(block[end : found.start()]), _LINK.format(address, address)]
            end = found.start() + len(address)
        pieces.append(escape(block[end:]))
        paragraphs.append(Markup("<p>{}</p>").format(Markup("").join(pieces).replace("\n", Markup("<br>"))))
    return Markup("\n").join(paragraphs)


def filesize(size: int) -> str:
    """`3.4 MB` (of 1,000,000 bytes)."""
    return f"{size / 1_000_000:.1f} MB" if size >= 1_000_000 else f"{max(1, round(size / 1000))} KB"


def decimal(value: float) -> str:
    """`4.5`, with one place after the point."""
    return format_decimal(value, "0.0", locale=_locale())


def whole(value: int) -> str:
    """`1,204`."""
    return format_decimal(value, "#,##0", locale=_locale())


def dom_id(thing: Any, prefix: str = "") -> str:
    """A stable id for the element that shows `thing`."""
    name = f"{type(thing).__name__.lower()}_{thing.id}"
    return f"{prefix}_{name}" if prefix else name
