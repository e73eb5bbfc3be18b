"""Licence keys: one for each purchase, readable aloud, impossible to guess or to count up."""

from coursehub.kernel.ids import short_code


def new_key() -> str:
    """A key such as `7K3QP-X2M9C-…`: 20 letters of 31, 99 bits."""
    return short_code(4, 5)
