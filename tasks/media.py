"""media.q: look at uploads, draw pages. Slow work in children, never inside a transaction."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from coursehub.courses import queries, thumbnails, uploads
from coursehub.courses.events import InspectRequested, ThumbnailsRequested
from coursehub.infra.pdf import FileRefused
from coursehub.infra.services import services
from coursehub.infra.storage import ObjectStorage
from coursehub.kernel import outbox
from coursehub.kernel.db import transaction
from coursehub.library import private_files, private_intake
from coursehub.library.events import FileInspectRequested, FilePagesRequested
from tasks.runtime import on

# Longer than one step may take, so that the message is not sent again while it is worked on.
LEASE = timedelta(minutes=10)


@on("course.inspect.request", max_retries=6)
def inspect_upload(event: InspectRequested, event_id: UUID) -> None:
    """Turn a raw upload into a ready version, or into a failed one with a sentence; nothing raw stays behind."""
    if outbox.was_applied(event_id, event.name):
        return
    storage = services().storage
    with transaction():
        outbox.postpone(event_id, LEASE)
        waiting = uploads.in_process(event.version_id) is not None
    clean_key = queries.pdf_key(event.version_id)
    found = _looked_at(event.key, event.sha256, clean_key) if waiting else None
    with transaction():
        mine = outbox.claim_effect(event_id, event.name)
        if mine and isinstance(found, uploads.Examined):
            uploads.succeed(event.version_id, found)
        elif mine and isinstance(found, str):
            uploads.fail(event.version_id, found)
    storage.delete(event.key)
    if uploads.is_gone(event.version_id):
        storage.delete(clean_key)


@on("library.file.inspect.request", max_retries=6)
def inspect_private_file(event: FileInspectRequested, event_id: UUID) -> None:
    """Turn a person's raw PDF into a ready one, or say why not; what was refused stays, to be looked at again."""
    if outbox.was_applied(event_id, event.name):
        return
    storage = services().storage
    with transaction():
        outbox.postpone(event_id, LEASE)
        waiting = private_intake.in_process(event.file_id)
        clean_key = waiting.pdf_url if waiting is not None else None
    found = _looked_at(event.key, event.sha256, clean_key) if clean_key else None
    with transaction():
        mine = outbox.claim_effect(event_id, event.name)
        if mine and isinstance(found, uploads.Examined):
            private_intake.succeed(event.file_id, found)
        elif mine and isinstance(found, str):
            private_intake.fail(event.file_id, found)
        left = private_intake.find(event.file_id)
        settled = left is None or left.status == "ready"
    if settled:
        storage.delete(event.key)
    if left is None and clean_key:
        storage.delete(clean_key)


@on("course.thumbnails.request", max_retries=6)
def draw_pages(event: ThumbnailsRequested, event_id: UUID) -> None:
    """Pictures and text of some pages of a version, slice by slice; then ask for the next ones."""
    if outbox.was_applied(event_id, event.name):
        return
    with transaction():
        outbox.postpone(event_id, LEASE)
        left = thumbnails.still_to_draw(event.version_id, event.first, event.last)
    _draw(
        event_id,
        left,
        queries.pdf_key(event.version_id),
        partial(queries.page_key, event.version_id),
        partial(thumbnails.keep, event.version_id),
    )
    with transaction():
        if outbox.claim_effect(event_id, event.name):
            thumbnails.go_on(event.version_id, event.last)


@on("library.file.pages.request", max_retries=6)
def draw_private_pages(event: FilePagesRequested, event_id: UUID) -> None:
    """Pictures and text of some pages of a private file, slice by slice; then ask for the next ones."""
    if outbox.was_applied(event_id, event.name):
        return
    with transaction():
        outbox.postpone(event_id, LEASE)
        file = private_intake.find(event.file_id)
        left = private_intake.still_to_draw(event.file_id, event.first, event.last)
        pdf_key = file.pdf_url if file is not None else ""
    _draw(
        event_id,
        left,
        pdf_key,
        partial(private_files.page_key, event.file_id),
        partial(private_intake.keep, event.file_id),
    )
    with transaction():
        if outbox.claim_effect(event_id, event.name):
            private_intake.go_on(event.file_id, event.last)


def _looked_at(raw_key: str, sha256: str, clean_key: str) -> uploads.Examined | str:
    """What the raw file holds, its clean copy stored; or the sentence that refuses it."""
    storage = services().storage
    with TemporaryDirectory(prefix="coursehub-media-") as folder:
        raw, clean = Path(folder, "raw.pdf"), Path(folder, "clean.pdf")
        if not _fetched(storage, raw_key, raw):
            return uploads.LOST
        try:
            uploads.check_arrival(raw, sha256)
            examined = uploads.examine(raw, clean, services().pdf)
        except FileRefused as refused:
            return refused.sentence
        storage.put_file(clean_key, clean, uploads.PDF)
        return examined


def _draw(
    event_id: UUID,
    slices: list[tuple[int, int]],
    pdf_key: str,
    key_of: Callable[[int, str], str],
    keep: Callable[[thumbnails.Drawn], bool],
) -> None:
    storage, pdf = services().storage, services().pdf
    with TemporaryDirectory(prefix="coursehub-media-") as folder:
        path = Path(folder, "pages.pdf")
        if slices and not _fetched(storage, pdf_key, path):
            return  # it was deleted meanwhile, its file with it
        for first, last in slices:
            drawn = thumbnails.draw(key_of, path, first, last, Path(folder), pdf=pdf, storage=storage)
            with transaction():
                outbox.postpone(event_id, LEASE)
                if not keep(drawn):
                    return


def _fetched(storage: ObjectStorage, key: str, path: Path) -> bool:
    try:
        storage.fetch(key, path)
    except KeyError:
        return False
    return True
