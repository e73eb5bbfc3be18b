"""A course's status: every move happens here and nowhere else."""

from dataclasses import dataclass

from coursehub.accounts.models import Customer
from coursehub.courses import queries, search_text
from coursehub.courses.drafting import UNTITLED
from coursehub.courses.events import CoursePublished
from coursehub.courses.models import Course
from coursehub.kernel import clock, money
from coursehub.kernel.db import db
from coursehub.kernel.errors import Conflict, Invalid, NotAllowed
from coursehub.kernel.events import record
from coursehub.kernel.moves import record_move

# From → to. Unpublishing makes a draft again; what was archived comes back for sale, not back to the desk.
MOVES: dict[str, frozenset[str]] = {
    "draft": frozenset({"published", "unlisted"}),
    "published": frozenset({"draft", "unlisted", "archived"}),
    "unlisted": frozenset({"draft", "published", "archived"}),
    "archived": frozenset({"published", "unlisted"}),
}
FOR_SALE = ("published", "unlisted")


class TakenDown(NotAllowed):
    """Staff took the course out of the shop; its author cannot put it back."""

    title = "Taken down by our staff"


@dataclass(frozen=True)
class Check:
    """One line of the list before publishing: whether it is fine, and if not, whether that stops it."""

    name: str
    fine: bool
    blocking: bool
    sentence: str


def publish(course: Course, actor: Customer) -> Course:
    """Put it in the shop: found by search and on shelves from the moment this commits."""
    return move_to(course, "published", actor)


def unlist(course: Course, actor: Customer) -> Course:
    """Sell it only to those who have its address."""
    return move_to(course, "unlisted", actor)


def archive(course: Course, actor: Customer) -> Course:
    """Stop selling it; its buyers keep it."""
    return move_to(course, "archived", actor)


def unpublish(course: Course, actor: Customer) -> Course:
    """Take it back to the desk as a draft; its buyers keep it."""
    return move_to(course, "draft", actor)


def take_down(course: Course, actor: Customer, reason: str) -> Course:
    """Take it out of the shop until staff let it back; its buyers keep it, its author reads the reason.

    Raises Conflict for a course that is down already or was never for sale.
    """
    course = queries.lock(course.id)
    if course.is_taken_down:
        raise Conflict("This course is taken down already.")
    if course.published_at is None:
        raise Conflict("This course was never for sale.")
    if course.is_public:
        course = move_to(course, "archived", actor)
    course.taken_down_at, course.takedown_reason = clock.now(), reason
    course.revision += 1
    return course


def lift_takedown(course: Course) -> Course:
    """Let its author publish it again; it stays where it is until then. Raises Conflict unless it is taken down."""
    course = queries.lock(course.id)
    if not course.is_taken_down:
        raise Conflict("This course is not taken down.")
    course.taken_down_at = course.takedown_reason = None
    course.revision += 1
    return course


def refuse_taken_down(course: Course) -> None:
    """Raises TakenDown with the reason that staff gave."""
    if course.is_taken_down:
        raise TakenDown(f"Our staff took this course out of the shop: {course.takedown_reason}")


def move_to(course: Course, status: str, actor: Customer) -> Course:
    """Make the move if it is a legal one; a course that is there already stays as it is.

    Raises Conflict for an illegal move, TakenDown, Invalid with what is missing before it can be sold.
    """
    course = queries.lock(course.id)
    before = course.status
    if before == status:
        return course
    if status not in MOVES[before]:
        raise Conflict(f"A course that is {_WORDS[before]} cannot become {_WORDS.get(status, status)}.", field="status")
    if status in FOR_SALE:
        refuse_taken_down(course)
        for check in preflight(course):
            if check.blocking and not check.fine:
                raise Invalid(check.sentence, field=check.name)
    course.status = status
    course.revision += 1
    if status in FOR_SALE:
        # The first time counts: withdrawing and publishing again does not make a course new.
        course.published_at = course.published_at or clock.now()
        version = queries.current_version(course)
        if version is not None:
            version.released_at = version.released_at or clock.now()
    record_move("course", course.id, before, status, cause=status, actor=f"customer:{actor.id}")
    search_text.reindex(course)
    if status == "published" and course.current_version_id is not None:
        record(
            CoursePublished(
                course_id=course.id,
                author_id=course.author_id,
                version_id=course.current_version_id,
                title=course.title,
                slug=course.slug,
            )
        )
    return course


def preflight(course: Course) -> list[Check]:
    """What must be (blocking) and what should be right before `course` is sold."""
    author = db.session.get_one(Customer, course.author_id)
    version = queries.current_version(course)
    return checks(course, author, has_file=version is not None and version.status == "ready")


def checks(course: Course, author: Customer, *, has_file: bool) -> list[Check]:
    """The list for `course`, from what is at hand: nothing is looked up."""
    return [
        Check("file", has_file, True, "Upload a PDF first: there is no finished version to sell."),
        Check("price", _price_trouble(course) is None, True, _price_trouble(course) or "The price can be charged."),
        Check("verified", author.email_verified, True, "Confirm your e-mail address before you publish."),
        Check("banned", author.status == "active", True, "This account may not publish courses at present."),
        Check("title", course.title != UNTITLED, False, "Give the course a title of its own."),
        Check("description", bool(course.description), False, "Describe what readers will learn."),
        Check("cover", course.cover_image_url is not None, False, "Without a cover of your own, page 1 is shown."),
        Check("sample", course.sample_pages > 0, False, "Sample pages help people to decide."),
    ]


def _price_trouble(course: Course) -> str | None:
    try:
        money.check_price(course.price_cents, course.currency)
    except Invalid as error:
        return error.sentence
    return None


_WORDS = {"draft": "a draft", "published": "published", "unlisted": "unlisted", "archived": "archived"}
