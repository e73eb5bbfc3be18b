"""Who wants which kind of mail: kept by the address's blind index, changed by a signed link or at the account."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from coursehub.kernel.db import db
from coursehub.kernel.encryption import fold_email, key_ring
from coursehub.kernel.errors import NotFound
from coursehub.mail import kinds
from coursehub.mail.models import MailPreference

_INDEX = "mail_preferences.address"
_LINK = "mail.unsubscribe"


@dataclass(frozen=True)
class Subscription:
    """What an unsubscribe link stands for: one kind of mail to one (unreadable) address."""

    address_index: bytes
    kind: str


def wanted(address: str, kind: str) -> bool:
    """Whether `address` gets `kind`: transactional mail always, notices unless refused, marketing once agreed to."""
    nature = kinds.known(kind).nature
    if nature == "transactional":
        return True
    found = db.session.scalar(
        select(MailPreference.wanted)
        .where(MailPreference.address_index.in_(_indexes(address)), MailPreference.kind == kind)
        # While keys rotate there may be one row for each key: the last word counts.
        .order_by(MailPreference.changed_at.desc())
        .limit(1)
    )
    return nature == "notice" if found is None else found


def of_address(address: str) -> dict[str, bool]:
    """Every kind that can be turned off, and whether `address` gets it."""
    return {kind.name: wanted(address, kind.name) for kind in kinds.optional()}


def choose(address: str, choices: Mapping[str, bool]) -> None:
    """Remember for each kind in `choices` whether `address` wants it; in the open transaction."""
    current, *older = _indexes(address)
    for kind, yes in choices.items():
        _store(Subscription(current, kind), yes)
    if older:
        db.session.execute(
            delete(MailPreference).where(
                MailPreference.address_index.in_(older), MailPreference.kind.in_(list(choices))
            )
        )


def unsubscribe_token(address: str, kind: str) -> str:
    """The secret of the unsubscribe link in a mail of `kind` to `address`. It works as long as its key is kept."""
    index = base64.urlsafe_b64encode(key_ring().index(fold_email(address), _INDEX)).decode().rstrip("=")
    return f"{index}.{kind}.{key_ring().sign(f'{index}.{kind}', _LINK)}"


def subscription(token: str) -> Subscription:
    """What `token` unsubscribes from. Raises NotFound when it is not one of ours."""
    signed, _, signature = token.rpartition(".")
    index, _, kind = signed.partition(".")
    if not signature.isascii() or not key_ring().verify(signed, signature, _LINK):
        raise NotFound("This link is incomplete. Please open it from the mail once more.")
    try:
        return Subscription(base64.urlsafe_b64decode(index + "="), kinds.known(kind).name)
    except (binascii.Error, ValueError) as error:
        raise NotFound("This kind of mail no longer exists: there is nothing left to unsubscribe from.") from error


def unsubscribe(token: str) -> Subscription:
    """The link's kind of mail is no longer wanted; in the open transaction, harmless when repeated. Raises NotFound."""
    found = subscription(token)
    _store(found, False)
    return found


def resubscribe(token: str) -> Subscription:
    """Undo `unsubscribe`. Raises NotFound."""
    found = subscription(token)
    _store(found, True)
    return found


def _store(what: Subscription, yes: bool) -> None:
    row = insert(MailPreference).values(address_index=what.address_index, kind=what.kind, wanted=yes)
    db.session.execute(
        row.on_conflict_do_update(
            index_elements=[MailPreference.address_index, MailPreference.kind],
            set_={"wanted": yes, "changed_at": func.clock_timestamp()},
        )
    )


def _indexes(address: str) -> list[bytes]:
    return key_ring().indexes(fold_email(address), _INDEX)
