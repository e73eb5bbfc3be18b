"""The one fact of mail: somebody is to get one."""

from typing import Any
from uuid import UUID

from pydantic import Field

from coursehub.kernel.events import Event, event

# What the address in the event is sealed for.
TO = "email.send.to"


@event("email.send")
class EmailRequested(Event):
    """A mail waits in `mail_log`. `to` is sealed; `data` names things by id only: the rest lies sealed in the row."""

    mail_id: UUID
    template: str
    to: str
    data: dict[str, Any] = Field(default_factory=dict)
