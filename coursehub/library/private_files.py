"""A person's own PDFs: found through their owner alone, within a quota, renamed, put away, removed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select

from coursehub.accounts.models import Customer
from coursehub.courses import queries as courses
from coursehub.courses.uploads import Received
from coursehub.kernel import clock
from coursehub.kernel.db import db
from coursehub.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from coursehub.kernel.events import record
from coursehub.library.events import FileInspectRequested
from coursehub.library.models import PrivateFile

MOST = 200  # files of one person
LONGEST_TITLE = 200


class NotReady(Conflict):
    """The file is still being looked at, or was refused."""

    title = "Not ready to read"


class NoRoom(Invalid):
    """The file does not fit into what the person has left."""

    title = "Your library is full"


@dataclass(frozen=True)
class Room:
    """What a person's own files take, and what they may take, in bytes."""

    files: int
    used: int
    quota: int

    @property
    def left(self) -> int:
        return max(0, self.quota - self.used)

    @property
    def percent(self) -> int:
        """How full it is, at least 1 once anything is there."""
        return min(100, -(-100 * self.used // self.quota)) if self.quota else 100


def get_own(customer: Customer, file_id: UUID) -> PrivateFile:
    """The person's own file in whatever state. Raises NotFound for everybody else, staff too."""
    found = db.session.scalar(
        select(PrivateFile).where(PrivateFile.id == file_id, PrivateFile.customer_id == customer.id)
    )
    if found is None:
        raise NotFound("There is no such file in your library.")
    return found


def get_readable(customer: Customer, file_id: UUID) -> PrivateFile:
    """The person's own file, ready to be read. Raises NotFound for everybody else, NotReady before that."""
    found = get_own(customer, file_id)
    if found.status != "ready":
        raise NotReady("This file cannot be read yet. Its page in your library says why.")
    return found


def pdf_key(customer_id: UUID, file_id: UUID) -> str:
    """Where the clean copy lies in storage."""
    return f"private/{customer_id}/{file_id}.pdf"


def raw_key(file_id: UUID) -> str:
    """Where the file lies as it was sent, until it has been looked at."""
    return courses.raw_key(file_id)


def page_key(file_id: UUID, page: int, size: str) -> str:
    """Where the picture of a page lies in storage; `size` is "small" or "large"."""
    return f"private/pages/{file_id}/{page}-{size}.webp"


def room_of(customer_id: UUID, quota: int) -> Room:
    """What the person's files take of `quota` bytes. A file counts from its arrival, refused ones until removed."""
    count, used = db.session.execute(
        select(func.count(), func.coalesce(func.sum(PrivateFile.byte_size), 0)).where(
            PrivateFile.customer_id == customer_id
        )
    ).one()
    return Room(count, int(used), quota)


def check_room(room: Room, size: int) -> None:
    """Raises NoRoom unless one more file of `size` bytes fits."""
    if room.files >= MOST:
        raise NoRoom(f"You have {MOST} files, which is as many as fit. Remove one first.", field="file")
    if size > room.left:
        raise NoRoom(
            f"This file has {_megabytes(size)}, and {_megabytes(room.left)} of your {_megabytes(room.quota)} are free. "
            "Remove a file first.",
            field="file",
        )


def accept(customer: Customer, received: Received, *, quota: int) -> PrivateFile:
    """A new file of this person, to be looked at by a worker; in the open transaction. Raises NotAllowed, NoRoom."""
    person = _locked(customer.id)
    if not person.email_verified or person.status != "active":
        raise NotAllowed("Confirm your e-mail address first; then you can upload files of your own.")
    check_room(room_of(person.id, quota), received.size)
    file = PrivateFile(
        id=received.version_id,
        customer_id=person.id,
        title=title_from(received.filename),
        filename=received.filename,
        pdf_url=pdf_key(person.id, received.version_id),
        byte_size=received.size,
        received_sha256=received.sha256,
    )
    db.session.add(file)
    db.session.flush()
    _ask_to_look(file)
    return file


def look_again(customer: Customer, file_id: UUID) -> PrivateFile:
    """Have a refused file looked at once more; in the open transaction. Raises Conflict when it was not refused."""
    file = locked(get_own(customer, file_id).id)
    if file is None:
        raise NotFound("There is no such file in your library.")
    if file.status != "failed":
        raise Conflict("This file is not waiting for another try.")
    file.status, file.error, file.asked_at = "processing", None, clock.now()
    _ask_to_look(file)
    return file


def rename(customer: Customer, file_id: UUID, title: str) -> PrivateFile:
    """Give the file another title. Raises Invalid for an empty or endless one."""
    file = get_own(customer, file_id)
    title = " ".join(title.split())
    if not title or "\0" in title or len(title) > LONGEST_TITLE:
        raise Invalid(f"Give the file a title of at most {LONGEST_TITLE} characters.", field="title")
    file.title = title
    return file


def archive(customer: Customer, file_id: UUID) -> PrivateFile:
    """Put the file away; again changes nothing."""
    file = get_own(customer, file_id)
    file.archived_at = file.archived_at or clock.now()
    return file


def restore(customer: Customer, file_id: UUID) -> PrivateFile:
    """Bring the file back; again changes nothing."""
    file = get_own(customer, file_id)
    file.archived_at = None
    return file


def remove(customer: Customer, file_id: UUID) -> PrivateFile:
    """Forget the file and the text of its pages, for good. Its objects are the caller's to delete."""
    file = get_own(customer, file_id)
    db.session.delete(file)
    return file


def locked(file_id: UUID) -> PrivateFile | None:
    """The file, locked until the transaction ends and read afresh; None when it was removed."""
    return db.session.scalar(
        select(PrivateFile).where(PrivateFile.id == file_id).with_for_update().execution_options(populate_existing=True)
    )


def title_from(filename: str) -> str:
    """A title made of a file's name: without its ending, with spaces between the words."""
    stem = re.sub(r"\.pdf$", "", filename, flags=re.IGNORECASE)
    if " " not in stem:
        stem = re.sub(r"[_-]+", " ", stem)
    return stem.strip()[:LONGEST_TITLE] or filename


def referenced_keys() -> Iterator[str]:
    """The key of every stored object that some private file needs; for the sweeper of orphans."""
    seen = select(PrivateFile.id, PrivateFile.status, PrivateFile.pdf_url, PrivateFile.pages_drawn)
    for file_id, status, key, drawn in db.session.execute(seen.execution_options(yield_per=500)):
        if status != "ready":
            yield raw_key(file_id)  # a refused one may be looked at again
            continue
        yield key
        for page in range(1, drawn + 1):
            yield from (page_key(file_id, page, size) for size in courses.SIZES)


def _locked(customer_id: UUID) -> Customer:
    # Uploads of one person take turns, so that two at once cannot both fit into what is free for one.
    return db.session.scalars(
        select(Customer)
        .where(Customer.id == customer_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one()


def _ask_to_look(file: PrivateFile) -> None:
    record(FileInspectRequested(file_id=file.id, key=raw_key(file.id), sha256=file.received_sha256))


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
