"""Reviews over HTTP: read page by page, written by buyers, answered by creators."""

from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from coursehub.accounts.models import Customer
from coursehub.courses import queries as courses
from coursehub.courses import slugs
from coursehub.courses.models import Course
from coursehub.entitlements import access
from coursehub.kernel.db import transaction
from coursehub.kernel.errors import Invalid, NotAllowed, NotFound
from coursehub.reviews import policies, queries, showing, writing
from coursehub.reviews.forms import ReplyForm, ReviewForm
from coursehub.web.auth import login_required
from coursehub.web.hypermedia import at_slug, fragments, page_or_fragment
from coursehub.web.limits import limited, spend

blueprint = Blueprint("reviews", __name__)


@blueprint.errorhandler(slugs.Moved)
def follow(moved: slugs.Moved) -> AnyResponse:
    return at_slug(moved.slug)


@blueprint.get("/courses/<slug>/reviews")
@limited("search")
def index(slug: str) -> AnyResponse:
    """One page of reviews; for htmx what follows under those that are shown already."""
    course = _course(slug)
    if course.slug != slug:
        raise slugs.Moved(course.slug)
    try:
        section = showing.section(course, _visitor(), request.args.get("cursor"))
    except Invalid:  # an old or broken cursor: the first page is where they want to be
        return redirect(url_for("reviews.index", slug=slug), 303)
    return page_or_fragment("reviews/index.html", "reviews/_page.html", **_context(course, section))


@blueprint.post("/courses/<slug>/reviews")
@login_required
def create_review(slug: str) -> AnyResponse:
    """Write a review, or change one's own."""
    course, form = _course(slug), ReviewForm()
    if form.validate():
        spend("review", f"customer {current_user.id}")
        try:
            with transaction():
                writing.write(_visitor(), courses.get(course.id), int(form.rating.data), form.text.data or "")
            return _shown_anew(course, _("Thank you: your review is published."))
        except Invalid as error:
            form.blame(error)
    elif not policies.may_review(_visitor(), course):
        raise NotAllowed("Only people who own this course can review it.")
    section = showing.section(course, _visitor())
    context = _context(course, section, form)
    return page_or_fragment("reviews/index.html", "reviews/_reviews.html", 422, **context)


@blueprint.post("/courses/<slug>/reviews/<uuid:review_id>/removal")
@login_required
def create_removal(slug: str, review_id: UUID) -> AnyResponse:
    """Take one's own review back."""
    course = _course(slug)
    with transaction():
        mine = queries.of_person(current_user.id, course.id)
        if mine is None or mine.id != review_id:
            raise NotFound("That review is not there any more.")
        writing.remove(_visitor(), mine)
    return _shown_anew(course, _("Your review is removed."))


@blueprint.get("/courses/<slug>/reviews/<uuid:review_id>/reply")
@login_required
def edit_reply(slug: str, review_id: UUID) -> AnyResponse:
    """The form for the creator's answer; for htmx under the review it belongs to."""
    course = _answerable(slug)
    if course.slug != slug:
        raise slugs.Moved(course.slug)
    review = queries.one(course, review_id)
    form = ReplyForm(formdata=None, data={"reply": review.reply})
    return _reply_form(course, review, form)


@blueprint.post("/courses/<slug>/reviews/<uuid:review_id>/reply")
@login_required
def create_reply(slug: str, review_id: UUID) -> AnyResponse:
    """Answer a review, or change the answer."""
    course, form = _answerable(slug), ReplyForm()
    if form.validate():
        spend("review", f"customer {current_user.id}")
        try:
            with transaction():
                row = queries.get(course, review_id)
                writing.reply(_visitor(), courses.get(course.id), row, form.reply.data)
            return _answered(course, review_id, _("Your reply is published."))
        except Invalid as error:
            form.blame(error)
    return _reply_form(course, queries.one(course, review_id), form, 422)


@blueprint.post("/courses/<slug>/reviews/<uuid:review_id>/reply/removal")
@login_required
def create_reply_removal(slug: str, review_id: UUID) -> AnyResponse:
    """Take the answer back."""
    course = _answerable(slug)
    with transaction():
        writing.remove_reply(_visitor(), courses.get(course.id), queries.get(course, review_id))
    return _answered(course, review_id, _("Your reply is removed."))


def _course(slug: str) -> Course:
    """The course with this address, also an earlier one, for whoever may see it. Raises NotFound."""
    course = slugs.find(slug)
    if course is None or not access.may_see(_visitor() if current_user.is_authenticated else None, course):
        raise NotFound()
    return course


def _answerable(slug: str) -> Course:
    course = _course(slug)
    if not policies.may_answer(_visitor(), course):
        raise NotAllowed("Only the creator of a course answers its reviews.")
    return course


def _visitor() -> Any:
    person: Customer | None = current_user._get_current_object() if current_user.is_authenticated else None
    return person


def _context(course: Course, section: showing.Section, form: ReviewForm | None = None) -> dict[str, Any]:
    cursor = request.args.get("cursor")
    return {
        "course": course,
        "section": section,
        "form": form or (ReviewForm.of(section.mine) if section.may_write else None),
        # A page after the first takes the place, and the focus, of the link that asked for it.
        "place": f"reviews_after_{queries.read_cursor(cursor)[1]}" if cursor else "reviews_page",
        "show_flashes": current_user.is_authenticated,
    }


def _shown_anew(course: Course, message: str) -> AnyResponse:
    course = courses.get(course.id)
    return fragments(
        "reviews/create_review.htmx.html",
        fallback=url_for("catalog.show", slug=course.slug, _anchor="reviews"),
        message=message,
        **_context(course, showing.section(course, _visitor())),
    )


def _reply_form(course: Course, review: queries.Read, form: ReplyForm, status: int = 200) -> AnyResponse:
    context = {"course": course, "review": review, "form": form}
    return page_or_fragment("reviews/reply.html", "reviews/_reply_form.html", status, **context)


def _answered(course: Course, review_id: UUID, message: str) -> AnyResponse:
    return fragments(
        "reviews/create_reply.htmx.html",
        fallback=url_for("catalog.show", slug=course.slug, _anchor=f"review_{review_id}"),
        message=message,
        course=course,
        review=queries.one(course, review_id),
        may_answer=True,
    )
