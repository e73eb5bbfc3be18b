"""A person's own PDFs: found through their owner alone."""

from uuid import UUID

from sqlalchemy import select

from coursehub.accounts.models import Customer
from coursehub.kernel.db import db
from coursehub.kernel.errors import Conflict, NotFound
from coursehub.library.models import PrivateFile


class NotReady(Conflict):
    """The file is still being looked at, or was refused."""

    title = "Not ready to read"


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


def page_key(file_id: UUID, page: int, size: str) -> str:
    """Where the picture of a page lies in storage; `size` is "small" or "large"."""
    return f"private/pages/{file_id}/{page}-{size}.webp"
