"""Both storages, the bucket and its local twin, keep the same promises; signatures are checked for real."""

import base64
import hashlib
import http.server
import json
import os
import re
import socket
import stat
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import pytest
import requests
from flask import Flask
from minio import Minio
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool
from werkzeug.http import parse_options_header
from werkzeug.serving import make_server

from coursehub.infra import storage as storage_module
from coursehub.infra.local import LocalStorage
from coursehub.infra.services import EXTENSION
from coursehub.infra.storage import MinioStorage, ObjectStorage, content_disposition, safe_filename, write_whole
from coursehub.kernel.encryption import KeyRing, key_ring, use_keys
from coursehub.kernel.errors import DomainError, Unavailable
from coursehub.kernel.ids import new_id
from coursehub.kernel.settings import Settings
from coursehub.web import files
from tests import rgw
from tests.stack import JWT, KEYS

PDF = b"%PDF-1.7\n" + bytes(range(256)) * 40
SAVED = {"filename": "Quiet Typography.pdf", "content_type": "application/pdf"}

# What a title may hold, and what a browser must not be told to do with it.
FILENAMES = [
    "Quiet Typography.pdf",
    "../../etc/passwd",
    "..\\..\\windows\\system32\\cmd.exe",
    "/absolute/path.pdf",
    "line\r\nSet-Cookie: admin=1.pdf",
    "line\nContent-Type: text/html\n\n<script>.pdf",
    "nul\0byte.pdf",
    'quo"tes" and \\"more\\".pdf',
    "it's 50% off; really, x=1.pdf",
    "percent%0d%0aX-Evil: 1.pdf",
    "📚 emoji 👩‍🚀.pdf",
    "📚.pdf",
    "курс по типографике.pdf",
    "日本語の本.pdf",
    "שלום עולם.pdf",
    "كتاب هادئ.pdf",
    "invoice\u202efdp.exe",
    "\u2066isolate\u2069.pdf",
    "zero\u200bwidth\ufeff.pdf",
    "Café — déjà vu.pdf",
    "Cafe\u0301.pdf",
    "line\u2028separator\u2029.pdf",
    "<img src=x onerror=alert(1)>.pdf",
    ".htaccess",
    "...",
    "",
    "   ",
    "trailing dots... ",
    "a" * 400 + ".pdf",
    "я" * 400 + ".pdf",
    "lone surrogate \udcff.pdf",
    "con:aux|prn?.pdf",
    "filename*=UTF-8''evil.exe.pdf",
]
NOT_KEYS = [
    "", "/", "/etc/passwd", "../up.pdf", "a/../b", "a/./b", "a//b", "a/", ".hidden", "a/.hidden", "a\\b", "a b", "a\n",
    "a\r\nX: 1", "nul\0", "ключ.pdf", "a?b", "a%2e%2e/b", "a#b", "a&b=c", "~root", "x" * 513,
]  # fmt: skip


def settings_with(data: Path, **named: Any) -> Settings:
    return Settings.model_validate(
        {
            "COURSEHUB_ENV": "development",
            "COURSEHUB_DATA": data,
            "COURSEHUB_KEYS": KEYS,
            "JWT_SECRET": JWT,
            "DATABASE_URL": "postgresql+psycopg://nobody@/nothing",
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "COURSEHUB_BROKER_URL": "redis://127.0.0.1:1/1",
            **named,
        }
    )


@dataclass
class Place:
    """A storage, and how a person's browser reaches the links it makes."""

    name: str
    storage: ObjectStorage
    origin: str

    def link(self, key: str, *, seconds: int = 30, **more: Any) -> str:
        url = self.storage.signed_url(key, seconds=seconds, **{**SAVED, **more})
        return url if url.startswith("http") else self.origin + url

    def click(self, key: str, *, headers: dict[str, str] | None = None, **more: Any) -> requests.Response:
        return requests.get(self.link(key, **more), headers=headers, timeout=10)


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The settings of an S3 server that checks signatures: the one in the environment, else one of our own."""
    if os.environ.get("S3_ENDPOINT"):
        yield {name: os.environ[name] for name in ("S3_ENDPOINT", "S3_ACCESS_KEY", "S3_SECRET_KEY")}
        return
    missing = rgw.missing_tools()
    assert not missing, f"Install {', '.join(missing)} (radosgw ceph-mon ceph-osd ceph-common) or name S3_ENDPOINT."
    server = rgw.Rgw(tmp_path_factory.mktemp("rgw"))
    try:
        yield {"S3_ENDPOINT": server.start(), "S3_ACCESS_KEY": rgw.ACCESS, "S3_SECRET_KEY": rgw.SECRET}
    finally:
        server.stop()


@pytest.fixture(scope="module")
def buckets(s3: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., MinioStorage]:
    """Make a client of the S3 server; a fresh bucket unless one is named."""

    def make(**more: Any) -> MinioStorage:
        named = {**s3, "S3_BUCKET": f"test-{new_id().hex[-12:]}", **more}
        return MinioStorage(settings_with(tmp_path_factory.mktemp("s3"), **named))

    return make


@pytest.fixture(scope="module")
def local_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    settings = settings_with(tmp_path_factory.mktemp("local"))
    use_keys(settings.key_ring())
    storage = LocalStorage(settings)
    app = Flask("files")
    app.extensions[EXTENSION] = SimpleNamespace(storage=storage)
    app.register_blueprint(files.blueprint)
    app.register_error_handler(DomainError, lambda error: (error.sentence, error.status))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Place("local", storage, f"http://127.0.0.1:{server.port}")
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()


@pytest.fixture(scope="module")
def s3_place(buckets: Callable[..., MinioStorage]) -> Place:
    return Place("s3", buckets(), "")


@pytest.fixture(params=["local", pytest.param("s3", marks=pytest.mark.s3)])
def place(request: pytest.FixtureRequest) -> Place:
    found: Place = request.getfixturevalue(f"{request.param}_place")
    return found


def a_key() -> str:
    return f"versions/{new_id()}.pdf"


# What is stored comes back


def test_what_ada_stores_comes_back_whole(place: Place, tmp_path: Path) -> None:
    key = a_key()
    before = datetime.now(UTC) - timedelta(seconds=2)
    place.storage.put(key, PDF, "application/pdf")

    assert place.storage.get(key) == PDF
    with place.storage.open(key) as stream:
        assert stream.read(9) == PDF[:9]
        assert stream.read() == PDF[9:]
    place.storage.fetch(key, tmp_path / "fetched.pdf")
    assert (tmp_path / "fetched.pdf").read_bytes() == PDF
    found = place.storage.stat(key)
    assert found is not None
    assert (found.key, found.size) == (key, len(PDF))
    assert before <= found.modified <= datetime.now(UTC) + timedelta(seconds=2)


@pytest.mark.parametrize(("first", "length"), [(0, 1), (0, 10), (5, 20), (len(PDF) - 3, 3), (0, len(PDF))])
def test_a_part_of_a_file_comes_alone(place: Place, first: int, length: int) -> None:
    key = a_key()
    place.storage.put(key, PDF, "application/pdf")
    with place.storage.open_range(key, first, length) as stream:
        assert stream.read() == PDF[first : first + length]
        assert stream.read(1) == b""


def test_a_part_ends_where_the_file_ends(place: Place) -> None:
    key = a_key()
    place.storage.put(key, PDF, "application/pdf")
    with place.storage.open_range(key, len(PDF) - 4, 1000) as stream:
        assert stream.read() == PDF[-4:]
    with place.storage.open_range(key, len(PDF), 5) as stream:
        assert stream.read() == b""


@pytest.mark.parametrize(("first", "length"), [(-1, 5), (0, 0), (3, -1)])
def test_a_part_of_nothing_is_none(place: Place, first: int, length: int) -> None:
    key = a_key()
    place.storage.put(key, PDF, "application/pdf")
    with pytest.raises(ValueError, match="range"):
        place.storage.open_range(key, first, length)


def test_a_part_of_a_large_file_costs_a_part_of_the_memory(place: Place, tmp_path: Path) -> None:
    big, key = tmp_path / "big.pdf", a_key()
    with big.open("wb") as target:
        for number in range(40):
            target.write(number.to_bytes(4, "big") * 250_000)
    place.storage.put_file(key, big, "application/pdf")
    tracemalloc.start()
    try:
        with place.storage.open_range(key, 1_000_000 * 17, 65_536) as stream:
            assert stream.read() == (17).to_bytes(4, "big") * 16_384
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000, f"{peak:,} bytes at the peak"
    place.storage.delete(key)


def test_an_empty_file_is_a_file(place: Place) -> None:
    key = a_key()
    place.storage.put(key, b"", "application/pdf")
    assert place.storage.get(key) == b""
    found = place.storage.stat(key)
    assert found is not None and found.size == 0


def test_storing_again_replaces_the_whole_object(place: Place, tmp_path: Path) -> None:
    key, shorter = a_key(), tmp_path / "shorter.pdf"
    place.storage.put(key, PDF, "application/pdf")
    shorter.write_bytes(b"short")
    place.storage.put_file(key, shorter, "application/pdf")
    assert place.storage.get(key) == b"short"


def test_what_is_not_there_is_a_key_error(place: Place, tmp_path: Path) -> None:
    for ask in (
        lambda key: place.storage.get(key),
        lambda key: place.storage.open(key),
        lambda key: place.storage.open_range(key, 0, 5),
        lambda key: place.storage.fetch(key, tmp_path / "nothing"),
    ):
        with pytest.raises(KeyError):
            ask(a_key())
    assert place.storage.stat(a_key()) is None
    assert not (tmp_path / "nothing").exists()


def test_deleting_twice_is_the_same_as_once(place: Place) -> None:
    key = a_key()
    place.storage.put(key, PDF, "application/pdf")
    place.storage.delete(key)
    place.storage.delete(key)
    assert place.storage.stat(key) is None


@pytest.mark.parametrize("key", NOT_KEYS)
def test_only_our_own_alphabet_makes_a_key(place: Place, key: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    for ask in (
        lambda: place.storage.put(key, b"x", "text/plain"),
        lambda: place.storage.put_file(key, tmp_path / "file", "text/plain"),
        lambda: place.storage.get(key),
        lambda: place.storage.open(key),
        lambda: place.storage.fetch(key, tmp_path / "out"),
        lambda: place.storage.stat(key),
        lambda: place.storage.delete(key),
        lambda: place.storage.signed_url(key, seconds=10, **SAVED),
    ):
        with pytest.raises(ValueError):
            ask()


def test_a_content_type_cannot_carry_a_header(place: Place) -> None:
    for wrong in ("text/html\r\nX-Evil: 1", "text", "", "text/html; charset=x; y", "a/b, c/d"):
        with pytest.raises(ValueError):
            place.storage.put(a_key(), b"x", wrong)
        with pytest.raises(ValueError):
            place.storage.signed_url(a_key(), seconds=10, filename="x.pdf", content_type=wrong)


def test_walking_finds_all_1100_pages_and_nothing_beside(place: Place) -> None:
    version = new_id()
    wanted = {f"pages/{version}/{number}-small.webp" for number in range(1100)}
    beside = [f"pages/{version}x/1-small.webp", f"covers/{version}/1.webp"]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: place.storage.put(key, b"webp", "image/webp"), [*wanted, *beside]))

    found = list(place.storage.walk(f"pages/{version}/"))
    assert {item.key for item in found} == wanted
    assert len(found) == 1100
    assert all(item.size == 4 for item in found)
    # A prefix is the beginning of a key, not a folder.
    assert {item.key for item in place.storage.walk(f"pages/{version}")} == wanted | {beside[0]}
    assert {item.key for item in place.storage.walk()} > wanted
    assert list(place.storage.walk("pages/nobody/")) == []


def test_a_file_of_120_mb_goes_in_and_out_without_filling_the_memory(place: Place, tmp_path: Path) -> None:
    big, key = tmp_path / "big.pdf", a_key()
    digest = hashlib.sha256()
    with big.open("wb") as target:
        block = os.urandom(1_000_000)
        for number in range(120):
            piece = number.to_bytes(8, "big") + block[8:]
            target.write(piece)
            digest.update(piece)

    tracemalloc.start()
    try:
        place.storage.put_file(key, big, "application/pdf")
        place.storage.fetch(key, tmp_path / "back.pdf")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    with (tmp_path / "back.pdf").open("rb") as back:
        assert hashlib.file_digest(back, "sha256").digest() == digest.digest()
    assert peak < 40_000_000, f"{peak:,} bytes at the peak"
    place.storage.delete(key)


# Links


def test_ben_downloads_under_the_name_of_the_course(place: Place) -> None:
    key = a_key()
    place.storage.put(key, PDF, "application/octet-stream")
    answer = place.click(key)
    assert answer.status_code == 200
    assert answer.content == PDF
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="Quiet Typography.pdf"'
    assert "no-store" in answer.headers["Cache-Control"]
    assert place.click(key, inline=True).headers["Content-Disposition"].startswith("inline;")


@pytest.mark.parametrize("name", FILENAMES)
def test_no_title_becomes_a_dangerous_file_name(place: Place, name: str) -> None:
    key = "versions/one-file.pdf"
    place.storage.put(key, b"%PDF", "application/pdf")
    answer = place.click(key, filename=name)
    assert answer.status_code == 200, answer.text
    header = answer.headers["Content-Disposition"]
    kind, options = parse_options_header(header)
    assert kind == "attachment"
    assert header.isascii()
    assert set(options) == {"filename"}, header
    assert options["filename"] == safe_filename(name)
    assert "X-Evil" not in answer.headers and "Set-Cookie" not in answer.headers


def test_a_reader_asks_for_ranges(place: Place) -> None:
    key = a_key()
    place.storage.put(key, PDF, "application/pdf")
    middle = place.click(key, headers={"Range": "bytes=100-199"})
    assert (middle.status_code, middle.content) == (206, PDF[100:200])
    assert middle.headers["Content-Range"] == f"bytes 100-199/{len(PDF)}"
    tail = place.click(key, headers={"Range": "bytes=-10"})
    assert (tail.status_code, tail.content) == (206, PDF[-10:])
    beyond = place.click(key, headers={"Range": f"bytes={len(PDF) + 5}-"})
    assert beyond.status_code == 416
    assert place.click(key).headers["Accept-Ranges"] == "bytes"


def test_a_download_goes_on_only_if_the_file_is_still_the_same(place: Place) -> None:
    key = a_key()
    place.storage.put(key, PDF, "application/pdf")
    tag = place.click(key).headers["ETag"]
    same = place.click(key, headers={"Range": "bytes=5-9", "If-Range": tag})
    assert (same.status_code, same.content) == (206, PDF[5:10])


def test_a_link_dies_after_its_seconds(place: Place) -> None:
    key = a_key()
    place.storage.put(key, PDF, "application/pdf")
    link = place.link(key, seconds=1)
    assert requests.get(link, timeout=10).status_code == 200
    time.sleep(2.5)
    late = requests.get(link, timeout=10)
    assert late.status_code == 403
    assert PDF not in late.content


@pytest.mark.parametrize("seconds", [0, -1, 61, 86400])
def test_no_link_lives_longer_than_a_minute(place: Place, seconds: int) -> None:
    with pytest.raises(ValueError):
        place.storage.signed_url(a_key(), seconds=seconds, **SAVED)


def test_a_link_to_a_deleted_file_finds_nothing(place: Place) -> None:
    key = a_key()
    place.storage.put(key, PDF, "application/pdf")
    link = place.link(key)
    place.storage.delete(key)
    assert requests.get(link, timeout=10).status_code == 404


# Signatures on S3: each of these must be refused by the server


def _swap(pattern: str, replacement: str) -> Callable[[str], str]:
    def change(url: str) -> str:
        changed = re.sub(pattern, replacement, url)
        assert changed != url
        return changed

    return change


TAMPERINGS = {
    "another signature": lambda url: url[:-1] + ("0" if url[-1] != "0" else "1"),
    "no signature": _swap(r"&X-Amz-Signature=[0-9a-f]+", ""),
    "another key": _swap(r"/versions/[^?]+", "/versions/secret.pdf"),
    "a longer life": _swap(r"X-Amz-Expires=\d+", "X-Amz-Expires=604800"),
    "a later start": _swap(r"X-Amz-Date=\d{8}", "X-Amz-Date=20300101"),
    "another name": _swap(r"Typography", "Malware"),
    "another type": _swap(r"application(%2F|/)pdf", "text%2Fhtml"),
    "one more parameter": lambda url: url + "&response-content-encoding=gzip",
    "another access key": _swap(r"X-Amz-Credential=[^%]+", "X-Amz-Credential=somebody"),
}


@pytest.mark.s3
@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_s3_refuses_a_link_with(tampering: str, s3_place: Place) -> None:
    key = a_key()
    s3_place.storage.put(key, PDF, "application/pdf")
    s3_place.storage.put("versions/secret.pdf", PDF, "application/pdf")
    link = s3_place.link(key)
    assert requests.get(link, timeout=10).status_code == 200
    answer = requests.get(TAMPERINGS[tampering](link), timeout=10)
    assert answer.status_code in (400, 401, 403), answer.text
    assert PDF not in answer.content


@pytest.mark.s3
@pytest.mark.parametrize("method", ["PUT", "DELETE", "POST", "HEAD"])
def test_a_link_to_read_does_not_allow(method: str, s3_place: Place) -> None:
    key = a_key()
    s3_place.storage.put(key, PDF, "application/pdf")
    answer = requests.request(method, s3_place.link(key), data=b"evil" if method != "HEAD" else None, timeout=10)
    assert answer.status_code in (403, 405)
    assert s3_place.storage.get(key) == PDF


@pytest.mark.s3
def test_cleo_without_a_link_gets_nothing_from_the_bucket(s3: dict[str, str], s3_place: Place) -> None:
    key = a_key()
    s3_place.storage.put(key, PDF, "application/pdf")
    assert isinstance(s3_place.storage, MinioStorage)
    bucket = f"{s3['S3_ENDPOINT']}/{s3_place.storage.bucket}"
    assert requests.get(f"{bucket}/{key}", timeout=10).status_code == 403
    assert requests.get(bucket, timeout=10).status_code == 403
    assert requests.put(f"{bucket}/{key}", data=b"evil", timeout=10).status_code == 403
    assert s3_place.storage.get(key) == PDF


@pytest.mark.s3
def test_a_wrong_secret_is_an_outage_not_a_missing_file(buckets: Callable[..., MinioStorage], s3_place: Place) -> None:
    assert isinstance(s3_place.storage, MinioStorage)
    key = a_key()
    s3_place.storage.put(key, PDF, "application/pdf")
    wrong = buckets(S3_SECRET_KEY="not-the-secret-at-all", S3_BUCKET=s3_place.storage.bucket)
    for ask in (lambda: wrong.get(key), lambda: wrong.stat(key), lambda: wrong.delete(key)):
        with pytest.raises(Unavailable):
            ask()
    assert requests.get(wrong.signed_url(key, seconds=10, **SAVED), timeout=10).status_code == 403


@pytest.mark.s3
def test_the_bucket_is_made_in_development_and_missed_in_production(
    buckets: Callable[..., MinioStorage], s3: dict[str, str]
) -> None:
    live = {
        "COURSEHUB_ENV": "production",
        "COURSEHUB_STRIPE_API_BASE": "http://127.0.0.1:1",
        "STRIPE_WEBHOOK_SECRET": "whsec_long_enough_for_this",
        "SMTP_URL": "smtp://127.0.0.1:1",
    }
    missing = buckets(S3_BUCKET="test-not-there", **live)
    with pytest.raises(Unavailable, match="test-not-there"):
        missing.put(a_key(), PDF, "application/pdf")
    client = Minio(
        urlsplit(s3["S3_ENDPOINT"]).netloc, s3["S3_ACCESS_KEY"], s3["S3_SECRET_KEY"], secure=False, region="us-east-1"
    )
    assert not client.bucket_exists("test-not-there")

    made = buckets(S3_BUCKET="test-made-here")
    made.put("a/b.pdf", PDF, "application/pdf")
    assert buckets(S3_BUCKET="test-made-here", **live).get("a/b.pdf") == PDF


# The local twin's links


def _forged(link: str, **changes: Any) -> str:
    """The link with other content under the old signature."""
    origin, _, token = link.rpartition("/")
    body, _, signature = token.rpartition(".")
    content = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    for place_in_list, value in changes.items():
        content[int(place_in_list[1:])] = value
    forged = base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")
    return f"{origin}/{forged}.{signature}"


@pytest.mark.parametrize(
    "forge",
    [
        lambda link: link[:-1] + ("0" if link[-1] != "0" else "1"),
        lambda link: link.rpartition(".")[0],
        lambda link: link.rpartition(".")[0] + ".",
        lambda link: _forged(link, _0="versions/secret.pdf"),
        lambda link: _forged(link, _1=4_000_000_000),
        lambda link: _forged(link, _2="malware.exe"),
        lambda link: _forged(link, _3="text/html"),
        lambda link: _forged(link, _4=True),
        lambda link: link.replace("/files/", "/files/A"),
        lambda link: link.rpartition("/")[0] + "/x",
        lambda link: link + "é",
        lambda link: link.rpartition(".")[0] + ".%00",
    ],
)
def test_the_twin_refuses_a_link_that_was_touched(local_place: Place, forge: Callable[[str], str]) -> None:
    key = a_key()
    local_place.storage.put(key, PDF, "application/pdf")
    local_place.storage.put("versions/secret.pdf", PDF, "application/pdf")
    answer = requests.get(forge(local_place.link(key)), timeout=10)
    assert answer.status_code == 403
    assert PDF not in answer.content


def test_the_twin_refuses_links_of_another_purpose_or_shop(local_place: Place) -> None:
    key = a_key()
    local_place.storage.put(key, PDF, "application/pdf")
    body = local_place.link(key).rpartition("/")[2].rpartition(".")[0]
    for signature in (key_ring().sign(body, "mail.unsubscribe"), KeyRing([("x", b"B" * 32)]).sign(body, "files.link")):
        assert requests.get(f"{local_place.origin}/files/{body}.{signature}", timeout=10).status_code == 403


def test_what_the_twin_serves_cannot_act_as_a_page_of_the_shop(local_place: Place) -> None:
    key = a_key()
    local_place.storage.put(key, b"<script>alert(1)</script>", "text/html")
    answer = local_place.click(key, content_type="text/html", inline=True)
    assert answer.headers["Content-Security-Policy"] == "sandbox"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert "Set-Cookie" not in answer.headers


def test_the_twin_answers_head_and_a_changed_file_restarts_the_download(local_place: Place) -> None:
    key = a_key()
    local_place.storage.put(key, PDF, "application/pdf")
    head = requests.head(local_place.link(key), timeout=10)
    assert (head.status_code, head.headers["Content-Length"], head.content) == (200, str(len(PDF)), b"")
    local_place.storage.put(key, PDF[::-1], "application/pdf")
    again = local_place.click(key, headers={"Range": "bytes=5-9", "If-Range": head.headers["ETag"]})
    assert (again.status_code, again.content) == (200, PDF[::-1])
    beyond = local_place.click(key, headers={"Range": "bytes=999999-"})
    assert beyond.headers["Content-Range"] == f"bytes */{len(PDF)}"


def test_a_link_inside_the_folder_does_not_lead_out_of_it(tmp_path: Path) -> None:
    storage = LocalStorage(settings_with(tmp_path))
    storage.put("covers/a.webp", b"x", "image/webp")
    (tmp_path / "secret").write_bytes(b"keys")
    (storage.root / "covers" / "out").symlink_to(tmp_path)
    for ask in (lambda: storage.get("covers/out/secret"), lambda: storage.put("covers/out/new", b"x", "text/plain")):
        with pytest.raises(ValueError):
            ask()
    assert not (tmp_path / "new").exists()


def test_a_write_that_breaks_leaves_the_old_file_and_no_trace(tmp_path: Path) -> None:
    storage = LocalStorage(settings_with(tmp_path))
    storage.put("a/b.pdf", PDF, "application/pdf")

    class Breaking:
        def __init__(self) -> None:
            self.pieces = [b"half", OSError("disk full")]

        def read(self, size: int) -> bytes:
            piece = self.pieces.pop(0)
            if isinstance(piece, OSError):
                raise piece
            return piece

    stream: Any = Breaking()
    with pytest.raises(OSError):
        write_whole(stream, storage.root / "a" / "b.pdf")
    assert storage.get("a/b.pdf") == PDF
    assert [path.name for path in (storage.root / "a").iterdir()] == ["b.pdf"]


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    storage = LocalStorage(settings_with(tmp_path))
    bodies = [b"A" * 3_000_000, b"B" * 2_000_000]
    storage.put("a/b.pdf", bodies[0], "application/pdf")
    stop = threading.Event()

    def rewrite() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            storage.put("a/b.pdf", bodies[number % 2], "application/pdf")

    writer = threading.Thread(target=rewrite)
    writer.start()
    try:
        assert all(storage.get("a/b.pdf") in bodies for _ in range(200))
    finally:
        stop.set()
        writer.join()
    assert [item.key for item in storage.walk()] == ["a/b.pdf"]


def test_a_disk_that_takes_nothing_is_an_outage(tmp_path: Path) -> None:
    storage = LocalStorage(settings_with(tmp_path))
    storage.root.write_bytes(b"a file where the folder should be")
    with pytest.raises(Unavailable):
        storage.put("a/b.pdf", PDF, "application/pdf")


def test_only_the_owner_of_the_process_reads_the_folder(tmp_path: Path) -> None:
    storage = LocalStorage(settings_with(tmp_path))
    storage.put("a/b.pdf", PDF, "application/pdf")
    assert stat.S_IMODE(storage.root.stat().st_mode) == 0o700


# A bucket that is away, slow or broken


@pytest.fixture
def bad_server(tmp_path: Path) -> Iterator[Callable[[Callable[[socket.socket], None]], MinioStorage]]:
    """A server whose connections are handled by the given function; returns a storage that talks to it."""
    listeners: list[socket.socket] = []
    threads: list[threading.Thread] = []
    connections: list[socket.socket] = []

    def start(handle: Callable[[socket.socket], None], *, patient: bool = False) -> MinioStorage:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                connections.append(connection)
                thread = threading.Thread(target=_quietly, args=(handle, connection), daemon=True)
                threads.append(thread)
                thread.start()

        threading.Thread(target=serve, daemon=True).start()
        named = {"S3_ENDPOINT": f"http://127.0.0.1:{listener.getsockname()[1]}"}
        settings = settings_with(tmp_path, S3_ACCESS_KEY="a", S3_SECRET_KEY="b" * 20, **named)
        return MinioStorage(settings, patient=patient)

    yield start
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
    for connection in connections:
        with suppress(OSError):  # most are closed already
            connection.shutdown(socket.SHUT_RDWR)
    for thread in threads:
        thread.join(10)


def _quietly(handle: Callable[[socket.socket], None], connection: socket.socket) -> None:
    with connection:
        connection.settimeout(20)
        try:
            handle(connection)
        except OSError:
            return


def _request(connection: socket.socket) -> tuple[str, dict[str, str], BinaryIO]:
    """The next request's first line, headers, and the stream its body follows on."""
    stream = connection.makefile("rb")
    first = stream.readline().decode()
    if not first:
        raise OSError("closed")
    headers = http.server.BaseHTTPRequestHandler.MessageClass()
    while (line := stream.readline()) not in (b"\r\n", b""):
        name, _, value = line.decode().partition(":")
        headers[name] = value.strip()
    return first, {name.lower(): value for name, value in headers.items()}, stream  # type: ignore[return-value]


OK = b'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nETag: "x"\r\n\r\n'


def _silent(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


def test_a_bucket_that_never_answers_costs_a_page_seven_seconds(bad_server: Any, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(PDF)
    storage = bad_server(_silent)
    asks: list[Callable[[], Any]] = [
        lambda: storage.get("a/b.pdf"),
        lambda: storage.put("a/b.pdf", PDF, "application/pdf"),
        lambda: storage.put_file("a/b.pdf", path, "application/pdf"),
        lambda: storage.stat("a/b.pdf"),
        lambda: storage.delete("a/b.pdf"),
        lambda: list(storage.walk()),
    ]

    def waited(ask: Callable[[], Any]) -> float:
        began = time.monotonic()
        with pytest.raises(Unavailable, match="try again"):
            ask()
        return time.monotonic() - began

    with ThreadPoolExecutor(len(asks)) as pool:
        assert all(4 <= seconds <= 7 for seconds in pool.map(waited, asks))


def test_a_bucket_that_is_down_is_known_at_once(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        named = {"S3_ENDPOINT": f"http://127.0.0.1:{unused.getsockname()[1]}", "S3_SECRET_KEY": "b" * 20}
        storage = MinioStorage(settings_with(tmp_path, S3_ACCESS_KEY="a", **named))
        began = time.monotonic()
        with pytest.raises(Unavailable):
            storage.get("a/b.pdf")
        assert time.monotonic() - began < 3


def test_making_a_link_needs_no_answer_from_the_bucket(bad_server: Any) -> None:
    storage = bad_server(_silent)
    began = time.monotonic()
    assert "X-Amz-Signature=" in storage.signed_url("a/b.pdf", seconds=60, **SAVED)
    assert time.monotonic() - began < 1


def test_the_time_budgets_stand_on_the_clients(tmp_path: Path) -> None:
    settings = settings_with(tmp_path, S3_ENDPOINT="http://127.0.0.1:1", S3_SECRET_KEY="b" * 20)
    for patient, read, retries in ((False, 5, 1), (True, 30, 3)):
        pool = MinioStorage(settings, patient=patient).http
        timeout = pool.connection_pool_kw["timeout"]
        assert (timeout.connect_timeout, timeout.read_timeout) == (1, read)
        assert pool.connection_pool_kw["retries"].total == retries


def test_one_reset_is_survived_and_a_row_of_them_is_an_outage(bad_server: Any) -> None:
    requests_seen: list[str] = []

    def reset_first(connection: socket.socket) -> None:
        while True:
            first, headers, stream = _request(connection)
            stream.read(int(headers.get("content-length", 0)))
            requests_seen.append(first)
            if len(requests_seen) == 1:
                return
            connection.sendall(OK)

    storage = bad_server(reset_first)
    storage.put("a/b.pdf", PDF, "application/pdf")
    assert [line.split()[0] for line in requests_seen] == ["HEAD", "HEAD", "PUT"]

    def reset_always(connection: socket.socket) -> None:
        _request(connection)

    with pytest.raises(Unavailable):
        bad_server(reset_always).put("a/b.pdf", PDF, "application/pdf")


def test_a_bucket_that_says_503_is_an_outage(bad_server: Any) -> None:
    def busy(connection: socket.socket) -> None:
        while True:
            _, headers, stream = _request(connection)
            stream.read(int(headers.get("content-length", 0)))
            connection.sendall(b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\n\r\n")

    with pytest.raises(Unavailable):
        bad_server(busy).get("a/b.pdf")


def test_a_proxy_page_instead_of_an_answer_is_an_outage(bad_server: Any) -> None:
    def proxy(connection: socket.socket) -> None:
        while True:
            first, _, _ = _request(connection)
            if first.startswith("HEAD"):
                connection.sendall(OK)
            else:
                page = b"<html>Bad gateway</html>"
                head = f"HTTP/1.1 400 Bad\r\nContent-Type: text/html\r\nContent-Length: {len(page)}\r\n\r\n"
                connection.sendall(head.encode() + page)

    with pytest.raises(Unavailable):
        bad_server(proxy).get("a/b.pdf")


def test_a_download_that_breaks_off_leaves_no_file(bad_server: Any, tmp_path: Path) -> None:
    def breaks_off(connection: socket.socket) -> None:
        while True:
            first, _, _ = _request(connection)
            if first.startswith("HEAD"):
                connection.sendall(OK)
                continue
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 500)
            return

    storage = bad_server(breaks_off)
    with pytest.raises(Unavailable):
        storage.fetch("a/b.pdf", tmp_path / "out" / "file")
    assert list((tmp_path / "out").iterdir()) == []
    with pytest.raises(Unavailable):
        storage.get("a/b.pdf")


def _slow_reader(connection: socket.socket) -> None:
    """Takes a body of 8 MB in about three seconds, as a line of 20 Mbit/s does."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    while True:
        _, headers, stream = _request(connection)
        left = int(headers.get("content-length", 0))
        while left:
            left -= len(stream.read(min(left, 500_000)))
            time.sleep(0.2)
        connection.sendall(OK)


def test_a_slow_line_may_take_longer_than_a_second_for_a_part(bad_server: Any) -> None:
    storage = bad_server(_slow_reader)
    storage.put("a/b.pdf", b"x" * 8_000_000, "application/pdf")


def test_without_its_own_sending_time_the_slow_line_fails(bad_server: Any) -> None:
    """The control of the test above: urllib3 as it comes gives a whole part one second."""
    storage = bad_server(_slow_reader)

    class AsItComes(HTTPConnectionPool):
        ConnectionCls = HTTPConnection

    storage.http.pool_classes_by_scheme = {"http": AsItComes}
    with pytest.raises(Unavailable):
        storage.put("a/b.pdf", b"x" * 8_000_000, "application/pdf")


@pytest.mark.parametrize("endpoint", ["http://host:9000/path", "ftp://host", "http://"])
def test_an_endpoint_that_is_no_origin_is_refused_at_start(tmp_path: Path, endpoint: str) -> None:
    with pytest.raises(ValueError, match="S3_ENDPOINT"):
        MinioStorage(settings_with(tmp_path, S3_ENDPOINT=endpoint))


# Names


@pytest.mark.parametrize("name", FILENAMES)
def test_a_safe_name_is_one_visible_path_segment(name: str) -> None:
    safe = safe_filename(name)
    assert 1 <= len(safe) <= 120
    assert not re.search(r'[/\\:*?"<>|\x00-\x1f\x7f\u2028-\u202e\u2066-\u2069\u200b\ufeff]', safe)
    assert not safe.startswith(".") and not safe.endswith((".", " "))
    if name.endswith(".pdf"):
        assert safe.endswith(".pdf")


def test_letters_of_every_script_stay() -> None:
    assert safe_filename("шрифт 日本 שלום 📚.pdf") == "шрифт 日本 שלום 📚.pdf"
    header = content_disposition("📚.pdf", inline=False)
    assert header == "attachment; filename=\"download.pdf\"; filename*=UTF-8''%F0%9F%93%9A.pdf"
    assert storage_module.LONGEST_LINK == 60
