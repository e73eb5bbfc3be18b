"""Lists of objects, newest first, with Stripe's filters and cursors."""

import json
from collections.abc import Mapping
from typing import Any

from .calls import Call
from .errors import bad_parameter, missing
from .store import Object

_COMPARISONS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def page(call: Call, kind: str, filters: Mapping[str, str] | None = None) -> Object:
    """`filters` says which parameter is compared with which JSON path, as `{"charge": "$.charge"}`."""
    where, values = ["kind = ?"], [kind]
    for name, path in (filters or {}).items():
        if name in call.params:
            where.append(f"json_extract(body, '{path}') = ?")
            values.append(call.params[name])
    return selected(call, where, values)


def selected(call: Call, where: list[str], values: list[Any]) -> Object:
    for name, bound in call.params.get("created", {}).items():
        where.append(f"created {_COMPARISONS[name]} ?")
        values.append(bound)
    after, before = call.params.get("starting_after"), call.params.get("ending_before")
    if after and before:
        raise bad_parameter("You can only specify one of starting_after or ending_before.", "ending_before")
    if after:
        where.append("seq < ?")
        values.append(_place(call, after, "starting_after"))
    if before:
        where.append("seq > ?")
        values.append(_place(call, before, "ending_before"))
    limit = call.params.get("limit", 10)
    order = "ASC" if before else "DESC"
    rows = call.tx.execute(
        f"SELECT body FROM objects WHERE {' AND '.join(where)} ORDER BY seq {order} LIMIT ?", (*values, limit + 1)
    ).fetchall()
    found = [json.loads(row[0]) for row in rows[:limit]]
    return of(list(reversed(found)) if before else found, call.path, has_more=len(rows) > limit)


def of(objects: list[Object], url: str, *, has_more: bool = False) -> Object:
    return {"object": "list", "data": objects, "has_more": has_more, "url": url}


def _place(call: Call, object_id: str, param: str) -> int:
    row = call.tx.execute("SELECT seq FROM objects WHERE id = ?", (object_id,)).fetchone()
    if row is None:
        raise missing("object", object_id, param)
    place: int = row[0]
    return place
