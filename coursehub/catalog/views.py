"""The shop window: home, the list with its search, a course's page and its parts, a creator's page, the wishlist."""

from dataclasses import replace
from typing import Any
from uuid import UUID
from xml.etree import ElementTree

from flask import Blueprint, Response, current_app, make_response, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_login import current_user
from markupsafe import Markup, escape
from werkzeug.wrappers import Response as AnyResponse

from coursehub.accounts.models import Customer
from coursehub.cart import basket
from coursehub.cart.forms import required_id
from coursehub.catalog import describing, look_inside, search, shelves, showing, sitemap, suggestions, wishlist
from coursehub.catalog.filters import Filters
from coursehub.catalog.forms import FiltersForm
from coursehub.catalog.panel import Panel
from coursehub.courses import policies, queries, slugs
from coursehub.courses.drafting import LANGUAGES
from coursehub.courses.models import Course
from coursehub.entitlements import access
from coursehub.kernel.db import transaction
from coursehub.kernel.errors import Invalid, NotFound
from coursehub.reviews import showing as reviews
from coursehub.reviews.forms import ReviewForm
from coursehub.web import sessions
from coursehub.web.auth import login_required
from coursehub.web.extensions import client_address
from coursehub.web.filters import markdown
from coursehub.web.hypermedia import at_slug, fragments, is_fragment, page_or_fragment, respond, safe_path
from coursehub.web.limits import limited, spend
from coursehub.web.pictures import stored_picture

blueprint = Blueprint("catalog", __name__)
INSTEAD = 6  # popular courses where nothing was found


@blueprint.errorhandler(slugs.Moved)
def follow(moved: slugs.Moved) -> AnyResponse:
    return at_slug(moved.slug)


@blueprint.get("/")
def home() -> str:
    signed_in = current_user.is_authenticated
    return render_template(
        "catalog/home.html",
        shelves=shelves.home(),
        reads=signed_in and "reading.recent" in current_app.view_functions,
        **_quiet(),
    )


@blueprint.get("/courses")
@limited("search")
def index() -> AnyResponse:
    """The list: words, filters, order and place all stand in the address."""
    form = FiltersForm(request.args)
    filters = form.filters()
    cursor = request.args.get("cursor")
    try:
        results = search.find(filters, cursor=cursor, with_facets=True)
    except Invalid:  # an old or broken cursor: the first page is where they want to be
        return redirect(filters.address(), 303)
    shown = replace(filters, q=results.corrected) if results.corrected else filters
    following = results.page.next_cursor
    title = _("“%(q)s” · Courses", q=shown.words) if shown.words else _("Courses")
    assert results.facets is not None
    context: dict[str, Any] = {
        "title": title,
        "form": form,
        "filters": shown,
        "typed": filters.words,
        "meant": replace(filters, q=results.meant).address() if results.meant else None,
        "results": results,
        "panel": Panel.of(shown, results.facets),
        "next_url": shown.address(cursor=following) if following else None,
        "first_url": shown.address() if cursor else None,
        "popular": [] if results.page.items else shelves.popular(INSTEAD),
        **_quiet(),
    }
    if not is_fragment():
        return respond(render_template("catalog/index.html", **context))
    part = render_template("catalog/_results.html", **context)
    return respond(f"{part}<title>{escape(title)} · CourseHub</title>")


@blueprint.get("/courses/suggestions")
@limited("suggest")
def suggest() -> AnyResponse:
    """What a half-typed search may be about, for the list below the field; by itself it is the search."""
    typed = request.args.get("q", "")
    if not is_fragment():
        return redirect(Filters(q=typed).address(), 303)
    return respond(
        render_template("catalog/_suggestions.html", found=suggestions.suggest(typed), all=Filters(q=typed).address())
    )


@blueprint.get("/courses/<slug>")
def show(slug: str) -> AnyResponse:
    """A course's page."""
    visitor = _visitor()
    shown = showing.get(slug, visitor)
    course, base_url = shown.course, current_app.config["SETTINGS"].base_url
    may_edit = visitor is not None and policies.may_edit(visitor, course)
    as_buyer = may_edit and request.args.get("as") == "buyer"
    standing = showing.standing(shown, visitor, _cart(visitor), as_buyer=as_buyer)
    section = reviews.section(course, None if as_buyer else visitor)
    summary = _summary(course)
    page = render_template(
        "catalog/show.html",
        shown=shown,
        course=course,
        standing=standing,
        releases=showing.releases(course),
        figures=showing.figures(course.author_id),
        as_buyer=as_buyer,
        wished=visitor is not None and wishlist.wishes(visitor, course.id),
        section=section,
        form=ReviewForm.of(section.mine) if section.may_write else None,
        place="reviews_page",
        cover=queries.cover_path(course),
        may_edit=may_edit,
        base_url=base_url,
        summary=summary,
        amount=describing.amount(course.price_cents, course.currency),
        structured=describing.structured(shown, base_url=base_url, summary=summary) if course.is_public else None,
        language=LANGUAGES.get(course.language, course.language),
        **_quiet(),
    )
    return respond(page)


@blueprint.get("/courses/<slug>/related")
@limited("search")
def related(slug: str) -> AnyResponse:
    """What else there is for whoever looks at this course."""
    visitor = _visitor()
    course = showing.get(slug, visitor).course
    return page_or_fragment(
        "catalog/related.html",
        "catalog/_related.html",
        course=course,
        courses=showing.related(course, visitor),
        **_quiet(),
    )


@blueprint.get("/courses/<slug>/look-inside")
def look(slug: str) -> AnyResponse:
    """On which pages some words stand; each look counts against this visitor's hour."""
    visitor = _visitor()
    shown = showing.get(slug, visitor)
    as_buyer = request.args.get("as") == "buyer"
    reads_all = visitor is not None and not as_buyer and access.can_access(visitor, shown.course)
    found = None
    if shown.version is not None and look_inside.words_of(request.args.get("q", "")):
        if not reads_all:
            spend("look_inside", f"customer {visitor.id}" if visitor is not None else client_address())
        found = look_inside.find(shown.version, request.args["q"], samples=shown.samples, reads_all=reads_all)
    return page_or_fragment(
        "catalog/look.html",
        "catalog/_look.html",
        course=shown.course,
        shown=shown,
        look=found,
        reads_all=reads_all,
        as_buyer=as_buyer,
        **_quiet(),
    )


@blueprint.get("/courses/<slug>/cover.webp")
def cover(slug: str) -> Response:
    """The cover; kept by everybody's caches while the course is public."""
    course = _course(slug)
    if course.cover_image_url is None:
        raise NotFound()
    return stored_picture(course.cover_image_url, public=course.is_public)


@blueprint.get("/courses/<slug>/pages/<int:number>.webp")
def sample(slug: str, number: int) -> Response:
    """One of the first pages, as a picture; the others are for buyers."""
    course = _course(slug)
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
        figures=showing.figures(person.id),
        next_url=f"{here}?cursor={cursor}" if cursor else None,
        is_first="cursor" not in request.args,
        base_url=current_app.config["SETTINGS"].base_url,
        **_quiet(),
    )
    return respond(page)


@blueprint.get("/wishlist")
@login_required
def show_wishlist() -> AnyResponse:
    """What somebody means to come back to."""
    try:
        page = wishlist.of_person(current_user, request.args.get("cursor"))
    except Invalid:
        return redirect(url_for("catalog.show_wishlist"), 303)
    return page_or_fragment("catalog/wishlist.html", "catalog/_wishes.html", **_wishes(page))


@blueprint.post("/wishlist")
@login_required
@limited("cart")
def create_wish() -> AnyResponse:
    """Put a course on the list."""
    course_id = required_id(request.form.get("course_id"), "course_id")
    with transaction():
        wishlist.add(current_user, queries.get(course_id))
    course = queries.get(course_id)
    if request.form.get("undo"):
        page = wishlist.of_person(current_user)
        return fragments(
            "catalog/create_wish_again.htmx.html",
            fallback=url_for("catalog.show_wishlist"),
            message=_("“%(title)s” is on your wishlist again.", title=course.title),
            **_wishes(page),
        )
    return _wish_shown(course, True, _("“%(title)s” is on your wishlist.", title=course.title))


@blueprint.post("/wishlist/<uuid:course_id>/removal")
@login_required
@limited("cart")
def create_wish_removal(course_id: UUID) -> AnyResponse:
    """Take a course off the list; the list itself offers to undo it."""
    with transaction():
        wishlist.remove(current_user, course_id)
    course = queries.get(course_id)
    if request.form.get("list"):
        return fragments(
            "catalog/create_wish_removal.htmx.html",
            fallback=url_for("catalog.show_wishlist"),
            removed=course,
            **_wishes(wishlist.of_person(current_user)),
        )
    return _wish_shown(course, False, _("“%(title)s” is off your wishlist.", title=course.title))


@blueprint.get("/sitemap.xml")
def show_sitemap() -> Response:
    """The parts of the sitemap."""
    courses, creators = sitemap.parts()
    names = [f"courses-{number}" for number in range(1, courses + 1)]
    names += [f"creators-{number}" for number in range(1, creators + 1)]
    return _xml("sitemapindex", "sitemap", [(f"/sitemap/{name}.xml", None) for name in ["pages-1", *names]])


@blueprint.get("/sitemap/<kind>-<int:number>.xml")
@limited("search")
def show_sitemap_part(kind: str, number: int) -> Response:
    """One part of it."""
    entries: list[tuple[str, Any]] = []
    if not 1 <= number <= 1000:
        raise NotFound()
    if kind == "courses":
        entries = [(f"/courses/{slug}", changed) for slug, changed in sitemap.courses(number)]
    elif kind == "creators":
        entries = [(f"/creators/{creator_id}", changed) for creator_id, changed in sitemap.creators(number)]
    elif (kind, number) == ("pages", 1):
        entries = [(path, None) for path in ("/", "/courses", "/terms", "/privacy")]
    if not entries:
        raise NotFound()
    return _xml("urlset", "url", entries)


def _xml(root: str, item: str, entries: list[tuple[str, Any]]) -> Response:
    base_url = current_app.config["SETTINGS"].base_url
    tree = ElementTree.Element(root, xmlns="http://www.sitemaps.org/schemas/sitemap/0.9")
    for path, changed in entries:
        entry = ElementTree.SubElement(tree, item)
        ElementTree.SubElement(entry, "loc").text = f"{base_url}{path}"
        if changed is not None:
            ElementTree.SubElement(entry, "lastmod").text = changed.date().isoformat()
    response = make_response(ElementTree.tostring(tree, encoding="utf-8", xml_declaration=True))
    response.headers["Content-Type"] = "application/xml; charset=utf-8"
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


def _wishes(page: Any) -> dict[str, Any]:
    return {
        "wishes": page.items,
        "next_url": url_for("catalog.show_wishlist", cursor=page.next_cursor) if page.next_cursor else None,
        "is_first": "cursor" not in request.args,
    }


def _wish_shown(course: Course, wished: bool, message: str) -> AnyResponse:
    fallback = safe_path(request.form.get("next"), url_for("catalog.show", slug=course.slug))
    return fragments("catalog/create_wish.htmx.html", fallback=fallback, message=message, course=course, wished=wished)


def _course(slug: str) -> Course:
    """The course whose picture is asked for. Raises NotFound, slugs.Moved."""
    course = slugs.find(slug)
    if course is None or not (course.is_public or access.may_see(_visitor(), course)):
        raise NotFound()
    if course.slug != slug:
        raise slugs.Moved(course.slug)
    return course


def _summary(course: Course) -> str:
    """What a search engine or a shared link says of the course: one line of plain words."""
    words = course.subtitle or " ".join(Markup(markdown(course.description)).striptags().split()) or course.title
    return words if len(words) <= 160 else words[:159].rsplit(" ", 1)[0].rstrip(",.;: ") + "…"


def _visitor() -> Customer | None:
    return current_user._get_current_object() if current_user.is_authenticated else None


def _cart(visitor: Customer | None) -> Any:
    if visitor is not None:
        return basket.find(customer_id=visitor.id)
    return basket.find(guest_hash=sessions.guest_cart_hash())


def _quiet() -> dict[str, bool]:
    """Pages for strangers are the same for all of them: no flashes, so that no session is touched."""
    return {"show_flashes": bool(session) or current_user.is_authenticated}
