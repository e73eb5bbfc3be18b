"""My own PDFs: sent, listed, renamed, fetched, put away, removed. For nobody but their owner."""

import contextlib
from typing import Any
from uuid import UUID

from flask import Response, current_app, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from coursehub.courses import uploads
from coursehub.infra.services import services
from coursehub.kernel.db import release, transaction
from coursehub.kernel.errors import Invalid, NotFound, TooLarge, Unavailable
from coursehub.library import files, private_files, queries
from coursehub.library.forms import FileForm, TitleForm
from coursehub.library.models import PrivateFile
from coursehub.library.views.blueprint import blueprint, has_page, list_filter, sort_names
from coursehub.web import spooling
from coursehub.web.auth import login_required
from coursehub.web.hypermedia import fragments, is_fragment, page_or_fragment, respond, see_other
from coursehub.web.limits import limited_for_person
from coursehub.web.pictures import stored_picture


@blueprint.get("/library/files")
@login_required
def file_list() -> AnyResponse:
    """My own files, with a place to drop another."""
    return page_or_fragment("library/files.html", "library/_file_list.html", form=FileForm(), **_listed())


@blueprint.post("/library/files")
@login_required
@limited_for_person("upload")
def create_file() -> AnyResponse:
    """Take in a PDF, to be looked at by a worker while its row shows how it goes. No room, no PDF: 422 and why."""
    settings, form, storage = current_app.config["SETTINGS"], FileForm(), services().storage
    person = current_user._get_current_object()
    try:
        sent = request.files.get("file")
        if sent is None or not sent.filename:
            raise Invalid("Choose a PDF first.", field="file")
        path = spooling.path_of(sent)
        private_files.check_room(private_files.room_of(person.id, settings.private_quota), path.stat().st_size)
        release()
        stored = uploads.stored(path, sent.filename, storage=storage, limit=settings.upload_limit)
        with stored as received, transaction():
            file = private_files.accept(person, received, quota=settings.private_quota)
    except (Invalid, TooLarge) as error:
        form.file.errors = [error.sentence]
        return respond(render_template("library/files.html", form=form, **_listed()), 422)
    return see_other(url_for("library.file_list"), _("“%(title)s” has arrived and is being checked.", title=file.title))


@blueprint.get("/library/files/<uuid:file_id>")
@login_required
def show_file(file_id: UUID) -> AnyResponse:
    """One file of mine; asked by its row, how far it is."""
    file = _mine(file_id)
    if is_fragment():
        return respond(render_template("library/_file.html", file=file))
    return respond(_file_page(file, TitleForm(data={"title": file.title})))


@blueprint.post("/library/files/<uuid:file_id>/title")
@login_required
def update_file_title(file_id: UUID) -> AnyResponse:
    """Call it something else."""
    form = TitleForm()
    if not form.validate():
        return respond(_file_page(_mine(file_id), form), 422)
    with transaction():
        file = private_files.rename(current_user, file_id, form.title.data or "")
    said = _("The file is called “%(title)s” now.", title=file.title)
    return see_other(url_for("library.show_file", file_id=file_id), said)


@blueprint.post("/library/files/<uuid:file_id>/inspection")
@login_required
@limited_for_person("upload")
def create_inspection(file_id: UUID) -> AnyResponse:
    """Look at a refused file once more. One that was not refused: 409."""
    with transaction():
        file = private_files.look_again(current_user, file_id)
    return fragments("library/create_inspection.htmx.html", fallback=url_for("library.file_list"), file=file)


@blueprint.get("/library/files/<uuid:file_id>/download")
@login_required
@limited_for_person("download")
def download_file(file_id: UUID) -> AnyResponse:
    """My file as it is kept, as often as I like."""
    file = private_files.get_readable(current_user, file_id)
    release()
    response = redirect(files.private_url(services().storage, file), 303)
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@blueprint.get("/library/files/<uuid:file_id>/cover.webp")
@login_required
def file_cover(file_id: UUID) -> Response:
    """Page 1, small."""
    file = private_files.get_readable(current_user, file_id)
    if file.pages_drawn < 1:
        raise NotFound()
    release()
    return stored_picture(private_files.page_key(file.id, 1, "small"), public=False)


@blueprint.post("/library/files/<uuid:file_id>/archive")
@login_required
def create_file_archive(file_id: UUID) -> AnyResponse:
    """Put a file away; the answer offers to bring it back to its place."""
    with transaction():
        file = private_files.archive(current_user, file_id)
    if not is_fragment():
        return see_other(url_for("library.file_list"), _("“%(title)s” is in your archive.", title=file.title))
    return fragments("library/create_file_archive.htmx.html", fallback=url_for("library.file_list"), file=file)


@blueprint.post("/library/files/<uuid:file_id>/restoration")
@login_required
def create_file_restoration(file_id: UUID) -> AnyResponse:
    """Bring a file back."""
    with transaction():
        file = private_files.restore(current_user, file_id)
    return fragments(
        "library/create_file_restoration.htmx.html",
        fallback=url_for("library.file_list"),
        message=_("“%(title)s” is back in your library.", title=file.title),
        file=file,
    )


@blueprint.post("/library/files/<uuid:file_id>/removal")
@login_required
def create_file_removal(file_id: UUID) -> AnyResponse:
    """Forget a file for good. The PDF goes at once, the pictures of its pages with the nightly sweep."""
    with transaction():
        file = private_files.remove(current_user, file_id)
    for key in (file.pdf_url, private_files.raw_key(file.id)):
        with contextlib.suppress(Unavailable):  # then the sweep takes it too
            services().storage.delete(key)
    return see_other(url_for("library.file_list"), _("“%(title)s” is deleted.", title=file.title))


def _mine(file_id: UUID) -> PrivateFile:
    return private_files.get_own(current_user, file_id)


def _listed() -> dict[str, Any]:
    """What the list of my files shows, whatever else is on the page."""
    settings, part = current_app.config["SETTINGS"], list_filter()
    page = queries.files_of(current_user.id, title=part.title, sort=part.sort, cursor=part.cursor)
    room = private_files.room_of(current_user.id, settings.private_quota)
    return {
        "page": page,
        "part": part,
        "sorts": sort_names(),
        "room": room,
        "most": private_files.MOST,
        "upload_limit": settings.upload_limit,
        "next_url": part.url("library.file_list", cursor=page.next_cursor) if page.next_cursor else None,
        "first_url": part.url("library.file_list") if part.cursor else None,
        "can_search": has_page("reading.search"),
    }


def _file_page(file: PrivateFile, form: TitleForm) -> str:
    return render_template("library/show_file.html", file=file, form=form)
