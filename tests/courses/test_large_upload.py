"""A very large course: it streams through the web process to storage, and costs it hardly any memory."""

import http.client
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from coursehub.accounts.models import Customer
from coursehub.courses import queries
from tests.browser import Browser
from tests.conftest import ROOT
from tests.corpora.pdf_sketch import document, stream
from tests.courses.intake import a_draft, stored_keys
from tests.stack import free_port, wait_for

MEGABYTE = 1_000_000
pytestmark = [pytest.mark.slow, pytest.mark.alone]


@pytest.fixture
def web(settings: Any, app: Any) -> Iterator[tuple[int, str]]:
    """The shop behind its real server: the process id and the host."""
    port = free_port()
    given = settings.model_dump(by_alias=False)
    environment = dict(os.environ)
    for name, field in type(settings).model_fields.items():
        value = given[name]
        text = value.get_secret_value() if hasattr(value, "get_secret_value") else value
        if text is not None:
            environment[str(field.validation_alias)] = ",".join(text) if isinstance(text, list) else str(text)
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", "1", "--blocking-threads", "2", "--workers-kill-timeout", "3", "wsgi:app"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        wait_for(lambda: process.poll() is not None or _answers(port), 120, "the web server")
        assert process.poll() is None, "the web server did not start"
        yield process.pid, f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def _answers(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/healthz", timeout=5).ok
    except requests.RequestException:
        return False


def most_memory(pid: int) -> int:
    """The most bytes that a process and its children have ever had in memory, summed."""
    status = Path(f"/proc/{pid}/status").read_text()
    peak = next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:"))
    children = [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]
    return peak + sum(most_memory(child) for child in children)


def test_120_megabytes_of_a_thousand_pages(web: tuple[int, str], ada: Customer, browser: Browser) -> None:
    pid, host = web
    course = a_draft(ada)
    made = document(pages=1000)
    made.objects[max(made.objects) + 1] = stream(os.urandom(120 * MEGABYTE))
    edge = b"large-upload"
    head = b'--%s\r\nContent-Disposition: form-data; name="file"; filename="large.pdf"\r\n\r\n' % edge
    body = head + made.with_table() + b"\r\n--%s--\r\n" % edge
    adas = browser.as_(ada)
    adas.get(f"/studio/courses/{course.id}/content").expect(200)
    headers = {"X-CSRFToken": adas.csrf_token(), "Content-Type": f"multipart/form-data; boundary={edge.decode()}"}
    cookie = adas.client.get_cookie("coursehub", domain="localhost")
    assert cookie is not None
    headers["Cookie"] = f"coursehub={cookie.value}"
    requests.get(f"http://{host}/courses", timeout=30)
    before = most_memory(pid)
    connection = http.client.HTTPConnection(host, timeout=120)
    connection.request("POST", f"/studio/courses/{course.id}/uploads", body=body, headers=headers)
    answer = connection.getresponse()
    assert answer.status == 303, answer.read()[:500]
    more = most_memory(pid) - before
    (version,) = queries.versions_of(course.id)
    assert version.byte_size > 120 * MEGABYTE
    assert stored_keys() == {f"uploads/{version.id}.pdf"}
    assert more < 150 * MEGABYTE, f"{more / MEGABYTE:.0f} MB more"
    print(f"{more / MEGABYTE:.0f} MB more at its peak")
