"""What an endpoint of the API is given, and how it is listed in the route table."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from . import params
from .config import Config
from .store import Object, Transaction


@dataclass(frozen=True)
class Call:
    """One authorised API request inside its transaction; `public_url` is the address that browsers use."""

    tx: Transaction
    config: Config
    public_url: str
    params: dict[str, Any]
    path: str
    id: str = ""


@dataclass(frozen=True)
class Route:
    method: str
    pattern: str
    endpoint: Callable[[Call], Object]
    shape: params.Shape = field(default_factory=dict)
    required: tuple[str, ...] = ()

    def match(self, path: str) -> str | None:
        """The id in the path, an empty text where the route has none, None where it does not match."""
        found = re.fullmatch(self.pattern.replace("{id}", r"(?P<id>[A-Za-z0-9_]{1,255})"), path)
        return None if found is None else found.groupdict().get("id", "")


EXPAND = params.several(params.text(500), maximum=20)
PAGING: params.Shape = {
    "limit": params.integer(1, 100),
    "starting_after": params.text(255),
    "ending_before": params.text(255),
    "created": params.moment,
}
