"""Pictures and text of a version's pages: drawn slice by slice by a worker, kept beside the file."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from coursehub.courses import drafting, queries, search_text
from coursehub.courses.events import ThumbnailsRequested
from coursehub.courses.models import CourseVersion, PageText
from coursehub.infra.pdf import SLICE, FileRefused, PdfTools
from coursehub.infra.storage import ObjectStorage
from coursehub.kernel.db import db
from coursehub.kernel.events import record

WEBP = "image/webp"
# After the first slice, so many pages to a message: each message fetches the whole file from storage once.
BATCH = 5 * SLICE


@dataclass(frozen=True)
class Drawn:
    """A drawn slice: its first page, the text of each, whether there are pictures."""

    first: int
    texts: list[str]
    pictures: bool


def ask_for(version: CourseVersion, first: int) -> None:
    """Record the request for the pages from `first` on: a first slice at once, then batches, one after the other.

    One message at a time for each version, so that a long course never stands before everybody else's.
    """
    count = version.pages_count or 0
    if first <= count:
        last = min(first + (SLICE if first == 1 else BATCH) - 1, count)
        record(ThumbnailsRequested(course_id=version.course_id, version_id=version.id, first=first, last=last))


def slices(first: int, last: int) -> list[tuple[int, int]]:
    """`first` to `last` in pieces of at most SLICE pages."""
    return [(start, min(start + SLICE - 1, last)) for start in range(first, last + 1, SLICE)]


def still_to_draw(version_id: UUID, first: int, last: int) -> list[tuple[int, int]]:
    """The slices of `first` to `last` that an earlier, broken run has not finished; none when the version is gone."""
    version = db.session.get(CourseVersion, version_id, populate_existing=True)
    return [] if version is None else slices(max(first, version.pages_drawn + 1), last)


def draw(
    key_of: Callable[[int, str], str],
    path: Path,
    first: int,
    last: int,
    room: Path,
    *,
    pdf: PdfTools,
    storage: ObjectStorage,
) -> Drawn:
    """Draw the pages and store their pictures under `key_of(page, size)`. Slow, outside any transaction; repeatable.

    A page that cannot be drawn has a placeholder; a slice that cannot be read at all has neither pictures nor text.
    """
    try:
        for image in pdf.page_images(path, first, last, room):
            for size, picture in (("small", image.small_path), ("large", image.large_path)):
                storage.put_file(key_of(image.page, size), picture, WEBP)
                picture.unlink()
        return Drawn(first, pdf.page_texts(path, first, last), pictures=True)
    except FileRefused:
        return Drawn(first, [""] * (last - first + 1), pictures=False)


def keep(version_id: UUID, drawn: Drawn) -> bool:
    """Note the pages as drawn, with their texts; a second time changes nothing. False: the version was deleted."""
    version = db.session.get(CourseVersion, version_id)
    if version is None:
        return False
    course = queries.lock(version.course_id)
    db.session.refresh(version)
    statement = insert(PageText)
    db.session.execute(
        statement.on_conflict_do_update(
            index_elements=["version_id", "page_number"], set_={"text": statement.excluded.text}
        ),
        [
            {"version_id": version.id, "page_number": drawn.first + offset, "text": text.replace("\0", "")}
            for offset, text in enumerate(drawn.texts)
        ],
    )
    version.pages_drawn = max(version.pages_drawn, drawn.first + len(drawn.texts) - 1)
    if drawn.first == 1 and drawn.pictures and course.current_version_id == version.id:
        drafting.show_first_page(course, version)
    # Published before its last page was read: now search gets the words of all of them.
    if version.pages_drawn == version.pages_count and course.current_version_id == version.id:
        search_text.reindex(course)
    return True


def go_on(version_id: UUID, after: int) -> None:
    """Ask for the pages after `after`, if the version is still there."""
    version = db.session.get(CourseVersion, version_id)
    if version is not None:
        ask_for(version, after + 1)
