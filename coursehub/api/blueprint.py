"""The API's blueprint: what every operation shares — bearer, JSON, limits, documented refusals, no caching."""

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Literal, TypeVar, cast

from flask import Response, g, make_response, request
from flask_openapi3 import APIBlueprint, Tag
from flask_openapi3.models import Schema
from pydantic import BaseModel

from coursehub.accounts import queries as people
from coursehub.accounts.models import Customer
from coursehub.api.schemas import Problem
from coursehub.kernel.db import release
from coursehub.kernel.errors import DomainError, Invalid, NotSignedIn
from coursehub.kernel.ids import parse_id
from coursehub.web import bearer
from coursehub.web.limits import limited

View = TypeVar("View", bound=Callable[..., Any])
# Whether an operation needs a bearer token, uses one when there is one, or does not look.
Needs = Literal["bearer", "optional", "nothing"]
PREFIX = "/api/v1"
REFUSALS = (400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 503)
_needs: dict[str, Needs] = {"api.show_document": "nothing"}
_takes_json: set[str] = set()


class Malformed(DomainError):
    """The body is not JSON."""

    status = 400
    title = "That request did not make sense"


class WrongContent(DomainError):
    """The body has another type than the operation takes."""

    status = 415
    title = "Wrong kind of content"


def _refusals() -> dict[str | int | HTTPStatus, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {status: {"content": {"application/problem+json": {"schema": schema}}} for status in REFUSALS}


api = APIBlueprint("api", __name__, url_prefix=PREFIX, abp_responses=_refusals())
api.components_schemas["Problem"] = Schema(**Problem.model_json_schema())
limited("api")(api)


def operation(
    method: str,
    rule: str,
    *,
    tag: str,
    answers: dict[int, type[BaseModel] | None],
    needs: Needs = "bearer",
    request_body: dict[str, Any] | None = None,
) -> Callable[[View], View]:
    """Register a view as one documented operation; `path`, `query`, `header` and `body` of it are pydantic models.

    `request_body` describes a body that the view reads by itself.
    """

    def decorate(view: View) -> View:
        endpoint = f"{api.name}.{view.__name__}"
        _needs[endpoint] = needs
        if "body" in view.__annotations__:
            _takes_json.add(endpoint)
        security: dict[Needs, list[dict[str, list[Any]]]] = {
            "bearer": [{"bearer": []}],
            "optional": [{}, {"bearer": []}],
            "nothing": [],
        }
        register = getattr(api, method)(
            rule,
            tags=[Tag(name=tag)],
            operation_id=view.__name__,
            responses=answers,
            security=security[needs],
            openapi_extensions={"requestBody": request_body} if request_body else None,
        )
        register(view)
        return view

    return decorate


def answer(body: BaseModel | None, status: int = 200) -> Response:
    """`body` as JSON, or nothing (204)."""
    if body is None:
        return make_response("", 204)
    response = make_response(body.model_dump_json(), status)
    response.headers["Content-Type"] = "application/json"
    return response


def caller() -> Customer:
    """The person whose token came with the request."""
    return cast(Customer, g.api_caller)


def visitor() -> Customer | None:
    """The same where a token is optional."""
    return cast("Customer | None", g.get("api_caller"))


@api.before_request
def know_the_caller() -> None:
    """Who asks comes first: a stranger learns nothing from what else is wrong with the request."""
    needs = _needs.get(request.endpoint or "", "bearer")
    g.api_caller = None
    if request.method == "OPTIONS" or needs == "nothing":
        return
    claims = bearer.access_claims()
    if claims is not None:
        person_id = parse_id(str(claims["sub"]))
        g.api_caller = people.find(person_id) if person_id else None
        if g.api_caller is None:
            raise NotSignedIn("This account does not exist any more.")
    elif needs == "bearer":
        raise NotSignedIn("Send an access token in the Authorization header: Bearer <token>.")
    release()  # the body may arrive slowly


@api.before_request
def read_the_body() -> None:
    """JSON is checked before the schema looks at it: what is no JSON is told apart from what does not fit."""
    key = request.headers.get("Idempotency-Key", "")
    if not (key.isascii() and key.isprintable()):
        raise Invalid("An Idempotency-Key has printable ASCII characters only.", field="Idempotency-Key")
    if request.endpoint not in _takes_json:
        return
    sent = request.get_data(cache=True)
    if not sent:
        return
    if not request.is_json:
        raise WrongContent("Send the body as application/json.")
    try:
        value = json.loads(sent)
    except (ValueError, RecursionError) as error:
        raise Malformed("The body is not valid JSON.") from error
    if not isinstance(value, dict):
        raise Invalid("Send a JSON object.", field="")


@api.after_request
def say_how_to_keep_it(response: Response) -> Response:
    """Nobody's answer is kept for somebody else, and a 401 names the way in."""
    needs = _needs.get(request.endpoint or "", "bearer")
    if "Cache-Control" not in response.headers:
        anonymous = needs != "bearer" and visitor() is None and request.method in ("GET", "HEAD")
        response.headers["Cache-Control"] = "public, max-age=0, must-revalidate" if anonymous else "private, no-store"
    response.vary.add("Authorization")
    if response.status_code == 401:
        sent = request.headers.get("Authorization", "").lower().startswith("bearer")
        response.headers["WWW-Authenticate"] = 'Bearer realm="coursehub"' + (', error="invalid_token"' if sent else "")
    return response
