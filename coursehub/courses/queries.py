"""Courses by id, by slug, by author; which of them anyone may find; which stored objects they need."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, and_, column, exists, func, select, table
from sqlalchemy.dialects.postgresql import distinct_on

from coursehub.accounts.models import Customer
from coursehub.courses import policies
from coursehub.courses.models import Category, Course, CourseAsset, CourseVersion, PageText
from coursehub.kernel.db import db
from coursehub.kernel.errors import NotFound

SIZES = ("small", "large")


def visible() -> ColumnElement[bool]:
    """The one condition under which lists, search, shelves and feeds show a course."""
    return and_(Course.status == "published", by_active_author())


def by_active_author() -> ColumnElement[bool]:
    """SQL: the author may sell: neither banned nor gone."""
    return exists().where(Customer.id == Course.author_id, Customer.status == "active")


def is_for_sale(course: Course) -> bool:
    """Whether anyone can buy it now: it is public, and its author may sell."""
    if not course.is_public:
        return False
    author = select(Customer.status).where(Customer.id == course.author_id)
    return db.session.scalar(author) == "active"


def find(course_id: UUID) -> Course | None:
    """The course with this id, whatever its status."""
    return db.session.get(Course, course_id)


def get(course_id: UUID) -> Course:
    """The course with this id, whatever its status. Raises NotFound."""
    course = find(course_id)
    if course is None:
        raise NotFound()
    return course


def by_slug(slug: str) -> Course | None:
    """The course with this slug, whatever its status."""
    return db.session.scalar(select(Course).where(Course.slug == slug)) if "\0" not in slug else None


def get_editable(customer: Customer, course_id: UUID) -> Course:
    """The course, if `customer` may change it. Raises NotFound, the same for a stranger's course as for no course."""
    course = find(course_id)
    if course is None or not policies.may_edit(customer, course):
        raise NotFound()
    return course


def lock(course_id: UUID) -> Course:
    """The course, locked until the transaction ends and read afresh: edits and versions take turns. Raises NotFound.

    Always locked before its versions. Carts and orders may name it meanwhile (FOR NO KEY UPDATE).
    """
    course = db.session.scalar(
        select(Course)
        .where(Course.id == course_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if course is None:
        raise NotFound()
    return course


def categories() -> Sequence[Category]:
    """The shelves in their order."""
    return db.session.scalars(select(Category).order_by(Category.position)).all()


def versions_of(course_id: UUID) -> Sequence[CourseVersion]:
    """Every version of a course, newest first."""
    return db.session.scalars(
        select(CourseVersion).where(CourseVersion.course_id == course_id).order_by(CourseVersion.version_number.desc())
    ).all()


def newest_versions(course_ids: Sequence[UUID]) -> dict[UUID, CourseVersion]:
    """The newest version of each course that has one."""
    rows = db.session.scalars(
        select(CourseVersion)
        .where(CourseVersion.course_id.in_(course_ids))
        .ext(distinct_on(CourseVersion.course_id))
        .order_by(CourseVersion.course_id, CourseVersion.version_number.desc())
    )
    return {version.course_id: version for version in rows}


def version_of(course: Course, version_id: UUID) -> CourseVersion:
    """One version of this course. Raises NotFound for another course's."""
    version = db.session.get(CourseVersion, version_id)
    if version is None or version.course_id != course.id:
        raise NotFound()
    return version


def current_version(course: Course) -> CourseVersion | None:
    """The version that buyers get now."""
    return db.session.get(CourseVersion, course.current_version_id) if course.current_version_id else None


def page_texts(version_id: UUID, first: int, last: int) -> dict[int, str]:
    """The text of pages `first` to `last` by page number."""
    rows = select(PageText.page_number, PageText.text).where(
        PageText.version_id == version_id, PageText.page_number.between(first, last)
    )
    return dict(db.session.execute(rows).tuples().all())


def has_sales(course: Course) -> bool:
    """Whether anybody has ever bought it. The rows of purchases lie above this feature; only their being is asked."""
    if course.sales_count > 0:
        return True
    purchases = table("purchases", column("course_id"))
    return bool(db.session.scalar(select(exists().where(purchases.c.course_id == course.id))))


def buyers_of(course: Course) -> int:
    """How many people have it now. As above, the rows lie above this feature."""
    purchases = table("purchases", column("course_id"), column("access"))
    living = select(func.count()).where(purchases.c.course_id == course.id, purchases.c.access != "revoked")
    return db.session.scalar(living.select_from(purchases)) or 0


def cover_path(course: Course) -> str | None:
    """Where the cover picture is served, None without one; another picture has another address."""
    return cover_address(course.slug, course.cover_image_url)


def cover_address(slug: str, key: str | None) -> str | None:
    """As `cover_path`, from the two columns."""
    if key is None:
        return None
    # Keys end in 16 random letters, or name the page of a version: either changes with the picture.
    return f"/courses/{slug}/cover.webp?v={key.replace('/', '')[-32:-5].replace('-', '')}"


def pdf_key(version_id: UUID) -> str:
    return f"versions/{version_id}.pdf"


def raw_key(version_id: UUID) -> str:
    return f"uploads/{version_id}.pdf"


def page_key(version_id: UUID, page: int, size: str) -> str:
    return f"pages/{version_id}/{page}-{size}.webp"


def referenced_keys() -> Iterator[str]:
    """The key of every stored object that some row needs; for the sweeper of orphans."""
    seen = select(CourseVersion.id, CourseVersion.status, CourseVersion.pdf_url, CourseVersion.pages_drawn)
    for version_id, status, key, drawn in db.session.execute(seen.execution_options(yield_per=500)):
        if status == "processing":
            yield raw_key(version_id)
        if status == "ready":
            yield key
            for page in range(1, drawn + 1):
                yield from (page_key(version_id, page, size) for size in SIZES)
    own = select(Course.cover_image_url).where(Course.cover_is_own, Course.cover_image_url.is_not(None))
    yield from (str(key) for key in db.session.scalars(own.execution_options(yield_per=500)))
    assets = select(CourseAsset.storage_url).where(CourseAsset.asset_type == "image")
    yield from db.session.scalars(assets.execution_options(yield_per=500))
