"""Drafts: made, changed, addressed, thrown away."""

from typing import Any

import pytest
from sqlalchemy import func, select

from coursehub.accounts.models import Customer
from coursehub.courses import drafting, queries, slugs
from coursehub.courses.models import Course
from coursehub.kernel.db import db, transaction
from coursehub.kernel.errors import Conflict, Invalid, NotAllowed
from tests.factories import a_course, a_purchase


def draft(author: Customer, **details: Any) -> Course:
    with transaction():
        return drafting.create(author, **details)


def test_ada_makes_a_draft_that_only_needs_a_title_later(ada: Customer) -> None:
    course = draft(ada)
    assert (course.title, course.status, course.slug, course.revision) == ("Untitled", "draft", "untitled", 1)
    assert course.price_cents == 0


def test_ben_cannot_make_courses(ben: Customer) -> None:
    with pytest.raises(NotAllowed), transaction():
        drafting.create(ben, title="Mine")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", "x" * 201),
        ("title", "nul \0 inside"),
        ("title", "half a character \ud800"),
        ("description", "x" * 20_001),
        ("category", "gardening"),
        ("category", "a\0b"),
        ("language", "klingon"),
        ("sample_pages", 11),
        ("sample_pages", -1),
        ("tags", [str(number) for number in range(9)]),
        ("tags", ["x" * 41]),
        ("tags", ["a\0b"]),
        ("price", 49),
        ("price", -1),
        ("price", 100_000_000),
        ("currency", "XTS"),
    ],
)
def test_what_makes_no_sense_is_blamed_on_its_field(ada: Customer, field: str, value: Any) -> None:
    name = "price_cents" if field == "price" else field
    with pytest.raises(Invalid) as refused, transaction():
        drafting.create(ada, **{name: value})
    assert refused.value.field == field
    assert db.session.scalar(select(func.count()).select_from(Course)) == 0


def test_tags_are_tidied(ada: Customer) -> None:
    course = draft(ada, title="Tags", tags=[" Python ", "python", "", "Data  Science"])
    assert course.tags == ["python", "data science"]


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Quiet Typography", "quiet-typography"),
        ("Größe & Übung: Straße", "grosse-and-ubung-strasse"),
        ("C++ and C# by example", "c-plus-plus-and-c-sharp-by-example"),
        ("Привет, мир", "privet-mir"),
        ("Καλημέρα κόσμε", "kalimera-kosme"),
        ("Ada’s Łódź", "adas-lodz"),
        ("日本語", "course"),
        ("🎉🎉", "course"),
        ("../../etc/passwd", "etc-passwd"),
        ("  --  ", "course"),
        ("word " * 60, "word" + "-word" * 13),
    ],
)
def test_a_title_becomes_a_readable_address(title: str, slug: str) -> None:
    assert slugs.plain(title) == slug


def test_twenty_courses_of_one_title_at_once_get_twenty_addresses(ada: Customer, together: Any) -> None:
    def make(_number: int) -> str:
        with transaction():
            return drafting.create(db.session.get_one(Customer, ada.id), title="Twins").slug

    made = together(20, make)
    assert all(isinstance(slug, str) for slug in made), made
    assert len(set(made)) == 20
    assert all(slug.startswith("twins") for slug in made)


def test_the_address_of_a_draft_follows_its_title_and_leaves_nothing_behind(ada: Customer) -> None:
    course = draft(ada, title="First thoughts")
    with transaction():
        assert drafting.update(course, title="Second thoughts").slug == "second-thoughts"
    assert slugs.find("first-thoughts") is None
    assert draft(ada, title="First thoughts").slug == "first-thoughts"


def test_a_second_tab_that_saves_late_is_told_and_changes_nothing(ada: Customer) -> None:
    course = draft(ada, title="Two tabs")
    seen = course.revision
    with transaction():
        drafting.update(course, revision=seen, title="From the first tab")
    with pytest.raises(drafting.EditedMeanwhile), transaction():
        drafting.update(course, revision=seen, title="From the second tab")
    assert queries.get(course.id).title == "From the first tab"


def test_twenty_edits_of_one_revision_at_once_save_exactly_one(ada: Customer, together: Any) -> None:
    course_id = draft(ada, title="Start").id

    def edit(number: int) -> str:
        with transaction():
            return drafting.update(queries.get(course_id), revision=1, title=f"Edit {number}").title

    results = together(20, edit)
    saved = [result for result in results if isinstance(result, str)]
    assert len(saved) == 1
    assert sum(isinstance(result, drafting.EditedMeanwhile) for result in results) == 19
    db.session.rollback()
    assert queries.get(course_id).title == saved[0]


def test_saving_what_is_saved_already_is_no_edit(ada: Customer) -> None:
    course = draft(ada, title="Same")
    with transaction():
        assert drafting.update(course, revision=1, title="Same").revision == 1


def test_the_currency_stays_once_somebody_has_bought(ada: Customer, ben: Customer) -> None:
    course = a_course(by=ada)
    with transaction():
        drafting.update(course, currency="EUR")
    a_purchase(course, by=ben)
    with pytest.raises(Conflict, match="currency"), transaction():
        drafting.update(course, currency="USD")
    with transaction():
        drafting.update(course, price_cents=2500)
    assert (course.price_cents, course.currency) == (2500, "EUR")


def test_only_a_draft_nobody_has_is_deleted(ada: Customer, ben: Customer) -> None:
    for status in ("published", "unlisted", "archived"):
        course = a_course(by=ada, status=status)
        with pytest.raises(Conflict), transaction():
            drafting.destroy(course)
    sold = a_course(by=ada, status="draft")
    a_purchase(sold, by=ben)
    with pytest.raises(Conflict, match="buyers keep it"), transaction():
        drafting.destroy(sold)
    assert queries.find(sold.id) is not None


def test_a_draft_in_somebodys_cart_stays(ada: Customer, ben: Customer) -> None:
    from coursehub.cart import basket

    course = a_course(by=ada)
    with transaction():
        basket.add(basket.of_customer(ben.id), course, ben)
    with transaction() as session:
        session.get_one(Course, course.id).status = "draft"
    with pytest.raises(Conflict, match="cart"), transaction():
        drafting.destroy(course)
    assert queries.find(course.id) is not None


def test_nothing_refers_any_more_to_the_objects_of_a_deleted_draft(ada: Customer) -> None:
    course = a_course(by=ada, status="draft", pages=3, cover_image_url="covers/x/y.webp", cover_is_own=True)
    course_id = course.id
    assert {"covers/x/y.webp", f"versions/{course.current_version_id}.pdf"} <= set(queries.referenced_keys())
    with transaction():
        drafting.destroy(course)
    assert queries.find(course_id) is None
    assert set(queries.referenced_keys()) == set()
