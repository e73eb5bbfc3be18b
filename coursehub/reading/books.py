"""What a person may read, and which version of it: asked anew for every page, picture and byte."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from coursehub.accounts.models import Customer
from coursehub.courses import policies, queries
from coursehub.courses.models import Course, CourseVersion
from coursehub.entitlements import access
from coursehub.entitlements.models import Purchase
from coursehub.kernel.db import db
from coursehub.kernel.errors import NotAllowed, NotFound
from coursehub.kernel.ids import parse_id
from coursehub.library import downloads, private_files
from coursehub.library.models import PrivatePageText

_OUTLINE_DEPTH = 3


@dataclass(frozen=True)
class Entry:
    """A line of the table of contents; `page` is None where the file does not say."""

    title: str
    level: int
    page: int | None


@dataclass(frozen=True)
class Book:
    """What lies open, a version of a course or a file of one's own, with where its parts are found."""

    id: UUID
    title: str
    address: str  # of its reader; everything else of it lies below
    pages_count: int
    pages_drawn: int  # pictures there are so far
    pdf_key: str  # in storage: the very object that a download gives
    byte_size: int
    mark: str  # names the content
    filename: str
    is_own_file: bool = False
    version_id: UUID | None = None
    version_number: int | None = None
    query: str = ""  # keeps to a version that is not the usual one, e.g. `version=2`
    page_size: str = ""  # "width x height" of page 1 in points, e.g. "595x842"
    outline: tuple[Entry, ...] = ()
    download: str | None = None  # where it can be downloaded
    home: str = "/library"

    @property
    def pdf(self) -> str:
        """Address of the file's bytes."""
        return f"{self.address}/{self.version_id}.pdf" if self.version_id else f"{self.address}.pdf"

    @property
    def picture_size(self) -> tuple[int, int]:
        """Width and height in which the large picture of a page is laid out before it has arrived."""
        width, _, height = self.page_size.partition("x")
        try:
            return 800, round(800 * float(height) / float(width))
        except (ValueError, ZeroDivisionError):
            return 800, 1131

    def at(self, page: int) -> str:
        """Address of one page."""
        return f"{self.address}?page={page}" + (f"&{self.query}" if self.query else "")

    def picture(self, page: int, size: str) -> str:
        """Address of a page's picture."""
        return f"{self.address}/pages/{page}.webp?size={size}" + (
            f"&version={self.version_id}" if self.version_id else ""
        )

    def picture_key(self, page: int, size: str) -> str:
        """Where that picture lies in storage."""
        if self.version_id is None:
            return private_files.page_key(self.id, page, size)
        return queries.page_key(self.version_id, page, size)

    def within(self, page: int) -> int:
        """`page`, or the nearest one there is."""
        return max(1, min(page, self.pages_count))


class NoRight(NotAllowed):
    """The course may be seen, but not read by this person. `course` says which."""

    def __init__(self, sentence: str, course: Course) -> None:
        super().__init__(sentence)
        self.course = course


def of_course(reader: Customer, course_id: UUID, version: str | None = None) -> Book:
    """The course as this person reads it; `version` (id or number) asks for another than the usual one.

    Buyers read what a download gives, or any released version since theirs; the author and staff any that is ready.
    Raises NotFound for a course the person may not know of or a version that is not theirs to read, NoRight.
    """
    course = queries.get(course_id)
    purchase = access.purchase_of(reader.id, course.id)
    makes = policies.may_edit(reader, course)
    if not makes:
        _check_right(reader, course, purchase)
    usual = _usual(course, purchase)
    chosen = usual
    if version and not (usual and version in (str(usual.id), str(usual.version_number))):
        chosen = _chosen(course, version, None if makes else purchase)
    if chosen is None:
        raise NotFound("This course has no finished version yet.")
    return _book(course, chosen, purchase, is_usual=usual is not None and chosen.id == usual.id)


def of_file(reader: Customer, file_id: UUID) -> Book:
    """A private file, for its owner alone. Raises NotFound, NotReady."""
    file = private_files.get_readable(reader, file_id)
    return Book(
        id=file.id,
        title=file.title,
        address=f"/read/files/{file.id}",
        pages_count=file.pages_count or 1,
        pages_drawn=file.pages_drawn,
        pdf_key=file.pdf_url,
        byte_size=file.byte_size,
        mark=file.fingerprint or str(file.id),
        filename=file.filename,
        is_own_file=True,
        home=f"/library/files/{file.id}",
    )


def text_of(book: Book, page: int) -> str:
    """The words on one page."""
    if book.version_id is None:
        text = select(PrivatePageText.text).where(
            PrivatePageText.file_id == book.id, PrivatePageText.page_number == page
        )
        return db.session.scalar(text) or ""
    return queries.page_texts(book.version_id, page, page).get(page, "")


def _check_right(reader: Customer, course: Course, purchase: Purchase | None) -> None:
    if purchase is not None and purchase.access == "active":
        return
    if purchase is not None:
        raise NoRight("Reading is on hold while your bank's question about the payment is open.", course)
    if not policies.may_see(reader, course):
        raise NotFound()
    lost = select(Purchase.id).where(Purchase.customer_id == reader.id, Purchase.course_id == course.id).limit(1)
    if db.session.scalar(lost) is not None:
        raise NoRight("You cannot read this course any more, because it was refunded or withdrawn.", course)
    raise NoRight("This course is for those who own it. Its page shows what is inside.", course)


def _usual(course: Course, purchase: Purchase | None) -> CourseVersion | None:
    if purchase is not None and purchase.access == "active":
        return downloads.version_for(purchase)
    return queries.current_version(course) or db.session.scalar(
        select(CourseVersion)
        .where(CourseVersion.course_id == course.id, CourseVersion.status == "ready")
        .order_by(CourseVersion.version_number.desc())
        .limit(1)
    )


def _chosen(course: Course, version: str, purchase: Purchase | None) -> CourseVersion:
    """The version asked for. With a `purchase` only one that it covers. Raises NotFound."""
    named = select(CourseVersion).where(CourseVersion.course_id == course.id, CourseVersion.status == "ready")
    version_id = parse_id(version)
    if version_id is not None:
        named = named.where(CourseVersion.id == version_id)
    elif version.isascii() and version.isdigit() and len(version) < 7:
        named = named.where(CourseVersion.version_number == int(version))
    else:
        raise NotFound("There is no such version.")
    found = db.session.scalar(named)
    if found is None or (purchase is not None and not _covers(purchase, found)):
        raise NotFound("There is no such version.")
    return found


def _covers(purchase: Purchase, version: CourseVersion) -> bool:
    if version.id == purchase.version_id:
        return True
    bought = db.session.get_one(CourseVersion, purchase.version_id)
    return version.released_at is not None and version.version_number > bought.version_number


def _book(course: Course, version: CourseVersion, purchase: Purchase | None, *, is_usual: bool) -> Book:
    owned = purchase is not None and purchase.access == "active"
    return Book(
        id=course.id,
        title=course.title,
        address=f"/read/{course.id}",
        pages_count=version.pages_count or 1,
        pages_drawn=version.pages_drawn,
        pdf_key=version.pdf_url,
        byte_size=version.byte_size,
        mark=version.fingerprint or str(version.id),
        filename=f"{course.title} (v{version.version_number}).pdf",
        version_id=version.id,
        version_number=version.version_number,
        query="" if is_usual else f"version={version.version_number}",
        page_size=version.page_size,
        outline=_outline(version),
        download=f"/library/{purchase.id}" if owned and purchase else None,
        home="/library" if owned else f"/courses/{course.slug}",
    )


def _outline(version: CourseVersion) -> tuple[Entry, ...]:
    last = version.pages_count or 1
    lines = (entry for entry in version.outline if entry["level"] <= _OUTLINE_DEPTH)
    return tuple(
        Entry(line["title"], line["level"], line["page"] if line["page"] and 1 <= line["page"] <= last else None)
        for line in lines
    )
