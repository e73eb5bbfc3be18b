"""Jinja outside a request: texts and MJML mails, strict about missing values, in a person's language."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from typing import Any, cast
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from flask import current_app
from flask_babel import force_locale, get_locale, gettext, ngettext
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from mjml import mjml2html

from coursehub.kernel.money import Money
from coursehub.kernel.paths import shipped
from coursehub.kernel.settings import Settings


def settings() -> Settings:
    """The running app's settings, for stories that write links (they know no request)."""
    return cast(Settings, current_app.config["SETTINGS"])


@contextmanager
def language(locale: str) -> Iterator[None]:
    """Texts, money and dates inside are in `locale`."""
    with force_locale(locale):
        yield


def render(template: str, /, **context: Any) -> str:
    """The template with `context`; `.txt` as plain text, all else escaped. Missing values raise."""
    return environment().get_template(template).render(**context)


def render_text(template: str, /, **context: Any) -> str:
    """A plain text: no trailing spaces, no more than one empty line in a row."""
    lines = "\n".join(line.rstrip() for line in render(template, **context).splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip() + "\n"


def render_mjml(template: str, /, **context: Any) -> str:
    """An MJML template as HTML that mail programs understand. Fonts are the reader's own: nothing is loaded."""
    result = mjml2html(render(template, **context), disable_comments=True, fonts={})
    # The binding answers with the HTML itself or with an object that holds it and its warnings.
    return str(getattr(result, "content", result))


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The environment; apart from the pages' one, which needs a request."""
    made = Environment(
        loader=FileSystemLoader(str(shipped("templates"))),
        autoescape=lambda name: name is None or not name.endswith(".txt"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    made.filters.update(money=money, day=day, moment=moment)
    return made


def money(cents: int, currency: str) -> str:
    """`$19.99` from minor units."""
    return Money(cents, currency).text(_locale())


def day(value: datetime | str) -> str:
    """`23 Nov 2026` in the shop's zone."""
    return format_date(_local(value).date(), "medium", locale=_locale())


def moment(value: datetime | str) -> str:
    """Date and time in the shop's zone."""
    return format_datetime(_local(value), "medium", locale=_locale())


def _local(value: datetime | str) -> datetime:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.astimezone(ZoneInfo(settings().timezone))


def _locale() -> str:
    return str(get_locale() or "en")
