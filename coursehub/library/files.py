"""The file behind a right: is it there, under which name, at which URL."""

from coursehub.courses.models import CourseVersion
from coursehub.infra.storage import ObjectStorage
from coursehub.kernel.errors import Unavailable
from coursehub.library.downloads import URL_LIFE, Opened
from coursehub.library.models import PrivateFile


def check(storage: ObjectStorage, version: CourseVersion) -> None:
    """Raises Unavailable unless the storage answers and has the file."""
    if storage.stat(version.pdf_url) is None:
        raise Unavailable("The file is not ready yet. Nothing was counted; please try again in a few minutes.")


def url(storage: ObjectStorage, opened: Opened) -> str:
    """The storage's own URL, for 60 seconds."""
    return storage.signed_url(
        opened.version.pdf_url,
        seconds=URL_LIFE,
        filename=f"{opened.course.title} (v{opened.version.version_number}).pdf",
        content_type="application/pdf",
    )


def private_url(storage: ObjectStorage, file: PrivateFile) -> str:
    """The storage's own URL of a person's own file, for 60 seconds."""
    return storage.signed_url(
        file.pdf_url, seconds=URL_LIFE, filename=f"{file.title}.pdf", content_type="application/pdf"
    )
