"""Pages about mail: unsubscribing by link, choosing at the account, and the captured mails of a development shop."""

import re
from email.message import EmailMessage

from flask import Blueprint, Response, abort, current_app, make_response, render_template, request
from flask_babel import gettext as _
from flask_login import current_user
from markupsafe import Markup, escape
from werkzeug.wrappers import Response as AnyResponse

from coursehub.infra.local import CapturedMail
from coursehub.infra.services import services
from coursehub.kernel.db import transaction
from coursehub.mail import kinds, preferences
from coursehub.mail.forms import LABELS, PreferencesForm
from coursehub.web.auth import login_required
from coursehub.web.hypermedia import respond, see_other
from coursehub.web.limits import limited

blueprint = Blueprint("mail", __name__)

# What the captured mail's own page may do: show itself. Its links open beside it, where they are ordinary pages.
_MAIL_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
_LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)]")
_SHOWN = 200


@blueprint.get("/mail/unsubscribe/<token>")
def unsubscription(token: str) -> Response:
    """A button only: mail scanners open every link."""
    return _unsubscribe_page(token, preferences.subscription(token).kind, "ask")


@blueprint.post("/mail/unsubscribe/<token>")
@limited("default")
def create_unsubscription(token: str) -> Response:
    """Unsubscribe at once, signed in or not; also what a mail program's own button posts (RFC 8058).

    Guarded by the signed token alone, so it works without a cookie. `again=1` takes it back.
    """
    again = request.form.get("again") == "1"
    with transaction():
        found = preferences.resubscribe(token) if again else preferences.unsubscribe(token)
    return _unsubscribe_page(token, found.kind, "back" if again else "done")


def _unsubscribe_page(token: str, kind: str, step: str) -> Response:
    label = LABELS[kind][0]
    # The page is the same for everyone: it neither reads nor starts a session.
    context = {"token": token, "label": label, "step": step, "csrf_meta": False, "show_flashes": False}
    response = make_response(render_template("mail/unsubscribe.html", **context))
    # The address of this page is a key: no cache keeps it, no other site is told.
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@blueprint.get("/account/mail")
@login_required
def show_preferences() -> Response:
    """Which mails the signed-in person gets."""
    form = PreferencesForm(data=preferences.of_address(current_user.email))
    return respond(render_template("mail/preferences.html", form=form, kinds=_offered()))


@blueprint.post("/account/mail")
@login_required
def update_preferences() -> Response | AnyResponse:
    """Remember the choice."""
    form = PreferencesForm()
    if not form.validate_on_submit():
        return respond(render_template("mail/preferences.html", form=form, kinds=_offered()), 422)
    with transaction():
        preferences.choose(current_user.email, form.choices())
    return see_other("/account/mail", _("Your choice is saved."))


def _offered() -> list[str]:
    return [kind.name for kind in kinds.optional()]


@blueprint.get("/dev/mail")
def mailbox() -> Response:
    """The captured mails, newest first."""
    captured = _captured()
    mails = [(mail.name, mail.message) for mail in reversed(captured.messages(_SHOWN))]
    return respond(render_template("mail/mailbox.html", mails=mails, more=len(captured.names()) > _SHOWN))


@blueprint.get("/dev/mail/<name>")
def captured_mail(name: str) -> Response:
    """One captured mail: its headers, its text with links to follow, its HTML in a frame that can do nothing."""
    message = _read(name)
    text = linked(_part(message, "plain"))
    return respond(render_template("mail/captured.html", name=name, message=message, text=text))


@blueprint.get("/dev/mail/<name>/html")
def captured_html(name: str) -> Response:
    """The mail's HTML as a mail program would show it, under a policy of its own."""
    html = _part(_read(name), "html").replace("<head>", '<head><base target="_blank">', 1)
    response = make_response(html)
    response.headers["Content-Security-Policy"] = _MAIL_POLICY
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    response.headers["Cache-Control"] = "private, no-store"
    return response


def linked(text: str) -> Markup:
    """`text`, escaped, with its web addresses as links."""
    pieces, end = [], 0
    for found in _LINK.finditer(text):
        url = escape(found[0])
        pieces += [escape(text[end : found.start()]), Markup('<a href="{0}">{0}</a>').format(url)]
        end = found.end()
    return Markup("").join([*pieces, escape(text[end:])])


def _captured() -> CapturedMail:
    """The captured mails; 404 where mails really leave or people are real."""
    mailer = services().mailer
    if current_app.config["ENVIRONMENT"] == "production" or not isinstance(mailer, CapturedMail):
        abort(404)
    return mailer


def _read(name: str) -> EmailMessage:
    try:
        return _captured().read(name).message
    except KeyError:
        abort(404)


def _part(message: EmailMessage, subtype: str) -> str:
    part = message.get_body((subtype,))
    return str(part.get_content()) if part is not None else ""
