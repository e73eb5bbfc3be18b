"""Readers of request parameters: each checks one value and refuses it in Stripe's words."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from . import money
from .errors import Refused, bad_parameter

Reader = Callable[[Any, str], Any]
Shape = Mapping[str, Reader]

_EMAIL = re.compile(r"[^@\s<>,;]{1,64}@[^@\s<>,;.]+(?:\.[^@\s<>,;.]+)+")
_MAX_INTEGER = 2**63 - 1


def read(given: Mapping[str, Any], shape: Shape, *, required: Sequence[str] = (), inside: str = "") -> dict[str, Any]:
    """The given parameters, each read by its reader; unknown ones and absent required ones are refused."""
    for name in given:
        if name not in shape:
            raise bad_parameter(
                f"Received unknown parameter: {_named(inside, name)}", _named(inside, name), "parameter_unknown"
            )
    for name in required:
        if name not in given:
            raise absent(_named(inside, name))
    return {name: shape[name](value, _named(inside, name)) for name, value in given.items()}


def absent(name: str) -> Refused:
    return bad_parameter(f"Missing required param: {name}.", name, "parameter_missing")


def text(maximum: int = 5000) -> Reader:
    def reader(value: Any, name: str) -> str:
        value = _leaf(value, name)
        if len(value) > maximum:
            raise bad_parameter(
                f"Invalid string: {value[:10]}…{value[-5:]}; must be at most {maximum} characters",
                name,
                "parameter_invalid_string_too_long",
            )
        return value

    return reader


def clearable(maximum: int = 5000) -> Reader:
    """Text that an empty value unsets."""

    def reader(value: Any, name: str) -> str | None:
        return None if value == "" else str(text(maximum)(value, name))

    return reader


def integer(minimum: int = 0, maximum: int = _MAX_INTEGER) -> Reader:
    def reader(value: Any, name: str) -> int:
        value = _leaf(value, name)
        if not re.fullmatch(r"-?[0-9]{1,19}", value):
            raise bad_parameter(f"Invalid integer: {value[:40]}", name, "parameter_invalid_integer")
        number = int(value)
        if number < minimum:
            kind = "non-negative integer" if minimum == 0 else f"integer of at least {minimum}"
            raise bad_parameter(f"This value must be a {kind}.", name, "parameter_invalid_integer")
        if number > maximum:
            raise bad_parameter(f"This value must be at most {maximum}.", name, "parameter_invalid_integer")
        return number

    return reader


def boolean(value: Any, name: str) -> bool:
    value = _leaf(value, name)
    if value not in ("true", "false", "1", "0"):
        raise bad_parameter(f"Invalid boolean: {value[:40]}", name)
    return value in ("true", "1")


def choice(*allowed: str) -> Reader:
    def reader(value: Any, name: str) -> str:
        value = _leaf(value, name)
        if value not in allowed:
            raise bad_parameter(f"Invalid {name}: must be one of {_either(allowed)}", name)
        return value

    return reader


def currency(value: Any, name: str) -> str:
    value = _leaf(value, name).lower()
    if value not in money.SUPPORTED:
        listed = ", ".join(sorted(money.SUPPORTED))
        raise bad_parameter(
            f"Invalid currency: {value[:20]}. Stripe currently supports these currencies: {listed}", name
        )
    return value


def url(value: Any, name: str) -> str:
    value = text(5000)(value, name)
    try:
        parts = urlsplit(value)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"\s", value)
    except ValueError:
        valid = False
    if not valid:
        raise bad_parameter("Not a valid URL", name, "url_invalid")
    return str(value)


def email(value: Any, name: str) -> str:
    value = text(800)(value, name)
    if not _EMAIL.fullmatch(value):
        raise bad_parameter(f"Invalid email address: {value}", name, "email_invalid")
    return str(value)


def is_email(value: str) -> bool:
    return len(value) <= 800 and _EMAIL.fullmatch(value) is not None


def metadata(value: Any, name: str) -> dict[str, str]:
    """An empty text stands for the removal of its key; see `merged`."""
    if value == "":
        return {}
    if not isinstance(value, dict):
        raise bad_parameter("Invalid object", name)
    if len(value) > 50:
        raise bad_parameter("Metadata can have at most 50 keys.", name)
    for key, entry in value.items():
        if len(key) > 40:
            raise bad_parameter(f"Metadata keys can be at most 40 characters long: {key[:60]}", name)
        text(500)(entry if entry != "" else "-", f"{name}[{key}]")
    return dict(value)


def merged(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in {**old, **new}.items() if value != ""}


def group(shape: Shape, *required: str) -> Reader:
    def reader(value: Any, name: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise bad_parameter("Invalid object", name)
        return read(value, shape, required=required, inside=name)

    return reader


def several(entry: Reader, maximum: int = 100) -> Reader:
    """A list, whose entries come as `name[0]`, `name[1]`, … or as `name[]`."""

    def reader(value: Any, name: str) -> list[Any]:
        if value == "":
            return []
        if not isinstance(value, dict) or not all(key.isdecimal() for key in value):
            raise bad_parameter("Invalid array", name)
        if len(value) > maximum:
            raise bad_parameter(f"Array {name} exceeded maximum {maximum} allowed elements.", name)
        ordered = sorted(value, key=int)
        return [entry(value[key], f"{name}[{key}]") for key in ordered]

    return reader


def moment(value: Any, name: str) -> dict[str, int]:
    """A filter on time: one second, or `gt`, `gte`, `lt`, `lte`."""
    if isinstance(value, dict):
        bound = integer()
        return read(value, {"gt": bound, "gte": bound, "lt": bound, "lte": bound}, inside=name)
    exact: int = integer()(value, name)
    return {"gte": exact, "lte": exact}


def anything(value: Any, name: str) -> Any:
    """For parameters that change nothing here: accepted and left unread."""
    return value


def _leaf(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise bad_parameter("Invalid string: this parameter takes a single value.", name)
    if value == "":
        raise bad_parameter(
            f"You passed an empty string for '{name}'. We assume empty values are an attempt to unset a parameter; "
            f"however '{name}' cannot be unset. You should remove '{name}' from your request or supply a non-empty "
            "value.",
            name,
            "parameter_invalid_empty",
        )
    return value


def _named(inside: str, name: str) -> str:
    name = name[:200]
    return f"{inside}[{name}]" if inside else name


def _either(allowed: Sequence[str]) -> str:
    return allowed[0] if len(allowed) == 1 else ", ".join(allowed[:-1]) + f", or {allowed[-1]}"
