"""The cart's forms: only an id travels, and a place to come back to; prices come from the shop."""

from datetime import UTC, datetime
from uuid import UUID

from coursehub.kernel.errors import Invalid
from coursehub.kernel.ids import parse_id


def required_id(text: str | None, field: str) -> UUID:
    """The UUID in a form field. Raises Invalid."""
    found = parse_id(text or "")
    if found is None:
        raise Invalid("That form was not complete. Please go back and try again.", field=field)
    return found


def place(text: str | None) -> datetime | None:
    """When what comes back had been added, None when the field is empty or no time of ours."""
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo and found.year > 2000 else None
