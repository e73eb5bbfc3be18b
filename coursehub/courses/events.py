"""Facts about courses and their files."""

from uuid import UUID

from coursehub.kernel.events import Event, event


@event("course.inspect.request")
class InspectRequested(Event):
    """A raw upload lies in storage: look at it, clean it, make it a version. `sha256` is what was received."""

    course_id: UUID
    version_id: UUID
    key: str
    sha256: str


@event("course.thumbnails.request")
class ThumbnailsRequested(Event):
    """Draw pages `first` to `last` of a ready version; whoever has drawn them asks for the next ones."""

    course_id: UUID
    version_id: UUID
    first: int
    last: int


@event("course.published")
class CoursePublished(Event):
    """A course can be found (again)."""

    course_id: UUID
    author_id: UUID
    version_id: UUID
    title: str
    slug: str


@event("course.version.published")
class VersionPublished(Event):
    """Buyers of a course may now read another version."""

    course_id: UUID
    author_id: UUID
    version_id: UUID
    version_number: int
    changelog: str
