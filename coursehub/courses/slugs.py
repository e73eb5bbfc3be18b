"""A course's readable address: from its title, in plain letters, unlike every other's; earlier ones lead to it.

An address that was public belongs to its course for good: people have linked to it. No other course gets it, and the
course itself may go back to it.
"""

import re
import unicodedata

from sqlalchemy import delete, exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from coursehub.courses.models import Course, CourseSlug
from coursehub.kernel.db import db
from coursehub.kernel.errors import Conflict
from coursehub.kernel.ids import short_code

_LONGEST = 70
# Beside /courses/<slug> the shop has pages of its own there.
RESERVED = frozenset({"suggestions", "suggested", "new", "search"})
_ONE_BY_ONE = dict(
    zip(
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґў",
        "a b v g d e e zh z i y k l m n o p r s t u f kh ts ch sh shch _ y _ e yu ya i yi ye g u".split(" "),
        strict=True,
    )
)
_ONE_BY_ONE |= dict(
    zip("αβγδεζηθικλμνξοπρσςτυφχψω", "a v g d e z i th i k l m n x o p r s s t y f ch ps o".split(), strict=True)
)
_ONE_BY_ONE |= {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ð": "d", "þ": "th", "ł": "l", "đ": "d", "ı": "i", "ħ": "h"}
_ONE_BY_ONE |= {"&": " and ", "+": " plus ", "#": " sharp "}


def plain(title: str) -> str:
    """`title` in a-z, 0-9 and single hyphens; "course" where nothing of it can be written so."""
    letters = unicodedata.normalize("NFC", title).lower()
    letters = "".join(_ONE_BY_ONE.get(letter, letter).replace("_", "") for letter in letters)
    letters = "".join(_ONE_BY_ONE.get(letter, letter) for letter in unicodedata.normalize("NFKD", letters))
    # The apostrophe goes without leaving a hyphen: "Ada's" is one word.
    words = re.sub(r"[^a-z0-9]+", "-", re.sub(r"['’\u0300-\u036f]", "", letters)).strip("-")
    if len(words) > _LONGEST:
        words = words[:_LONGEST].rpartition("-")[0] or words[:_LONGEST]
    return words or "course"


class Moved(Exception):
    """The course has another address now: `slug`."""

    def __init__(self, slug: str) -> None:
        super().__init__(slug)
        self.slug = slug


class _Taken(Exception):
    """Another course had this address while it was public."""


def claim(course: Course) -> None:
    """Give `course` a free slug for its title and flush it; two of one title at once both get one."""
    base = plain(course.title)
    for candidate in (base, f"{base}-2", f"{base}-3", *(f"{base}-{short_code(1, 6).lower()}" for _ in range(5))):
        if candidate in RESERVED:
            continue
        try:
            with db.session.begin_nested():
                course.slug = candidate
                db.session.add(course)
                db.session.flush()
                # Looked at only now: a course that gives the address up at this moment has made us wait for its end.
                if _leads_elsewhere(candidate, course):
                    raise _Taken
            return
        except _Taken:
            continue
        except IntegrityError as error:
            if getattr(getattr(error.orig, "diag", None), "constraint_name", None) != "uq_courses_slug":
                raise
    raise Conflict("Too many courses have this title. Please choose another one.", field="title")


def rename(course: Course) -> None:
    """Give a course that was public the slug of its new title; the one it had leads there from now on."""
    before = course.slug
    claim(course)
    if course.slug == before:
        return
    db.session.execute(delete(CourseSlug).where(CourseSlug.slug == course.slug))  # it has taken an old one back
    db.session.execute(insert(CourseSlug).values(slug=before, course_id=course.id))


def find(slug: str) -> Course | None:
    """The course that has or once had this address; the caller sees by `course.slug` which of the two."""
    slug = storable(slug)
    current = db.session.scalar(select(Course).where(Course.slug == slug))
    if current is not None:
        return current
    return db.session.scalar(
        select(Course).join(CourseSlug, CourseSlug.course_id == Course.id).where(CourseSlug.slug == slug)
    )


def storable(slug: str) -> str:
    """`slug` out of an address, as the database can take it: what none of ours can be becomes nobody's."""
    return slug if slug.isascii() and slug.isprintable() and len(slug) <= 200 else ""


def _leads_elsewhere(slug: str, course: Course) -> bool:
    taken = select(exists().where(CourseSlug.slug == slug, CourseSlug.course_id != course.id))
    return bool(db.session.scalar(taken))
