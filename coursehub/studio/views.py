"""The studio's home: what sold, what is not yet published, and every sale."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from flask import Blueprint, Flask, Response, current_app, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from coursehub.accounts import queries as people
from coursehub.courses import queries as courses
from coursehub.courses.models import STATUSES
from coursehub.kernel import clock
from coursehub.kernel.errors import Invalid
from coursehub.kernel.ids import parse_id
from coursehub.studio import desk, exports, sales
from coursehub.web.auth import login_required, role_required
from coursehub.web.hypermedia import is_fragment, page_or_fragment, respond
from coursehub.web.limits import limited_for_person

blueprint = Blueprint("studio", __name__, url_prefix="/studio")
RECENT = 6
BATCH = 500
# What may be exported: days back, 0 for everything.
EXPORTS = (30, 90, 365, 0)


@blueprint.get("")
@login_required
def home() -> AnyResponse:
    """What sold, what is to do, every course; for others, how to become a creator."""
    if not current_user.is_creator:
        return respond(render_template("studio/teach.html"))
    wanted = desk.Wanted(
        q=request.args.get("q", ""),
        status=request.args.get("status", ""),
        sort=request.args.get("sort", ""),
        page=request.args.get("page", 1, type=int),
    )
    # The filters' answer shows the courses alone, and asks for no more than them.
    shown: dict[str, Any] = {"desk": desk.of(current_user, wanted), "wanted": wanted, "here": _address(wanted)}
    if not is_fragment():
        shown["overview"] = sales.overview(current_user.id, current_app.config["TIMEZONE"])
        shown["recent"] = sales.newest(current_user.id, limit=RECENT).items
        shown["public_page"] = _public_page()
    return page_or_fragment("studio/home.html", "studio/_desk.html", **shown)


@blueprint.get("/sales")
@role_required("creator")
def sale_list() -> AnyResponse:
    """Every sale, the newest first; `course` shows those of one."""
    chosen = parse_id(request.args.get("course", ""))
    course = courses.get_editable(current_user, chosen) if chosen else None
    kept: dict[str, Any] = {"course": course.id} if course else {}
    cursor = request.args.get("cursor")
    try:
        page = sales.newest(current_user.id, course_id=course.id if course else None, cursor=cursor)
    except Invalid:
        return redirect(url_for("studio.sale_list", **kept), 303)
    more = page.next_cursor
    return respond(
        render_template(
            "studio/sales.html",
            page=page,
            course=course,
            next_url=url_for("studio.sale_list", **kept, cursor=more) if more else None,
            first_url=url_for("studio.sale_list", **kept) if cursor else None,
            public_page=_public_page(),
        )
    )


@blueprint.get("/sales.csv")
@role_required("creator")
@limited_for_person("download")
def export_sales() -> Response:
    """Sales as CSV, sent while they are read."""
    days = request.args.get("days", 0, type=int)
    if days not in EXPORTS:
        raise Invalid(_("Choose how far back the export goes."), field="days")
    begins = clock.now() - timedelta(days=days) if days else None
    app = cast(Flask, current_app._get_current_object())  # type: ignore[attr-defined]
    response = Response(exports.lines(_batches(app, current_user.id, begins)), mimetype="text/csv")
    name = f"sales-{clock.now():%Y-%m-%d}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _batches(app: Flask, author_id: UUID, begins: datetime | None) -> Iterator[list[sales.Sale]]:
    """All sales, some at a time. Whoever reads them may be slow: no connection is held from one batch to the next."""
    last = None
    while True:
        with app.app_context():
            batch = sales.since(author_id, begins, after=last, limit=BATCH)
        if batch:
            yield batch
        if len(batch) < BATCH:
            return
        last = batch[-1]


def _address(wanted: desk.Wanted) -> str:
    """Where these courses stand, without the page."""
    kept: dict[str, Any] = {"q": wanted.words}
    kept["status"] = wanted.status if wanted.status in STATUSES else ""
    kept["sort"] = wanted.sort if wanted.sort in desk.SORTS else ""
    return url_for("studio.home", **{name: value for name, value in kept.items() if value})


def _public_page() -> str | None:
    """Where buyers read about this creator, once there is something to buy."""
    return f"/creators/{current_user.id}" if people.has_public_page(current_user.id) else None
