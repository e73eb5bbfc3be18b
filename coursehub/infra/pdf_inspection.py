"""Look at a PDF once, in the child: what it is, what it holds, why it may be refused."""

import hashlib
import math
import re
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pikepdf
import pypdfium2
import pypdfium2.raw as pdfium

from coursehub.infra.pdf_active import active_content, is_only_a_program
from coursehub.infra.pdf_opening import check_header, count_pages, open_pdf, rebuild_page_tree, second_file_signs
from coursehub.infra.pdf_titles import as_title, readable
from coursehub.infra.pdf_verdicts import Refusal

_Sizes = list[tuple[float, float]]

_MOST_OUTLINE_ENTRIES = 500
_DEEPEST_OUTLINE = 12
_HEADING_SIGNS = 4000
_LANGUAGE = re.compile(r"^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$")
_PREVIEW_WIDTH = 120
_SECONDS_FOR_ACTIVE_CONTENT = 3.0


def inspect(path: str, max_pages: int, max_side: float) -> Iterator[dict[str, object]]:
    file = Path(path)
    check_header(file)
    with open_pdf(file) as pdf, tempfile.TemporaryDirectory() as folder:
        if is_only_a_program(pdf):
            raise Refusal("active_content_unremovable")
        pages = count_pages(pdf, max_pages)
        document, sizes = _open_for_drawing(file, pdf, Path(folder) / "mended.pdf")
        _check_sizes(sizes, max_side)
        title = _title_of(pdf)
        first_words = _look_at_first_page(document)
        yield {
            "pages_count": pages,
            "title": title or as_title(first_words),
            "outline": _outline(document),
            "page_width": sizes[0][0],
            "page_height": sizes[0][1],
            "mixed_sizes": any(abs(w - sizes[0][0]) > 1 or abs(h - sizes[0][1]) > 1 for w, h in sizes),
            "pdf_version": readable(pdf.pdf_version, 8),
            "language": _language(pdf),
            "tagged": _is_tagged(pdf),
            "has_signature": _is_signed(pdf),
            "owner_locked": pdf.is_encrypted,
            "active_content": active_content(pdf, seconds=_SECONDS_FOR_ACTIVE_CONTENT),
            "second_file_signs": second_file_signs(file),
            "repaired": bool(pdf.get_warnings()),
            "fingerprint": _fingerprint(file),
            "size": file.stat().st_size,
        }


def _open_for_drawing(file: Path, pdf: pikepdf.Pdf, mended: Path) -> tuple[pypdfium2.PdfDocument, _Sizes]:
    """The same document in pdfium, with the size of every page; what only qpdf understood is given to it mended."""
    try:
        document = pypdfium2.PdfDocument(file)
        return document, _page_sizes(document, pdf)
    except (pypdfium2.PdfiumError, ValueError):
        rebuild_page_tree(pdf)
        pdf.save(mended)
    try:
        document = pypdfium2.PdfDocument(mended)
        return document, _page_sizes(document, pdf)
    except (pypdfium2.PdfiumError, ValueError) as problem:
        raise Refusal("damaged") from problem


def _page_sizes(document: pypdfium2.PdfDocument, pdf: pikepdf.Pdf) -> _Sizes:
    if len(document) != len(pdf.pages):
        raise ValueError("the two libraries count differently")
    sizes = []
    for index, page in enumerate(pdf.pages):
        width, height = document.get_page_size(index)
        if width <= 0 or height <= 0:
            raise ValueError("a page without a size")
        unit = _user_unit(page.obj)
        sizes.append((round(width * unit, 2), round(height * unit, 2)))
    return sizes


def _check_sizes(sizes: _Sizes, max_side: float) -> None:
    for number, (width, height) in enumerate(sizes, start=1):
        if not (width <= max_side and height <= max_side):
            raise Refusal("page_too_large", page=number, width=_said(width), height=_said(height), limit=int(max_side))


def _user_unit(page: pikepdf.Object) -> float:
    try:
        unit = float(page.get("/UserUnit", 1))
    except (TypeError, ValueError):
        return 1.0
    return unit if 0 < unit < math.inf else 1.0


def _said(length: float) -> str:
    return f"{length:,.0f}" if length < 1e12 else "more than a million million"


def _title_of(pdf: pikepdf.Pdf) -> str | None:
    """The title that the author gave: in the information dictionary, else in the XMP metadata."""
    information = pdf.trailer.get("/Info")
    if isinstance(information, pikepdf.Dictionary):
        given = information.get("/Title")
        title = as_title(str(given)) if isinstance(given, pikepdf.String) else None
        if title:
            return title
    metadata = pdf.Root.get("/Metadata")
    if not isinstance(metadata, pikepdf.Stream) or int(metadata.get("/Length", 0)) > 1_000_000:
        return None
    try:
        with pdf.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as xmp:
            return as_title(str(xmp.get("dc:title") or ""))
    except Exception:  # metadata of any make; a course without a title is no reason to refuse it
        return None


def _look_at_first_page(document: pypdfium2.PdfDocument) -> str | None:
    """The largest words of page 1. It is drawn small as well: a bomb should go off here, not page by page later."""
    try:
        page = document[0]
    except pypdfium2.PdfiumError:
        return None
    try:
        page.render(scale=_PREVIEW_WIDTH / max(page.get_width(), page.get_height(), 1))
        return _largest_words(page.get_textpage())
    except (pypdfium2.PdfiumError, ValueError):
        return None


def _largest_words(text: pypdfium2.PdfTextPage) -> str | None:
    signs: list[tuple[str, float]] = []
    for index in range(min(text.count_chars(), _HEADING_SIGNS)):
        code = pdfium.FPDFText_GetUnicode(text, index)
        if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000:
            left, bottom, right, top = text.get_charbox(index, loose=True)
            # The narrow side for words set on their side; blanks have no reliable size.
            signs.append((chr(code), 0.0 if chr(code).isspace() else max(top - bottom, min(right - left, 5000))))
    largest = max((size for sign, size in signs if sign.isalnum()), default=0.0)
    words, begun = "", False
    for sign, size in signs:
        if size >= largest * 0.85:
            words, begun = words + sign, True
        elif begun and size == 0.0:
            words += " "
        elif begun:
            break
    return words or None


def _outline(document: pypdfium2.PdfDocument) -> list[dict[str, object]]:
    entries: list[dict[str, object]] = []
    for mark in islice(document.get_toc(max_depth=_DEEPEST_OUTLINE), _MOST_OUTLINE_ENTRIES):
        title = readable(mark.get_title() or "")
        if title:
            destination = mark.get_dest()
            index = destination.get_index() if destination else None
            inside = index if index is not None and 0 <= index < len(document) else None
            entries.append({"title": title, "level": mark.level + 1, "page": None if inside is None else inside + 1})
    return entries


def _language(pdf: pikepdf.Pdf) -> str | None:
    language = pdf.Root.get("/Lang")
    text = str(language).strip() if isinstance(language, pikepdf.String) else ""
    return text if len(text) <= 35 and _LANGUAGE.match(text) else None


def _is_tagged(pdf: pikepdf.Pdf) -> bool:
    marks = pdf.Root.get("/MarkInfo")
    return isinstance(marks, pikepdf.Dictionary) and marks.get("/Marked") is True


def _is_signed(pdf: pikepdf.Pdf) -> bool:
    form = pdf.Root.get("/AcroForm")
    flags = form.get("/SigFlags", 0) if isinstance(form, pikepdf.Dictionary) else 0
    return "/Perms" in pdf.Root or (isinstance(flags, int) and bool(flags & 1))


def _fingerprint(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
