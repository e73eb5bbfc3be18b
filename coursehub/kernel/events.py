"""Facts: frozen values with ids and plain data, recorded in the outbox inside the transaction that made them true."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from opentelemetry import propagate
from pydantic import BaseModel, ConfigDict

from coursehub.kernel import clock, outbox
from coursehub.kernel.ids import new_id


class Event(BaseModel):
    """Base of every event. `name` is its routing key and the name of the actor that takes it.

    Unknown fields are ignored on reading, so that the next release may add some (N and N-1 run side by side).
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: ClassVar[str]
    version: ClassVar[int] = 1


_known: dict[str, type[Event]] = {}


def event(name: str) -> Any:
    """Class decorator: give an Event its name and make it known. Raises ValueError when the name is taken."""

    def register(cls: type[Event]) -> type[Event]:
        if name in _known and _known[name].__qualname__ != cls.__qualname__:
            raise ValueError(f"Two events are named {name!r}.")
        cls.name = name
        _known[name] = cls
        return cls

    return register


def known_events() -> dict[str, type[Event]]:
    """Every event class by its name."""
    return dict(_known)


def record(fact: Event, *, due_at: datetime | None = None) -> UUID:
    """Put `fact` in the outbox of the open transaction: it leaves when, and only when, that commits.

    `due_at` holds it back until then. Returns the message's id. Raises NotInTransaction outside `transaction()`.
    """
    message_id = new_id()
    trace: dict[str, str] = {}
    propagate.inject(trace)
    payload = {
        **fact.model_dump(mode="json"),
        "event_id": str(message_id),
        "occurred_at": clock.now().isoformat(),
        "version": fact.version,
        "trace": trace,
    }
    outbox.put(message_id, fact.name, payload, due_at)
    return message_id


def parse(name: str, payload: dict[str, Any]) -> Event:
    """The typed event in a message's payload. Raises KeyError (unknown name) or pydantic's ValidationError."""
    return _known[name].model_validate(payload)
