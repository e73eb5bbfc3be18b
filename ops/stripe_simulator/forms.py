"""Stripe's form encoding: `line_items[0][price_data][currency]=usd` to nested dictionaries and back to names."""

import re
from typing import Any
from urllib.parse import parse_qsl

from .errors import bad_parameter

MAX_FIELDS = 2_000
MAX_DEPTH = 8

_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_PART = re.compile(r"\[([^\[\]]*)\]")


def parse(encoded: bytes) -> dict[str, Any]:
    """Nested dictionaries with text at the leaves; a list is a dictionary whose keys are its indexes.

    Whether `x[1]` is a list entry or a metadata key named "1" is for the reader of the parameter to know.
    """
    try:
        pairs = parse_qsl(
            encoded.decode("utf-8"),
            keep_blank_values=True,
            encoding="utf-8",
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
    except UnicodeDecodeError:
        raise bad_parameter("Invalid UTF-8 in the request's parameters.") from None
    except ValueError:
        raise bad_parameter(f"The request has more than {MAX_FIELDS} parameters.") from None
    tree: dict[str, Any] = {}
    for name, value in pairs:
        _place(tree, name, value)
    return tree


def _place(tree: dict[str, Any], name: str, value: str) -> None:
    path = _path(name)
    branch = tree
    for part in path[:-1]:
        child = branch.setdefault(_index(branch, part), {})
        if not isinstance(child, dict):
            raise bad_parameter(f"Invalid parameter: {name[:200]} is both a value and a group.", name[:200])
        branch = child
    leaf = _index(branch, path[-1])
    if isinstance(branch.get(leaf), dict):
        raise bad_parameter(f"Invalid parameter: {name[:200]} is both a value and a group.", name[:200])
    branch[leaf] = value


def _path(name: str) -> list[str]:
    match = _NAME.fullmatch(name)
    if match is None:
        raise bad_parameter(f"Invalid parameter name: {name[:200]}", name[:200])
    path = [match[1], *_PART.findall(match[2])]
    if len(path) > MAX_DEPTH:
        raise bad_parameter(f"The parameter {name[:200]} is nested too deeply.", name[:200])
    return path


def _index(branch: dict[str, Any], part: str) -> str:
    return part or str(len(branch))
