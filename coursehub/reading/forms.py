"""What readers send: a page number, and how long ago it was turned to."""

from datetime import timedelta

from werkzeug.datastructures import MultiDict

from coursehub.kernel.errors import Invalid

_LONGEST = 10**7  # seconds


def page_asked_for(values: MultiDict[str, str]) -> int | None:
    """The page in the address; None when there is none or it is no number."""
    return _number(values.get("page", ""))


def page_to_keep(values: MultiDict[str, str]) -> int:
    """The page to remember. Raises Invalid."""
    page = _number(values.get("page", ""))
    if page is None:
        raise Invalid("Say which page to remember.", field="page")
    return page


def time_since(values: MultiDict[str, str]) -> timedelta:
    """How long ago that page was turned to; just now, when nothing sensible is said."""
    return timedelta(seconds=min(_number(values.get("seconds_ago", "")) or 0, _LONGEST))


def _number(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else None
