"""The shelves of the home page: new, popular, by category, in two queries however many courses there are."""

from dataclasses import dataclass

from sqlalchemy import func, literal, select, union_all

from coursehub.catalog.cards import Card, card, joined
from coursehub.courses import queries
from coursehub.courses.models import Category, Course
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
    """Every category that has something to show, in its order."""
    rows = db.session.execute(
        select(Category.slug, Category.title, func.count(Course.id))
        .join(Course, Course.category == Category.slug)
        .where(queries.visible())
        .group_by(Category.slug, Category.title, Category.position)
        .order_by(Category.position)
    )
    return [Subject(*row) for row in rows]


def home() -> Shelves:
    """The shelves as they stand now."""
    found = subjects()
    newest = (
        select(
            literal("new").label("shelf"),
            Course.id,
            func.row_number().over(order_by=(Course.published_at.desc(), Course.id.desc())).label("place"),
        )
        .where(queries.visible())
        .order_by(Course.published_at.desc(), Course.id.desc())
        .limit(LENGTH)
    )
    popular = (
        select(
            literal("popular").label("shelf"),
            Course.id,
            func.row_number().over(order_by=(Course.sales_count.desc(), Course.id.desc())).label("place"),
        )
        .where(queries.visible(), Course.sales_count > 0)
        .order_by(Course.sales_count.desc(), Course.id.desc())
        .limit(LENGTH)
    )
    by_category = (
        select(
            ("category " + Course.category).label("shelf"),
            Course.id,
            func.row_number()
            .over(partition_by=Course.category, order_by=(Course.sales_count.desc(), Course.id.desc()))
            .label("place"),
        )
        .where(queries.visible())
        .subquery()
    )
    page = union_all(newest, popular, select(by_category).where(by_category.c.place <= LENGTH)).subquery("page")
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
