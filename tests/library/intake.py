"""Private files in tests: sent as the web edge sends them, looked at by the real actors."""

from pathlib import Path
from uuid import UUID

from coursehub.accounts.models import Customer
from coursehub.courses import uploads
from coursehub.infra.services import services
from coursehub.kernel.db import db, release, transaction
from coursehub.library import private_files
from coursehub.library.models import PrivateFile
from tests.courses.intake import LIMIT

QUOTA = 500_000_000


def sent(person: Customer, body: bytes, folder: Path, filename: str = "field_notes.pdf", quota: int = QUOTA) -> UUID:
    """The file that this person's upload of `body` makes, not looked at yet."""
    path = folder / f"sent-{filename}"
    path.write_bytes(body)
    with uploads.stored(path, filename, storage=services().storage, limit=LIMIT) as upload, transaction():
        return private_files.accept(person, upload, quota=quota).id


def file(file_id: UUID) -> PrivateFile:
    """The file as the database has it now, on its own: whatever the session does later, it stays as it was."""
    release()
    found = db.session.get_one(PrivateFile, file_id, populate_existing=True)
    db.session.expunge(found)
    release()
    return found
