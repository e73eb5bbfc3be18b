"""The shelves of the home page: new, popular, by category, in two queries however many courses there are."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, literal, select, true, union_all

from coursehub.catalog.cards import Card, card, cards, joined
from coursehub.catalog.facets import COUNTED
from coursehub.courses.models import Category, Course, CourseSearch
from coursehub.kernel.db import db

LENGTH = 12
# With fewer the shelf would be a gap; the category is then only among the subjects.
LEAST_ON_A_SHELF = 3


@dataclass(frozen=True)
class Subject:
    """A category with at least one course in it."""

    slug: str
    title: str
    count: int


@dataclass(frozen=True)
class Shelves:
    """What the home page shows. `by_subject` holds the cards of each subject that fills a shelf."""

    new: list[Card]
    popular: list[Card]
    subjects: list[Subject]
    by_subject: list[tuple[Subject, list[Card]]]


def subjects() -> list[Subject]:
    """Every category that has something to show, in its order; `count` goes no further than COUNTED + 1."""
    some = (
        select(CourseSearch.course_id)
        .where(CourseSearch.category == Category.slug, CourseSearch.listed)
        .limit(COUNTED + 1)
        .correlate(Category)
        .lateral()
    )
    counted = select(func.count().label("count")).select_from(some).correlate(Category).lateral("counted")
    rows = db.session.execute(
        select(Category.slug, Category.title, counted.c.count)
        .join(counted, counted.c.count > 0)
        .order_by(Category.position)
    )
    return [Subject(*row) for row in rows]


def home() -> Shelves:
    """The shelves as they stand now."""
    found = subjects()
    newest = _shelf(literal("new"), Course.published_at.desc())
    popular = _shelf(literal("popular"), Course.sales_count.desc()).where(Course.sales_count > 0)
    of_category = (
        _shelf(literal("category"), Course.sales_count.desc())
        .where(Course.category == Category.slug)
        .lateral("shelved")
    )
    by_category = select(("category " + Category.slug).label("shelf"), of_category.c.id, of_category.c.place).join(
        of_category, true()
    )
    page = union_all(newest, popular, by_category).subquery("page")
    shelves: dict[str, list[Card]] = {}
    for row in db.session.execute(joined(page, page.c.shelf, page.c.place).order_by(page.c.shelf, page.c.place)):
        shelves.setdefault(row.shelf, []).append(card(row))
    full = [subject for subject in found if subject.count >= LEAST_ON_A_SHELF]
    return Shelves(
        new=shelves.get("new", []),
        popular=shelves.get("popular", []),
        subjects=found,
        by_subject=[(subject, shelves[f"category {subject.slug}"]) for subject in full],
    )


def popular(limit: int) -> list[Card]:
    """What most people bought."""
    page = _shelf(literal("popular"), Course.sales_count.desc()).limit(limit).subquery("page")
    return cards(db.session.execute(joined(page, page.c.place).order_by(page.c.place)).all())


def _shelf(name: Any, first: Any) -> Select[Any]:
    """The ids of a shelf with their places, read from an index of that order as far as the shelf is long."""
    return (
        select(
            name.label("shelf"), Course.id, func.row_number().over(order_by=(first, Course.id.desc())).label("place")
        )
        .join(CourseSearch, CourseSearch.course_id == Course.id)
        .where(Course.status == "published", CourseSearch.listed)
        .order_by(first, Course.id.desc())
        .limit(LENGTH)
    )
