"""From a kind of mail and its data to a finished message: subject, text and HTML, headers that cannot be forged.

Templates lie in `templates/emails/<kind>/` as `subject.txt`, `body.txt` and `body.mjml`; what data each needs is
written in `kinds`.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any
from urllib.parse import urlsplit

from coursehub.infra import templates
from coursehub.infra.smtp import MailRefused
from coursehub.kernel.errors import Invalid
from coursehub.mail import kinds, preferences

_LONGEST_SUBJECT = 150
# A line of a mail has at most 998 bytes (RFC 5322); longer ones are encoded.
_LONGEST_LINE = 990

# The plain form of an address only: quoted names and comments are legal, used by nobody, and read differently by
# different programs.
_LOCAL = re.compile(r"""[^\s"(),:;<>@\[\]\\.]+(\.[^\s"(),:;<>@\[\]\\.]+)*""")
_DOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*", re.IGNORECASE)


@dataclass(frozen=True)
class Rendered:
    """A mail's three texts."""

    subject: str
    text: str
    html: str


def compose(
    kind: str, *, to: str, data: Mapping[str, Any], locale: str, message_id: str, written_at: datetime
) -> EmailMessage:
    """The message of `kind` to `to`. The same arguments give the same mail: a second try is a copy.

    Raises MailRefused when `to` is not one address.
    """
    settings = templates.settings()
    rendered = render(kind, to=to, data=data, locale=locale)
    message = EmailMessage(policy=SMTP)
    message["From"] = settings.mail_from
    try:
        message["To"] = one_address(to)
    except Invalid as error:
        raise MailRefused(error.sentence) from error
    message["Subject"] = rendered.subject
    message["Date"] = written_at
    message["Message-ID"] = f"<{message_id}@{urlsplit(settings.base_url).hostname}>"
    message["Auto-Submitted"] = "auto-generated"
    if kinds.known(kind).nature != "transactional":
        # RFC 8058: the mail program's own button posts to the link, without opening it.
        message["List-Unsubscribe"] = f"<{unsubscribe_url(to, kind)}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    # The text stays readable in the raw mail: a link is found there as it is.
    fits = all(len(line.encode()) <= _LONGEST_LINE for line in rendered.text.splitlines())
    message.set_content(rendered.text, cte="8bit" if fits else "quoted-printable")
    message.add_alternative(rendered.html, subtype="html", cte="quoted-printable")
    message.set_boundary(f"=_{message_id}")
    return message


def render(kind: str, *, to: str, data: Mapping[str, Any], locale: str = "en") -> Rendered:
    """The three texts of a mail. Raises jinja2.UndefinedError when `data` lacks something the templates use."""
    known, settings = kinds.known(kind), templates.settings()
    context: dict[str, Any] = {
        **{name: _clean(value) for name, value in data.items()},
        "base": settings.base_url,
        "locale": locale,
        "unsubscribe_url": None if known.nature == "transactional" else unsubscribe_url(to, kind),
        "preferences_url": f"{settings.base_url}/account/mail",
    }
    context["name"] = greeting_name(str(context.get("name", "")))
    if "path" in context:
        context["path"] = _own_path(str(context["path"]))
    if "receipt_url" in context:
        context["receipt_url"] = _payment_url(str(context["receipt_url"]))
    folder = f"emails/{kind}"
    with templates.language(locale):
        subject = one_line(templates.render(f"{folder}/subject.txt", **context), _LONGEST_SUBJECT)
        text = templates.render_text(f"{folder}/body.txt", subject=subject, **context)
        html = templates.render_mjml(f"{folder}/body.mjml", subject=subject, **context)
    return Rendered(subject, text, html)


def unsubscribe_url(address: str, kind: str) -> str:
    """The link that ends mails of `kind` to `address`."""
    return f"{templates.settings().base_url}/mail/unsubscribe/{preferences.unsubscribe_token(address, kind)}"


def one_address(to: str) -> Address:
    """`to` as the one address it must be; a domain outside ASCII in its ASCII form. Raises Invalid."""
    refusal = Invalid("This is not an e-mail address we can write to.", field="email")
    local, _, domain = to.rpartition("@")
    try:
        name = domain if domain.isascii() else domain.encode("idna").decode("ascii")
        if not _LOCAL.fullmatch(local) or not _DOMAIN.fullmatch(name) or any(map(_invisible, local)):
            raise refusal
        return Address(username=local, domain=name)
    except ValueError as error:  # also what is no domain name in IDNA
        raise refusal from error


def _invisible(char: str) -> bool:
    return unicodedata.category(char)[0] in "CZ"


def greeting_name(name: str) -> str:
    """`name` as a greeting may show it, or nothing.

    Anyone can make us write to anyone by registering: a name that holds a link or an advertisement is not repeated.
    """
    shown = one_line(name, 200)
    if len(shown) > 60 or re.search(r"[/:@<>{}]|www\.|\w\.\w{2,}", shown, re.IGNORECASE):
        return ""
    return shown


def one_line(text: str, longest: int) -> str:
    """`text` as one line without control characters, cut at `longest`."""
    return " ".join(_clean(text).split())[:longest].rstrip()


def _clean(value: Any) -> Any:
    """`value` without what has no place in a mail: control characters, and marks that turn the text around."""
    if isinstance(value, str):
        kept = (char if char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cs") else " " for char in value)
        return re.sub("[\u202a-\u202e\u2066-\u2069\u2028\u2029]", " ", "".join(kept))
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {key: _clean(item) for key, item in value.items()}
    return value


def _own_path(path: str) -> str:
    """`path` if it is one of the shop, else its front page."""
    return path if path.startswith("/") and not path.startswith("//") and "\\" not in path and " " not in path else "/"


def _payment_url(url: str) -> str:
    """`url` if it leads to Stripe (or its configured stand-in), else nothing."""
    parts, stand_in = urlsplit(url), urlsplit(templates.settings().stripe_api_base)
    stripe = parts.scheme == "https" and (parts.hostname or "").endswith(".stripe.com") and not parts.username
    ours = bool(stand_in.netloc) and (parts.scheme, parts.netloc) == (stand_in.scheme, stand_in.netloc)
    return url if stripe or ours else ""
