"""The cart's forms: only an id travels; prices come from the shop."""

from uuid import UUID

from coursehub.kernel.errors import Invalid
from coursehub.kernel.ids import parse_id


def required_id(text: str | None, field: str) -> UUID:
    """The UUID in a form field. Raises Invalid."""
    found = parse_id(text or "")
    if found is None:
        raise Invalid("That form was not complete. Please go back and try again.", field=field)
    return found
