"""PDFs and pictures of strangers: every look, cleaning, drawing and typesetting, each in a child that can be killed."""

import json
import logging
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from coursehub.infra.pdf_process import Budget, Ending, run_child
from coursehub.infra.pdf_refusals import (
    FileRefused,
    PdfRefused,
    PdfToolsUnavailable,
    PictureRefused,
    TypesettingRefused,
)

__all__ = [
    "SLICE",
    "FileRefused",
    "Inspection",
    "Limits",
    "OutlineEntry",
    "PageImage",
    "PdfRefused",
    "PdfTools",
    "PdfToolsUnavailable",
    "PdfWorkshop",
    "Picture",
    "PictureRefused",
    "SanitisedReport",
    "TypesettingRefused",
]

SLICE = 20
PICTURE_SIDES = {"cover": 1200, "asset": 1600, "avatar": 512}

# After so many pages of one slice that end their process, the rest of the slice is not tried any more.
_MOST_LOST_PAGES = 3

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class OutlineEntry:
    title: str
    level: int
    page: int | None


@dataclass(frozen=True)
class Inspection:
    """What one look at a PDF tells. Lengths are points, after rotation; `page` numbers start at 1."""

    pages_count: int
    title: str | None
    outline: tuple[OutlineEntry, ...]
    page_width: float
    page_height: float
    mixed_sizes: bool
    pdf_version: str
    language: str | None
    tagged: bool
    has_signature: bool
    owner_locked: bool
    active_content: tuple[str, ...]
    second_file_signs: tuple[str, ...]
    repaired: bool
    fingerprint: str
    size: int


@dataclass(frozen=True)
class SanitisedReport:
    """What was taken out (names for people), whether the file had to be mended, and what is there now."""

    removed: tuple[str, ...]
    repaired: bool
    pages_count: int
    size: int


@dataclass(frozen=True)
class PageImage:
    """One page at two sizes; `width` and `height` are those of the large one. Not `drawn` = a placeholder."""

    page: int
    small_path: Path
    large_path: Path
    width: int
    height: int
    drawn: bool


@dataclass(frozen=True)
class Picture:
    """A WebP that is ours: re-encoded, without metadata."""

    content: bytes
    width: int
    height: int


class PdfTools(Protocol):
    """Everything a feature may want from a PDF or picture.

    Each call refuses a bad file by a FileRefused whose sentence is for people, and raises PdfToolsUnavailable when
    our side failed and the same call may succeed later. Each call may be repeated. No other exception leaves.
    """

    def inspect(self, path: Path) -> Inspection: ...

    def sanitise(self, path: Path, out: Path) -> SanitisedReport:
        """Write a clean copy to `out`; after a refusal there is no `out`."""
        ...

    def page_texts(self, path: Path, first: int, last: int) -> list[str]:
        """The text of pages `first` to `last`, both included; "" where a page has none or cannot be read."""
        ...

    def page_images(self, path: Path, first: int, last: int, out_dir: Path) -> list[PageImage]:
        """Pictures of pages `first` to `last`, both included, in `out_dir`."""
        ...

    def cover_from_page(self, path: Path, page: int = 1) -> Picture: ...

    def image_safely(self, path: Path, kind: str = "cover") -> Picture: ...

    def typeset(self, html: str, resources: dict[str, tuple[str, bytes]], css: str) -> bytes:
        """A tagged PDF; `resources` maps the addresses used in the text to (media type, content)."""
        ...


@dataclass(frozen=True)
class Limits:
    """What strangers' files may cost. Seconds of CPU and of clock per child."""

    max_pages: int = 3000
    max_side: float = 14_400
    max_pixels: int = 40_000_000
    memory: int = 1024 * 1024 * 1024
    opening: tuple[int, float] = (10, 15)
    cleaning: tuple[int, float] = (60, 90)
    slice: tuple[int, float] = (20, 30)
    page_cpu: float = 8.0
    picture: tuple[int, float] = (10, 15)
    typesetting: tuple[int, float] = (30, 33)

    def budget(self, seconds: tuple[int, float], file_bytes: int = 64 * 1024 * 1024) -> Budget:
        return Budget(cpu=seconds[0], wall=seconds[1], memory=self.memory, file_bytes=file_bytes)


class PdfWorkshop:
    """The real tools. Has no state: may be shared by threads and built anew at will."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()

    def inspect(self, path: Path) -> Inspection:
        limits = self.limits
        arguments = {"path": _absolute(path), "max_pages": limits.max_pages, "max_side": limits.max_side}
        # Mending for the second library writes the file once more.
        ending = run_child("inspect", arguments, limits.budget(limits.opening, _room_for(path)))
        found = _answer(ending, PdfRefused, "inspect")
        found["outline"] = tuple(OutlineEntry(**entry) for entry in found["outline"])
        found["active_content"] = tuple(found["active_content"])
        found["second_file_signs"] = tuple(found["second_file_signs"])
        return Inspection(**found)

    def sanitise(self, path: Path, out: Path) -> SanitisedReport:
        limits = self.limits

        def into_room(room: Path) -> dict[str, Any]:
            return {"out": str(room / "clean.pdf")}

        arguments = {"path": _absolute(path), "max_pages": limits.max_pages}
        budget = limits.budget(limits.cleaning, _room_for(path))
        ending = run_child("sanitise", arguments, budget, into_room, lambda room: _move(room / "clean.pdf", out))
        report = _answer(ending, PdfRefused, "sanitise")
        return SanitisedReport(**report | {"removed": tuple(report["removed"])})

    def page_texts(self, path: Path, first: int, last: int) -> list[str]:
        known: dict[int, str] = {}
        for slice_ in _slices(first, last):
            done, _ = self._page_by_page("texts", slice_, {"path": _absolute(path)})
            known |= {page: str(line["text"]) for page, line in done.items()}
        return [known.get(page, "") for page in range(first, last + 1)]

    def page_images(self, path: Path, first: int, last: int, out_dir: Path) -> list[PageImage]:
        pictures: list[PageImage] = []
        for slice_ in _slices(first, last):
            arguments = {"path": _absolute(path), "folder": _absolute(out_dir)}
            done, lost = self._page_by_page("images", slice_, arguments)
            if lost:
                log.warning("pages %s of %s could not be drawn", lost, path.name)
                done |= self._placeholders(lost, out_dir)
            pictures += [_page_image(done[page]) for page in slice_]
        return pictures

    def cover_from_page(self, path: Path, page: int = 1) -> Picture:
        arguments = {"path": _absolute(path), "page": page}
        return self._picture("cover", arguments, self.limits.slice, PdfRefused)

    def image_safely(self, path: Path, kind: str = "cover") -> Picture:
        sides = {"max_side": PICTURE_SIDES[kind], "max_pixels": self.limits.max_pixels}
        return self._picture("picture", {"path": _absolute(path)} | sides, self.limits.picture, PictureRefused)

    def typeset(self, html: str, resources: dict[str, tuple[str, bytes]], css: str) -> bytes:
        pdf: list[bytes] = []

        def hand_in(room: Path) -> dict[str, Any]:
            listed = []
            for number, (address, (kind, content)) in enumerate(resources.items()):
                (room / f"resource-{number}").write_bytes(content)
                listed.append((address, kind, str(room / f"resource-{number}")))
            (room / "resources.json").write_text(json.dumps(listed), "utf-8")
            (room / "text.html").write_text(html, "utf-8")
            (room / "style.css").write_text(css, "utf-8")
            names = {"html": "text.html", "css": "style.css", "resources": "resources.json", "out": "pages.pdf"}
            return {argument: str(room / name) for argument, name in names.items()}

        ending = run_child(
            "typeset",
            {},
            self.limits.budget(self.limits.typesetting, 256 * 1024 * 1024),
            hand_in,
            lambda room: pdf.append((room / "pages.pdf").read_bytes()),
        )
        _answer(ending, TypesettingRefused, "typeset")
        return pdf[0]

    def _picture(
        self, operation: str, arguments: dict[str, Any], seconds: tuple[int, float], refused: type[FileRefused]
    ) -> Picture:
        content: list[bytes] = []
        ending = run_child(
            operation,
            arguments,
            self.limits.budget(seconds),
            lambda room: {"out": str(room / "picture.webp")},
            lambda room: content.append((room / "picture.webp").read_bytes()),
        )
        size = _answer(ending, refused, operation)
        return Picture(content[0], size["width"], size["height"])

    def _page_by_page(
        self, operation: str, pages: list[int], arguments: dict[str, Any]
    ) -> tuple[dict[int, dict[str, Any]], list[int]]:
        """Lines by page, and the pages that ended their process: those are left out and the rest is tried again."""
        done: dict[int, dict[str, Any]] = {}
        lost: list[int] = []
        while left := [page for page in pages if page not in done and page not in lost]:
            if len(lost) >= _MOST_LOST_PAGES:
                return done, [*lost, *left]
            more = arguments | {"pages": left, "page_cpu": self.limits.page_cpu}
            ending = run_child(operation, more, self.limits.budget(self.limits.slice))
            new = {line["page"]: line for line in ending.lines if "page" in line}
            done |= new
            if ending.finished:
                continue
            if ending.trouble or (not new and not any("started" in line for line in ending.lines)):
                _answer(ending, PdfRefused, operation)
            # A slice that ran out of time after some pages goes on in a fresh child; only a page that fails alone,
            # by itself or by its own share of time, is given up.
            slow = ending.out_of_time or ending.code in (-signal.SIGXCPU, -signal.SIGKILL)
            if not (slow and new):
                lost.append(next(page for page in left if page not in done))
        return done, lost

    def _placeholders(self, pages: list[int], out_dir: Path) -> dict[int, dict[str, Any]]:
        arguments = {"pages": pages, "folder": _absolute(out_dir)}
        ending = run_child("placeholders", arguments, self.limits.budget(self.limits.slice))
        if not ending.finished:
            raise PdfToolsUnavailable(f"placeholders: {ending.trouble or ending.complaints[-300:]}")
        return {line["page"]: line for line in ending.lines if "page" in line}


def _answer(ending: Ending, refused: type[FileRefused], operation: str) -> dict[str, Any]:
    """The one line that an operation answers with, or the exception that its ending stands for."""
    if ending.finished and len(ending.lines) == 2:
        return ending.lines[0]
    if ending.trouble:
        raise PdfToolsUnavailable(f"{operation}: {ending.trouble}")
    if ending.refusal:
        if ending.refusal["refused"] == "damaged" and ending.complaints:
            log.info("%s: %s", operation, ending.complaints)
        raise refused(ending.refusal["refused"], **ending.refusal["facts"])
    if not ending.lines and ending.code == 1 and not ending.out_of_time:
        # Python itself did not get as far as our code.
        raise PdfToolsUnavailable(f"{operation}: {ending.complaints[-500:]}")
    log.info("%s ended with %s (out of time: %s): %s", operation, ending.code, ending.out_of_time, ending.complaints)
    raise refused("too_complex")


def _page_image(line: dict[str, Any]) -> PageImage:
    small, large = Path(line["small"]), Path(line["large"])
    return PageImage(line["page"], small, large, line["width"], line["height"], line["drawn"])


def _slices(first: int, last: int) -> list[list[int]]:
    pages = list(range(first, last + 1))
    return [pages[start : start + SLICE] for start in range(0, len(pages), SLICE)]


def _absolute(path: Path) -> str:
    return str(path.resolve())


def _room_for(path: Path) -> int:
    """How large a written file may grow: the document again, and what linearising and tables add."""
    try:
        return path.stat().st_size * 2 + 64 * 1024 * 1024
    except OSError as problem:
        raise PdfToolsUnavailable(f"{path}: {problem}") from problem


def _move(made: Path, out: Path) -> None:
    """Whole or not at all, across file systems too."""
    partial = out.with_name(out.name + ".partial")
    try:
        with made.open("rb") as source, partial.open("wb") as target:
            while block := source.read(1024 * 1024):
                target.write(block)
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)
