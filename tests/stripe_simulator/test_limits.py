"""Whatever comes in, an answer goes out, and never a traceback."""

import socket
from urllib.parse import urlsplit

import pytest
import requests

from tests.stripe_simulator.conftest import Program

_KEY = {"Authorization": "Bearer sk_test_simulator"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("a[b=1", None),
        ("[x]=1", None),
        ("metadata[a]=1&metadata=2", None),
        ("metadata=2&metadata[a]=1", None),
        ("a[b][c][d][e][f][g][h][i]=1", None),
        ("email=%ff%fe", None),
        ("&".join(f"metadata[{n}]=1" for n in range(3000)), None),
        ("metadata[a][b]=1", None),
        ("email[]=ben@example.com", None),
        ("name=" + "x" * 300, "parameter_invalid_string_too_long"),
        ("{}", "parameter_unknown"),
        ('{"email": "ben@example.com"}', "parameter_unknown"),
    ],
)
def test_broken_forms_are_refused(simulator: Program, body: str, code: str | None) -> None:
    reply = requests.post(f"{simulator.url}/v1/customers", data=body, headers=_KEY, timeout=5)
    assert reply.status_code == 400
    error = reply.json()["error"]
    assert (error["type"], error.get("code")) == ("invalid_request_error", code)
    assert error["message"] and error["request_log_url"].endswith(reply.headers["Request-Id"])


def test_unescaped_and_escaped_brackets_mean_the_same(simulator: Program) -> None:
    for body in ("metadata[order]=1&email=a%2Bb@example.com", "metadata%5Border%5D=1&email=a%2Bb@example.com"):
        headers = {**_KEY, "Content-Type": "application/x-www-form-urlencoded"}
        made = requests.post(f"{simulator.url}/v1/customers", data=body, headers=headers, timeout=5).json()
        assert (made["metadata"], made["email"]) == ({"order": "1"}, "a+b@example.com")


def test_a_huge_body_is_not_read(simulator: Program) -> None:
    address = urlsplit(simulator.url)
    with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
        connection.sendall(b"POST /v1/customers HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    ("header", "status"),
    [("Content-Length: many", 400), ("Content-Length: -5", 400), ("Transfer-Encoding: chunked", 411)],
)
def test_odd_lengths_are_refused(simulator: Program, header: str, status: int) -> None:
    address = urlsplit(simulator.url)
    with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
        connection.sendall(f"POST /v1/customers HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    assert answer.startswith(f"HTTP/1.1 {status}".encode())


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer "}, 401),
        ({"Authorization": "Bearer sk_live_stolen_key_of_somebody"}, 401),
        ({"Authorization": "Basic !!!"}, 401),
        ({"Authorization": "Basic c2tfdGVzdF9zaW11bGF0b3I6"}, 200),
        (_KEY, 200),
    ],
)
def test_only_the_right_key_opens(simulator: Program, headers: dict[str, str], status: int) -> None:
    reply = requests.get(f"{simulator.url}/v1/customers", headers=headers, timeout=5)
    assert reply.status_code == status
    assert "stolen_key_of" not in reply.text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/nothing", 404),
        ("GET", "/v1/customers/", 404),
        ("DELETE", "/v1/charges/ch_1", 404),
        ("GET", "/v1/events/evt-1;x", 404),
        ("PUT", "/v1/customers", 405),
        ("GET", "/v1/customers?limit=0", 400),
        ("GET", "/v1/customers?limit=101", 400),
        ("GET", "/v1/customers?starting_after=cus_nobody", 404),
        ("GET", "/v1/customers?created[gte]=x", 400),
        ("GET", "/v1/customers?created[around]=1", 400),
        ("GET", "/v1/customers?expand[]=data.email", 200),
        ("HEAD", "/v1/customers", 200),
        ("GET", "/healthz", 200),
    ],
)
def test_paths_and_queries(simulator: Program, method: str, path: str, status: int) -> None:
    reply = requests.request(method, simulator.url + path, headers=_KEY, timeout=5)
    assert reply.status_code == status


def test_answers_carry_stripes_headers(simulator: Program) -> None:
    asked = {**_KEY, "Stripe-Version": "2026-10-28.endive", "Idempotency-Key": "k"}
    reply = requests.post(f"{simulator.url}/v1/customers", headers=asked, timeout=5)
    assert reply.headers["Stripe-Version"] == "2026-10-28.endive"
    assert reply.headers["Idempotency-Key"] == "k"
    assert reply.headers["Request-Id"].startswith("req_")
    assert reply.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("body", [b"{", b"[1]", b'"x"', b"\xff", b"[" * 100_000, b'{"paused": "yes"}', b'{"drop": 2}'])
def test_broken_controls_are_refused(simulator: Program, body: bytes) -> None:
    reply = requests.post(f"{simulator.url}/_control/webhooks", data=body, timeout=5)
    assert reply.status_code == 400
    assert reply.json()["error"]["message"]


def test_a_page_of_another_site_cannot_steer(simulator: Program) -> None:
    foreign = {"Sec-Fetch-Site": "cross-site"}
    for path in ("/_control/reset", "/panel/reset"):
        assert requests.post(simulator.url + path, headers=foreign, timeout=5).status_code == 403


def test_a_payment_form_of_nonsense_is_answered(simulator: Program) -> None:
    for body in (b"\xff\xfe=1", b"&".join(b"f%d=1" % n for n in range(500)), b"card_number=%00%00"):
        assert requests.post(f"{simulator.url}/c/pay/cs_test_x", data=body, timeout=5).status_code in (400, 404)
