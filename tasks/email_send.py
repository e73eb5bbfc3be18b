"""email.send.q: mails leave the shop."""

from uuid import UUID

from coursehub.infra.services import services
from coursehub.infra.smtp import MailUnavailable
from coursehub.kernel.errors import Unavailable
from coursehub.mail import delivery
from coursehub.mail.events import EmailRequested
from tasks.runtime import on


@on("email.send", max_retries=8, min_backoff_ms=2_000)
def send_email(event: EmailRequested, event_id: UUID) -> None:
    """One mail. Its row says whether it was sent, so a second delivery of this message sends nothing."""
    try:
        delivery.deliver(event.mail_id, mailer=services().mailer)
    except MailUnavailable as away:
        raise Unavailable("The mail server is away.") from away
