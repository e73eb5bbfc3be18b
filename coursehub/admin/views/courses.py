"""Courses: found, looked at, taken down."""

from uuid import UUID

from flask import Response, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from coursehub.admin import queries
from coursehub.admin.forms import ReasonForm
from coursehub.admin.views.blueprint import blueprint, chosen, note, staff, turn, words
from coursehub.courses import publishing
from coursehub.courses import queries as courses
from coursehub.courses.models import STATUSES
from coursehub.kernel.db import transaction
from coursehub.web.hypermedia import respond, see_other


@blueprint.get("/courses")
def course_list() -> str:
    """All courses, whatever their status, newest first."""
    status, q = chosen("status", STATUSES), words("q")
    page = queries.courses(status=status, words=q, cursor=words("cursor"))
    return render_template(
        "admin/courses/index.html",
        page=page,
        status=status,
        statuses=STATUSES,
        q=q,
        **turn("admin.course_list", page.next_cursor, status=status, q=q),
    )


@blueprint.get("/courses/<uuid:course_id>")
def course(course_id: UUID) -> Response:
    """One course with its versions and its history."""
    return _show(course_id)


@blueprint.post("/courses/<uuid:course_id>/takedowns")
def create_takedown(course_id: UUID) -> AnyResponse:
    """Out of the shop until staff let it back; its buyers keep it, its author reads why."""
    form = ReasonForm(prefix="takedown-")
    if not form.validate():
        return _show(course_id, 422, form)
    with transaction():
        taken = courses.lock(course_id)
        before = taken.status
        publishing.take_down(taken, staff(), form.reason.data or "")
        note("course.taken_down", "course", course_id, form.reason.data, {"before": before, "after": taken.status})
    return see_other(url_for("admin.course", course_id=course_id), _("“%(title)s” is taken down.", title=taken.title))


@blueprint.post("/courses/<uuid:course_id>/takedown-removals")
def create_takedown_removal(course_id: UUID) -> AnyResponse:
    """Let its author publish it again."""
    form = ReasonForm(prefix="takedown-")
    if not form.validate():
        return _show(course_id, 422, form)
    with transaction():
        course = courses.lock(course_id)
        said = course.takedown_reason
        publishing.lift_takedown(course)
        note("course.takedown_lifted", "course", course_id, form.reason.data or "", {"was": said})
    return see_other(
        url_for("admin.course", course_id=course_id), _("The author may publish “%(title)s” again.", title=course.title)
    )


def _show(course_id: UUID, status: int = 200, form: ReasonForm | None = None) -> Response:
    row = queries.course(course_id)
    page = render_template(
        "admin/courses/show.html",
        course=row.course,
        author=row.author,
        versions=courses.versions_of(course_id),
        moves=queries.moves_of(course_id),
        records=queries.audit_of("course", course_id),
        form=form or ReasonForm(formdata=None, prefix="takedown-"),
    )
    return respond(page, status)
