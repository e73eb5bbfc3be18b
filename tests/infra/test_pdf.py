"""The PDF workshop does what Ada expects of it, says no in sentences, and cleans up after the worst."""

import hashlib
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pikepdf
import pytest
from PIL import Image

from coursehub.infra import pdf, pdf_process
from coursehub.infra.pdf import (
    FileRefused,
    Limits,
    PdfRefused,
    PdfToolsUnavailable,
    PdfWorkshop,
    PictureRefused,
    TypesettingRefused,
)
from tests.corpora.pdf_sketch import document, heading, stream, utf16

Answer = TypeVar("Answer")
HTML = '<!doctype html><html lang="en"><head><title>Soup</title></head><body><h1>Stock</h1><p>{}</p></body></html>'


@pytest.fixture
def workshop() -> PdfWorkshop:
    return PdfWorkshop()


@pytest.fixture
def adas_pdf(tmp_path: Path) -> Path:
    """Three pages with a title, a language, tags, an outline and a link that runs a script."""
    made = document(
        3,
        content=heading(b"Soups for a Week"),
        catalogue=b"/Outlines 20 0 R /Lang (en-GB) /MarkInfo << /Marked true >> /OpenAction 22 0 R",
        page=b"/Annots [23 0 R]",
        title=utf16("Soups & stews"),
    )
    made.objects[20] = b"<< /Type /Outlines /First 21 0 R /Last 21 0 R >>"
    made.objects[22] = b"<< /S /Launch /F (a.exe) >>"
    made.objects[23] = b"<< /Type /Annot /Subtype /Link /Rect [0 0 99 99] /A << /S /URI /URI (https://a.example/) >> >>"
    made.objects[21] = b"<< /Title (Stock) /Parent 20 0 R /Dest [6 0 R /Fit] >>"
    file = tmp_path / "course.pdf"
    file.write_bytes(made.with_table())
    return file


def test_ada_is_told_what_her_pdf_is(workshop: PdfWorkshop, adas_pdf: Path) -> None:
    found = workshop.inspect(adas_pdf)
    assert (found.pages_count, found.title, found.language) == (3, "Soups & stews", "en-GB")
    assert found.outline == (pdf.OutlineEntry("Stock", 1, 2),)
    assert (found.page_width, found.page_height, found.mixed_sizes) == (612, 792, False)
    assert (found.tagged, found.owner_locked, found.has_signature, found.repaired) == (True, False, False, False)
    assert found.active_content == ("actions on opening", "program launches")
    assert found.fingerprint == hashlib.sha256(adas_pdf.read_bytes()).hexdigest()
    assert found.size == adas_pdf.stat().st_size


def test_the_clean_copy_keeps_what_ben_reads_and_loses_what_runs(
    workshop: PdfWorkshop, adas_pdf: Path, tmp_path: Path
) -> None:
    out = tmp_path / "clean.pdf"
    assert workshop.sanitise(adas_pdf, out).removed == ("actions on opening", "program launches")
    found = workshop.inspect(out)
    assert (found.pages_count, found.title, found.language, found.tagged) == (3, "Soups & stews", "en-GB", True)
    assert found.outline == (pdf.OutlineEntry("Stock", 1, 2),)
    assert found.active_content == ()
    with pikepdf.open(out) as written:
        assert written.is_linearized
        assert str(written.pages[0].Annots[0].A.URI) == "https://a.example/"
    first = out.read_bytes()
    workshop.sanitise(adas_pdf, out)
    assert out.read_bytes() == first, "cleaning twice gives the same file"


@pytest.mark.parametrize("count", [1, 32, 33, 300, 3000])
def test_the_pages_of_a_long_book_hang_on_small_twigs(workshop: PdfWorkshop, tmp_path: Path, count: int) -> None:
    """A viewer that fetches piece by piece looks at a page's brothers before it: there are few, and all in order."""
    book, out = tmp_path / "book.pdf", tmp_path / "clean.pdf"
    with pikepdf.new() as made:
        for number in range(count):
            made.add_blank_page(page_size=(100 + number / 10, 200))
        made.save(book)
    assert workshop.sanitise(book, out).pages_count == count
    with pikepdf.open(out) as written:
        assert [round(float(page.mediabox[2]) * 10 - 1000) for page in written.pages] == list(range(count))
        twigs = [page.obj.Parent for page in written.pages] if count > 32 else []
        assert all(len(twig.Kids) <= 4 for twig in twigs)
    with pikepdf.open(out) as written:
        branches = [written.Root.Pages]
        for branch in branches:
            assert len(branch.Kids) <= 32
            kids = [kid for kid in branch.Kids if kid.Type == "/Pages"]
            assert branch.Count == (sum(kid.Count for kid in kids) if kids else len(branch.Kids))
            branches += kids
        assert written.Root.Pages.Count == count


def test_pages_become_texts_and_pictures_at_two_sizes_as_often_as_asked(
    workshop: PdfWorkshop, adas_pdf: Path, tmp_path: Path
) -> None:
    assert [text.splitlines()[0] for text in workshop.page_texts(adas_pdf, 2, 3)] == ["Soups for a Week"] * 2
    for _ in range(2):
        pictures = workshop.page_images(adas_pdf, 1, 3, tmp_path)
        assert [(picture.page, picture.width, picture.drawn) for picture in pictures] == [
            (1, 800, True),
            (2, 800, True),
            (3, 800, True),
        ]
    assert len(list(tmp_path.glob("*.webp"))) == 6
    with Image.open(pictures[0].small_path) as small, Image.open(pictures[0].large_path) as large:
        assert (small.format, small.width, large.size) == ("WEBP", 200, (800, 1036))


def test_a_course_of_45_pages_is_read_in_slices(workshop: PdfWorkshop, tmp_path: Path) -> None:
    file = tmp_path / "long.pdf"
    file.write_bytes(document(45).with_table())
    assert workshop.page_texts(file, 1, 45) == ["A page of a course"] * 45


def test_one_page_that_cannot_be_drawn_costs_only_itself(tmp_path: Path) -> None:
    made = document(4)
    made.objects[6] = (
        made.objects[6]
        .replace(b"/Contents 4 0 R", b"/Contents 30 0 R")
        .replace(b"/Font <<", b"/XObject << /X 31 0 R >> /Font <<")
    )
    made.objects[30] = stream(b"/X Do")
    for level in range(30):
        inside = b"/Resources << /XObject << /X %d 0 R >> >>" % (32 + level)
        entries = b"/Type /XObject /Subtype /Form /BBox [0 0 600 700] " + inside
        made.objects[31 + level] = stream(b"/X Do /X Do ", entries)
    made.objects[61] = stream(b"0 0 m 9 9 l S", b"/Type /XObject /Subtype /Form /BBox [0 0 600 700]")
    file = tmp_path / "one-bad-page.pdf"
    file.write_bytes(made.with_table())
    workshop = PdfWorkshop(Limits(page_cpu=1.0))
    pictures = workshop.page_images(file, 1, 4, tmp_path)
    assert [picture.drawn for picture in pictures] == [True, False, True, True]
    assert all(picture.small_path.stat().st_size > 100 for picture in pictures)
    assert [bool(text) for text in workshop.page_texts(file, 1, 4)] == [True, False, True, True]


def test_the_number_of_pages_is_named_in_the_refusal(workshop: PdfWorkshop, tmp_path: Path) -> None:
    file = tmp_path / "long.pdf"
    file.write_bytes(document(3001).with_table())
    with pytest.raises(PdfRefused, match=r"3001 pages; at most 3000") as refusal:
        workshop.inspect(file)
    assert (refusal.value.code, refusal.value.facts) == ("too_many_pages", {"pages": 3001, "limit": 3000})
    out = tmp_path / "clean.pdf"
    with pytest.raises(PdfRefused):
        workshop.sanitise(file, out)
    assert not out.exists()


def test_page_one_makes_a_cover(workshop: PdfWorkshop, adas_pdf: Path) -> None:
    cover = workshop.cover_from_page(adas_pdf)
    with Image.open(io.BytesIO(cover.content)) as picture:
        assert (picture.format, picture.size) == ("WEBP", (cover.width, cover.height)) == ("WEBP", (900, 1165))


def test_adas_holiday_photo_loses_the_place_where_it_was_taken(workshop: PdfWorkshop, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8825)[2] = (48.0, 12.0, 3.0)
    exif[0x0112] = 6
    Image.new("RGB", (300, 200), "teal").save(tmp_path / "photo.jpg", exif=exif)
    made = workshop.image_safely(tmp_path / "photo.jpg")
    with Image.open(io.BytesIO(made.content)) as picture:
        assert picture.size == (200, 300)
        assert not picture.getexif() and "icc_profile" not in picture.info


def test_svg_is_refused_in_a_sentence_of_its_own(workshop: PdfWorkshop, tmp_path: Path) -> None:
    (tmp_path / "cover.png").write_bytes(b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    with pytest.raises(PictureRefused, match="SVG drawings can carry scripts"):
        workshop.image_safely(tmp_path / "cover.png")


def test_text_becomes_a_tagged_pdf_the_same_bytes_each_time(workshop: PdfWorkshop, tmp_path: Path) -> None:
    image = io.BytesIO()
    Image.new("RGB", (9, 9), "red").save(image, "PNG")
    text = HTML.format('<img src="course:img/1" alt="red">')
    made = [
        workshop.typeset(text, {"course:img/1": ("image/png", image.getvalue())}, "h1 { color: teal }") for _ in "ab"
    ]
    assert made[0] == made[1]
    (tmp_path / "set.pdf").write_bytes(made[0])
    found = workshop.inspect(tmp_path / "set.pdf")
    assert (found.pages_count, found.title, found.language, found.tagged) == (1, "Soup", "en", True)
    assert [entry.title for entry in found.outline] == ["Stock"]


@pytest.mark.parametrize(
    ("text", "css"),
    [
        ('<img src="http://127.0.0.1:9/x.png" alt="">', ""),
        ('<img src="file:///etc/passwd" alt="">', ""),
        ('<img src="course:img/2" alt="">', ""),
        ('<link rel="stylesheet" href="http://127.0.0.1:9/x.css">', ""),
        ('<link rel="attachment" href="file:///etc/passwd">', ""),
        ("", "@import url(http://127.0.0.1:9/x.css);"),
        ("", "body { background: url(file:///etc/hostname) }"),
        ("", "@font-face { font-family: x; src: url(file:///etc/passwd) } p { font-family: x }"),
    ],
)
def test_text_reaches_neither_the_disk_nor_the_network(workshop: PdfWorkshop, text: str, css: str) -> None:
    with pytest.raises(TypesettingRefused, match="not part of this course") as refusal:
        workshop.typeset(HTML.format(text), {}, css)
    assert refusal.value.code == "outside_resource"


def test_text_that_takes_for_ever_ends_in_a_sentence() -> None:
    workshop = PdfWorkshop(Limits(typesetting=(3, 20)))
    table = "<table>" + "<tr><td colspan=100000>x</td></tr>" * 50 + "</table>"
    with pytest.raises(TypesettingRefused, match="takes too long"):
        workshop.typeset(HTML.format(table), {}, "")


def test_a_missing_file_is_our_fault_and_may_be_tried_again(workshop: PdfWorkshop, tmp_path: Path) -> None:
    for operation in (workshop.inspect, workshop.image_safely, workshop.cover_from_page):
        with pytest.raises(PdfToolsUnavailable):
            operation(tmp_path / "gone.pdf")


def test_a_full_disk_is_our_fault(workshop: PdfWorkshop, adas_pdf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_process.tempfile, "tempdir", "/nowhere/at/all")
    with pytest.raises(PdfToolsUnavailable):
        workshop.inspect(adas_pdf)


def test_a_child_that_sleeps_is_killed_in_time(adas_pdf: Path) -> None:
    # No child can start within a hundredth of a second: the clock decides, not the CPU.
    started = time.monotonic()
    with pytest.raises(PdfRefused, match="more time or memory"):
        PdfWorkshop(Limits(opening=(10, 0.01))).inspect(adas_pdf)
    assert time.monotonic() - started < 10


def test_a_child_without_memory_ends_in_a_sentence_or_as_our_fault(adas_pdf: Path) -> None:
    with pytest.raises((FileRefused, PdfToolsUnavailable)):
        PdfWorkshop(Limits(memory=48 * 1024 * 1024)).inspect(adas_pdf)


def test_the_child_sees_no_secret_of_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_of_ours")
    monkeypatch.setenv("DATABASE_URL", "postgresql://of-ours")
    handed = pdf_process._environment(tmp_path)
    assert not any("ours" in value for value in handed.values())


def test_the_child_can_neither_call_out_nor_start_programs() -> None:
    program = (
        "import socket, subprocess, sys\n"
        "from coursehub.infra.pdf_child import _no_way_out\n"
        "sys.addaudithook(_no_way_out)\n"
        "for act in (lambda: socket.create_connection(('127.0.0.1', 9)), lambda: subprocess.run(['true'])):\n"
        "    try:\n        act()\n"
        "    except PermissionError as problem:\n        print(problem)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.count("is not for documents") == 2


def test_no_child_outlives_the_worker_that_was_killed(tmp_path: Path) -> None:
    """The worker is killed with -9 while its child is busy; the child goes with it."""
    bomb = document(contents=stream(b"/X Do"), resources=b"/XObject << /X 31 0 R >>")
    for level in range(40):
        inside = b"/Resources << /XObject << /X %d 0 R >> >>" % (32 + level)
        bomb.objects[31 + level] = stream(b"/X Do /X Do ", b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] " + inside)
    bomb.objects[71] = stream(b"0 0 m 9 9 l S", b"/Type /XObject /Subtype /Form /BBox [0 0 9 9]")
    (tmp_path / "bomb.pdf").write_bytes(bomb.with_table())
    program = (
        "from pathlib import Path\nfrom coursehub.infra.pdf import Limits, PdfWorkshop\n"
        f"PdfWorkshop(Limits(opening=(100, 100))).inspect(Path({str(tmp_path / 'bomb.pdf')!r}))"
    )
    worker = subprocess.Popen([sys.executable, "-c", program])
    try:
        child = _wait_for(lambda: _child_of(worker.pid))
        _wait_for(lambda: _cpu_seconds(child) > 1.0 or None)
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    assert _wait_for(lambda: not Path(f"/proc/{child}").exists() or None)


def test_importing_the_workshop_costs_the_web_process_nothing() -> None:
    program = (
        "import sys, coursehub.infra.pdf\n"
        "print([name for name in ('pikepdf', 'pypdfium2', 'PIL', 'weasyprint') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def _child_of(parent: int) -> int | None:
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1]) == parent:
                return int(entry.name)
        except (OSError, IndexError):
            continue
    return None


def _cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _wait_for(answer: Callable[[], Answer | None], seconds: float = 30) -> Answer:
    latest = time.monotonic() + seconds
    while time.monotonic() < latest:
        found = answer()
        if found is not None:
            return found
        time.sleep(0.05)
    raise AssertionError("waited in vain")
