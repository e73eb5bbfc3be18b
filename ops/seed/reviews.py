"""What the buyers of the demo shop say of their courses, and what the creators answer: read from `reviews.toml`."""

import random
import tomllib
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from coursehub.accounts.models import Customer
from coursehub.courses.models import Course
from coursehub.entitlements.models import Purchase
from coursehub.kernel import clock
from coursehub.kernel.db import db
from coursehub.kernel.ids import new_id
from coursehub.reviews import statistics
from coursehub.reviews.models import Review
from ops.seed.library import SeedCourse

_FILE = Path(__file__).parent / "reviews.toml"
# These two keep courses without a review of theirs, so that the form can be seen.
_SILENT = {"ben@example.com", "cleo@example.com"}


@dataclass(frozen=True)
class SeedReview:
    """One review; `text` and `reply` may be empty."""

    rating: int
    text: str
    reply: str = ""


def reviews() -> dict[str, list[SeedReview]]:
    """Course (the name of its file) → its reviews, the oldest first."""
    read = tomllib.loads(_FILE.read_text("utf-8"))
    return {slug: [SeedReview(**one) for one in found] for slug, found in read.items()}


def plant(seeds: list[SeedCourse]) -> int:
    """Let buyers review what they bought some days before; how many did. In the open transaction."""
    written = reviews()
    planted = 0
    for seed in seeds:
        course = db.session.scalar(select(Course).where(Course.title == seed.title).limit(1))
        if course is None or db.session.scalar(select(Review.id).where(Review.course_id == course.id).limit(1)):
            continue
        chance = random.Random(seed.slug)
        for said, purchase in zip(written.get(seed.slug, []), _buyers(course), strict=False):
            db.session.add(_review(said, purchase, chance))
            planted += 1
        db.session.flush()
        statistics.recount(course.id)
    return planted


def _buyers(course: Course) -> list[Purchase]:
    """Those who have had the course for a day at least, the first first."""
    known = [one.id for one in db.session.scalars(select(Customer)) if one.email in _SILENT]
    bought = select(Purchase).where(
        Purchase.course_id == course.id,
        Purchase.access == "active",
        Purchase.customer_id.not_in(known),
        Purchase.purchased_at < clock.now() - timedelta(days=1),
    )
    return list(db.session.scalars(bought.order_by(Purchase.purchased_at, Purchase.id)))


def _review(said: SeedReview, purchase: Purchase, chance: random.Random) -> Review:
    when = _between(purchase.purchased_at, chance.triangular(1, 20, 5))
    return Review(
        id=new_id(),
        customer_id=purchase.customer_id,
        course_id=purchase.course_id,
        purchase_id=purchase.id,
        rating=said.rating,
        text=said.text,
        created_at=when,
        reply=said.reply,
        replied_at=_between(when, chance.uniform(0.1, 2)) if said.reply else None,
    )


def _between(start: datetime, days: float) -> datetime:
    """`days` after `start`, but not in the future."""
    return min(start + timedelta(days=days), clock.now() - timedelta(minutes=10))
