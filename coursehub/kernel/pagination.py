"""Cursor pages: a list page costs the same wherever it stands."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from coursehub.kernel.errors import Invalid

T = TypeVar("T")
LONGEST = 500  # characters


@dataclass(frozen=True)
class Page(Generic[T]):
    """Rows of one page and the cursor of the next, None at the end."""

    items: Sequence[T]
    next_cursor: str | None = None


def encode_cursor(values: list[Any]) -> str:
    """An opaque cursor holding the sort values of the last row of a page."""
    return base64.urlsafe_b64encode(json.dumps(values, default=str).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, size: int) -> list[Any]:
    """The `size` sort values in `cursor`. Raises Invalid where it was not made by `encode_cursor`."""
    try:
        if len(cursor) > LONGEST:
            raise ValueError("longer than any cursor of ours")
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise Invalid("That page does not exist any more. Start again from the first one.", field="cursor") from error
    if not isinstance(values, list) or len(values) != size:
        raise Invalid("That page does not exist any more. Start again from the first one.", field="cursor")
    return values
