"""The reader, its bytes and its pictures; the place kept; search in the pages of everything one owns."""

from typing import BinaryIO
from uuid import UUID

from flask import Blueprint, Response, make_response, render_template, request
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from coursehub.accounts.models import Customer
from coursehub.courses.queries import SIZES
from coursehub.infra.services import services
from coursehub.infra.storage import content_disposition
from coursehub.kernel.db import release, transaction
from coursehub.kernel.errors import NotFound, Unavailable
from coursehub.kernel.ids import parse_id
from coursehub.reading import books, page_search, positions, queries
from coursehub.reading.books import Book
from coursehub.reading.forms import page_asked_for, page_to_keep, time_since
from coursehub.web.auth import login_required
from coursehub.web.hypermedia import page_or_fragment, respond, see_other
from coursehub.web.limits import limited_for_person
from coursehub.web.pictures import stored_picture
from coursehub.web.ranges import ranged

blueprint = Blueprint("reading", __name__)


@blueprint.get("/read/<uuid:course_id>")
@login_required
def show(course_id: UUID) -> AnyResponse:
    """A course, open at a page: the one asked for, else where this person left off."""
    try:
        book = books.of_course(_reader(), course_id, request.args.get("version"))
    except books.NoRight as refusal:
        page = render_template("reading/refused.html", message=refusal.sentence, course=refusal.course)
        return respond(page, refusal.status)
    return _page(book)


@blueprint.get("/read/<uuid:course_id>/<uuid:version_id>.pdf")
@login_required
@limited_for_person("read")
def pdf(course_id: UUID, version_id: UUID) -> Response:
    """The bytes, as a download has them, whole or in ranges. The right is checked each time; nothing is counted."""
    return _bytes(books.of_course(_reader(), course_id, str(version_id)))


@blueprint.get("/read/<uuid:course_id>/pages/<int:number>.webp")
@login_required
def picture(course_id: UUID, number: int) -> Response:
    """A page as a picture."""
    return _picture(books.of_course(_reader(), course_id, request.args.get("version")), number)


@blueprint.post("/read/<uuid:course_id>/position")
@login_required
@limited_for_person("position")
def update_position(course_id: UUID) -> AnyResponse:
    """Remember the page."""
    return _keep(books.of_course(_reader(), course_id, request.form.get("version_id")))


@blueprint.get("/read/files/<uuid:file_id>")
@login_required
def show_file(file_id: UUID) -> AnyResponse:
    """A file of one's own, open at a page."""
    return _page(books.of_file(_reader(), file_id))


@blueprint.get("/read/files/<uuid:file_id>.pdf")
@login_required
@limited_for_person("read")
def file_pdf(file_id: UUID) -> Response:
    """The bytes of a file of one's own."""
    return _bytes(books.of_file(_reader(), file_id))


@blueprint.get("/read/files/<uuid:file_id>/pages/<int:number>.webp")
@login_required
def file_picture(file_id: UUID, number: int) -> Response:
    """A page of it as a picture."""
    return _picture(books.of_file(_reader(), file_id), number)


@blueprint.post("/read/files/<uuid:file_id>/position")
@login_required
@limited_for_person("position")
def update_file_position(file_id: UUID) -> AnyResponse:
    """Remember the page."""
    return _keep(books.of_file(_reader(), file_id))


@blueprint.get("/reading/recent")
@login_required
def recent() -> AnyResponse:
    """What this person read last: a page of its own, and a part of others."""
    read = positions.recent(_reader())
    return page_or_fragment("reading/recent.html", "reading/_recent.html", read=read)


@blueprint.get("/library/search")
@login_required
@limited_for_person("search")
def search() -> AnyResponse:
    """Words in the pages of everything this person owns."""
    text, within = request.args.get("q", ""), parse_id(request.args.get("in", ""))
    results = page_search.find(_reader(), text, within=within, page=page_asked_for(request.args) or 1)
    words = queries.cleaned(text)
    return page_or_fragment(
        "reading/search.html",
        "reading/_results.html",
        results=results,
        words=words,
        within=within,
        most=queries.MOST,
    )


def _reader() -> Customer:
    return current_user._get_current_object()


def _page(book: Book) -> AnyResponse:
    asked, kept = page_asked_for(request.args), positions.of(current_user.id, book)
    number = book.within((kept or 1) if asked is None else asked)
    text = books.text_of(book, number)
    return respond(render_template("reading/show.html", book=book, number=number, kept=kept, text=text))


def _bytes(book: Book) -> Response:
    storage = services().storage
    release()  # however slowly the file is taken, nobody waits for this connection

    def opens(first: int, length: int) -> BinaryIO:
        try:
            return storage.open_range(book.pdf_key, first, length)
        except KeyError as error:
            raise Unavailable("The file is not there at the moment. Please try again in a few minutes.") from error

    response = ranged(opens, book.byte_size, book.mark, "application/pdf")
    headers = response.headers
    headers["Content-Disposition"] = content_disposition(book.filename, inline=True)
    headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    # Kept nowhere: a right that ends ends at once, and browsers do not queue ranges behind their cache.
    headers["Cache-Control"] = "private, no-store"
    return response


def _picture(book: Book, number: int) -> Response:
    size = request.args.get("size", "large")
    if size not in SIZES or not 1 <= number <= book.pages_drawn:
        raise NotFound()
    release()
    response = stored_picture(book.picture_key(number, size), public=False)
    response.headers["Cache-Control"] = "private, no-cache"  # kept, but asked for each time: the right may have ended
    return response


def _keep(book: Book) -> AnyResponse:
    page, reader_id = page_to_keep(request.form), current_user.id
    with transaction():
        positions.keep(reader_id, book, page, ago=time_since(request.form))
    if request.headers.get("X-Requested-With") == "fetch":
        return make_response("", 204)
    return see_other(book.at(page), _("Page %(page)s is remembered: on every device the book opens there.", page=page))
