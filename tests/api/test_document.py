"""The document that programs are written from: every promised path, every refusal, nothing that is not there."""

import re
from typing import Any

import pytest

from tests.api.program import Program

# The public interface: other people's scripts call these.
PROMISED = [
    "POST /auth/register",
    "POST /auth/verify",
    "POST /auth/login",
    "POST /auth/refresh",
    "POST /auth/logout",
    "GET /me",
    "PUT /me",
    "POST /me/creator",
    "GET /me/purchases",
    "GET /courses",
    "POST /courses",
    "GET /courses/{id}",
    "PUT /courses/{id}",
    "POST /courses/{id}/upload",
    "GET /courses/{id}/versions",
    "POST /courses/{id}/versions",
    "GET /courses/{id}/pdf",
    "GET /courses/{id}/reviews",
    "POST /courses/{id}/reviews",
    "GET /cart",
    "POST /cart/items",
    "DELETE /cart/items/{id}",
    "POST /checkout/session",
    "POST /webhooks/stripe",
    "GET /orders",
    "GET /orders/{id}",
    "POST /orders/{id}/download",
]
REFUSALS = {"400", "401", "403", "404", "405", "409", "413", "415", "422", "429", "503"}
PUBLIC = {
    "POST /auth/register",
    "POST /auth/verify",
    "POST /auth/login",
    "POST /auth/refresh",
    "POST /auth/logout",
    "GET /courses",
    "GET /courses/{id}",
    "GET /courses/{id}/reviews",
    "GET /courses/{id}/versions",
    "POST /webhooks/stripe",
}


def operations(document: Any) -> dict[str, Any]:
    """`GET /courses/{id}` → operation."""
    return {
        f"{method.upper()} {re.sub(r'{[^}]*}', '{id}', path.removeprefix('/api/v1'))}": operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }


@pytest.fixture
def document(program: Program) -> Any:
    return program.get("/openapi.json").expect(200).json


def test_every_promised_operation_is_documented(document: Any) -> None:
    assert [name for name in PROMISED if name not in operations(document)] == []


def test_each_refusal_is_documented_as_a_problem(document: Any) -> None:
    for name, operation in operations(document).items():
        assert set(operation["responses"]) >= REFUSALS, name
        assert any(status < "300" for status in operation["responses"]), name
        for status in REFUSALS:
            [kind] = operation["responses"][status]["content"]
            assert kind == "application/problem+json"


def test_the_document_stands_on_its_own(document: Any) -> None:
    assert document["openapi"].startswith("3.1")
    assert document["servers"] == [{"url": "/"}]
    schemas = document["components"]["schemas"]
    named = set(re.findall(r"#/components/schemas/([\w.\-]+)", str(document)))
    assert named <= set(schemas)
    ids = [operation["operationId"] for operation in operations(document).values()]
    assert len(ids) == len(set(ids))
    assert "<br/>" not in str(document)


def test_it_says_who_may_call(document: Any) -> None:
    for name, operation in operations(document).items():
        demanded = operation.get("security") == [{"bearer": []}]
        assert demanded == (name not in PUBLIC), name
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"


def test_what_is_documented_is_routed_and_what_is_routed_documented(program: Program, document: Any) -> None:
    routed = {
        f"{method} {re.sub(r'<[^>]*>', '{id}', rule.rule.removeprefix('/api/v1'))}"
        for rule in program.app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1")
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert routed - {"GET /openapi.json"} == set(operations(document))


def test_only_members_operations_ask_for_a_token(program: Program, document: Any) -> None:
    """What the document says about tokens is true."""
    somewhere = "00000000-0000-7000-8000-000000000000"
    for name in operations(document):
        method, path = name.split()
        status = program.ask(method, path.replace("{id}", somewhere)).status
        if name == "POST /auth/logout":
            assert status == 401  # it needs one of the two tokens
        else:
            assert (status == 401) == (name not in PUBLIC), f"{name}: {status}"


def test_unknown_addresses_and_methods_are_problems(program: Program, bens: Program) -> None:
    program.get("/").expect(404)
    program.get("/courses/x/y/z").expect(404)
    bens.ask("PATCH", "/me").expect(405)
    assert "GET" in bens.ask("DELETE", "/courses").expect(405).headers["Allow"]
    bens.ask("POST", "/cart").expect(405)


def test_the_wrong_kind_of_body_is_told(bens: Program) -> None:
    bens.ask("POST", "/cart/items", data="course_id=1", content_type="application/x-www-form-urlencoded").expect(415)
    bens.ask("POST", "/cart/items", data=b"<x/>", content_type="text/xml").expect(415)
    bens.ask("POST", "/cart/items", data=b"{}").expect(415)
    bens.ask("POST", "/cart/items", data=b"{", content_type="application/json").expect(400)
    bens.ask("POST", "/cart/items", data=b"[]", content_type="application/json").expect(422)
    bens.ask("POST", "/cart/items", data=b"null", content_type="application/json").expect(422)
    bens.ask("POST", "/cart/items", data=b"", content_type="application/json").expect(422)
    bens.ask("POST", "/cart/items", data=b" " * 1_000_001, content_type="application/json").expect(413)


def test_other_sites_scripts_get_no_invitation(program: Program) -> None:
    reply = program.ask("OPTIONS", "/me", headers={"Origin": "https://evil.example"})
    assert reply.status == 200
    assert not any(name.lower().startswith("access-control") for name, _value in reply.headers)
