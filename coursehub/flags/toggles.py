"""Feature flags: asked often, changed rarely."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from sqlalchemy import select

from coursehub.flags.models import Flag
from coursehub.kernel.db import db

SECONDS_KEPT = 5.0


class Person(Protocol):
    """Whom a flag may be on for."""

    @property
    def id(self) -> UUID: ...
    @property
    def role(self) -> str: ...


@dataclass(frozen=True)
class Change:
    """For whom a flag was on, and for whom it is now: plain data for the record."""

    before: dict[str, object]
    after: dict[str, object]


@dataclass(frozen=True)
class _Seen:
    enabled: bool
    roles: frozenset[str]
    customer_ids: frozenset[UUID]
    until: float


_seen: dict[str, _Seen] = {}


def is_enabled(name: str, customer: Person | None = None) -> bool:
    """Whether the feature is on for everyone, for `customer`'s role, or for `customer`. An unknown flag is off.

    Each process keeps an answer for at most 5 seconds.
    """
    flag = _seen.get(name)
    if flag is None or flag.until < time.monotonic():
        flag = _seen[name] = _read(name)
    if flag.enabled:
        return True
    return customer is not None and (customer.role in flag.roles or customer.id in flag.customer_ids)


def set_flag(
    name: str,
    enabled: bool,
    roles: Iterable[str] = (),
    customer_ids: Iterable[UUID] = (),
) -> Change:
    """Say for whom `name` is on; inside the transaction. Whoever calls it puts the change on record."""
    flag = db.session.get(Flag, name, with_for_update=True) or Flag(name=name, enabled=False, roles=[], customer_ids=[])
    before = _described(flag)
    flag.enabled = enabled
    flag.roles = sorted(set(roles))
    flag.customer_ids = sorted(set(customer_ids))
    db.session.add(flag)
    db.session.flush()
    _seen.pop(name, None)
    return Change(before, _described(flag))


def every_flag() -> Sequence[Flag]:
    """All flags, by name."""
    return db.session.scalars(select(Flag).order_by(Flag.name)).all()


def forget() -> None:
    """Drop what this process remembers of all flags."""
    _seen.clear()


def _read(name: str) -> _Seen:
    flag = db.session.get(Flag, name, populate_existing=True)
    until = time.monotonic() + SECONDS_KEPT
    if flag is None:
        return _Seen(False, frozenset(), frozenset(), until)
    return _Seen(flag.enabled, frozenset(flag.roles), frozenset(flag.customer_ids), until)


def _described(flag: Flag) -> dict[str, object]:
    return {"enabled": flag.enabled, "roles": list(flag.roles), "customer_ids": [str(one) for one in flag.customer_ids]}
