"""The demo courses: texts in `courses/*.md`, set as PDF and given a cover when somebody asks."""

import hashlib
import os
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from coursehub.infra.pdf import PdfTools, PdfWorkshop
from ops.seed.covers import draw_cover
from ops.seed.typeset import Typesetting, as_pages

_TEXTS = Path(__file__).parent / "courses"
_FENCE = "+++\n"


@dataclass(frozen=True)
class SeedCourse:
    """One demo course. `price_cents` is in `currency`; `author` is the e-mail address of its creator."""

    slug: str
    title: str
    subtitle: str
    description: str
    category: str
    tags: tuple[str, ...]
    price_cents: int
    currency: str
    author: str
    author_name: str
    accent: str
    motif: str
    text: str
    published_days_ago: int
    # What its second edition brought, and when; without it there is only the first.
    news: str = ""
    news_days_ago: int = 0

    def cover_bytes(self) -> bytes:
        """A WebP of 900 by 1200 pixels."""
        return draw_cover(self.title, self.subtitle, self.author_name, self.accent, self.motif, "WEBP")

    def pages(self) -> Typesetting:
        """What goes to the typesetter."""
        cover = draw_cover(self.title, self.subtitle, self.author_name, self.accent, self.motif, "PNG")
        return as_pages(self.title, self.subtitle, self.author_name, self.accent, self.description, self.text, cover)

    def pdf_bytes(self, tools: PdfTools | None = None, kept_in: Path | None = None) -> bytes:
        """The typeset course; with `kept_in`, a folder, it is typeset only once for the same text and style."""
        pages = self.pages()
        kept = kept_in / f"{self.slug}-{_digest(pages)}.pdf" if kept_in else None
        if kept and kept.is_file():
            return kept.read_bytes()
        made = (tools or PdfWorkshop()).typeset(pages.html, pages.resources, pages.css)
        if kept:
            kept.parent.mkdir(parents=True, exist_ok=True)
            partial = kept.with_suffix(f".{os.getpid()}.partial")
            partial.write_bytes(made)
            partial.replace(kept)
        return made


def courses() -> list[SeedCourse]:
    """All demo courses, the longest published first."""
    found = [_read(file) for file in _TEXTS.glob("*.md")]
    return sorted(found, key=lambda course: (-course.published_days_ago, course.slug))


def typeset_all(
    chosen: list[SeedCourse], tools: PdfTools | None = None, kept_in: Path | None = None, at_once: int = 2
) -> dict[str, bytes]:
    """The PDFs of `chosen` by slug, several at a time: each is set in a process of its own."""
    with ThreadPoolExecutor(at_once) as pool:
        made = pool.map(lambda course: course.pdf_bytes(tools, kept_in), chosen)
        return {course.slug: pdf for course, pdf in zip(chosen, made, strict=True)}


def _read(file: Path) -> SeedCourse:
    """Facts as TOML between two lines of `+++`, then the description, a line `+++`, and the text."""
    _, facts, description, text = file.read_text("utf-8").split(_FENCE, 3)
    known = tomllib.loads(facts)
    tags = tuple(known.pop("tags"))
    return SeedCourse(slug=file.stem, description=description.strip(), text=text.strip(), tags=tags, **known)


def _digest(pages: Typesetting) -> str:
    digest = hashlib.sha256(pages.html.encode() + pages.css.encode())
    for address, (_, content) in sorted(pages.resources.items()):
        digest.update(address.encode() + content)
    return digest.hexdigest()[:16]
