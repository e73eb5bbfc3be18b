"""The studio: a course from its details to its place in the shop, step by step."""

import contextlib
from typing import Any, cast
from uuid import UUID

from flask import Blueprint, Flask, Response, current_app, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from coursehub.courses import drafting, publishing, queries, uploads, versions
from coursehub.courses.forms import CoverForm, DetailsForm, ReleaseForm, SamplesForm, StatusForm, UploadForm, blame
from coursehub.courses.models import Course
from coursehub.infra.services import services
from coursehub.kernel.db import release, transaction
from coursehub.kernel.errors import DomainError, Invalid, NotFound, TooLarge, Unavailable
from coursehub.web import spooling
from coursehub.web.auth import role_required
from coursehub.web.hypermedia import respond, see_other
from coursehub.web.limits import limited_for_person
from coursehub.web.pictures import stored_picture

blueprint = Blueprint("courses", __name__, url_prefix="/studio")
HOME = "/studio"
PAGES_SHOWN = 48
COVER_LIMIT = 20_000_000


@blueprint.record_once
def _spool_uploads(state: BlueprintSetupState) -> None:
    app = cast(Flask, state.app)
    spooling.install(app, app.config["SETTINGS"].data.resolve() / "incoming", creators_only={blueprint.name})


@blueprint.get("/courses/new")
@role_required("creator")
def new() -> str:
    return render_template("courses/new.html", form=DetailsForm())


@blueprint.post("/courses")
@role_required("creator")
@limited_for_person("upload")
def create() -> AnyResponse:
    """Make the draft; then on to its file, or to its details again."""
    form = DetailsForm()
    if form.validate():
        try:
            with transaction():
                course = drafting.create(current_user, **form.details())
            return _onward("content", course, "edit", usual="content")
        except DomainError as error:
            blame(form, error)
    return respond(render_template("courses/new.html", form=form), 422)


@blueprint.get("/courses/<uuid:course_id>")
@role_required("creator")
def show(course_id: UUID) -> AnyResponse:
    """Where the work on this course goes on."""
    return redirect(_resume(_mine(course_id)), 303)


@blueprint.get("/courses/<uuid:course_id>/details")
@role_required("creator")
def edit(course_id: UUID) -> str:
    course = _mine(course_id)
    return render_template("courses/details.html", form=DetailsForm(course), cover_form=CoverForm(), **_about(course))


@blueprint.post("/courses/<uuid:course_id>/details")
@role_required("creator")
def update(course_id: UUID) -> AnyResponse:
    """Save the details. Saved elsewhere since: 409, with everything typed still in the form."""
    course = _mine(course_id)
    form = DetailsForm()
    status = 422
    if form.validate():
        try:
            with transaction():
                course = drafting.update(_mine(course_id), revision=form.seen_revision(), **form.details())
            return _onward("content", course, "edit")
        except drafting.EditedMeanwhile:
            course, status = _mine(course_id), 409
        except DomainError as error:
            blame(form, error)
    late = status == 409
    if late:  # saving again means: mine
        form.revision.raw_data, form.revision.data = None, str(course.revision)
    about = _about(course) | {"late": late}
    return respond(render_template("courses/details.html", form=form, cover_form=CoverForm(), **about), status)


@blueprint.post("/courses/<uuid:course_id>/cover")
@role_required("creator")
def create_cover(course_id: UUID) -> AnyResponse:
    """Another cover: re-encoded, so that nothing but the picture is kept."""
    course, form = _mine(course_id), CoverForm()
    try:
        sent = request.files.get("cover")
        if sent is None or not sent.filename:
            raise Invalid("Choose a picture first.", field="cover")
        release()
        picture = services().pdf.image_safely(spooling.path_of(sent), "cover")
    except Invalid as error:
        form.cover.errors = [error.sentence]
        page = render_template("courses/details.html", form=DetailsForm(course), cover_form=form, **_about(course))
        return respond(page, 422)
    key = drafting.new_cover_key(course.id)
    release()
    services().storage.put(key, picture.content, "image/webp")
    try:
        with transaction():
            old = drafting.set_cover(_mine(course_id), key)
    except BaseException:
        services().storage.delete(key)
        raise
    _sweep([old])
    return see_other(_page("edit", course), _("This is the new cover."))


@blueprint.post("/courses/<uuid:course_id>/cover/removal")
@role_required("creator")
def create_cover_removal(course_id: UUID) -> AnyResponse:
    """Back to page 1 as the cover."""
    with transaction():
        course = _mine(course_id)
        old = drafting.set_cover(course, None)
    _sweep([old])
    return see_other(_page("edit", course), _("Page 1 is the cover again."))


@blueprint.get("/courses/<uuid:course_id>/content")
@role_required("creator")
def content(course_id: UUID) -> str:
    return render_template("courses/content.html", form=UploadForm(), **_about(_mine(course_id)))


@blueprint.post("/courses/<uuid:course_id>/uploads")
@role_required("creator")
def create_upload(course_id: UUID) -> AnyResponse:
    """Take in a PDF: the next version, looked at by a worker while the page shows how it goes."""
    course, form = _mine(course_id), UploadForm()
    settings = current_app.config["SETTINGS"]
    try:
        sent = request.files.get("file")
        if sent is None or not sent.filename:
            raise Invalid("Choose a PDF first.", field="file")
        path, storage = spooling.path_of(sent), services().storage
        release()
        stored = uploads.stored(path, sent.filename, storage=storage, limit=settings.upload_limit)
        with stored as received, transaction():
            uploads.accept(_mine(course_id), received)
    except (Invalid, TooLarge) as error:
        form.file.errors = [error.sentence]
        return respond(render_template("courses/content.html", form=form, **_about(course)), error.status)
    return see_other(_page("content", course))


@blueprint.get("/courses/<uuid:course_id>/versions/<uuid:version_id>/progress")
@role_required("creator")
def progress(course_id: UUID, version_id: UUID) -> Response:
    """How far a version is; the finished fragment asks no more."""
    course = _mine(course_id)
    about = _about(course) | {"version": queries.version_of(course, version_id)}
    return respond(render_template("courses/_progress.html", **about))


@blueprint.post("/courses/<uuid:course_id>/title")
@role_required("creator")
def create_title(course_id: UUID) -> AnyResponse:
    """Take the title that the PDF gives itself."""
    with transaction():
        course = _mine(course_id)
        offered = _offered_title(course)
        if offered is None:
            raise NotFound()
        course = drafting.update(course, title=offered)
    return see_other(_page("content", course), _("The course is called “%(title)s” now.", title=course.title))


@blueprint.get("/courses/<uuid:course_id>/preview")
@role_required("creator")
def preview(course_id: UUID) -> AnyResponse:
    """The pages as they will be seen, of the newest ready version or of the one asked for."""
    course = _mine(course_id)
    page = render_template("courses/preview.html", form=SamplesForm(course), **_about(course), **_pages_of(course))
    return respond(page)


@blueprint.post("/courses/<uuid:course_id>/preview")
@role_required("creator")
def update_samples(course_id: UUID) -> AnyResponse:
    """Save how many pages everyone may see. Saved elsewhere since: 409, with what was typed still in the form."""
    course, form, status = _mine(course_id), SamplesForm(), 422
    if form.validate():
        try:
            with transaction():
                course = drafting.update(
                    _mine(course_id), revision=form.seen_revision(), sample_pages=form.sample_pages.data or 0
                )
            return _onward("publish", course, "preview")
        except drafting.EditedMeanwhile:
            course, status = _mine(course_id), 409
            form.revision.raw_data, form.revision.data = None, str(course.revision)
        except DomainError as error:
            blame(form, error)
    about = _about(course) | {"late": status == 409}
    return respond(render_template("courses/preview.html", form=form, **about, **_pages_of(course)), status)


@blueprint.get("/courses/<uuid:course_id>/pages")
@role_required("creator")
def pages(course_id: UUID) -> Response:
    """The grid of pages while they are drawn."""
    course = _mine(course_id)
    return respond(render_template("courses/_pages.html", course=course, **_pages_of(course)))


@blueprint.get("/courses/<uuid:course_id>/versions/<uuid:version_id>/pages/<int:number>.webp")
@role_required("creator")
def page_picture(course_id: UUID, version_id: UUID, number: int) -> Response:
    """Any page of any version, for those who make it."""
    version = queries.version_of(_mine(course_id), version_id)
    size = request.args.get("size", "large")
    if size not in queries.SIZES or not 1 <= number <= version.pages_drawn:
        raise NotFound()
    return stored_picture(queries.page_key(version.id, number, size), public=False)


@blueprint.get("/courses/<uuid:course_id>/publish")
@role_required("creator")
def publish(course_id: UUID) -> AnyResponse:
    """What is still to do before the course is sold, and the buttons that move it."""
    return respond(_publish_page(_mine(course_id)))


@blueprint.post("/courses/<uuid:course_id>/status")
@role_required("creator")
def update_status(course_id: UUID) -> AnyResponse:
    """Publish, unlist, unpublish, archive. Something missing: 422 with the list; an illegal move: 409."""
    course, form = _mine(course_id), StatusForm()
    if not form.validate():
        raise Invalid("Choose what to do with the course.", field="status")
    before = course.status
    try:
        with transaction():
            course = publishing.move_to(_mine(course_id), form.status.data, current_user)
    except Invalid as error:
        return respond(_publish_page(_mine(course_id), refusal=error.sentence), 422)
    kept = {"was": before} if before != course.status else {}
    return see_other(url_for("courses.publish", course_id=course.id, **kept), _MOVED[course.status]())  # type: ignore[arg-type]


@blueprint.post("/courses/<uuid:course_id>/deletion")
@role_required("creator")
def create_deletion(course_id: UUID) -> AnyResponse:
    """Delete a draft nobody has; its files go with the nightly sweep."""
    with transaction():
        course = _mine(course_id)
        title = course.title
        drafting.destroy(course)
    return see_other(HOME, _("“%(title)s” is deleted.", title=title))


@blueprint.get("/courses/<uuid:course_id>/versions")
@role_required("creator")
def version_list(course_id: UUID) -> str:
    return render_template("courses/versions.html", form=ReleaseForm(), **_about(_mine(course_id)))


@blueprint.post("/courses/<uuid:course_id>/versions/<uuid:version_id>/release")
@role_required("creator")
def create_release(course_id: UUID, version_id: UUID) -> AnyResponse:
    """Publish this version: buyers get it from now on."""
    course, form = _mine(course_id), ReleaseForm()
    if form.validate():
        try:
            with transaction():
                course = _mine(course_id)
                version = versions.make_current(queries.version_of(course, version_id), form.changelog.data or "")
            said = _("Version %(number)s is published.", number=version.version_number)
            return see_other(_page("version_list", course), said)
        except Invalid as error:
            blame(form, error)
    return respond(render_template("courses/versions.html", form=form, **_about(_mine(course_id))), 422)


_MOVED = {
    "published": lambda: _("Your course is in the shop."),
    "unlisted": lambda: _("Your course is sold to everyone who has its address, and listed nowhere."),
    "draft": lambda: _("Your course is a draft again. Only you see it."),
    "archived": lambda: _("Your course is archived. Its buyers keep it."),
}


def _mine(course_id: UUID) -> Course:
    return queries.get_editable(current_user, course_id)


def _about(course: Course) -> dict[str, Any]:
    """What every page about one course shows."""
    listed = queries.versions_of(course.id)
    newest = listed[0] if listed else None
    ready = next((version for version in listed if version.status == "ready"), None)
    return {
        "course": course,
        "versions": listed,
        "version": newest,
        "ready": ready,
        "waiting": versions.newest_unreleased(course) if course.status != "draft" else None,
        "cover": queries.cover_path(course),
        "untitled": course.title == drafting.UNTITLED,
        "offered_title": _offered_title(course),
        "upload_limit": current_app.config["SETTINGS"].upload_limit,
        "cover_limit": COVER_LIMIT,
        "late": False,
    }


def _offered_title(course: Course) -> str | None:
    if course.title != drafting.UNTITLED:
        return None
    return next((version.title for version in queries.versions_of(course.id) if version.title), None)


def _pages_of(course: Course) -> dict[str, Any]:
    """The version to look at and the part of its pages that fits on one screen."""
    listed = [version for version in queries.versions_of(course.id) if version.status == "ready"]
    number = request.args.get("version", type=int)
    shown = next((version for version in listed if version.version_number == number), listed[0] if listed else None)
    count = (shown.pages_count or 0) if shown else 0
    parts = max(1, -(-count // PAGES_SHOWN))
    part = min(max(request.args.get("page", 1, type=int), 1), parts)
    first = (part - 1) * PAGES_SHOWN + 1
    return {
        "shown": shown,
        "first": first,
        "last": min(first + PAGES_SHOWN - 1, count),
        "part": part,
        "parts": parts,
    }


def _publish_page(course: Course, refusal: str | None = None) -> str:
    was = request.args.get("was", "")
    return render_template(
        "courses/publish.html",
        checks=publishing.preflight(course),
        # What it was a moment ago, if it can be that again.
        was=was if was in publishing.MOVES[course.status] and not course.is_taken_down else None,
        sold=queries.has_sales(course),
        buyers=queries.buyers_of(course),
        refusal=refusal,
        ask=request.args.get("ask", ""),
        **_about(course),
    )


def _page(name: str, course: Course) -> str:
    return url_for(f"courses.{name}", course_id=course.id)


def _onward(step: str, course: Course, here: str, *, usual: str = "") -> AnyResponse:
    """After saving: on to `step` where that was asked for ("Save and continue"), else `here` again."""
    return see_other(_page(step if request.form.get("next", usual) == step else here, course), _("Saved."))


def _resume(course: Course) -> str:
    if course.status != "draft":
        return _page("publish", course)
    return _page("preview" if course.current_version_id else "content", course)


def _sweep(keys: list[str | None]) -> None:
    """Delete objects nobody needs now; what storage does not let go of today, the nightly sweep will."""
    for key in filter(None, keys):
        with contextlib.suppress(Unavailable):
            services().storage.delete(key)
