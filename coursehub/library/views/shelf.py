"""My courses: all that I own, one of them, what is put away."""

from uuid import UUID

from flask import render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from coursehub.kernel.db import transaction
from coursehub.kernel.errors import NotFound
from coursehub.kernel.ids import new_token
from coursehub.library import archiving, downloads, private_files, queries
from coursehub.library.queries import Owned
from coursehub.library.views.blueprint import blueprint, has_page, list_filter, sort_names
from coursehub.web.auth import login_required
from coursehub.web.hypermedia import fragments, is_fragment, page_or_fragment, see_other


@blueprint.get("/library")
@login_required
def index() -> AnyResponse:
    """What I own and have not put away."""
    part = list_filter()
    page = queries.of_customer(current_user.id, archived=False, title=part.title, sort=part.sort, cursor=part.cursor)
    return page_or_fragment(
        "library/index.html",
        "library/_owned_list.html",
        page=page,
        part=part,
        sorts=sort_names(),
        next_url=part.url("library.index", cursor=page.next_cursor) if page.next_cursor else None,
        first_url=part.url("library.index") if part.cursor else None,
        owns_any=bool(page.items) or queries.has_any(current_user.id),
        shows_recent=has_page("reading.recent") and not part.narrowed and not part.cursor,
        can_search=has_page("reading.search"),
    )


@blueprint.get("/library/archived")
@login_required
def archived() -> str:
    """What I have put away: courses, page by page, and files of my own."""
    part = list_filter()
    page = queries.of_customer(current_user.id, archived=True, cursor=part.cursor)
    files = queries.files_of(current_user.id, archived=True, limit=private_files.MOST)
    return render_template(
        "library/archived.html",
        page=page,
        files=files.items,
        next_url=url_for("library.archived", cursor=page.next_cursor) if page.next_cursor else None,
        first_url=url_for("library.archived") if part.cursor else None,
    )


@blueprint.get("/library/<uuid:purchase_id>")
@login_required
def show(purchase_id: UUID) -> str:
    """One purchase: read it, download it with what is left, its version, its licence."""
    return render_template("library/show.html", item=owned_or_404(purchase_id), nonce=new_token())


@blueprint.post("/library/<uuid:purchase_id>/archive")
@login_required
def create_archive(purchase_id: UUID) -> AnyResponse:
    """Put a course away; the answer offers to bring it back to its place."""
    with transaction():
        archiving.archive(downloads.purchase_or_404(purchase_id, owner=current_user.id))
    item = owned_or_404(purchase_id)
    if not is_fragment():
        return see_other(url_for("library.index"), _("“%(title)s” is in your archive.", title=item.course.title))
    return fragments("library/create_archive.htmx.html", fallback=url_for("library.index"), item=item)


@blueprint.post("/library/<uuid:purchase_id>/restoration")
@login_required
def create_restoration(purchase_id: UUID) -> AnyResponse:
    """Bring a course back to the shelf."""
    with transaction():
        archiving.restore(downloads.purchase_or_404(purchase_id, owner=current_user.id))
    item = owned_or_404(purchase_id)
    return fragments(
        "library/create_restoration.htmx.html",
        fallback=url_for("library.index"),
        message=_("“%(title)s” is back in your library.", title=item.course.title),
        item=item,
    )


def owned_or_404(purchase_id: UUID) -> Owned:
    """My purchase with what it can still do. Raises NotFound."""
    item = queries.one_of_customer(current_user.id, purchase_id)
    if item is None:
        raise NotFound("There is no such purchase in your library.")
    return item
