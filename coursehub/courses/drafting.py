"""A course's details: made, changed, given a cover, thrown away while nobody has it."""

from collections.abc import Iterable
from typing import Any, TypedDict, Unpack
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError

from coursehub.accounts.models import Customer
from coursehub.courses import queries, search_text, slugs
from coursehub.courses.models import Category, Course, CourseAsset, CourseVersion
from coursehub.kernel import money
from coursehub.kernel.db import db
from coursehub.kernel.errors import Conflict, Invalid, NotAllowed
from coursehub.kernel.ids import new_token

UNTITLED = "Untitled"
MOST_TAGS = 8
MOST_SAMPLE_PAGES = 10
LONGEST = {"title": 200, "subtitle": 300, "description": 20_000, "tag": 40}
# Language of the text: code → its own name.
LANGUAGES = {
    "en": "English", "de": "Deutsch", "fr": "Français", "es": "Español", "it": "Italiano", "pt": "Português",
    "nl": "Nederlands", "pl": "Polski", "sv": "Svenska", "da": "Dansk", "nb": "Norsk", "fi": "Suomi", "cs": "Čeština",
    "uk": "Українська", "ru": "Русский", "el": "Ελληνικά", "tr": "Türkçe", "he": "עברית", "ar": "العربية",
    "hi": "हिन्दी", "zh": "中文", "ja": "日本語", "ko": "한국어",
}  # fmt: skip


class Details(TypedDict, total=False):
    """What may be said of a course. What is left out stays as it is."""

    title: str
    subtitle: str
    description: str
    category: str
    tags: list[str]
    language: str
    price_cents: int
    currency: str
    sample_pages: int


class EditedMeanwhile(Conflict):
    """Somebody saved the course after this person opened it."""

    title = "Changed in another tab"


def create(author: Customer, **details: Unpack[Details]) -> Course:
    """A draft that only its author sees. Raises Invalid with the field to blame, NotAllowed for a non-creator."""
    if not author.is_creator:
        raise NotAllowed(
            "Become a creator first: it takes one click on your account page."
            if author.status == "active"
            else "This account may not sell courses at present."
        )
    start: dict[str, Any] = {"category": "other", "price_cents": 0, "currency": "USD"}
    values = start | _checked(details)
    values["title"] = values.get("title") or UNTITLED
    money.check_price(values["price_cents"], values["currency"])
    course = Course(author_id=author.id, **values)
    slugs.claim(course)
    search_text.reindex(course)
    return course


def update(course: Course, *, revision: int | None = None, **details: Unpack[Details]) -> Course:
    """Change what `details` names; `revision` is that of the course as the person saw it, None: whatever it is.

    Raises EditedMeanwhile when it has been saved since, Conflict for a new currency after the first sale, Invalid.
    """
    course = queries.lock(course.id)
    if revision is not None and revision != course.revision:
        raise EditedMeanwhile("This course was saved in another tab or by someone else since you opened this page.")
    values = _checked(details)
    if "title" in values:
        values["title"] = values["title"] or UNTITLED
    changed = {name: value for name, value in values.items() if getattr(course, name) != value}
    if not changed:
        return course
    if "currency" in changed and queries.has_sales(course):
        raise Conflict("The currency cannot change any more: this course has been sold.", field="currency")
    money.check_price(changed.get("price_cents", course.price_cents), changed.get("currency", course.currency))
    for name, value in changed.items():
        setattr(course, name, value)
    course.revision += 1
    if "title" in changed:
        (slugs.claim if course.published_at is None else slugs.rename)(course)
    search_text.reindex(course)
    return course


def new_cover_key(course_id: UUID) -> str:
    """A storage key for a cover, never used before."""
    return f"covers/{course_id}/{new_token()[:16].replace('_', 'x').replace('-', 'y')}.webp"


def set_cover(course: Course, key: str | None) -> str | None:
    """Show the picture under `key`, for None page 1 of the current version again. Returns the key nobody needs now."""
    course = queries.lock(course.id)
    old = course.cover_image_url if course.cover_is_own else None
    course.cover_is_own = key is not None
    course.cover_image_url = key
    if key is None:
        show_first_page(course, queries.current_version(course))
    course.revision += 1
    return old


def show_first_page(course: Course, version: CourseVersion | None) -> None:
    """Without a cover of its own a course shows page 1 of `version`, as soon as that is drawn."""
    if not course.cover_is_own and version is not None and version.pages_drawn > 0:
        course.cover_image_url = queries.page_key(version.id, 1, "large")


def destroy(course: Course) -> None:
    """Delete a draft that nobody has; what it had in storage, up to thousands of objects, the nightly sweep deletes.

    Raises Conflict for anything that was sold, is for sale, or is named by a cart or an order.
    """
    course = queries.lock(course.id)
    if queries.has_sales(course):
        raise Conflict("A course that was sold cannot be deleted: its buyers keep it. Archive it instead.")
    if course.status != "draft":
        raise Conflict("Only a draft can be deleted. Unpublish the course first.")
    try:
        with db.session.begin_nested():
            db.session.execute(delete(CourseAsset).where(CourseAsset.course_id == course.id))
            course.current_version_id = None
            db.session.flush()
            db.session.execute(delete(Course).where(Course.id == course.id))
    except IntegrityError as error:
        raise Conflict(
            "Somebody has this course in a cart or an order, so it cannot be deleted. As a draft only you see it."
        ) from error
    db.session.expunge(course)


def _checked(details: Details) -> dict[str, Any]:
    values: dict[str, Any] = dict(details)
    for name in ("title", "subtitle", "description"):
        if name in values:
            values[name] = _text(values[name], name)
    if "title" in values:
        values["title"] = " ".join(values["title"].split())
    if "tags" in values:
        values["tags"] = _tags(values["tags"])
    if "category" in values and (
        "\0" in values["category"] or db.session.get(Category, _text(values["category"], "category")) is None
    ):
        known = ", ".join(category.slug for category in queries.categories())
        raise Invalid(f"Choose one of the categories: {known}.", field="category")
    if "language" in values and values["language"] not in LANGUAGES:
        raise Invalid("Choose one of the languages in the list.", field="language")
    if "sample_pages" in values and not 0 <= values["sample_pages"] <= MOST_SAMPLE_PAGES:
        raise Invalid(f"Show between 0 and {MOST_SAMPLE_PAGES} sample pages.", field="sample_pages")
    return values


def _text(value: str, name: str) -> str:
    """`value` as the database can hold it, in the length that pages can show."""
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise Invalid("This contains a character that cannot be stored.", field=name) from error
    if "\0" in value:
        raise Invalid("This contains a character that cannot be stored.", field=name)
    value = value.replace("\r\n", "\n").strip()
    if name in LONGEST and len(value) > LONGEST[name]:
        raise Invalid(f"This may have at most {LONGEST[name]:,} characters; it has {len(value):,}.", field=name)
    return value


def _tags(tags: Iterable[str]) -> list[str]:
    cleaned = [" ".join(_text(tag, "tags").lower().split()) for tag in tags]
    kept = list(dict.fromkeys(tag for tag in cleaned if tag))
    if len(kept) > MOST_TAGS:
        raise Invalid(f"A course has at most {MOST_TAGS} tags.", field="tags")
    if any(len(tag) > LONGEST["tag"] for tag in kept):
        raise Invalid(f"A tag has at most {LONGEST['tag']} characters.", field="tags")
    return kept
