"""Download rights: a grant for 24 hours, five for each version of a purchase, checked at every use."""

import base64
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.dialects.postgresql import Insert, insert

from coursehub.accounts.models import Customer
from coursehub.courses.models import Course, CourseVersion
from coursehub.entitlements.models import Purchase
from coursehub.kernel import clock
from coursehub.kernel.db import db
from coursehub.kernel.encryption import key_ring
from coursehub.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from coursehub.kernel.ids import new_id
from coursehub.kernel.moves import record_move
from coursehub.library.models import LIMIT, Download, DownloadAllowance, DownloadGrant
from coursehub.orders import lifecycle

GRANT_LIFE = timedelta(hours=24)  # PRD 20.2
URL_LIFE = 60  # seconds the storage's own URL lives
_PURPOSE = "download"


class DownloadLimitReached(Conflict):
    """All rights to this version are used."""

    title = "All downloads are used"


class NoAccess(NotAllowed):
    """The right is suspended or revoked."""


class LinkEnded(NotAllowed):
    """The grant was good for its 24 hours; its purchase may have more."""

    title = "This link has ended"

    def __init__(self, purchase_id: UUID) -> None:
        super().__init__("This link has ended after 24 hours. Get a new one in your library.")
        self.purchase_id = purchase_id


@dataclass(frozen=True)
class Granted:
    """A grant: its token for `/d/<token>`, what it opens, what is left."""

    token: str
    grant: DownloadGrant
    left: int


@dataclass(frozen=True)
class Opened:
    """What a token opens right now."""

    version: CourseVersion
    course: Course


def purchase_or_404(purchase_id: UUID, *, owner: UUID) -> Purchase:
    """The owner's purchase; a stranger's looks as if it did not exist."""
    purchase = db.session.scalar(select(Purchase).where(Purchase.id == purchase_id, Purchase.customer_id == owner))
    if purchase is None:
        raise NotFound("There is no such purchase in your library.")
    return purchase


def version_for(purchase: Purchase) -> CourseVersion:
    """The version a purchase downloads: the newest that was released, never older than the one bought."""
    bought = db.session.get_one(CourseVersion, purchase.version_id)
    newest = db.session.scalar(
        select(CourseVersion)
        .where(CourseVersion.course_id == purchase.course_id, released())
        .order_by(CourseVersion.version_number.desc())
        .limit(1)
    )
    return newest if newest is not None and newest.version_number > bought.version_number else bought


def released() -> ColumnElement[bool]:
    """SQL: a version that its creator has released to buyers; what lies ready on a draft is not."""
    return (CourseVersion.status == "ready") & CourseVersion.released_at.is_not(None)


def grant(purchase: Purchase, version: CourseVersion, *, nonce: str, ip: str | None, user_agent: str) -> Granted:
    """Use one of the purchase's downloads of `version`. The same `nonce` again is the same grant and costs nothing.

    Raises NoAccess when the right does not stand, DownloadLimitReached when none is left. In the open transaction.
    """
    if not nonce or len(nonce) > 200:
        raise Invalid("A download request needs a key of 1 to 200 characters.", field="nonce")
    # The row lock makes two clicks with one nonce take turns: the second finds the first's grant.
    locked = db.session.scalars(
        select(Purchase).where(Purchase.id == purchase.id).with_for_update().execution_options(populate_existing=True)
    ).one()
    check_access(locked)
    existing = db.session.scalar(
        select(DownloadGrant).where(DownloadGrant.purchase_id == locked.id, DownloadGrant.nonce == nonce)
    )
    if existing is not None:
        return Granted(_token(existing.id), existing, left(locked.id, existing.version_id))
    _use_one(locked, version)
    granted = DownloadGrant(
        id=new_id(),
        purchase_id=locked.id,
        version_id=version.id,
        nonce=nonce,
        expires_at=clock.now() + GRANT_LIFE,
    )
    db.session.add(granted)
    db.session.flush()  # the record refers to it
    db.session.add(
        Download(
            customer_id=locked.customer_id,
            course_id=locked.course_id,
            version_id=version.id,
            order_id=locked.order_id,
            purchase_id=locked.id,
            grant_id=granted.id,
            ip=ip,
            user_agent=user_agent[:400],
        )
    )
    _mark_downloaded(locked, granted)
    return Granted(_token(granted.id), granted, left(locked.id, version.id))


def open_grant(token: str, customer: Customer) -> Opened:
    """What the token opens, the right checked anew. Raises NotFound (not theirs), NoAccess or LinkEnded."""
    grant_id = _grant_id(token)
    found = db.session.get(DownloadGrant, grant_id) if grant_id else None
    purchase = db.session.get(Purchase, found.purchase_id) if found else None
    if found is None or purchase is None or purchase.customer_id != customer.id:
        raise NotFound("There is no such download.")
    check_access(purchase)
    if found.expires_at <= clock.now():
        raise LinkEnded(purchase.id)
    version = db.session.get_one(CourseVersion, found.version_id)
    return Opened(version, db.session.get_one(Course, purchase.course_id))


def left(purchase_id: UUID, version_id: UUID) -> int:
    """How many downloads of this version the purchase has left."""
    allowance = db.session.scalar(
        select(DownloadAllowance)
        .where(DownloadAllowance.purchase_id == purchase_id, DownloadAllowance.version_id == version_id)
        .execution_options(populate_existing=True)
    )
    return LIMIT if allowance is None else allowance.allowed - allowance.used


def extend(purchase_id: UUID, version_id: UUID, more: int = LIMIT) -> None:
    """Staff give more downloads; in the open transaction."""
    db.session.execute(_allowance(purchase_id, version_id))
    db.session.execute(
        update(DownloadAllowance)
        .where(DownloadAllowance.purchase_id == purchase_id, DownloadAllowance.version_id == version_id)
        .values(allowed=DownloadAllowance.allowed + more)
    )


def check_access(purchase: Purchase) -> None:
    if purchase.access == "suspended":
        raise NoAccess("This download is on hold while your bank's question about the payment is open.")
    if purchase.access != "active":
        raise NoAccess("This purchase gives no access any more, because it was refunded or withdrawn.")


def _allowance(purchase_id: UUID, version_id: UUID) -> Insert:
    return insert(DownloadAllowance).values(purchase_id=purchase_id, version_id=version_id).on_conflict_do_nothing()


def _use_one(purchase: Purchase, version: CourseVersion) -> None:
    db.session.execute(_allowance(purchase.id, version.id))
    used = db.session.execute(
        update(DownloadAllowance)
        .where(
            DownloadAllowance.purchase_id == purchase.id,
            DownloadAllowance.version_id == version.id,
            DownloadAllowance.used < DownloadAllowance.allowed,
        )
        .values(used=DownloadAllowance.used + 1)
        .returning(DownloadAllowance.used)
    ).scalar_one_or_none()
    if used is None:
        raise DownloadLimitReached(
            "All downloads of this version are used. Write to support if you need another; "
            "a new version brings its own."
        )


def _mark_downloaded(purchase: Purchase, granted: DownloadGrant) -> None:
    if purchase.fulfillment_status != "downloaded":
        record_move(
            "fulfilment",
            purchase.id,
            purchase.fulfillment_status,
            "downloaded",
            cause="download granted",
            actor=f"customer:{purchase.customer_id}",
        )
        purchase.fulfillment_status = "downloaded"
    order = lifecycle.locked(purchase.order_id)
    lifecycle.mark_downloaded(order, actor=f"customer:{purchase.customer_id}")
    order.download_expires_at = granted.expires_at


def _token(grant_id: UUID) -> str:
    name = base64.urlsafe_b64encode(grant_id.bytes).decode().rstrip("=")
    return f"{name}.{key_ring().sign(name, _PURPOSE)[:43]}"


def _grant_id(token: str) -> UUID | None:
    name, _, signature = token.partition(".")
    try:
        raw = base64.urlsafe_b64decode(name + "=" * (-len(name) % 4))
        grant_id = UUID(bytes=raw)
    except ValueError:
        return None
    return grant_id if key_ring().verify(name, signature, _PURPOSE, length=43) else None
