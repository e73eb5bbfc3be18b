"""Every odd and hostile file of the corpora gets the answer it deserves, and our own process does not notice."""

import ctypes
import gc
import io
import os
import re
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pikepdf
import pytest
from PIL import Image

from coursehub.infra.pdf import FileRefused, Limits, PdfWorkshop
from tests.corpora.hostile_pdfs import ACCEPTED, HostilePdf, hostile_pdfs
from tests.corpora.images import OddPicture, odd_pictures
from tests.corpora.odd_pdfs import ANY, OddPdf, odd_pdfs, outside_pdfs

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

Case = TypeVar("Case")

# Bombs end at a limit: small limits end them early. The odd but honest files get the limits of the shop.
SMALL = Limits(opening=(2, 20), cleaning=(6, 30), slice=(3, 20), page_cpu=1.0)
MEGABYTE = 1024 * 1024


def test_every_odd_pdf_gets_the_answer_its_author_expects(tmp_path: Path) -> None:
    cases = list(odd_pdfs())
    assert len({case.name for case in cases}) == len(cases) >= 200
    workshop = PdfWorkshop()
    assert _complaints(cases, lambda case: _odd(case, workshop, tmp_path)) == []


def test_every_hostile_pdf_ends_in_a_sentence_or_a_harmless_copy(tmp_path: Path) -> None:
    cases = list(hostile_pdfs())
    assert len({case.name for case in cases}) == len(cases) >= 40
    for case in cases:
        (tmp_path / f"{case.name}.pdf").write_bytes(case.make())
    workshop = PdfWorkshop(SMALL)
    # Making the files took memory, and looking at the copies will: only the work in between is measured.
    before = _memory()
    complaints = _complaints(cases, lambda case: _hostile(case, workshop, tmp_path))
    grown = _memory() - before
    copies = [case for case in cases if (tmp_path / f"{case.name}.clean.pdf").exists()]
    complaints += _complaints(copies, lambda case: _still_active(tmp_path / f"{case.name}.clean.pdf"))
    assert complaints == []
    assert grown < 50 * MEGABYTE, f"our process grew by {grown // MEGABYTE} MB"


def test_every_odd_picture_comes_back_plain_or_is_refused(tmp_path: Path) -> None:
    cases = list(odd_pictures())
    assert len({case.name for case in cases}) == len(cases) >= 100
    assert _complaints(cases, lambda case: _picture(case, PdfWorkshop(SMALL), tmp_path)) == []


def test_files_from_outside_never_surprise(tmp_path: Path) -> None:
    files = list(outside_pdfs())
    if not files:
        pytest.skip("CORPUS_DIR names no folder with PDFs")
    workshop = PdfWorkshop()

    def look(file: Path) -> list[str]:
        out = _room(tmp_path, str(threading.get_ident())) / "clean.pdf"
        try:
            workshop.inspect(file)
            workshop.sanitise(file, out)
            workshop.page_images(out, 1, 1, out.parent)
        except FileRefused:
            return []
        return _still_active(out)

    assert _complaints(files, look) == []


def _odd(case: OddPdf, workshop: PdfWorkshop, folder: Path) -> list[str]:
    file, out = folder / f"{case.name}.pdf", folder / f"{case.name}.clean.pdf"
    file.write_bytes(case.make())
    wrong = []
    try:
        found = workshop.inspect(file)
        report = workshop.sanitise(file, out)
    except FileRefused as refusal:
        return _refusal_is(refusal, frozenset({case.refused or "(accepted)"}), out)
    finally:
        file.unlink()
    if case.refused:
        wrong.append(f"accepted instead of {case.refused}")
    if (found.pages_count, report.pages_count) != (case.pages, case.pages):
        wrong.append(f"{found.pages_count} and {report.pages_count} pages instead of {case.pages}")
    if case.title is not ANY and found.title != case.title:
        wrong.append(f"title {found.title!r} instead of {case.title!r}")
    if case.outline is not None and len(found.outline) != case.outline:
        wrong.append(f"{len(found.outline)} outline entries instead of {case.outline}")
    if found.owner_locked != case.owner_locked:
        wrong.append(f"owner_locked is {found.owner_locked}")
    if set(report.removed) != case.removed:
        wrong.append(f"removed {report.removed} instead of {sorted(case.removed)}")
    wrong += _still_active(out)
    out.unlink()
    return wrong


def _hostile(case: HostilePdf, workshop: PdfWorkshop, folder: Path) -> list[str]:
    file, out = folder / f"{case.name}.pdf", folder / f"{case.name}.clean.pdf"
    try:
        found = workshop.inspect(file)
        report = workshop.sanitise(file, out)
        pictures = workshop.page_images(out, 1, 1, _room(folder, case.name))
        texts = workshop.page_texts(out, 1, 1)
    except FileRefused as refusal:
        return _refusal_is(refusal, case.answers, out)
    wrong = [] if ACCEPTED in case.answers else [f"accepted instead of {sorted(case.answers)}"]
    if not case.removed <= set(report.removed) or not set(found.active_content) <= set(report.removed):
        wrong.append(f"told {found.active_content}, removed {report.removed} instead of {sorted(case.removed)}")
    if not pictures[0].large_path.stat().st_size or not pictures[0].small_path.stat().st_size:
        wrong.append("an empty picture")
    if "\0" in texts[0]:
        wrong.append("a text that cannot be stored")
    return wrong


def _room(folder: Path, name: str) -> Path:
    room = folder / f"{name}.pages"
    room.mkdir(exist_ok=True)
    return room


def _picture(case: OddPicture, workshop: PdfWorkshop, folder: Path) -> list[str]:
    file = folder / case.name
    file.write_bytes(case.make())
    try:
        made = workshop.image_safely(file)
    except FileRefused as refusal:
        return _refusal_is(refusal, case.refused, folder / "nothing")
    finally:
        file.unlink()
    if case.size is None:
        return [f"accepted instead of {sorted(case.refused)}"]
    wrong = [] if (made.width, made.height) == case.size else [f"{made.width}x{made.height} instead of {case.size}"]
    if not made.content.startswith(b"RIFF") or made.content[8:12] != b"WEBP":
        wrong.append("no WebP")
    if any(mark in made.content for mark in (b"SECRET-PLACE", b"EXIF", b"ICCP", b"XMP ", b"ANIM", b"script")):
        wrong.append("carries what it should have left behind")
    if case.corner:
        seen = Image.open(io.BytesIO(made.content)).convert("RGB").getpixel((3, 3))
        if not isinstance(seen, tuple) or any(abs(a - b) > 40 for a, b in zip(seen, case.corner, strict=True)):
            wrong.append(f"its corner is {seen}")
    return wrong


def _refusal_is(refusal: FileRefused, expected: frozenset[str], out: Path) -> list[str]:
    wrong = []
    if refusal.code not in expected:
        wrong.append(f"refused as {refusal.code} instead of {sorted(expected)}")
    if not re.fullmatch(r"[A-Z].{20,200}\.", refusal.sentence) or "{" in refusal.sentence:
        wrong.append(f"not a sentence for people: {refusal.sentence}")
    if out.exists():
        wrong.append("left something behind")
    return wrong


_FORBIDDEN = (
    re.compile(rb"/(JS|JavaScript|OpenAction|AA|Launch|SubmitForm|GoToR|EmbeddedFiles?|XFA|ImportData|RichMedia)\b"),
    re.compile(rb"/URI\s*\(\s*(javascript|file|data|vbscript):", re.IGNORECASE),
)
# Named so by pages and tags that do nothing with it; see the generators of these two.
_INNOCENT = ("fonts-called-like-actions", "tags-called-like-actions")


def _still_active(out: Path) -> list[str]:
    """Our own look, by another way than the cleaner's: the written file spelled out, without its streams' data."""
    if any(name in out.name for name in _INNOCENT):
        return []
    with pikepdf.open(out) as pdf:
        if pdf.is_encrypted or "/Encrypt" in pdf.trailer:
            return ["still locked"]
        spelled = b"\n".join(_spelled(thing) for thing in pdf.objects)
    wrong = [f"still holds {match.group()!r}" for pattern in _FORBIDDEN if (match := pattern.search(spelled))]
    content = out.read_bytes()
    if not content.startswith(b"%PDF-") or not content.rstrip().endswith(b"%%EOF"):
        wrong.append("something before or after the document")
    if b"<script" in content.lower():
        wrong.append("a web page inside")
    return wrong


def _spelled(thing: pikepdf.Object) -> bytes:
    if isinstance(thing, pikepdf.Stream):
        return b" ".join(
            key.encode() + b" " + (value.unparse() if isinstance(value, pikepdf.Object) else str(value).encode())
            for key, value in thing.items()
        )
    return thing.unparse() if isinstance(thing, pikepdf.Object) else str(thing).encode()


def _memory() -> int:
    """Bytes of memory that our own process holds, after what is free was given back."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _complaints(cases: Iterable[Case], check: Callable[[Case], list[str]]) -> list[str]:
    """Two at a time; every case is tried, and what went wrong is told by name."""

    def named(case: Case) -> list[str]:
        name = getattr(case, "name", str(case))
        try:
            return [f"{name}: {wrong}" for wrong in check(case)]
        except Exception as problem:
            return [f"{name}: {type(problem).__name__} {problem}"]

    with ThreadPoolExecutor(2) as pool:
        return [line for lines in pool.map(named, cases) for line in lines]
