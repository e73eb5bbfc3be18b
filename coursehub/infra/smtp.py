"""Mail transport: the Protocol, and SMTP."""

import logging
import smtplib
import ssl
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from coursehub.kernel.errors import Unavailable
from coursehub.kernel.settings import Settings

log = logging.getLogger(__name__)

CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 10.0


class MailRefused(Exception):
    """The server said no for good (5xx): trying again is useless."""


class MailUnavailable(Unavailable):
    """The server is away or said later (4xx): try again."""


class Mailer(Protocol):
    """Hands one finished message over. Raises MailRefused or MailUnavailable."""

    def send(self, message: EmailMessage) -> None: ...


@dataclass(frozen=True)
class SmtpAddress:
    """What SMTP_URL says."""

    host: str
    port: int
    user: str
    password: str
    tls: bool
    starttls: bool


def parse_smtp_url(url: str) -> SmtpAddress:
    """Read `smtp://user:password@host:587?starttls=1` or `smtps://…`, percent-encoded. Raises ValueError."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = -1
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or port == -1 or parts.path.strip("/"):
        raise ValueError("SMTP_URL must look like smtp://user:password@host:587?starttls=1 or smtps://host:465.")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not (user + password).isascii():
        raise ValueError("SMTP_URL: user and password must be ASCII, for smtplib sends nothing else.")
    options = parse_qs(parts.query, keep_blank_values=True)
    if set(options) - {"starttls"}:
        raise ValueError("SMTP_URL knows one option: starttls=1.")
    starttls = options.get("starttls", ["0"])[-1].lower() not in ("0", "false", "no")
    tls = parts.scheme == "smtps"
    return SmtpAddress(
        host=parts.hostname,
        port=port or (465 if tls else 587 if starttls else 25),
        user=user,
        password=password,
        tls=tls,
        starttls=starttls and not tls,
    )


class SmtpMailer:
    """One connection for each mail: mails are few, and a dead kept connection would cost more than it saves."""

    def __init__(self, settings: Settings) -> None:
        self.address = parse_smtp_url(settings.smtp_url)
        self.sender = parseaddr(settings.mail_from)[1]
        self.tls = ssl.create_default_context()

    def send(self, message: EmailMessage) -> None:
        recipients = [address.addr_spec for address in message["to"].addresses]
        if len(recipients) != 1:
            raise MailRefused("A mail of ours has exactly one recipient.")
        smtp = self._connect()
        try:
            self._hand_over(smtp, message, recipients[0])
        finally:
            smtp.close()

    def _connect(self) -> smtplib.SMTP:
        """A greeted, encrypted, signed-in connection. Whatever fails here is not the mail's fault: MailUnavailable."""
        address = self.address
        smtp: smtplib.SMTP | None = None
        try:
            if address.tls:
                smtp = smtplib.SMTP_SSL(timeout=CONNECT_TIMEOUT, context=self.tls)
            else:
                smtp = smtplib.SMTP(timeout=CONNECT_TIMEOUT)
            # smtplib checks certificates against this name, which only its constructor would set.
            smtp._host = address.host  # type: ignore[attr-defined]
            code, reply = smtp.connect(address.host, address.port)
            if code != 220:
                raise smtplib.SMTPConnectError(code, reply)
            assert smtp.sock is not None
            smtp.sock.settimeout(READ_TIMEOUT)
            smtp.ehlo_or_helo_if_needed()
            if address.starttls:
                smtp.starttls(context=self.tls)
                smtp.ehlo_or_helo_if_needed()
            if address.user:
                smtp.login(address.user, address.password)
        except (smtplib.SMTPException, OSError) as error:
            if smtp is not None:
                smtp.close()
            log.warning("The mail server %s:%s does not take us: %s", address.host, address.port, _plain(error))
            raise MailUnavailable(_plain(error)) from error
        return smtp

    def _hand_over(self, smtp: smtplib.SMTP, message: EmailMessage, recipient: str) -> None:
        try:
            # Our texts are 8-bit; a server of the old school gets them encoded instead.
            plain = self.sender.isascii() and recipient.isascii()
            if smtp.has_extn("8bitmime"):
                options = ["BODY=8BITMIME"] if plain else []
            else:
                options, message = [], seven_bit(message)
            smtp.send_message(message, self.sender, [recipient], mail_options=options)
        except smtplib.SMTPRecipientsRefused as error:
            code, reply = error.recipients[recipient]
            raise _verdict(code, reply) from error
        except smtplib.SMTPResponseException as error:
            raise _verdict(error.smtp_code, error.smtp_error) from error
        except (smtplib.SMTPNotSupportedError, UnicodeError) as error:
            raise MailRefused("The server does not take addresses outside ASCII.") from error
        except (smtplib.SMTPException, OSError) as error:
            # It may or may not have been taken: the next try carries the same Message-ID.
            raise MailUnavailable(_plain(error)) from error
        try:
            smtp.quit()
        except (smtplib.SMTPException, OSError):
            log.debug("The server took the mail but did not say goodbye.")


def seven_bit(message: EmailMessage) -> EmailMessage:
    """A copy of `message` in which every byte is ASCII."""
    encoded = message.as_bytes(policy=policy.SMTP.clone(cte_type="7bit"))
    return message_from_bytes(encoded, policy=policy.SMTP)


def _verdict(code: int, reply: bytes | str) -> Exception:
    said = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    # 530: sign in first. 535, 538: the sign-in is wrong. Our configuration is to blame, not the mail.
    final = code >= 500 and code not in (530, 535, 538)
    return (MailRefused if final else MailUnavailable)(f"{code} {said}"[:300])


def _plain(error: Exception) -> str:
    """The error in one line, without what we sent: no password, no address."""
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error.decode("utf-8", "replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
        return f"{type(error).__name__} {error.smtp_code} {said}"[:300]
    return f"{type(error).__name__}: {error}"[:300]
