"""A creator's courses as they lie on the desk: found, in order, with what each one still needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import case, func, select

from coursehub.accounts.models import Customer
from coursehub.courses import publishing, queries
from coursehub.courses.models import STATUSES, Course, CourseVersion
from coursehub.kernel.db import db
from coursehub.kernel.money import Money
from coursehub.studio import sales

PAGE_SIZE = 20
SORTS = ("work", "title", "sold")
_LONGEST_QUERY = 200


@dataclass(frozen=True)
class Wanted:
    """Which courses, in which order. An unknown status is any; an unknown order the usual one: drafts first."""

    q: str = ""
    status: str = ""
    sort: str = ""
    page: int = 1

    @property
    def words(self) -> str:
        """The words as PostgreSQL can hold them."""
        return self.q.replace("\0", "").encode("utf-8", "replace").decode().strip()[:_LONGEST_QUERY]

    @property
    def narrowed(self) -> bool:
        return bool(self.words or self.status in STATUSES)


@dataclass(frozen=True)
class Lying:
    """One course on the desk. `needs` names the checks that a draft does not pass yet."""

    course: Course
    newest: CourseVersion | None
    sold: int
    revenue: tuple[Money, ...]
    needs: tuple[str, ...]
    cover: str | None


@dataclass(frozen=True)
class Desk:
    """One page of the courses, and how many there are of each status."""

    courses: list[Lying]
    total: int
    page: int
    pages: int
    counts: dict[str, int]

    @property
    def is_empty(self) -> bool:
        """Whether there is no course at all, whatever was asked for."""
        return not sum(self.counts.values())


def of(author: Customer, wanted: Wanted) -> Desk:
    """The page of courses that `author` wants to see; five queries, however many there are."""
    mine = Course.author_id == author.id
    counted = db.session.execute(select(Course.status, func.count()).where(mine).group_by(Course.status))
    counts = dict.fromkeys(STATUSES, 0) | {row[0]: row[1] for row in counted}
    conditions = [mine]
    if wanted.words:
        conditions.append(Course.title.icontains(wanted.words, autoescape=True))
    if wanted.status in STATUSES:
        conditions.append(Course.status == wanted.status)
    total = db.session.scalar(select(func.count()).select_from(Course).where(*conditions)) or 0
    pages = max(1, -(-total // PAGE_SIZE))
    page = min(max(wanted.page, 1), pages)
    usual = (case((Course.status == "draft", 0), (Course.status == "archived", 2), else_=1), Course.updated_at.desc())
    order = {"title": (func.lower(Course.title),), "sold": (Course.sales_count.desc(),)}.get(wanted.sort, usual)
    chosen = select(Course).where(*conditions).order_by(*order, Course.id.desc())
    found = db.session.scalars(chosen.offset((page - 1) * PAGE_SIZE).limit(PAGE_SIZE)).all()
    return Desk(_laid_out(author, found), total, page, pages, counts)


def _laid_out(author: Customer, found: Sequence[Course]) -> list[Lying]:
    ids: list[UUID] = [course.id for course in found]
    newest, sold = queries.newest_versions(ids), sales.by_course(author.id, ids)
    return [
        Lying(
            course,
            newest.get(course.id),
            *sold.get(course.id, (0, ())),
            needs=_needs(course, author),
            cover=queries.cover_path(course),
        )
        for course in found
    ]


def _needs(course: Course, author: Customer) -> tuple[str, ...]:
    """What is not fine yet before a draft is sold. On a draft the current version is always a ready one."""
    if course.status != "draft":
        return ()
    checks = publishing.checks(course, author, has_file=course.current_version_id is not None)
    return tuple(check.name for check in checks if not check.fine)
