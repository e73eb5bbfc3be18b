"""A request as read from the socket, and the reply that goes back."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote


@dataclass(frozen=True)
class Request:
    """Header names are in lower case; `public_url` is the address that browsers use."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    public_url: str

    def form(self) -> dict[str, str]:
        """A plain HTML form; unreadable bytes become question marks rather than errors."""
        pairs = parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=100)
        return {name: value[:2000] for name, value in pairs}

    def comes_from_another_site(self) -> bool:
        """Whether a browser says that a page of somebody else sent this."""
        return self.headers.get("sec-fetch-site", "none") not in ("none", "same-origin")


@dataclass
class Reply:
    """`reset` breaks the connection instead of answering."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    reset: bool = False


def json_reply(status: int, body: Any, headers: dict[str, str] | None = None) -> Reply:
    text = json.dumps(body, indent=2).encode()
    return Reply(status, text, {"Content-Type": "application/json", "Cache-Control": "no-store", **(headers or {})})


def redirect(address: str) -> Reply:
    ascii_address = quote(address, safe="%/:=&?~#+!$,;'@()*[]")
    return Reply(303, b"", {"Location": ascii_address, "Cache-Control": "no-store"})
