"""What a worker finds out about a private file: ready or refused, then page after page its pictures and texts."""

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from coursehub.courses.thumbnails import BATCH, Drawn, slices
from coursehub.courses.uploads import Examined
from coursehub.infra.pdf import SLICE
from coursehub.kernel.db import db
from coursehub.kernel.events import record
from coursehub.library import private_files
from coursehub.library.events import FilePagesRequested
from coursehub.library.models import PrivateFile, PrivatePageText


def in_process(file_id: UUID) -> PrivateFile | None:
    """The file that still waits to be looked at, None when it was removed or is settled."""
    file = find(file_id)
    return file if file is not None and file.status == "processing" else None


def find(file_id: UUID) -> PrivateFile | None:
    """The file as the database has it now, None when it was removed."""
    return db.session.get(PrivateFile, file_id, populate_existing=True)


def succeed(file_id: UUID, examined: Examined) -> None:
    """The clean copy is stored: the file is ready, and its first pages are to be drawn. Not when removed meanwhile."""
    file = _waiting(file_id)
    if file is None:
        return
    if examined.inspection.title and file.title == private_files.title_from(file.filename):
        file.title = examined.inspection.title[: private_files.LONGEST_TITLE]
    file.fingerprint = examined.fingerprint
    file.byte_size = examined.report.size
    file.pages_count = examined.report.pages_count
    file.removed = list(examined.report.removed)
    file.status = "ready"
    ask_for(file, 1)


def fail(file_id: UUID, sentence: str) -> None:
    """The file was refused; its page says why. Not when removed or settled meanwhile."""
    file = _waiting(file_id)
    if file is not None:
        file.status, file.error = "failed", sentence


def ask_for(file: PrivateFile, first: int) -> None:
    """Record the request for the pages from `first` on: a first slice at once, then batches, one after the other."""
    count = file.pages_count or 0
    if first <= count:
        last = min(first + (SLICE if first == 1 else BATCH) - 1, count)
        record(FilePagesRequested(file_id=file.id, first=first, last=last))


def still_to_draw(file_id: UUID, first: int, last: int) -> list[tuple[int, int]]:
    """The slices of `first` to `last` that an earlier, broken run has not finished; none when the file is gone."""
    file = find(file_id)
    return [] if file is None else slices(max(first, file.pages_drawn + 1), last)


def keep(file_id: UUID, drawn: Drawn) -> bool:
    """Note the pages as drawn, with their texts; a second time changes nothing. False: the file was removed."""
    file = private_files.locked(file_id)
    if file is None:
        return False
    statement = insert(PrivatePageText)
    db.session.execute(
        statement.on_conflict_do_update(
            index_elements=["file_id", "page_number"], set_={"text": statement.excluded.text}
        ),
        [
            {"file_id": file.id, "page_number": drawn.first + offset, "text": text.replace("\0", "")}
            for offset, text in enumerate(drawn.texts)
        ],
    )
    file.pages_drawn = max(file.pages_drawn, drawn.first + len(drawn.texts) - 1)
    return True


def go_on(file_id: UUID, after: int) -> None:
    """Ask for the pages after `after`, if the file is still there."""
    file = find(file_id)
    if file is not None:
        ask_for(file, after + 1)


def _waiting(file_id: UUID) -> PrivateFile | None:
    file = private_files.locked(file_id)
    return file if file is not None and file.status == "processing" else None
