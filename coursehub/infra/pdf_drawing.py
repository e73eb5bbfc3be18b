"""Pages as text and as pictures, in the child, one page after the other so that a crash costs one page."""

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pypdfium2
from PIL import Image, ImageDraw, ImageFont

from coursehub.infra.pdf_titles import plain
from coursehub.infra.pdf_verdicts import Refusal

LARGE_WIDTH = 800
SMALL_WIDTH = 200
MOST_SIDE = 2000
COVER_BOX = (900, 1200)

_MOST_TEXT = 100_000
# WebP's default method takes 3.5 times as long as the drawing itself; 2 is a fifth larger and as good to look at.
_PAGE_WEBP: dict[str, Any] = {"format": "WEBP", "quality": 80, "method": 2}
_COVER_WEBP: dict[str, Any] = {"format": "WEBP", "quality": 84, "method": 4}


def texts(path: str, pages: list[int], page_cpu: float) -> Iterator[dict[str, object]]:
    document = _open(path)
    for number in pages:
        yield {"started": number}
        _allow(page_cpu)
        try:
            text = plain(document[number - 1].get_textpage().get_text_range(), _MOST_TEXT)
        except (pypdfium2.PdfiumError, IndexError, ValueError):
            text = ""
        yield {"page": number, "text": text}


def images(path: str, pages: list[int], folder: str, page_cpu: float) -> Iterator[dict[str, object]]:
    document = _open(path)
    for number in pages:
        yield {"started": number}
        _allow(page_cpu)
        try:
            large = _draw(document, number - 1, (LARGE_WIDTH, MOST_SIDE))
            drawn = True
        except (pypdfium2.PdfiumError, IndexError, ValueError):
            large, drawn = _empty_sheet(number), False
        yield _keep(large, number, Path(folder), drawn)


def placeholders(pages: list[int], folder: str) -> Iterator[dict[str, object]]:
    """An honest picture for pages that nobody could draw."""
    for number in pages:
        yield _keep(_empty_sheet(number), number, Path(folder), False)


def cover(path: str, page: int, out: str) -> Iterator[dict[str, object]]:
    picture = _draw(_open(path), page - 1, COVER_BOX)
    picture.save(out, **_COVER_WEBP)
    yield {"width": picture.width, "height": picture.height}


def _open(path: str) -> pypdfium2.PdfDocument:
    try:
        document = pypdfium2.PdfDocument(Path(path))
    except pypdfium2.PdfiumError as problem:
        raise Refusal("damaged") from problem
    with contextlib.suppress(pypdfium2.PdfiumError):
        document.init_forms()  # else filled-in fields stay empty in the picture
    return document


def _allow(seconds: float) -> None:
    """CPU time for the next page; beyond it SIGPROF ends this process, and our parent knows which page did it."""
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, seconds)


def _draw(document: pypdfium2.PdfDocument, index: int, box: tuple[int, int]) -> Image.Image:
    page = document[index]
    width, height = page.get_size()
    if not (0 < width < 1e7 and 0 < height < 1e7):
        raise ValueError("a page without a size")
    # A hair less than the box: sides are rounded up to whole pixels.
    scale = min((box[0] - 0.01) / width, (box[1] - 0.01) / height)
    picture: Image.Image = page.render(scale=scale).to_pil()
    page.close()
    return picture.convert("RGB")


def _keep(large: Image.Image, number: int, folder: Path, drawn: bool) -> dict[str, object]:
    large_path = folder / f"page-{number:04d}-large.webp"
    small_path = folder / f"page-{number:04d}-small.webp"
    large.save(large_path, **_PAGE_WEBP)
    small_size = (min(SMALL_WIDTH, large.width), max(1, round(large.height * min(1, SMALL_WIDTH / large.width))))
    large.resize(small_size, Image.Resampling.LANCZOS, reducing_gap=2.0).save(small_path, **_PAGE_WEBP)
    return {
        "page": number,
        "small": str(small_path),
        "large": str(large_path),
        "width": large.width,
        "height": large.height,
        "drawn": drawn,
    }


def _empty_sheet(number: int) -> Image.Image:
    """A sheet with a torn corner, its number and no words, so that it needs no translation."""
    sheet = Image.new("RGB", (LARGE_WIDTH, LARGE_WIDTH * 4 // 3), "#f4f2ee")
    pen = ImageDraw.Draw(sheet)
    pen.polygon(
        [(250, 330), (470, 330), (550, 410), (550, 730), (250, 730)], fill="#ffffff", outline="#b9b4aa", width=6
    )
    pen.line([(470, 330), (470, 410), (550, 410)], fill="#b9b4aa", width=6, joint="curve")
    pen.line([(330, 500), (470, 640)], fill="#b9b4aa", width=10)
    pen.line([(470, 500), (330, 640)], fill="#b9b4aa", width=10)
    pen.text((400, 800), str(number), fill="#8b857a", font=ImageFont.load_default(48), anchor="mm")
    return sheet
