"""The outside world in one value: built once for a process, handed to stories by the edges."""

from dataclasses import dataclass
from typing import cast

from flask import current_app
from redis import Redis

from coursehub.infra.cache import connect
from coursehub.infra.local import CapturedMail, LocalStorage
from coursehub.infra.payments import PaymentGateway, StripeGateway
from coursehub.infra.pdf import PdfTools, PdfWorkshop
from coursehub.infra.smtp import Mailer, SmtpMailer
from coursehub.infra.storage import MinioStorage, ObjectStorage
from coursehub.kernel.settings import Settings

EXTENSION = "coursehub.services"


@dataclass(frozen=True)
class Services:
    """Every client the stories may need. Replace one to swap the real thing for another."""

    gateway: PaymentGateway
    storage: ObjectStorage
    mailer: Mailer
    pdf: PdfTools
    redis: Redis


def build_services(settings: Settings, *, patient: bool = False) -> Services:
    """The clients that `settings` names; where a service is not named, its local twin. `patient`: a worker's time."""
    return Services(
        gateway=StripeGateway(settings),
        storage=MinioStorage(settings, patient=patient) if settings.s3_endpoint else LocalStorage(settings),
        mailer=SmtpMailer(settings) if settings.smtp_url else CapturedMail(settings),
        pdf=PdfWorkshop(),
        redis=connect(settings.redis_url),
    )


def services() -> Services:
    """The services of the running app; for views, actors and commands."""
    return cast(Services, current_app.extensions[EXTENSION])
