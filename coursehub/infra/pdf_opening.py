"""Opening a stranger's PDF: is it one, can it be read, and where it was mended."""

import io
import mmap
import re
import zipfile
from pathlib import Path

import pikepdf

from coursehub.infra.pdf_boxes import set_boxes_right
from coursehub.infra.pdf_verdicts import Refusal

_HEADER = b"%PDF-"
_END = b"%%EOF"
_WEB_PAGE = re.compile(rb"<\s*(!doctype|html|script|svg|body|iframe)\b", re.IGNORECASE)
_FIRST_OBJECT = re.compile(rb"\d\s+obj\b")
_LARGEST_REBUILT = 64 * 1024 * 1024
_PAGES_ON_A_TWIG = 4
_MOST_BRANCHES = 32


def check_header(path: Path) -> None:
    """The file starts with a PDF header, in its very first bytes: anything before it is somebody else's file."""
    if path.stat().st_size == 0:
        raise Refusal("empty_file")
    with path.open("rb") as stream:
        if stream.read(len(_HEADER)) != _HEADER:
            raise Refusal("not_a_pdf")


def second_file_signs(path: Path) -> list[str]:
    """What speaks for another file hidden in this one; re-writing the document leaves all of it out."""
    signs = []
    with path.open("rb") as stream:
        if _WEB_PAGE.search(_FIRST_OBJECT.split(stream.read(4096), maxsplit=1)[0]):
            signs.append("a web page before the document")
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            end = content.rfind(_END)
            if end >= 0 and re.compile(rb"[^\0\s\x1a]").search(content, end + len(_END)):
                signs.append("data after the end of the document")
    if zipfile.is_zipfile(path):
        signs.append("a ZIP archive")
    return signs


def open_pdf(path: Path) -> pikepdf.Pdf:
    """The document, mended by qpdf where it can be, else a refusal."""
    try:
        pdf = pikepdf.open(path)
    except pikepdf.PasswordError as problem:
        raise Refusal("password") from problem
    except pikepdf.PdfError as problem:
        if "encryption" in str(problem).lower():
            raise Refusal("password") from problem
        pdf = _rebuilt(path)
    if not isinstance(pdf.trailer.get("/Root"), pikepdf.Dictionary):
        raise Refusal("damaged")
    return pdf


def _rebuilt(path: Path) -> pikepdf.Pdf:
    """The last try: without its tables, which may be wrong without looking wrong, from the objects alone."""
    if path.stat().st_size > _LARGEST_REBUILT:
        raise Refusal("damaged")
    try:
        return pikepdf.open(io.BytesIO(path.read_bytes().replace(b"startxref", b"startXREF")))
    except (pikepdf.PdfError, pikepdf.PasswordError) as problem:
        raise Refusal("damaged") from problem


def count_pages(pdf: pikepdf.Pdf, most: int) -> int:
    try:
        pages = len(pdf.pages)
    except pikepdf.PdfError as problem:
        raise Refusal("damaged") from problem
    if pages == 0:
        # Nothing left after mending is damage; nothing there in a sound file is an empty course.
        raise Refusal("damaged" if pdf.get_warnings() else "no_pages")
    if pages > most:
        raise Refusal("too_many_pages", pages=pages, limit=most)
    return pages


def rebuild_page_tree(pdf: pikepdf.Pdf) -> None:
    """The pages, each with sane boxes, in a shallow tree, in place of one that may be deep, wrong or full of holes.

    A viewer that fetches a file piece by piece finds a page by asking its elders how many they have: with twigs of a
    few pages it touches a few, with one flat list every page of the book before it can show the first.
    """
    pages: list[pikepdf.Object] = [page.obj for page in pdf.pages]
    # The old root is used again: in a ruined file the number of a new object may be one that others still refer to.
    root = pdf.Root["/Pages"]
    for key in set(root.keys()):
        del root[key]
    for page in pages:
        page["/Type"] = pikepdf.Name.Page
        set_boxes_right(page)
    level, size = pages, _PAGES_ON_A_TWIG
    while len(level) > _MOST_BRANCHES and not pdf.get_warnings():
        level = [_branch(pdf, level[place : place + size]) for place in range(0, len(level), size)]
        size = _MOST_BRANCHES
    _hang(root, level)


def _branch(pdf: pikepdf.Pdf, kids: list[pikepdf.Object]) -> pikepdf.Object:
    branch = pdf.make_indirect(pikepdf.Dictionary())
    _hang(branch, kids)
    return branch


def _hang(branch: pikepdf.Object, kids: list[pikepdf.Object]) -> None:
    branch["/Type"], branch["/Kids"] = pikepdf.Name.Pages, pikepdf.Array(kids)
    branch["/Count"] = sum(int(kid.get("/Count", 1)) if kid["/Type"] == pikepdf.Name.Pages else 1 for kid in kids)
    for kid in kids:
        kid["/Parent"] = branch
