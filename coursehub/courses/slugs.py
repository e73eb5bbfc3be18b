"""A course's readable address: from its title, in plain letters, unlike every other course's."""

import re
import unicodedata

from sqlalchemy.exc import IntegrityError

from coursehub.courses.models import Course
from coursehub.kernel.db import db
from coursehub.kernel.errors import Conflict
from coursehub.kernel.ids import short_code

_LONGEST = 70
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


def claim(course: Course) -> None:
    """Give `course` a free slug for its title and flush it; two of one title at once both get one."""
    base = plain(course.title)
    for candidate in (base, f"{base}-2", f"{base}-3", *(f"{base}-{short_code(1, 6).lower()}" for _ in range(5))):
        try:
            with db.session.begin_nested():
                course.slug = candidate
                db.session.add(course)
                db.session.flush()
            return
        except IntegrityError as error:
            if getattr(getattr(error.orig, "diag", None), "constraint_name", None) != "uq_courses_slug":
                raise
    raise Conflict("Too many courses have this title. Please choose another one.", field="title")
