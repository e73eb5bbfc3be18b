"""media.q: look at uploads, draw pages. Slow work in children, never inside a transaction."""

from datetime import timedelta
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
    examined: uploads.Examined | None = None
    sentence = uploads.LOST
    with TemporaryDirectory(prefix="coursehub-media-") as folder:
        raw, clean = Path(folder, "raw.pdf"), Path(folder, "clean.pdf")
        if waiting and _fetched(storage, event.key, raw):
            try:
                uploads.check_arrival(raw, event.sha256)
                examined = uploads.examine(raw, clean, services().pdf)
            except FileRefused as refused:
                sentence = refused.sentence
        if examined is not None:
            storage.put_file(clean_key, clean, uploads.PDF)
    with transaction():
        mine = outbox.claim_effect(event_id, event.name)
        if mine and examined is not None:
            uploads.succeed(event.version_id, examined)
        elif mine and waiting:
            uploads.fail(event.version_id, sentence)
    storage.delete(event.key)
    if uploads.is_gone(event.version_id):
        storage.delete(clean_key)


@on("course.thumbnails.request", max_retries=6)
def draw_pages(event: ThumbnailsRequested, event_id: UUID) -> None:
    """Pictures and text of some pages, slice by slice; then ask for the next ones."""
    if outbox.was_applied(event_id, event.name):
        return
    storage, pdf = services().storage, services().pdf
    with transaction():
        outbox.postpone(event_id, LEASE)
        left = thumbnails.still_to_draw(event.version_id, event.first, event.last)
    with TemporaryDirectory(prefix="coursehub-media-") as folder:
        path = Path(folder, "course.pdf")
        if left and not _fetched(storage, queries.pdf_key(event.version_id), path):
            left = []  # the version was deleted meanwhile, its file with it
        for first, last in left:
            drawn = thumbnails.draw(event.version_id, path, first, last, Path(folder), pdf=pdf, storage=storage)
            with transaction():
                outbox.postpone(event_id, LEASE)
                if not thumbnails.keep(event.version_id, drawn):
                    break
    with transaction():
        if outbox.claim_effect(event_id, event.name):
            thumbnails.go_on(event.version_id, event.last)


def _fetched(storage: ObjectStorage, key: str, path: Path) -> bool:
    try:
        storage.fetch(key, path)
    except KeyError:
        return False
    return True
