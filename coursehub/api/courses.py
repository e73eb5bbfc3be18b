"""Courses: found by everyone; drafted, uploaded, published by their creators."""

from datetime import timedelta
from typing import Any
from urllib.parse import urljoin
from uuid import UUID

from flask import Response, current_app, request

from coursehub.accounts.models import Customer
from coursehub.api.blueprint import WrongContent, answer, caller, operation, visitor
from coursehub.api.schemas import (
    CourseBody,
    CoursePath,
    CourseShown,
    CoursesQuery,
    FileLink,
    IfMatch,
    Listed,
    NewCourseBody,
    ReleaseBody,
    Uploaded,
    Version,
)
from coursehub.catalog import search
from coursehub.catalog.filters import Filters
from coursehub.courses import drafting, policies, publishing, queries, uploads, versions
from coursehub.courses.models import Course, CourseVersion
from coursehub.entitlements import access
from coursehub.infra.services import services
from coursehub.kernel import clock
from coursehub.kernel.db import db, release, transaction
from coursehub.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from coursehub.library import downloads, files
from coursehub.library.downloads import Opened
from coursehub.web import spooling
from coursehub.web.limits import limited, spend

TAG = "courses"
_FILE = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {"file": {"type": "string", "format": "binary"}},
            }
        }
    },
}


@operation("get", "/courses", tag=TAG, answers={200: Listed[CourseShown]}, needs="optional")
@limited("search")
def list_courses(query: CoursesQuery) -> Any:
    """Find courses that are for sale. A misspelt word is read as the nearest word of a title when nothing has it."""
    filters = Filters(
        q=query.q,
        category=query.category,
        tag=query.tag,
        language=query.language,
        rating_min=query.rating_min,
        sort=query.sort,
        price_min=query.price_min,
        price_max=query.price_max,
    )
    page = search.find(filters, cursor=query.cursor or None, limit=query.limit).page
    shown = [CourseShown.of_card(card, _absolute(card.cover)) for card in page.items]
    return answer(Listed(items=shown, next_cursor=page.next_cursor))


@operation("post", "/courses", tag=TAG, answers={201: CourseShown})
def create_course(body: NewCourseBody) -> Any:
    """Make a draft."""
    spend("upload", f"customer {caller().id}")
    with transaction():
        course = drafting.create(caller(), **body.model_dump(exclude_unset=True))
    return _shown(course, 201)


@operation("get", "/courses/<uuid:course_id>", tag=TAG, answers={200: CourseShown}, needs="optional")
def show_course(path: CoursePath) -> Any:
    """One course; drafts and archived ones only for those who may see them."""
    return _shown(_visible(path.course_id))


@operation("put", "/courses/<uuid:course_id>", tag=TAG, answers={200: CourseShown})
def update_course(path: CoursePath, header: IfMatch, body: CourseBody) -> Any:
    """Change a course; what is left out stays as it is.

    `status` publishes (`published`, `unlisted`), archives (`archived`) or withdraws (`draft`) it. A published course
    is found by search when this answers.
    """
    details = body.model_dump(exclude_unset=True)
    status = details.pop("status", None)
    with transaction():
        course = _editable(path.course_id)
        course = drafting.update(course, revision=_seen_revision(course, header.if_match), **details)
        if status is not None:
            course = publishing.move_to(course, status, caller())
    return _shown(course)


@operation("post", "/courses/<uuid:course_id>/upload", tag=TAG, answers={202: Uploaded}, request_body=_FILE)
def create_upload(path: CoursePath) -> Any:
    """Send a PDF as multipart field `file`: the next version.

    A worker looks at it; `GET …/versions` shows how that goes.
    """
    spend("upload", f"customer {caller().id}")
    _editable(path.course_id)
    if request.mimetype != "multipart/form-data":
        raise WrongContent("Send the PDF as multipart/form-data, in the field `file`.")
    sent = request.files.get("file")
    if sent is None:
        raise Invalid("Send the PDF in the field `file`.", field="file")
    release()
    stored = uploads.stored(
        spooling.path_of(sent),
        sent.filename or "",
        storage=services().storage,
        limit=current_app.config["SETTINGS"].upload_limit,
    )
    with stored as received, transaction():
        version = uploads.accept(_editable(path.course_id), received)
    uploaded = Uploaded(version_id=version.id, version_number=version.version_number, status=version.status)
    return answer(uploaded, 202)


@operation("get", "/courses/<uuid:course_id>/versions", tag=TAG, answers={200: Listed[Version]}, needs="optional")
def list_versions(path: CoursePath) -> Any:
    """The versions, newest first: all of them for the creator, the published ones for everyone else."""
    course = _visible(path.course_id)
    person = visitor()
    may_edit = person is not None and policies.may_edit(person, course)
    listed = [one for one in queries.versions_of(course.id) if may_edit or one.released_at is not None]
    return answer(Listed(items=[Version.of(one, course) for one in listed]))


@operation("post", "/courses/<uuid:course_id>/versions", tag=TAG, answers={200: Version})
def create_release(path: CoursePath, body: ReleaseBody) -> Any:
    """Publish a ready version: from now on it is what buyers get."""
    with transaction():
        course = _editable(path.course_id)
        if body.version_id is not None:
            chosen: CourseVersion | None = queries.version_of(course, body.version_id)
        else:
            chosen = versions.newest_unreleased(course)
        if chosen is None:
            raise Conflict("There is no ready version that is newer than the current one.")
        released = versions.make_current(chosen, body.changelog)
    return answer(Version.of(released, queries.get(course.id)))


@operation("get", "/courses/<uuid:course_id>/pdf", tag=TAG, answers={200: FileLink})
def show_pdf(path: CoursePath) -> Any:
    """Where the file is, for a minute; reading does not count as a download."""
    course = _visible(path.course_id)
    if not access.can_access(caller(), course):
        raise NotAllowed("Buy this course to read it.")
    version = _readable_version(course)
    release()
    files.check(services().storage, version)
    url = files.url(services().storage, Opened(version, course))
    ends = clock.now() + timedelta(seconds=downloads.URL_LIFE)
    return answer(FileLink(url=_absolute(url) or url, expires_at=ends, version_id=version.id))


def _visible(course_id: UUID) -> Course:
    """The course, if this visitor may know of it. Raises NotFound."""
    course, person = queries.get(course_id), visitor()
    owns = person is not None and not course.is_public and access.owns(person.id, course.id)
    if not policies.may_see(person, course, owns=owns):
        raise NotFound()
    return course


def _editable(course_id: UUID) -> Course:
    """The course, if it is the caller's. Raises NotFound for one they may not see, NotAllowed for one they may."""
    course = _visible(course_id)
    if not policies.may_edit(caller(), course):
        mine = course.author_id == caller().id
        raise NotAllowed(
            "This account may not sell courses at present." if mine else "Only its creator may change this course."
        )
    return course


def _readable_version(course: Course) -> CourseVersion:
    """What this person reads: as a buyer what a download gives, as its maker the current or newest ready version."""
    purchase = access.purchase_of(caller().id, course.id)
    if purchase is not None:
        return downloads.version_for(purchase)
    version = queries.current_version(course)
    if version is None:
        raise NotFound("This course has no finished version yet.")
    return version


def _seen_revision(course: Course, condition: str) -> int | None:
    """The revision in `If-Match`; None without the header or for `*`. What is no revision of ours matches nothing."""
    if condition.strip() in ("", "*"):
        return None
    number = condition.strip().removeprefix("W/").strip('"')
    return int(number) if number.isascii() and number.isdigit() and len(number) < 10 else course.revision - 1


def _shown(course: Course, status: int = 200) -> Response:
    author = db.session.get_one(Customer, course.author_id)
    response = answer(CourseShown.of(course, author.name, _absolute(queries.cover_path(course))), status)
    response.set_etag(str(course.revision))
    return response


def _absolute(url: str | None) -> str | None:
    return urljoin(current_app.config["SETTINGS"].base_url, url) if url else None
