"""Whatever is sent, the API answers with a sentence and never falls over."""

import json
import random
from typing import Any

import pytest

from tests.api.program import Program, Reply
from tests.factories import a_course, a_purchase

UGLY: list[Any] = [
    None, True, False, 0, -1, 2**31, 2**63, 10**40, -(10**40), 1e308, float("nan"), float("inf"), "", " ", "\0", "a\0b",
    "\ud800", "\udfff\ud800", "\U0001f600" * 50, "x" * 10_000, "../../etc/passwd", "'; DROP TABLE orders; --", "%s%n",
    "{{7*7}}", "<script>", "\u202e", [], [[]], {}, {"a": {}}, [None], ["\0"], "9" * 400, "1e999", "NaN",
    "00000000-0000-7000-8000-000000000000", "2026-11-23T00:00:00Z", {"$ne": 1}, "\r\nX-Evil: 1",
]  # fmt: skip
# After RFC 8259 and what parsers are known to trip over.
NOT_QUITE_JSON = [
    b"{", b"}", b"[", b'{"a"', b'{"a":', b'{"a":1,}', b"{'a':1}", b"[1,]", b'"\\u12"', b'"\\x"', b"\xff\xfe",
    b"\xef\xbb\xbf{}",
    b"{}{}", b"{}x", b"nul", b"NaN", b"-", b"01", b"1e", b"+1", b"0x1", b'{"a":\x00}', b'{"a":"\x01"}', b"\x00", b" ",
    b"[" * 100_000, b'{"a":' * 50_000, b"9" * 10_000, b'{"a":' + b"9" * 10_000 + b"}", b'"\xed\xa0\x80"',
    b"{\"\xff\":1}",
    "{}".encode("utf-16"), "{}".encode("utf-32"), b'{"a":1}\n{"b":2}', b'/* */{}', b'{"__proto__":1,"constructor":{}}',
]  # fmt: skip


@pytest.fixture
def targets(bens: Program, ada: Any, ben: Any) -> list[tuple[str, str, list[str]]]:
    """(method, path, the fields of its body) of every operation, with ids of things that are there."""
    document = bens.get("/openapi.json").json
    course = a_course(by=ada)
    purchase = a_purchase(course, by=ben)
    ids = {"course_id": course.id, "order_id": purchase.order_id, "item_id": purchase.id}
    found = []
    for path, item in document["paths"].items():
        for method, operation in item.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
            fields = list(document["components"]["schemas"][name]["properties"]) if name else []
            for key, value in ids.items():
                path = path.replace(f"{{{key}}}", str(value))
            if not path.endswith("/auth/logout"):  # it would end the session that the others need
                found.append((method.upper(), path.removeprefix("/api/v1"), fields))
    assert len(found) > 20
    return found


def _calm(reply: Reply, what: object) -> None:
    assert reply.status < 500 or reply.status == 503, f"{what}: {reply.body[:300]!r}"
    if reply.status >= 400 and not reply.headers["Content-Type"].startswith("text/plain"):
        reply.is_a_problem()


def test_every_field_takes_every_ugly_value(
    bens: Program, adas: Program, targets: list[tuple[str, str, list[str]]], full_scale: bool
) -> None:
    chance = random.Random(7)
    for method, path, fields in targets:
        program = adas if path.startswith("/courses") else bens
        for field in fields:
            for value in UGLY if full_scale else chance.sample(UGLY, 12):
                body = dict.fromkeys(fields, "a proper value") | {field: value}
                _calm(program.ask(method, path, body), (method, path, field, value))


def test_no_body_is_too_strange(bens: Program, targets: list[tuple[str, str, list[str]]], full_scale: bool) -> None:
    chance = random.Random(11)
    for method, path, fields in targets:
        if not fields:
            continue
        for sent in NOT_QUITE_JSON if full_scale else chance.sample(NOT_QUITE_JSON, 14):
            _calm(bens.ask(method, path, data=sent, content_type="application/json"), (method, path, sent[:40]))
        for length in (1, 10, 1000):
            noise = chance.randbytes(length)
            for kind in ("application/json", "multipart/form-data; boundary=x", "text/plain", ""):
                _calm(bens.ask(method, path, data=noise, content_type=kind), (method, path, kind))


def test_every_known_odd_document_is_answered_once(bens: Program) -> None:
    """All of them, on one operation."""
    for sent in NOT_QUITE_JSON:
        _calm(bens.ask("PUT", "/me", data=sent, content_type="application/json"), sent[:40])


def test_no_address_is_too_strange(bens: Program, targets: list[tuple[str, str, list[str]]]) -> None:
    for method, path, _fields in targets:
        for query in (
            "cursor=%00",
            "cursor=%FF%FE",
            "limit=9e99",
            "status=%ED%A0%80",
            "q=%F0%9F%98%80&tag[]=1",
            "a" * 3000,
        ):
            _calm(bens.ask(method, f"{path}?{query}"), (method, path, query))
        for end in ("/%00", "/..%2f..", "/%ff", "%0d%0a", ";x=1", "//"):
            _calm(bens.ask(method, path + end), (method, path, end))


def test_no_cursor_is_too_strange(bens: Program, program: Program) -> None:
    import base64

    for values in ([], {}, [1], [1, 2], ["2026-01-01", "x"], [None, None], ["newest", "x", "y"],
                   ["newest", 1e400, None],
                   ["price", 2**80, "00000000-0000-7000-8000-000000000000"], [[], {}], ["\ud800", "\0"],
                   ["0001-01-01T00:00:00-23:59", "00000000-0000-7000-8000-000000000000"],
                   ["2026-01-01T00:00:00", "00000000-0000-7000-8000-000000000000"]):  # fmt: skip
        cursor = base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")
        _calm(bens.get(f"/orders?cursor={cursor}"), values)
        _calm(program.get(f"/courses?cursor={cursor}"), values)
    deep = base64.urlsafe_b64encode(b"[" * 40_000).decode()
    _calm(bens.get(f"/orders?cursor={deep}"), "a deep cursor")


def test_no_header_is_too_strange(bens: Program) -> None:
    for name in ("Idempotency-Key", "If-Match", "Content-Type", "Accept", "X-Forwarded-For", "User-Agent", "Range"):
        for value in ("", " ", "x" * 5000, "ÿþ", "\t", "a, b;q=x", "()", "\x7f", "bytes=0-,-5"):
            _calm(bens.post("/checkout/session", {}, headers={name: value}), (name, value))
            _calm(bens.get("/me", headers={name: value}), (name, value))
