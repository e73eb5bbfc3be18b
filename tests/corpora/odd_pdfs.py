"""PDFs that are strange but honest, each with the answer that its author may expect."""

import io
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pikepdf
from PIL import Image

from tests.corpora.pdf_sketch import (
    FONT,
    WORDS,
    Sketch,
    document,
    heading,
    packed,
    references,
    stream,
    utf16,
    with_update,
)

ANY = object()
_HIDDEN = frozenset({"data hidden around the document"})


@dataclass(frozen=True)
class OddPdf:
    """`pages` and `title` are what an accepted file answers (title ANY = not looked at), `refused` is a code.

    `removed` names what the creator must be told was taken out; `outline` counts the entries.
    """

    name: str
    make: Callable[[], bytes]
    pages: int = 1
    title: object = ANY
    refused: str | None = None
    removed: frozenset[str] = frozenset()
    outline: int | None = None
    owner_locked: bool = False


def odd_pdfs() -> Iterator[OddPdf]:
    for family in (
        _versions,
        _cross_references,
        _mended,
        _junk,
        _titles,
        _other_titles,
        _geometry,
        _page_trees,
        _outlines,
        _encryption,
        _catalogues,
        _contents,
        _pictures_and_filters,
        _updates,
        _objects,
        _not_pdfs,
    ):
        yield from family()


def outside_pdfs() -> Iterator[Path]:
    """Further files from CORPUS_DIR, of which nothing is known."""
    folder = os.environ.get("CORPUS_DIR")
    if folder:
        yield from sorted(path for path in Path(folder).rglob("*.pdf") if path.is_file())


def _versions() -> Iterator[OddPdf]:
    for version in (b"1.0", b"1.1", b"1.2", b"1.3", b"1.4", b"1.5", b"1.6", b"1.7", b"2.0", b"1.9"):
        yield OddPdf(f"version-{version.decode()}", lambda v=version: document(version=v).with_table())
    yield OddPdf("version-in-catalogue", lambda: document(catalogue=b"/Version /1.7", version=b"1.3").with_table())
    yield OddPdf("version-missing", lambda: document(header=b"%PDF-\n").with_table())


def _cross_references() -> Iterator[OddPdf]:
    for pages in (1, 3):
        yield OddPdf(f"table-{pages}", lambda p=pages: document(p).with_table(), pages)
        yield OddPdf(f"stream-{pages}", lambda p=pages: document(p).with_stream(), pages)
        yield OddPdf(f"stream-predictor-{pages}", lambda p=pages: document(p).with_stream(predictor=True), pages)
        yield OddPdf(f"object-stream-{pages}", lambda p=pages: document(p).with_stream(pack_objects=True), pages)
        yield OddPdf(f"hybrid-{pages}", lambda p=pages: document(p).with_both(), pages)
        yield OddPdf(f"linearised-{pages}", lambda p=pages: _saved(document(p), linearize=True), pages)
    for name, eol in (("lf", b"\n"), ("cr", b"\r"), ("crlf", b"\r\n")):
        yield OddPdf(f"lines-{name}-table", lambda e=eol: document(eol=e).with_table())
        yield OddPdf(f"lines-{name}-stream", lambda e=eol: document(2, eol=e).with_stream(), 2)
    for name, end in (("crlf", b"\r\n"), ("cr", b" \r")):
        yield OddPdf(f"table-entries-{name}", lambda e=end: document().with_table(entry_end=e))


def _mended() -> Iterator[OddPdf]:
    """Broken in ways that real programs break files, and that can be repaired."""
    sound = document(2, title=b"(Mended)").with_table()
    table = sound.rfind(b"xref\n0")
    cases: dict[str, Callable[[], bytes]] = {
        "startxref-zero": lambda: document(2, title=b"(Mended)").with_table(start=0),
        "startxref-far": lambda: document(2, title=b"(Mended)").with_table(start=10_000_000),
        "startxref-in-the-middle": lambda: document(2, title=b"(Mended)").with_table(start=25),
        "startxref-missing": lambda: sound[: sound.rfind(b"startxref")],
        "startxref-word": lambda: sound[: sound.rfind(b"startxref")] + b"startxref\nhere\n%%EOF\n",
        "offsets-plus-one": lambda: document(2, title=b"(Mended)").with_table(shift=1),
        "offsets-minus-three": lambda: document(2, title=b"(Mended)").with_table(shift=-3),
        "offsets-far": lambda: document(2, title=b"(Mended)").with_table(shift=99_999),
        "table-missing": lambda: sound[:table] + sound[sound.rfind(b"trailer") :],
        "table-entries-short": lambda: document(2, title=b"(Mended)").with_table(entry_end=b"\n"),
        "table-size-small": lambda: sound.replace(b"/Size 8", b"/Size 3"),
        "table-size-large": lambda: sound.replace(b"/Size 8", b"/Size 800"),
        "table-starts-at-one": lambda: sound.replace(b"xref\n0 8", b"xref\n1 8"),
        "end-mark-missing": lambda: sound.replace(b"%%EOF\n", b""),
        "end-mark-cut": lambda: sound[:-4],
        "endobj-missing": lambda: sound.replace(b"endobj", b"      ", 3),
        "endstream-missing": lambda: sound.replace(b"endstream", b"         "),
        "stream-length-short": lambda: document(2, title=b"(Mended)", contents=stream(WORDS, length=3)).with_table(),
        "stream-length-long": lambda: document(2, title=b"(Mended)", contents=stream(WORDS, length=9999)).with_table(),
        "stream-length-missing": lambda: document(
            2, title=b"(Mended)", contents=b"<< >>\nstream\n" + WORDS + b"\nendstream"
        ).with_table(),
        "stream-length-of-nothing": lambda: document(
            2, title=b"(Mended)", contents=b"<< /Length 99 0 R >>\nstream\n" + WORDS + b"\nendstream"
        ).with_table(),
        "stream-cr-only": lambda: document(
            2, title=b"(Mended)", contents=b"<< /Length %d >>\nstream\r%s\nendstream" % (len(WORDS), WORDS)
        ).with_table(),
        "trailer-twice": lambda: sound + sound[sound.rfind(b"trailer") :],
        "downloaded-in-text-mode": lambda: sound.replace(b"\n", b"\r\n"),
        "last-table-lost": lambda: sound[:table] + b"trailer\n<< /Root 1 0 R /Size 8 /Info 7 0 R >>\n",
    }
    for name, make in cases.items():
        yield OddPdf(f"mended-{name}", make, 2, "Mended")


def _junk() -> Iterator[OddPdf]:
    sound = document().with_table()
    yield OddPdf("junk-comments", lambda: _between_objects(b"% a comment with ( and << and endobj\n"))
    yield OddPdf("junk-between-objects", lambda: _between_objects(b"what is this doing here\n"))
    yield OddPdf("junk-blanks", lambda: _between_objects(b" \t\n\n\n\0\0 \f\n"))
    yield OddPdf("junk-binary-comment-missing", lambda: document(header=b"%PDF-1.4\n").with_table())
    yield OddPdf("junk-header-with-words", lambda: document(header=b"%PDF-1.4 made by hand\n").with_table())
    yield OddPdf("junk-blank-lines-after", lambda: sound + b"\r\n" * 400)
    yield OddPdf("junk-nul-after", lambda: sound + b"\0" * 5000)
    yield OddPdf("junk-words-after", lambda: sound + b"<!-- saved by a mail program -->\n", removed=_HIDDEN)
    yield OddPdf("junk-long-words-after", lambda: sound + b"sent by fax \n" * 2000, removed=_HIDDEN)
    yield OddPdf("junk-two-documents", lambda: sound + document(3).with_table(), pages=3)


_TITLES: dict[str, tuple[bytes, str | None]] = {
    "plain": (b"(Reading the Sky)", "Reading the Sky"),
    "pdfdoc-accents": (b"(Caf\xe9 \xfcber)", "Café über"),
    "pdfdoc-specials": (b"(A \x84 B \x80 C)", "A — B • C"),
    "utf16-be": (utf16("Ünïcödé in a course"), "Ünïcödé in a course"),
    "utf16-le": (b"<FFFE" + "Le titre".encode("utf-16-le").hex().encode() + b">", "Le titre"),
    "utf8-mark": (b"(\xef\xbb\xbfWell \xe2\x80\x93 made)", "Well – made"),
    "hexadecimal": (b"<4865782074 69746C65>", "Hex title"),
    "hexadecimal-odd": (b"<48657820746974 6C 6>", "Hex titl`"),
    "octal": (b"(\\101 course)", "A course"),
    "escaped": (b"(One \\(two\\) \\\\ three)", "One (two) \\ three"),
    "nested-brackets": (b"(One (two (three)) four)", "One (two (three)) four"),
    "continued-line": (b"(One \\\ntwo)", "One two"),
    "line-breaks": (b"(One\ntwo\r\n\r\nthree\tfour)", "One two three four"),
    "hebrew": (utf16("שלום עולם"), "שלום עולם"),
    "arabic": (utf16("مرحبا بالعالم"), "مرحبا بالعالم"),
    "chinese": (utf16("编程入门"), "编程入门"),
    "thai": (utf16("การเขียนโปรแกรม"), "การเขียนโปรแกรม"),
    "hindi-joiner": (utf16("क्\u200dष सीखें"), "क्\u200dष सीखें"),
    "emoji": (utf16("Cooking 🍳 for two"), "Cooking 🍳 for two"),
    "emoji-family": (utf16("For 👩\u200d👩\u200d👧 families"), "For 👩\u200d👩\u200d👧 families"),
    "only-emoji": (utf16("🎸"), "🎸"),
    "turned-direction": (utf16("Invoice \u202efdp.exe"), "Invoice fdp.exe"),
    "isolated-direction": (utf16("\u2066\u2067Up\u2069 and down\u2069"), "Up and down"),
    "zero-width": (utf16("Co\u200bur\ufeffse"), "Course"),
    "control-signs": (b"(A\x00B\x07C\x1bD\\000E)", None),
    "nul-inside": (utf16("Nul\0 inside"), "Nul inside"),
    "combining": (utf16("Cafe\u0301"), "Café"),
    "lone-surrogate": (b"<FEFF0041D8000042>", None),
    "private-use": (utf16("Icon \ue000 font"), "Icon font"),
    "script": (b"(<script>alert\\(1\\)</script>)", "<script>alert(1)</script>"),
    "template": (b"({{ 7*7 }} {% raw %})", "{{ 7*7 }} {% raw %}"),
    "formula": (b"(=1+1)", "=1+1"),
    "percent": (b"(100 %s of %d)", "100 %s of %d"),
    "long": (b"(" + b"Long words " * 500 + b")", ("Long words " * 500)[:200].strip()),
    "one-word-of-1000": (b"(" + b"x" * 1000 + b")", "x" * 200),
    "number-only": (b"(2026)", "2026"),
}
_NO_TITLES: dict[str, bytes] = {
    "empty": b"()",
    "blanks": b"(   \t \n )",
    "only-marks": b"(--- ... ---)",
    "only-direction": utf16("\u202e\u202d\u200e"),
    "untitled": b"(Untitled)",
    "untitled-number": b"(untitled-1)",
    "word": b"(Microsoft Word - course_final_v7.docx)",
    "file-name": b"(course_final_v7.indd)",
    "name": b"/Course",
    "number": b"42",
    "list": b"[(A) (B)]",
    "dictionary": b"<< /T (A) >>",
    "null": b"null",
    "reference-to-nothing": b"99 0 R",
    "true": b"true",
}


def _titles() -> Iterator[OddPdf]:
    for name, (title, shown) in _TITLES.items():
        yield OddPdf(
            f"title-{name}", lambda t=title: document(title=t).with_table(), title=ANY if shown is None else shown
        )
    for name, title in _NO_TITLES.items():
        make = partial(document, content=heading(b"The Words on Page One"), title=title)
        yield OddPdf(f"no-title-{name}", lambda m=make: m().with_table(), title="The Words on Page One")
    yield OddPdf(
        "title-of-a-megabyte",
        lambda: document(title=b"<FEFF" + b"202E0041" * 125_000 + b">").with_table(),
        title="A" * 200,
    )


def _other_titles() -> Iterator[OddPdf]:
    xmp = (
        b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        b'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title><rdf:Alt><rdf:li xml:lang="x-default">%s</rdf:li>'
        b'</rdf:Alt></dc:title></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    )

    def with_metadata(data: bytes, title: bytes | None = None) -> bytes:
        made = document(content=heading(b"Heading"), title=title)
        number = made.add(stream(data, b"/Type /Metadata /Subtype /XML"))
        made.objects[1] = b"<< /Type /Catalog /Pages 2 0 R /Metadata %d 0 R >>" % number
        return made.with_table()

    entity = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    yield OddPdf("xmp-title", lambda: with_metadata(xmp % b"From XMP"), title="From XMP")
    yield OddPdf("xmp-and-information", lambda: with_metadata(xmp % b"From XMP", b"(From Info)"), title="From Info")
    yield OddPdf("xmp-broken", lambda: with_metadata(b"<x:xmpmeta><rdf:RDF>"), title="Heading")
    yield OddPdf("xmp-empty", lambda: with_metadata(b""), title="Heading")
    yield OddPdf("xmp-not-xml", lambda: with_metadata(b"\0\1\2 no xml at all"), title="Heading")
    yield OddPdf("xmp-entity", lambda: with_metadata(entity + xmp % b"&e;"), title=ANY)
    yield OddPdf("information-missing", lambda: document(content=heading(b"Big")).with_table(), title="Big")
    for name, body in (("null", b"null"), ("list", b"[1 2]"), ("text", b"(text)")):
        yield OddPdf(
            f"information-{name}",
            lambda b=body: document(content=heading(b"Big"), information=b).with_table(),
            title="Big",
        )
    two_lines = b"BT /F1 30 Tf 72 700 Td (Two Lines) Tj 0 -36 Td (of Heading) Tj ET BT /F1 9 Tf 72 500 Td (small) Tj ET"
    yield OddPdf("heading-two-lines", lambda: document(content=two_lines).with_table(), title="Two Lines of Heading")
    scaled = b"BT /F1 1 Tf 28 0 0 28 72 700 Tm (Scaled) Tj ET BT /F1 10 Tf 72 500 Td (not scaled) Tj ET"
    yield OddPdf("heading-scaled", lambda: document(content=scaled).with_table(), title="Scaled")
    yield OddPdf("heading-after-text", lambda: document(content=_heading_last()).with_table(), title="Chapter One")
    yield OddPdf("page-without-words", lambda: document(content=b"0 0 m 9 9 l S").with_table(), title=None)


def _heading_last() -> bytes:
    return b"BT /F1 8 Tf 72 760 Td (running head) Tj ET BT /F1 26 Tf 72 600 Td (Chapter One) Tj ET"


def _geometry() -> Iterator[OddPdf]:
    for turn in (b"0", b"90", b"180", b"270", b"-90", b"450", b"45", b"90.0", b"(90)"):
        yield OddPdf(f"turned-{turn.decode()}", lambda t=turn: document(page=b"/Rotate %s" % t).with_table())
    for name, page in {
        "crop-inside": b"/CropBox [50 50 300 400]",
        "crop-outside": b"/CropBox [-100 -100 900 900]",
        "crop-elsewhere": b"/CropBox [2000 2000 2100 2100]",
        "crop-empty": b"/CropBox [10 10 10 10]",
        "crop-broken": b"/CropBox [1 2 (three)]",
        "trim-bleed-art": b"/TrimBox [9 9 600 780] /BleedBox [3 3 606 786] /ArtBox [30 30 500 700]",
        "unit-half": b"/UserUnit 0.5",
        "unit-two": b"/UserUnit 2",
        "unit-ten": b"/UserUnit 10",
        "unit-negative": b"/UserUnit -3",
        "unit-word": b"/UserUnit (big)",
        "unit-zero": b"/UserUnit 0",
    }.items():
        yield OddPdf(f"page-{name}", lambda p=page: document(page=p).with_table())
    for name, box in {
        "reversed": b"[612 792 0 0]",
        "negative": b"[-306 -396 306 396]",
        "real": b"[0.0 0.0 595.276 841.89]",
        "far-away": b"[10000 10000 10595 10842]",
        "tiny": b"[0 0 1 1]",
        "three": b"[0 0 3 3]",
        "strip-wide": b"[0 0 14400 20]",
        "strip-tall": b"[0 0 20 14400]",
        "largest": b"[0 0 14400 14400]",
        "empty": b"[0 0 0 0]",
        "three-numbers": b"[0 0 612]",
        "five-numbers": b"[0 0 612 792 9]",
        "words": b"[(0) (0) (612) (792)]",
        "null": b"null",
        "a0": b"[0 0 2384 3370]",
        "a4": b"[0 0 595 842]",
        "a5": b"[0 0 420 595]",
        "slides": b"[0 0 960 540]",
        "square": b"[0 0 500 500]",
    }.items():
        yield OddPdf(f"box-{name}", lambda b=box: document(box=b).with_table())
    yield OddPdf("box-missing", lambda: document(box=None).with_table())
    yield OddPdf("box-inherited", lambda: document(box=None, tree=b"/MediaBox [0 0 400 500]").with_table())
    yield OddPdf("box-inherited-twice", _box_inherited_twice)
    yield OddPdf("box-elsewhere", _box_elsewhere)
    yield OddPdf("box-mixed", _mixed_sizes, 4)
    for name, box in {"just-too-wide": b"[0 0 14401 600]", "poster": b"[0 0 20000 20000]"}.items():
        yield OddPdf(f"box-{name}", lambda b=box: document(box=b).with_table(), refused="page_too_large")
    yield OddPdf("unit-too-large", lambda: document(page=b"/UserUnit 100").with_table(), refused="page_too_large")


def _box_inherited_twice() -> bytes:
    made = document(box=None)
    made.objects[2] = b"<< /Type /Pages /Kids [9 0 R] /Count 1 /MediaBox [0 0 300 300] /Rotate 90 >>"
    made.objects[9] = b"<< /Type /Pages /Parent 2 0 R /Kids [5 0 R] /Count 1 >>"
    made.objects[5] = made.objects[5].replace(b"/Parent 2 0 R", b"/Parent 9 0 R")
    return made.with_table()


def _box_elsewhere() -> bytes:
    made = document(box=b"9 0 R")
    made.objects[9] = b"[0 0 10 0 R 792]"
    made.objects[10] = b"612"
    return made.with_table()


def _mixed_sizes() -> bytes:
    made = document(4)
    for index, size in enumerate((b"[0 0 595 842]", b"[0 0 842 595]", b"[0 0 100 900]", b"[0 0 300 300]")):
        made.objects[5 + index] = made.objects[5 + index].replace(b"[0 0 612 792]", size)
    return made.with_table()


def _page_trees() -> Iterator[OddPdf]:
    for pages in (2, 5, 19, 20, 21, 999, 2999, 3000):
        yield OddPdf(f"pages-{pages}", lambda p=pages: document(p).with_table(), pages)
    for pages in (3001, 10_000, 100_000):
        make = partial(document, pages)
        yield OddPdf(f"pages-{pages}", lambda m=make: m().with_stream(), refused="too_many_pages")
    yield OddPdf("pages-2999-packed", lambda: document(2999).with_stream(pack_objects=True), 2999)
    yield OddPdf("tree-deep-30", partial(_deep_tree, 30))
    yield OddPdf("tree-deep-90", partial(_deep_tree, 90))
    yield OddPdf("tree-deep-200", partial(_deep_tree, 200), refused="damaged")
    yield OddPdf("tree-of-three-levels", _balanced_tree, 27)
    yield OddPdf("tree-empty-branch", lambda: _other_tree(b"/Kids [9 0 R 5 0 R] /Count 1"))
    yield OddPdf("tree-kid-null", lambda: _other_tree(b"/Kids [null 5 0 R] /Count 1"))
    yield OddPdf("tree-kid-missing", lambda: _other_tree(b"/Kids [77 0 R 5 0 R] /Count 2"))
    yield OddPdf("tree-same-page-twice", lambda: _other_tree(b"/Kids [5 0 R 5 0 R] /Count 2"), 2)
    yield OddPdf("tree-count-small", lambda: _other_tree(b"/Kids [5 0 R 6 0 R] /Count 1", 2), 2)
    yield OddPdf("tree-count-large", lambda: _other_tree(b"/Kids [5 0 R 6 0 R] /Count 9", 2), 2)
    yield OddPdf("tree-count-huge", lambda: _other_tree(b"/Kids [5 0 R 6 0 R] /Count 2147483647", 2), 2)
    yield OddPdf("tree-count-negative", lambda: _other_tree(b"/Kids [5 0 R 6 0 R] /Count -2", 2), 2)
    yield OddPdf("tree-count-missing", lambda: _other_tree(b"/Kids [5 0 R 6 0 R]", 2), 2)
    yield OddPdf("tree-count-word", lambda: _other_tree(b"/Kids [5 0 R 6 0 R] /Count (two)", 2), 2)
    yield OddPdf(
        "tree-page-inside", lambda: _other_tree(b"/Kids [<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>] /Count 1")
    )
    yield OddPdf("page-without-type", lambda: _other_page(b"/Type /Page", b""))
    yield OddPdf("page-without-parent", lambda: _other_page(b"/Parent 2 0 R", b""))
    yield OddPdf("page-with-wrong-parent", lambda: _other_page(b"/Parent 2 0 R", b"/Parent 5 0 R"))
    yield OddPdf("pages-none", lambda: _other_tree(b"/Kids [] /Count 0"), refused="no_pages")
    yield OddPdf("pages-none-but-counted", lambda: _other_tree(b"/Kids [] /Count 3"), refused="no_pages")


def _deep_tree(depth: int) -> bytes:
    made = document()
    first = 10
    made.objects[2] = b"<< /Type /Pages /Kids [%d 0 R] /Count 1 >>" % first
    for level in range(depth):
        number, last = first + level, level == depth - 1
        parent, kid = (2 if level == 0 else number - 1), (5 if last else number + 1)
        made.objects[number] = b"<< /Type /Pages /Parent %d 0 R /Kids [%d 0 R] /Count 1 >>" % (parent, kid)
    made.objects[5] = made.objects[5].replace(b"/Parent 2 0 R", b"/Parent %d 0 R" % (first + depth - 1))
    return made.with_table()


def _balanced_tree() -> bytes:
    made = document()
    page = made.objects.pop(5)
    branches = []
    for _ in range(3):
        twigs = []
        for _ in range(3):
            leaves = [made.add(page) for _ in range(3)]
            twigs.append(made.add(b"<< /Type /Pages /Kids [%s] /Count 3 >>" % references(leaves)))
        branches.append(made.add(b"<< /Type /Pages /Kids [%s] /Count 9 >>" % references(twigs)))
    made.objects[2] = b"<< /Type /Pages /Kids [%s] /Count 27 >>" % references(branches)
    return made.with_table()


def _other_tree(entries: bytes, pages: int = 1) -> bytes:
    made = document(pages)
    made.objects[2] = b"<< /Type /Pages %s >>" % entries
    made.objects[9] = b"<< /Type /Pages /Parent 2 0 R /Kids [] /Count 0 >>"
    return made.with_table()


def _other_page(before: bytes, after: bytes) -> bytes:
    made = document()
    made.objects[5] = made.objects[5].replace(before, after)
    return made.with_table()


def _outlines() -> Iterator[OddPdf]:
    def outlined(*entries: bytes, pages: int = 3, catalogue: bytes = b"") -> bytes:
        """Objects from 20 on are the outline's entries; 20 is its root."""
        made = document(pages)
        made.objects[1] = b"<< /Type /Catalog /Pages 2 0 R /Outlines 20 0 R %s >>" % catalogue
        for number, entry in enumerate(entries):
            made.objects[20 + number] = b"<< %s >>" % entry
        return made.with_table()

    root = b"/Type /Outlines /First 21 0 R /Last 21 0 R"
    destination = b"/Dest [6 0 R /Fit]"
    one = b"/Title (One) /Parent 20 0 R "
    yield OddPdf("outline-one", lambda: outlined(root, one + destination), 3, outline=1)
    yield OddPdf("outline-by-action", lambda: outlined(root, one + b"/A << /S /GoTo /D [6 0 R /Fit] >>"), 3, outline=1)
    yield OddPdf("outline-by-page-number", lambda: outlined(root, one + b"/Dest [1 /Fit]"), 3, outline=1)
    yield OddPdf("outline-to-nowhere", lambda: outlined(root, one + b"/Dest [88 0 R /Fit]"), 3, outline=1)
    yield OddPdf("outline-without-place", lambda: outlined(root, one), 3, outline=1)
    yield OddPdf("outline-without-title", lambda: outlined(root, b"/Parent 20 0 R " + destination), 3, outline=0)
    yield OddPdf("outline-empty", lambda: outlined(b"/Type /Outlines /Count 0"), 3, outline=0)
    named = b"/Names << /Dests << /Names [(there) [7 0 R /Fit]] >> >>"
    yield OddPdf("outline-named", lambda: outlined(root, one + b"/Dest (there)", catalogue=named), 3, outline=1)
    old = b"/Dests << /there [7 0 R /XYZ 0 700 0] >>"
    yield OddPdf("outline-named-old", lambda: outlined(root, one + b"/Dest /there", catalogue=old), 3, outline=1)
    yield OddPdf(
        "outline-unicode", lambda: outlined(root, b"/Title %s " % utf16("Глава 1 \u202e🎸") + destination), 3, outline=1
    )
    child = b"/First 22 0 R /Last 22 0 R /Count 1 "
    two = b"/Title (Two) /Parent 21 0 R "
    yield OddPdf(
        "outline-two-levels", lambda: outlined(root, one + child + destination, two + destination), 3, outline=2
    )
    yield OddPdf("outline-circle-of-one", lambda: outlined(root, one + b"/Next 21 0 R"), 3, outline=1)
    yield OddPdf(
        "outline-circle-of-two", lambda: outlined(root, one + b"/Next 22 0 R", two + b"/Next 21 0 R"), 3, outline=2
    )
    yield OddPdf("outline-own-child", lambda: outlined(root, one + b"/First 21 0 R"), 3)
    yield OddPdf("outline-child-is-root", lambda: outlined(root, one + b"/First 20 0 R"), 3)
    many = [b"/Title (Entry %d) /Parent 20 0 R /Next %d 0 R " % (n, 22 + n) + destination for n in range(900)]
    yield OddPdf("outline-of-900", lambda: outlined(root, *many), 3, outline=500)
    deep = [b"/Title (Level %d) /First %d 0 R " % (n, 22 + n) + destination for n in range(60)]
    yield OddPdf("outline-60-deep", lambda: outlined(root, *deep), 3)


def _encryption() -> Iterator[OddPdf]:
    nothing = pikepdf.Permissions(
        accessibility=False,
        extract=False,
        modify_annotation=False,
        modify_assembly=False,
        modify_form=False,
        modify_other=False,
        print_highres=False,
        print_lowres=False,
    )
    lock = frozenset({"printing and editing restrictions"})
    for name, revision, aes, metadata in (
        ("rc4-40", 2, False, False),
        ("rc4-128", 3, False, False),
        ("rc4-128-v4", 4, False, False),
        ("aes-128", 4, True, True),
        ("aes-128-open-metadata", 4, True, False),
        ("aes-256", 6, True, True),
        ("aes-256-open-metadata", 6, True, False),
    ):
        kind = partial(pikepdf.Encryption, R=revision, aes=aes, metadata=metadata)
        yield OddPdf(
            f"locked-{name}",
            lambda k=kind: _saved(document(2, title=b"(Locked)"), encryption=k(owner="owner", user="", allow=nothing)),
            2,
            "Locked",
            removed=lock,
            owner_locked=True,
        )
        yield OddPdf(
            f"password-{name}",
            lambda k=kind: _saved(document(2), encryption=k(owner="owner", user="user")),
            refused="password",
        )
    yield OddPdf(
        "locked-linearised",
        lambda: _saved(document(2), linearize=True, encryption=pikepdf.Encryption(owner="o", user="", R=6)),
        2,
        removed=lock,
        owner_locked=True,
    )
    yield OddPdf(
        "password-unicode",
        lambda: _saved(document(), encryption=pikepdf.Encryption(owner="ö", user="пароль", R=6)),
        refused="password",
    )
    unknown = b"/Encrypt << /Filter /Certificates.Of.Somebody /V 9 /R 9 >> /ID [<00> <00>]"
    yield OddPdf("encryption-unknown", lambda: document(trailer=unknown).with_table(), refused="password")


def _catalogues() -> Iterator[OddPdf]:
    """Entries of the catalogue and of pages that courses really have."""
    for name, catalogue in {
        "tagged": b"/MarkInfo << /Marked true >> /StructTreeRoot << /Type /StructTreeRoot >> /Lang (de-DE)",
        "language-odd": b"/Lang (not a language at all, is it)",
        "language-list": b"/Lang [1 2]",
        "page-labels": b"/PageLabels << /Nums [0 << /S /r >> 1 << /S /D /St 5 >>] >>",
        "page-mode": b"/PageMode /UseOutlines /PageLayout /TwoColumnLeft",
        "viewer-preferences": b"/ViewerPreferences << /DisplayDocTitle true /HideMenubar true >>",
        "layers": b"/OCProperties << /OCGs [] /D << /Order [] >> >>",
        "opens-at-page": b"/OpenAction [5 0 R /Fit]",
        "opens-by-going": b"/OpenAction << /S /GoTo /D [5 0 R /Fit] >>",
        "piece-information": b"/PieceInfo << /Some << /LastModified (D:2026) /Private << /A 1 >> >> >>",
        "empty-form": b"/AcroForm << /Fields [] >>",
        "address-base": b"/URI << /Base (https://example.org/) >>",
        "needs-rendering": b"/NeedsRendering true",
    }.items():
        yield OddPdf(
            f"catalogue-{name}", lambda c=catalogue: document(2, catalogue=c).with_table(), 2, removed=frozenset()
        )
    yield OddPdf(
        "signed",
        lambda: document(catalogue=b"/AcroForm << /Fields [] /SigFlags 3 >>").with_table(),
        removed=frozenset({"digital signature"}),
    )
    yield OddPdf("attachment", _attachment, removed=frozenset({"embedded files"}))
    yield OddPdf("form-fields", _form_fields)
    yield OddPdf("fonts-called-like-actions", _fonts_called_like_actions)
    yield OddPdf("tags-called-like-actions", _tags_called_like_actions)
    for name, link in {
        "https": b"https://example.org/a?b=c",
        "mailto": b"mailto:ada@example.com",
        "www": b"www.example.org",
        "https-capitals": b"HTTPS://EXAMPLE.ORG",
    }.items():
        page = b"/Annots [<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A << /S /URI /URI (%s) >> >>]" % link
        yield OddPdf(f"link-{name}", lambda p=page: document(page=p).with_table(), removed=frozenset())
    page = b"/Annots [<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /Dest [5 0 R /Fit] >>]"
    yield OddPdf("link-inside", lambda p=page: document(page=p).with_table())
    for name, annotations in {
        "not-a-list": b"/Annots 7",
        "null": b"/Annots [null 99 0 R]",
        "note": b"/Annots [<< /Type /Annot /Subtype /Text /Rect [9 9 30 30] /Contents (Nice) >>]",
        "highlight": b"/Annots [<< /Subtype /Highlight /Rect [9 9 90 30] /QuadPoints [9 30 90 30 9 9 90 9] >>]",
        "without-rect": b"/Annots [<< /Subtype /Link >>]",
    }.items():
        yield OddPdf(f"annotations-{name}", lambda a=annotations: document(page=a).with_table())


def _attachment() -> bytes:
    made = document(catalogue=b"/Names << /EmbeddedFiles << /Names [(a.csv) 10 0 R] >> >>")
    made.objects[10] = b"<< /Type /Filespec /F (a.csv) /EF << /F 11 0 R >> >>"
    made.objects[11] = stream(b"a;b;c", b"/Type /EmbeddedFile")
    return made.with_table()


def _form_fields() -> bytes:
    made = document(page=b"/Annots [10 0 R]", catalogue=b"/AcroForm << /Fields [10 0 R] /DA (/F1 12 Tf) >>")
    made.objects[10] = b"<< /FT /Tx /T (name) /V (Ada) /Type /Annot /Subtype /Widget /Rect [72 72 200 90] /P 5 0 R >>"
    return made.with_table()


def _fonts_called_like_actions() -> bytes:
    content = b"BT /JS 24 Tf 72 700 Td (Hello) Tj /AA 12 Tf (there) Tj ET"
    made = document(content=content)
    made.objects[5] = made.objects[5].replace(b"/F1 3 0 R", b"/JS 3 0 R /AA 3 0 R /EF 3 0 R")
    return made.with_table()


def _tags_called_like_actions() -> bytes:
    made = document(catalogue=b"/MarkInfo << /Marked true >> /StructTreeRoot 10 0 R")
    made.objects[10] = b"<< /Type /StructTreeRoot /K 11 0 R /RoleMap << /Launch /P >> >>"
    made.objects[11] = b"<< /Type /StructElem /S /Launch /P 10 0 R /Pg 5 0 R /A << /O /Layout /Width 9 >> >>"
    return made.with_table()


def _contents() -> Iterator[OddPdf]:
    for name, content in {
        "empty": b"",
        "unbalanced": b"q q q BT /F1 12 Tf (open",
        "too-many-closings": b"Q Q Q Q ET EMC",
        "unknown-operators": b"foo bar 1 2 3 baz << /A 1 >> qux",
        "unknown-font": b"BT /Nowhere 12 Tf 72 700 Td (Hello) Tj ET",
        "unknown-picture": b"/Im99 Do",
        "invisible-text": b"BT 3 Tr /F1 12 Tf 72 700 Td (ocr) Tj ET",
        "zero-size-font": b"BT /F1 0 Tf 72 700 Td (nothing) Tj ET",
        "negative-font": b"BT /F1 -12 Tf 72 700 Td (mirror) Tj ET",
        "huge-numbers": b"99999999999999999999 0 m 1e400 -1e400 l S",
        "odd-numbers": b"+.5 -.5 m 4. --5 l 0x10 6 l S",
        "inline-image": b"q 100 0 0 100 72 600 cm BI /W 2 /H 2 /BPC 8 /CS /G ID \x00\xff\xff\x00 EI Q",
        "inline-image-cut": b"BI /W 200 /H 200 /BPC 8 /CS /RGB ID \x00\x01",
        "inline-image-abbreviated": b"BI /W 4 /H 1 /IM true /F /AHx ID F0> EI",
        "deep-states": b"q " * 5000 + b"Q " * 5000,
        "many-marks": b"/P << /MCID 0 >> BDC " * 500 + b"EMC " * 500,
        "hidden-layer": b"/OC /Nowhere BDC BT /F1 12 Tf (x) Tj ET EMC",
        "comment": b"% only a comment",
        "curves": b"0 0 m 10 200 300 400 500 600 c 5 w 2 J 1 j [3 1] 0 d S",
        "clipping": b"0 0 0 0 re W n BT /F1 24 Tf 72 700 Td (clipped) Tj ET",
        "matrix-of-zeros": b"0 0 0 0 0 0 cm BT /F1 24 Tf 72 700 Td (gone) Tj ET",
        "10000-lines": b"0 0 m 600 700 l S\n" * 10_000,
    }.items():
        yield OddPdf(f"content-{name}", lambda c=content: document(content=c).with_table())
    yield OddPdf("content-missing", lambda: _other_page(b"/Contents 4 0 R", b""))
    yield OddPdf("content-list", lambda: _other_page(b"/Contents 4 0 R", b"/Contents [4 0 R 4 0 R 4 0 R]"))
    yield OddPdf("content-list-empty", lambda: _other_page(b"/Contents 4 0 R", b"/Contents []"))
    yield OddPdf("content-reference-to-nothing", lambda: _other_page(b"/Contents 4 0 R", b"/Contents 98 0 R"))
    yield OddPdf("content-is-a-font", lambda: _other_page(b"/Contents 4 0 R", b"/Contents 3 0 R"))
    yield OddPdf("resources-missing", lambda: _other_page(b"/Resources <<", b"/Unused <<"))
    yield OddPdf("resources-inherited", _resources_inherited)
    for name, font in {
        "standard": FONT,
        "missing": b"<< /Type /Font /Subtype /TrueType /BaseFont /NoSuchFont-Bold /FirstChar 32 /LastChar 33 >>",
        "descriptor-without-file": b"<< /Type /Font /Subtype /Type1 /BaseFont /Ghost /FontDescriptor 20 0 R >>",
        "type0-broken": b"<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /Identity-H /DescendantFonts [] >>",
        "type3-empty": b"<< /Type /Font /Subtype /Type3 /FontBBox [0 0 1 1] /FontMatrix [.001 0 0 .001 0 0] "
        b"/CharProcs << >> /Encoding << /Differences [65 /A] >> /FirstChar 65 /LastChar 65 /Widths [1000] >>",
        "null": b"null",
        "number": b"12",
    }.items():
        yield OddPdf(f"font-{name}", lambda f=font: _with_font(f))


def _resources_inherited() -> bytes:
    made = document(tree=b"/Resources << /Font << /F1 3 0 R >> >>")
    made.objects[5] = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R >>"
    return made.with_table()


def _with_font(font: bytes) -> bytes:
    made = document()
    made.objects[3] = font
    made.objects[20] = b"<< /Type /FontDescriptor /FontName /Ghost /Flags 4 /FontBBox [0 0 1 1] >>"
    return made.with_table()


def _pictures_and_filters() -> Iterator[OddPdf]:
    encoded = WORDS.hex().encode() + b">"
    a85 = _ascii85(WORDS)
    for name, data, entries in (
        ("hexadecimal", encoded, b"/Filter /ASCIIHexDecode"),
        ("ascii85", a85, b"/Filter /ASCII85Decode"),
        ("run-length", _run_length(WORDS), b"/Filter /RunLengthDecode"),
        ("flate", zlib.compress(WORDS), b"/Filter /FlateDecode"),
        ("flate-stored", zlib.compress(WORDS, 0), b"/Filter /FlateDecode"),
        ("flate-cut", zlib.compress(WORDS * 50)[:-9], b"/Filter /FlateDecode"),
        ("flate-garbage", b"this was never packed", b"/Filter /FlateDecode"),
        ("chain", zlib.compress(WORDS).hex().encode() + b">", b"/Filter [/ASCIIHexDecode /FlateDecode]"),
        ("short-names", encoded, b"/Filter [/AHx]"),
        ("unknown", WORDS, b"/Filter /FutureDecode"),
        ("none", WORDS, b"/Filter []"),
        ("null", WORDS, b"/Filter null /DecodeParms null"),
    ):
        yield OddPdf(f"filter-{name}", lambda d=data, e=entries: document(contents=stream(d, e)).with_table())
    for name, data, entries in (
        ("grey", bytes(range(100)), b"/Width 10 /Height 10 /BitsPerComponent 8 /ColorSpace /DeviceGray"),
        ("one-bit", b"\xaa" * 20, b"/Width 8 /Height 20 /BitsPerComponent 1 /ColorSpace /DeviceGray"),
        ("mask", b"\xaa" * 20, b"/Width 8 /Height 20 /BitsPerComponent 1 /ImageMask true"),
        ("rgb", b"\x10\x80\xf0" * 25, b"/Width 5 /Height 5 /BitsPerComponent 8 /ColorSpace /DeviceRGB"),
        ("cmyk", b"\x10\x80\xf0\0" * 25, b"/Width 5 /Height 5 /BitsPerComponent 8 /ColorSpace /DeviceCMYK"),
        (
            "indexed",
            b"\x00\x01" * 8,
            b"/Width 4 /Height 4 /BitsPerComponent 8 /ColorSpace [/Indexed /DeviceRGB 1 <FF000000FF00>]",
        ),
        ("sixteen-bit", b"\x12\x34" * 16, b"/Width 4 /Height 4 /BitsPerComponent 16 /ColorSpace /DeviceGray"),
        ("too-little-data", b"\x10", b"/Width 50 /Height 50 /BitsPerComponent 8 /ColorSpace /DeviceRGB"),
        ("without-size", b"\x10", b"/BitsPerComponent 8 /ColorSpace /DeviceRGB"),
        ("negative-size", b"\x10", b"/Width -5 /Height -5 /BitsPerComponent 8 /ColorSpace /DeviceRGB"),
        ("jpeg", _jpeg("RGB"), b"/Width 16 /Height 16 /BitsPerComponent 8 /ColorSpace /DeviceRGB /Filter /DCTDecode"),
        (
            "jpeg-cut",
            _jpeg("RGB")[:150],
            b"/Width 16 /Height 16 /BitsPerComponent 8 /ColorSpace /DeviceRGB /Filter /DCTDecode",
        ),
        ("fax-garbage", b"\x01\x02\x03", b"/Width 16 /Height 16 /BitsPerComponent 1 /Filter /CCITTFaxDecode"),
        ("jbig2-garbage", b"\x01\x02\x03", b"/Width 16 /Height 16 /BitsPerComponent 1 /Filter /JBIG2Decode"),
        ("jpx-garbage", b"\x01\x02\x03", b"/Width 16 /Height 16 /Filter /JPXDecode"),
    ):
        yield OddPdf(f"picture-{name}", lambda d=data, e=entries: _with_picture(d, e))
    for name, resources in {
        "group": b"/ExtGState << /G << /ca 0.5 /BM /Multiply /SMask /None >> >>",
        "pattern": b"/Pattern << /P << /PatternType 2 /Shading << /ShadingType 2 /ColorSpace /DeviceRGB "
        b"/Coords [0 0 9 9] /Function << /FunctionType 2 /Domain [0 1] /C0 [1 0 0] /C1 [0 0 1] /N 1 >> >> >> >>",
        "colour-space": b"/ColorSpace << /C [/ICCBased 99 0 R] /D [/Separation /Gold /DeviceCMYK 98 0 R] >>",
        "nulls": b"/XObject null /ExtGState null",
    }.items():
        yield OddPdf(f"resources-{name}", lambda r=resources: document(resources=r).with_table())


def _ascii85(data: bytes) -> bytes:
    import base64

    return base64.a85encode(data) + b"~>"


def _run_length(data: bytes) -> bytes:
    written = b""
    for start in range(0, len(data), 100):
        part = data[start : start + 100]
        written += bytes([len(part) - 1]) + part
    return written + b"\x80"


def _jpeg(mode: str) -> bytes:
    made = io.BytesIO()
    Image.new(mode, (16, 16), "orange").save(made, "JPEG")
    return made.getvalue()


def _with_picture(data: bytes, entries: bytes) -> bytes:
    made = document(content=b"q 200 0 0 200 72 500 cm /I Do Q", resources=b"/XObject << /I 30 0 R >>")
    made.objects[30] = stream(data, b"/Type /XObject /Subtype /Image " + entries)
    return made.with_table()


def _updates() -> Iterator[OddPdf]:
    first = document(2, title=b"(First)").with_table()
    info = {7: b"<< /Title (Second) >>"}
    yield OddPdf("update-title", lambda: with_update(first, info, b"/Info 7 0 R"), 2, "Second")
    yield OddPdf(
        "update-twice",
        lambda: with_update(with_update(first, info, b"/Info 7 0 R"), {7: b"<< /Title (Third) >>"}, b"/Info 7 0 R"),
        2,
        "Third",
    )
    fewer = {2: b"<< /Type /Pages /Kids [6 0 R] /Count 1 >>"}
    yield OddPdf("update-removes-page", lambda: with_update(first, fewer, b"/Info 7 0 R"), 1, "First")
    more = {
        2: b"<< /Type /Pages /Kids [5 0 R 6 0 R 8 0 R] /Count 3 >>",
        8: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 300] >>",
    }
    yield OddPdf("update-adds-page", lambda: with_update(first, more, b"/Info 7 0 R"), 3, "First")
    yield OddPdf("update-twenty-times", partial(_updated_often, first, 20), 2, "Edition 19")
    yield OddPdf("update-cut-off", lambda: with_update(first, more)[:-40], 2, "First", removed=_HIDDEN)


def _updated_often(first: bytes, times: int) -> bytes:
    for number in range(times):
        first = with_update(first, {7: b"<< /Title (Edition %d) >>" % number}, b"/Info 7 0 R")
    return first


def _objects() -> Iterator[OddPdf]:
    def holding(body: bytes) -> bytes:
        made = document(page=b"/Extra 10 0 R")
        made.objects[10] = body
        return made.with_table()

    for name, body in {
        "lists-50-deep": b"[" * 50 + b"]" * 50,
        "lists-200-deep": b"[" * 200 + b"]" * 200,
        "dictionaries-100-deep": b"<< /A " * 100 + b"1" + b" >>" * 100,
        "dictionary-of-5000": b"<< " + b" ".join(b"/K%d %d" % (n, n) for n in range(5000)) + b" >>",
        "key-twice": b"<< /A 1 /A 2 /A 3 >>",
        "key-escaped": b"<< /A#20B#23 1 /#41 2 >>",
        "string-of-a-megabyte": b"(" + b"x" * 1_000_000 + b")",
        "list-of-100000": b"[" + b"0 " * 100_000 + b"]",
        "long-number": b"9" * 400,
        "refers-to-itself": b"10 0 R",
        "empty": b"",
        "unclosed-string": b"(never closed",
        "stream-of-a-megabyte": packed(os.urandom(1_000_000)),
        "long-name": b"/" + b"n" * 5000,
    }.items():
        yield OddPdf(f"object-{name}", lambda b=body: holding(b))
    yield OddPdf("object-number-far", _far_object)
    yield OddPdf("object-generation", lambda: document().with_table().replace(b"4 0 obj", b"4 7 obj"))


def _far_object() -> bytes:
    made = document(page=b"/Extra 60000 0 R")
    made.objects[60000] = b"(far)"
    return made.with_table()


def _not_pdfs() -> Iterator[OddPdf]:
    sound = document().with_table()
    for name, content, code in (
        ("nothing", b"", "empty_file"),
        ("text", b"Dear Ada, here is my course.\n", "not_a_pdf"),
        ("web-page", b"<!doctype html><title>PDF</title>", "not_a_pdf"),
        ("drawing", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not_a_pdf"),
        ("archive", _zip(), "not_a_pdf"),
        ("jpeg", _jpeg("RGB"), "not_a_pdf"),
        ("postscript", b"%!PS-Adobe-3.0\n%%Pages: 1\nshowpage\n", "not_a_pdf"),
        ("form-data", b"%FDF-1.2\n1 0 obj\n<< >>\nendobj\n", "not_a_pdf"),
        ("rich-text", b"{\\rtf1 hello}", "not_a_pdf"),
        ("program", b"MZ\x90\0" + b"\0" * 200, "not_a_pdf"),
        ("zeros", b"\0" * 4096, "not_a_pdf"),
        ("small-letters", sound.replace(b"%PDF-", b"%pdf-"), "not_a_pdf"),
        ("without-hyphen", sound.replace(b"%PDF-", b"%PDF "), "not_a_pdf"),
        ("line-before", b"\n" + sound, "not_a_pdf"),
        ("mark-before", b"\xef\xbb\xbf" + sound, "not_a_pdf"),
        ("cut-header", b"%PD", "not_a_pdf"),
        ("header-only", b"%PDF-1.7\n", "damaged"),
        ("header-and-words", b"%PDF-1.7\nThis is a letter, really.\n", "damaged"),
        ("header-and-zeros", b"%PDF-1.7\n" + b"\0" * 10_000, "damaged"),
        ("header-and-picture", b"%PDF-1.7\n" + _jpeg("RGB"), "damaged"),
        ("first-tenth", sound[: len(sound) // 10], "damaged"),
        ("first-third", sound[: len(sound) // 3], "damaged"),
        ("first-half", sound[: len(sound) // 2], "damaged"),
        ("ending-only", b"%PDF-1.7\nstartxref\n0\n%%EOF\n", "damaged"),
        ("no-catalogue-named", sound.replace(b"/Root 1 0 R", b""), None),
        ("catalogue-is-a-number", sound.replace(b"/Root 1 0 R", b"/Root 12"), "damaged"),
        ("tree-is-missing", sound.replace(b"/Pages 2 0 R", b"/Pages 99 0 R"), "damaged"),
        ("tree-is-a-number", sound.replace(b"/Pages 2 0 R", b"/Pages 123"), "damaged"),
    ):
        yield OddPdf(f"not-{name}", lambda c=content: c, refused=code)


def _zip() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    return made.getvalue()


def _between_objects(junk: bytes) -> bytes:
    made = document()
    written, _ = made.body()
    mixed = bytes(written).replace(b"endobj\n", b"endobj\n" + junk)
    places = {number: mixed.index(b"%d 0 obj" % number) for number in made.objects}
    size = max(places) + 1
    table = b"xref\n0 %d\n0000000000 65535 f \n" % size
    table += b"".join(b"%010d 00000 n \n" % places[number] for number in range(1, size))
    return mixed + table + b"trailer\n<< /Size %d /Root 1 0 R >>\n" % size + made.ending(len(mixed))


def _saved(sketch: Sketch, **options: object) -> bytes:
    """The sketch as pikepdf writes it: linearised or encrypted."""
    made = io.BytesIO()
    with pikepdf.open(io.BytesIO(sketch.with_table())) as pdf:
        pdf.save(made, **options)  # type: ignore[arg-type]
    return made.getvalue()
