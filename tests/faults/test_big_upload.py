"""Ada uploads 120 MB and 1,000 pages: the web process stays small and quick, and Ben's receipt does not wait behind
her thumbnails."""

import random
import re
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e.conftest import Shop, start_shop, stop_shop, wait_until_ready
from tests.faults.visitor import Visitor
from tests.mailbox import Mailbox
from tests.stack import free_port, open_to_all, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.timeout(900)]
PAGES = 1_000
SIDE = 346  # pixels of a page's picture, one byte each: 120 kB that no compression makes smaller
MEGABYTE = 1_000_000
PATIENCE = 300  # seconds; ten times what a quiet machine needs
PASSWORD = "a very quiet evening"


@pytest.fixture(scope="module")
def big_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """`make run` in a folder of its own, empty."""
    folder = tmp_path_factory.mktemp("big")
    open_to_all(folder)
    port, data = free_port(), folder / "var"
    process = start_shop(data, port)
    try:
        wait_until_ready(data, process)
        yield Shop(f"http://127.0.0.1:{port}", data, process)
    finally:
        stop_shop(process)


@pytest.fixture(scope="module")
def big_pdf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pdf") / "thousand-pages.pdf"
    write_pdf(path)
    assert 120 * MEGABYTE < path.stat().st_size < 125 * MEGABYTE
    return path


def test_a_thousand_pages(big_shop: Shop, big_pdf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ada, ben = a_member(big_shop, "Ada Brandt"), a_member(big_shop, "Ben Okafor")
    ada.get("/account")
    assert ada.post("/account/creator").status_code == 303
    course = a_draft(ada)
    web = process_tree(big_shop.process.pid, "granian")
    assert len(web) >= 2, "the web process was not found"
    with watching(lambda: resident(web)) as memory, watching(lambda: seconds_for(big_shop, "/healthz")) as health:
        before = memory.first()
        started = time.monotonic()
        upload(ada, course, big_pdf)
        uploaded = time.monotonic() - started
        wait_for(lambda: "Version 1 is ready" in ada.get(f"{course}/content").text, PATIENCE, "the ready version")
        ready = time.monotonic() - started
        ada.get(f"{course}/publish")
        assert ada.post(f"{course}/status", {"status": "published"}).status_code == 303
        wait_for(lambda: drawn_pages(ada, course)[0] > 0, PATIENCE, "the first pages")
        waited = buy(big_shop, ben, course)
        drawn, pages = drawn_pages(ada, course)
        wait_for(lambda: drawn_pages(ada, course)[0] > drawn, PATIENCE, "the next pages")
    total = time.monotonic() - started
    growth = (memory.highest() - before) / MEGABYTE
    with capsys.disabled():
        print(
            f"\n{big_pdf.stat().st_size / MEGABYTE:.0f} MB uploaded in {uploaded:.1f} s, ready after {ready:.1f} s;"
            f" web grew by {growth:.0f} MB from {before / MEGABYTE:.0f} MB; receipt {waited:.1f} s after the payment,"
            f" with {drawn} of {pages} pages drawn; slowest /healthz {health.highest():.2f} s; {total:.0f} s in all"
        )
    assert memory.highest() > 0 and len(memory.seen) > 20
    assert growth < 150
    assert pages == PAGES
    assert 0 < drawn < PAGES, "all pages were drawn: the receipt had nothing to wait behind"
    assert waited < 60
    assert health.highest() < 10
    assert total < 120
    assert process_tree(big_shop.process.pid, "granian") == web, "a web process died"


# What people do


def a_member(shop: Shop, name: str) -> Visitor:
    """Somebody who has registered, confirmed the address and signed in."""
    email = f"{name.split()[0].lower()}@example.com"
    visitor = Visitor(shop.address, patience=PATIENCE)
    visitor.get("/account/register")
    form = {"name": name, "email": email, "password": PASSWORD}
    assert visitor.post("/account/register", form).status_code == 303
    token = Mailbox.token(shop.mail_to(email))
    visitor.get(f"/account/verify?token={token}")
    assert visitor.post("/account/verify", {"token": token}).status_code == 303
    visitor.get("/account")
    return visitor


def a_draft(ada: Visitor) -> str:
    """A new course; its path in the studio."""
    ada.get("/studio/courses/new")
    form = {
        **{"title": "A Thousand Pages", "description": "Noise, page by page.", "category": "other", "language": "en"},
        **{"price": "19", "currency": "USD", "sample_pages": "3", "tags": ""},
    }
    answer = ada.post("/studio/courses", form)
    assert answer.status_code == 303, answer.text
    found = re.search(r"/studio/courses/[0-9a-f-]{36}", answer.headers["Location"])
    assert found
    return found[0]


def upload(ada: Visitor, course: str, pdf: Path) -> None:
    """As a plain form does, read from disk piece by piece."""
    ada.get(f"{course}/content")
    body = Multipart({"csrf_token": ada.token}, pdf)
    headers = {"Content-Type": f"multipart/form-data; boundary={body.boundary}", "Sec-Fetch-Site": "same-origin"}
    answer = ada.session.post(
        f"{ada.address}{course}/uploads", data=body, headers=headers, timeout=PATIENCE, allow_redirects=False
    )
    assert answer.status_code == 303, answer.text[:2000]


def buy(shop: Shop, ben: Visitor, course: str) -> float:
    """Ben pays; how many seconds later his receipt lies in the mailbox."""
    assert ben.post("/cart/items", {"course_id": course.rsplit("/", 1)[1]}).status_code == 303
    ben.get("/cart")
    answer = ben.post("/checkout", {"total_cents": "1900"})
    assert answer.status_code == 303, answer.text[:2000]
    card = {"card_number": "4242424242424242", "exp_month": "12", "exp_year": "2034", "cvc": "123", "name": "Ben"}
    paid = requests.post(answer.headers["Location"], data=card, timeout=60, allow_redirects=False)
    assert paid.status_code == 303
    started = time.monotonic()
    shop.mail_to("ben@example.com", "receipt")
    return time.monotonic() - started


def drawn_pages(ada: Visitor, course: str) -> tuple[int, int]:
    """How many pages have pictures, of how many."""
    found = re.search(r"Drawing the pages: (\d+) of (\d+)", ada.get(f"{course}/pages?page=999").text)
    return (int(found[1]), int(found[2])) if found else (PAGES, PAGES)


@dataclass
class Multipart:
    """A form with one file that is never in memory as a whole."""

    fields: dict[str, str]
    file: Path
    boundary: str = "shop-form-boundary-7d1f"

    def __len__(self) -> int:
        return len(self._head()) + self.file.stat().st_size + len(self._tail())

    def __iter__(self) -> Iterator[bytes]:
        yield self._head()
        with self.file.open("rb") as stream:
            while piece := stream.read(65_536):
                yield piece
        yield self._tail()

    def _head(self) -> bytes:
        parts = [
            f'--{self.boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in self.fields.items()
        ]
        parts.append(
            f'--{self.boundary}\r\nContent-Disposition: form-data; name="file"; filename="{self.file.name}"\r\n'
            "Content-Type: application/pdf\r\n\r\n"
        )
        return "".join(parts).encode()

    def _tail(self) -> bytes:
        return f"\r\n--{self.boundary}--\r\n".encode()


# The file


def write_pdf(path: Path) -> None:
    """PAGES pages, each a line of text over a picture of noise that is stored as it is."""
    noise = random.Random(120)
    offsets: list[int] = []
    with path.open("wb") as out:

        def add(body: bytes) -> None:
            offsets.append(out.tell())
            out.write(f"{len(offsets)} 0 obj\n".encode() + body + b"\nendobj\n")

        def stream(about: str, data: bytes) -> bytes:
            return f"<< {about} /Length {len(data)} >>\nstream\n".encode() + data + b"\nendstream"

        out.write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
        kids = " ".join(f"{4 + 3 * number} 0 R" for number in range(PAGES))
        add(b"<< /Type /Catalog /Pages 2 0 R >>")
        add(f"<< /Type /Pages /Count {PAGES} /Kids [{kids}] >>".encode())
        add(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
        for number in range(PAGES):
            page = 4 + 3 * number
            resources = f"<< /Font << /F 3 0 R >> /XObject << /I {page + 2} 0 R >> >>"
            add(
                f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {page + 1} 0 R"
                f" /Resources {resources} >>".encode()
            )
            text = f"q 495 0 0 495 50 150 cm /I Do Q BT /F 24 Tf 50 780 Td (Page {number + 1} of noise) Tj ET"
            add(stream("", text.encode()))
            pixels = zlib.compress(noise.randbytes(SIDE * SIDE), 0)
            about = f"/Type /XObject /Subtype /Image /Width {SIDE} /Height {SIDE} /ColorSpace /DeviceGray"
            add(stream(f"{about} /BitsPerComponent 8 /Filter /FlateDecode", pixels))
        start = out.tell()
        table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
        out.write(f"xref\n0 {len(offsets) + 1}\n0000000000 65535 f \n{table}".encode())
        out.write(f"trailer\n<< /Size {len(offsets) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n".encode())


# What is measured meanwhile


@dataclass
class Watch:
    """What a measurement gave, again and again."""

    seen: list[float] = field(default_factory=list)

    def first(self) -> float:
        wait_for(lambda: self.seen, 60, "the first measurement")
        return self.seen[0]

    def highest(self) -> float:
        return max(self.seen)


@contextmanager
def watching(measure: Callable[[], float]) -> Iterator[Watch]:
    """Measure twenty times a second until the block ends."""
    watch, stopped = Watch(), threading.Event()

    def look() -> None:
        while not stopped.wait(0.05):
            watch.seen.append(measure())

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        stopped.set()
        thread.join(60)


def process_tree(ancestor: int, program: str) -> set[int]:
    """The process under `ancestor` whose command names `program`, with all below it."""
    parents = {int(path.name): _parent(path) for path in Path("/proc").iterdir() if path.name.isdigit()}

    def below(pid: int) -> set[int]:
        return {pid}.union(*(below(child) for child, parent in parents.items() if parent == pid))

    named = {pid for pid in below(ancestor) if program in _command(pid)}
    return set().union(*(below(pid) for pid in named))


def resident(processes: set[int]) -> float:
    """Bytes in memory, summed; pages that two of them share count twice, before and after."""
    return float(sum(_resident(pid) for pid in processes))


def seconds_for(shop: Shop, path: str) -> float:
    started = time.monotonic()
    assert requests.get(f"{shop.address}{path}", timeout=60).status_code == 200
    return time.monotonic() - started


def _parent(process: Path) -> int:
    return int(_stat(process, "PPid") or 0)


def _resident(pid: int) -> int:
    return int((_stat(Path(f"/proc/{pid}"), "VmRSS") or "0").split()[0]) * 1024


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _stat(process: Path, name: str) -> Any:
    try:
        text = (process / "status").read_text()
    except OSError:
        return None
    found = re.search(rf"^{name}:\s+(.+)$", text, re.M)
    return found[1] if found else None
