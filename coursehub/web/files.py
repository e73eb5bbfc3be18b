"""The local twin's links: `/files/<token>` serves one stored file for at most a minute, with ranges."""

from flask import Blueprint, abort, make_response, send_file
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.wrappers import Response

from coursehub.infra.local import LocalStorage
from coursehub.infra.services import services
from coursehub.infra.storage import content_disposition
from coursehub.web.extensions import limiter

blueprint = Blueprint("files", __name__)


@blueprint.get("/files/<token>")
@limiter.exempt  # the link is the right, and a reader asks for many ranges
def serve(token: str) -> Response:
    """The file that a signed link stands for. 403 when the link is forged or over, 404 when the file is gone."""
    storage = services().storage
    if not isinstance(storage, LocalStorage):
        abort(404)
    try:
        served = storage.opened(token)
    except KeyError:
        abort(404)
    try:
        response = send_file(served.path, mimetype=served.content_type, conditional=True, etag=True)
    except RequestedRangeNotSatisfiable as error:
        response = make_response("", 416)
        response.headers["Content-Range"] = f"bytes */{error.length}"
    except FileNotFoundError:  # deleted since it was looked up
        abort(404)
    headers = response.headers
    headers["Content-Disposition"] = content_disposition(served.filename, inline=served.inline)
    # Whatever was uploaded must not run as a page of ours.
    headers["Content-Security-Policy"] = "sandbox"
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Cache-Control"] = "private, no-store"
    headers.pop("Expires", None)
    headers["Accept-Ranges"] = "bytes"
    return response
