"""`/api/v1/openapi.json`: the API described for programs."""

from typing import Any

from flask import Response, current_app, jsonify

from coursehub.api.blueprint import PREFIX, api

_WEBHOOK: dict[str, Any] = {
    "tags": ["webhooks"],
    "summary": "Where Stripe delivers its events.",
    "operationId": "receive_stripe_event",
    "parameters": [{"name": "Stripe-Signature", "in": "header", "required": True, "schema": {"type": "string"}}],
    "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}},
    "security": [],
}
_BEARER = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "From POST /auth/login."}


@api.route("/openapi.json")
def show_document() -> Response:
    """The OpenAPI 3.1 document."""
    response = jsonify(document())
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


def document() -> dict[str, Any]:
    """Every operation, those outside the API's own blueprint included."""
    described: dict[str, Any] = current_app.api_doc  # type: ignore[attr-defined]
    schemas = {k: v for k, v in described["components"]["schemas"].items() if k != "ValidationErrorModel"}
    paths = {
        path: {method: _finished(one, schemas) for method, one in item.items()}
        for path, item in described["paths"].items()
    }
    refusals = {k: v for k, v in paths[f"{PREFIX}/me"]["get"]["responses"].items() if k >= "400"}
    paths[f"{PREFIX}/webhooks/stripe"] = {"post": _WEBHOOK | {"responses": {"200": {"description": "OK"}} | refusals}}
    return {
        **described,
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {**described["components"], "schemas": schemas, "securitySchemes": {"bearer": _BEARER}},
    }


def _finished(operation: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """The operation with plain text, and a body that may be left out where every field of it may be."""
    finished = dict(operation)
    if "description" in finished:
        finished["description"] = finished["description"].replace("<br/>", "\n").strip()
    content = finished.get("requestBody", {}).get("content", {})
    name = content.get("application/json", {}).get("schema", {}).get("$ref", "").rpartition("/")[2]
    if name:
        finished["requestBody"] = {**finished["requestBody"], "required": bool(schemas[name].get("required"))}
    return finished
