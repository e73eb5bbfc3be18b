"""The frame of every page, and the few pieces they share."""

import time
from html import escape
from urllib.parse import urlsplit

from .web import Reply

e = escape


def page(
    title: str, body: str, *, status: int = 200, kind: str = "checkout", leads_to: tuple[str | None, ...] = ()
) -> Reply:
    """`leads_to` are the addresses that a form of this page may end at after redirects."""
    text = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="robots" content="noindex">\n'
        f"<title>{e(title)}</title>\n"
        '<link rel="icon" href="/static/icon.svg" type="image/svg+xml">\n'
        '<link rel="stylesheet" href="/static/simulator.css">\n'
        f'</head>\n<body class="{kind}">\n{body}\n</body>\n</html>\n'
    )
    targets = " ".join(["'self'", *sorted({origin for origin in map(_origin, leads_to) if origin})])
    policy = (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action {targets}"
    )
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }
    return Reply(status, text.encode(), headers)


def when(timestamp: float) -> str:
    moment = time.gmtime(timestamp)
    machine, human = time.strftime("%Y-%m-%dT%H:%M:%SZ", moment), time.strftime("%d %b %Y, %H:%M:%S", moment)
    return f'<time datetime="{machine}">{human} UTC</time>'


def day(timestamp: float) -> str:
    return time.strftime("%d %B %Y", time.gmtime(timestamp))


def _origin(address: str | None) -> str | None:
    parts = urlsplit(address or "")
    if parts.scheme not in ("http", "https") or not parts.netloc or any(mark in parts.netloc for mark in "; ,'\""):
        return None
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
