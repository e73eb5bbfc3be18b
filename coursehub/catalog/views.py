"""The shop window: home, the list with its search, a course's page with its pictures, a creator's page."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, current_app, redirect, render_template, request, session, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from coursehub.accounts.models import Customer
from coursehub.cart import basket
from coursehub.catalog import search, shelves, showing
from coursehub.catalog.forms import FiltersForm
from coursehub.courses import policies, queries
from coursehub.courses.drafting import LANGUAGES
from coursehub.kernel.errors import Invalid, NotFound
from coursehub.web import sessions
from coursehub.web.hypermedia import page_or_fragment, respond
from coursehub.web.limits import limited
from coursehub.web.pictures import stored_picture

blueprint = Blueprint("catalog", __name__)
_KEPT_FILTERS = ("q", "category", "tag", "price_min", "price_max", "sort")


@blueprint.get("/")
def home() -> str:
    return render_template("catalog/home.html", shelves=shelves.home(), **_quiet())


@blueprint.get("/courses")
@limited("search")
def index() -> AnyResponse:
    """The list: words, filters, order and place all stand in the address."""
    form = FiltersForm(request.args, shelves.subjects())
    filters = form.filters()
    kept: dict[str, Any] = {name: request.args[name] for name in _KEPT_FILTERS if request.args.get(name)}
    try:
        results = search.find(filters, cursor=request.args.get("cursor"))
    except Invalid:  # an old or broken cursor: the first page is where they want to be
        return redirect(url_for("catalog.index", **kept), 303)
    cursor = results.page.next_cursor
    return page_or_fragment(
        "catalog/index.html",
        "catalog/_results.html",
        form=form,
        filters=filters,
        results=results,
        next_url=url_for("catalog.index", **kept, cursor=cursor) if cursor else None,
        first_url=url_for("catalog.index", **kept) if request.args.get("cursor") else None,
        narrowed=any(name in kept for name in _KEPT_FILTERS if name != "sort"),
        **_quiet(),
    )


@blueprint.get("/courses/<slug>")
def show(slug: str) -> AnyResponse:
    """A course's page."""
    visitor = _visitor()
    shown = showing.get(slug, visitor)
    course = shown.course
    as_buyer = request.args.get("as") == "buyer"
    page = render_template(
        "catalog/show.html",
        shown=shown,
        course=course,
        standing=showing.standing(shown, visitor, _cart(visitor), as_buyer=as_buyer),
        releases=showing.releases(course),
        cover=queries.cover_path(course),
        may_edit=visitor is not None and policies.may_edit(visitor, course),
        base_url=current_app.config["SETTINGS"].base_url,
        language=LANGUAGES.get(course.language, course.language),
        **_quiet(),
    )
    return respond(page)


@blueprint.get("/courses/<slug>/cover.webp")
def cover(slug: str) -> Response:
    """The cover; kept by everybody's caches while the course is public."""
    course = queries.by_slug(slug)
    if course is None or course.cover_image_url is None:
        raise NotFound()
    if not course.is_public:
        showing.get(slug, _visitor())
    return stored_picture(course.cover_image_url, public=course.is_public)


@blueprint.get("/courses/<slug>/pages/<int:number>.webp")
def sample(slug: str, number: int) -> Response:
    """One of the first pages, as a picture; the others are for buyers."""
    course = queries.by_slug(slug)
    if course is None:
        raise NotFound()
    shown = showing.get(slug, None if course.is_public else _visitor())
    size = request.args.get("size", "large")
    if shown.version is None or size not in queries.SIZES or not 1 <= number <= shown.samples:
        raise NotFound()
    return stored_picture(queries.page_key(shown.version.id, number, size), public=course.is_public)


@blueprint.get("/creators/<uuid:creator_id>")
def creator(creator_id: UUID) -> AnyResponse:
    """Who somebody is, and what they sell."""
    here = url_for("catalog.creator", creator_id=creator_id)
    try:
        person, listed = showing.creator(creator_id, request.args.get("cursor"))
    except Invalid:
        return redirect(here, 303)
    cursor = listed.page.next_cursor
    page = render_template(
        "catalog/creator.html",
        person=person,
        courses=listed.page.items,
        total=listed.total,
        next_url=f"{here}?cursor={cursor}" if cursor else None,
        **_quiet(),
    )
    return respond(page)


def _visitor() -> Customer | None:
    return current_user._get_current_object() if current_user.is_authenticated else None


def _cart(visitor: Customer | None) -> Any:
    if visitor is not None:
        return basket.find(customer_id=visitor.id)
    return basket.find(guest_hash=sessions.guest_cart_hash())


def _quiet() -> dict[str, bool]:
    """Pages for strangers are the same for all of them: no flashes, so that no session is touched."""
    return {"show_flashes": bool(session) or current_user.is_authenticated}
