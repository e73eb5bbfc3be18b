"""The library's blueprint, the filter that its lists share, and which neighbours are in the house."""

from dataclasses import dataclass
from typing import Any, cast

from flask import Blueprint, Flask, current_app, request, url_for
from flask.blueprints import BlueprintSetupState
from flask_babel import gettext as _

from coursehub.library.queries import LONGEST_FILTER, SORTS
from coursehub.web import spooling

blueprint = Blueprint("library", __name__)


@blueprint.record_once
def _take_large_files(state: BlueprintSetupState) -> None:
    spooling.members_only(cast(Flask, state.app), blueprint.name)


@dataclass(frozen=True)
class ListFilter:
    """Which part of a list the address asks for."""

    title: str
    sort: str
    cursor: str | None

    @property
    def narrowed(self) -> bool:
        return bool(self.title)

    def url(self, endpoint: str, **more: Any) -> str:
        """The address of the same part, or of another page of it."""
        kept: dict[str, Any] = {"title": self.title or None, "sort": self.sort if self.sort != SORTS[0] else None}
        return url_for(endpoint, **kept, **more)


def list_filter() -> ListFilter:
    """What the query string says; anything it cannot mean is left out."""
    sort = request.args.get("sort", "")
    return ListFilter(
        title=request.args.get("title", "").replace("\0", "").strip()[:LONGEST_FILTER],
        sort=sort if sort in SORTS else SORTS[0],
        cursor=request.args.get("cursor") or None,
    )


def sort_names() -> list[tuple[str, str]]:
    return [("recent", _("Newest first")), ("title", _("By title"))]


def has_page(endpoint: str) -> bool:
    """Whether this shop has a page of another feature that ours would point to."""
    return endpoint in current_app.view_functions
