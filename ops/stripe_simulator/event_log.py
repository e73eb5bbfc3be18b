"""Events in the API: retrieve one, list with Stripe's filters."""

from . import events, listing, params
from .calls import PAGING, Call, Route
from .errors import bad_parameter
from .store import Object


def retrieve(call: Call) -> Object:
    return events.present(call.tx, call.tx.get(call.id, "event"))


def index(call: Call) -> Object:
    if "type" in call.params and "types" in call.params:
        raise bad_parameter("You may only specify one of these parameters: type, types.", "types")
    types: list[str] = call.params.get("types", [])
    if "type" in call.params:
        types = [call.params["type"]]
    where: list[str] = ["kind = 'event'"]
    values: list[str] = []
    if types:
        tests = []
        for wanted in types:
            # `charge.*` stands for every type below `charge`.
            tests.append("json_extract(body, '$.type') GLOB ?" if "*" in wanted else "json_extract(body, '$.type') = ?")
            values.append(wanted)
        where.append(f"({' OR '.join(tests)})")
    if "delivery_success" in call.params:
        open_or_failed = "SELECT event_id FROM deliveries WHERE state <> 'delivered'"
        where.append(f"id {'NOT IN' if call.params['delivery_success'] else 'IN'} ({open_or_failed})")
    page = listing.selected(call, where, values)
    page["data"] = [events.present(call.tx, event) for event in page["data"]]
    return page


_TYPE = params.text(100)

ROUTES = (
    Route(
        "GET",
        "/v1/events",
        index,
        {**PAGING, "type": _TYPE, "types": params.several(_TYPE, maximum=20), "delivery_success": params.boolean},
    ),
    Route("GET", "/v1/events/{id}", retrieve),
)
