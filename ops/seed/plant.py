"""Planting the demo shop: people, courses through the real upload, orders over the last 90 days, and reviews.

It may be run again: what is there already is left as it is.
"""

import random
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from click import ClickException
from flask import current_app
from sqlalchemy import delete, func, select, update

from coursehub.accounts import passwords
from coursehub.accounts.models import Customer
from coursehub.courses import drafting, publishing, uploads, versions
from coursehub.courses.models import Course, CourseVersion
from coursehub.entitlements import grants
from coursehub.entitlements.models import Purchase
from coursehub.infra.services import Services
from coursehub.kernel import clock
from coursehub.kernel.db import db, transaction
from coursehub.kernel.ids import new_id, new_token, short_code
from coursehub.kernel.moves import record_move
from coursehub.kernel.outbox import OutboxMessage
from coursehub.library import archiving, private_files
from coursehub.library.models import PrivateFile
from coursehub.mail.models import MailMessage
from coursehub.orders.models import Order, OrderItem
from coursehub.reading import books, positions
from coursehub.reading.models import ReadingPosition
from ops.seed import own_files, reviews
from ops.seed.library import SeedCourse, courses, typeset_all
from ops.seed.people import SeedPerson, people
from tasks import media, runtime

PASSWORD = "coursehub-demo"
ORDERS = 160
BENS = 4
_WORK = (
    *("course.inspect.request", "course.thumbnails.request"),
    *("library.file.inspect.request", "library.file.pages.request"),
)


def plant(services: Services, data: Path, limit: int, say: Callable[[str], None]) -> None:
    """Fill the shop. `data`: where typeset files are kept; `limit`: the largest upload in bytes. In an app context.

    Raises ClickException where real people may be: its orders and known passwords have no place there.
    """
    assert media  # imported for its actors, which examine and draw the uploads here
    _refuse_a_real_shop()
    known = _people()
    say(f"{len(known)} people")
    wanted = [course for course in courses() if not _exists(course)]
    db.session.rollback()  # typesetting takes a while: hold no connection meanwhile
    pdfs = typeset_all(wanted, services.pdf, kept_in=data / "seed")
    for course in wanted:
        _publish(course, known[course.author], pdfs[course.slug], services, limit)
        say(f"“{course.title}”")
    _leave_unfinished(known["ada@example.com"])
    if not db.session.scalar(select(func.count()).select_from(Order)):
        say(f"{_sell(known)} orders over 90 days")
    _furnish_library(known["ben@example.com"], services, limit)
    _open_books(known["ben@example.com"])
    with transaction():
        said = reviews.plant(courses())
    if said:
        say(f"{said} reviews")
    _keep_quiet([one.id for one in known.values()])


def _refuse_a_real_shop() -> None:
    if current_app.config["SETTINGS"].environment == "production":
        raise ClickException("This shop runs in production: the demo shop is not planted here.")
    ours = {person.email for person in people()}
    strangers = sum(one.email not in ours for one in db.session.scalars(select(Customer)))
    if strangers:
        raise ClickException(f"{strangers} people have accounts here: the demo shop is planted in an empty shop only.")


def _people() -> dict[str, Customer]:
    there = {one.email: one for one in db.session.scalars(select(Customer))}
    shared = passwords.hash_password(PASSWORD)
    locked = passwords.hash_password(new_token())  # the other buyers cannot sign in
    with transaction() as session:
        for person in people():
            if person.email not in there:
                there[person.email] = _customer(person, shared if person.known else locked)
                session.add(there[person.email])
    return there


def _customer(person: SeedPerson, password_hash: str) -> Customer:
    joined = clock.now() - timedelta(days=person.joined_days_ago)
    return Customer(
        id=new_id(),
        email=person.email,
        name=person.name,
        bio=person.about,
        website=person.website,
        role=person.role,
        password_hash=password_hash,
        registration_date=joined,
        email_verified_at=joined + timedelta(minutes=7),
    )


def _exists(course: SeedCourse) -> bool:
    """Whether it is there and for sale; a half-planted one is planted again."""
    found = db.session.scalar(select(Course.status).where(Course.title == course.title).limit(1))
    return found is not None and found != "draft"


def _publish(seed: SeedCourse, author: Customer, pdf: bytes, services: Services, limit: int) -> None:
    with transaction() as session:
        for half in session.scalars(select(Course).where(Course.title == seed.title, Course.status == "draft")).all():
            drafting.destroy(half)
    with transaction():
        course = drafting.create(
            author,
            title=seed.title,
            subtitle=seed.subtitle,
            description=seed.description,
            category=seed.category,
            tags=list(seed.tags),
            price_cents=seed.price_cents,
            currency=seed.currency,
        )
    key = drafting.new_cover_key(course.id)
    db.session.rollback()
    services.storage.put(key, seed.cover_bytes(), "image/webp")
    with transaction():
        drafting.set_cover(course, key)
    _upload(seed, course, pdf, services, limit)
    when = clock.now() - timedelta(days=seed.published_days_ago)
    with transaction() as session:
        course = publishing.publish(session.get_one(Course, course.id), author)
        session.flush()
        session.execute(
            update(Course)
            .where(Course.id == course.id)
            .values(created_at=when - timedelta(days=6), published_at=when, updated_at=when)
        )
        _date_version(course, when)
    if seed.news:
        _upload(seed, course, pdf, services, limit)
        with transaction() as session:
            course = session.get_one(Course, course.id)
            newest = versions.newest_unreleased(course)
            if newest is not None:
                versions.make_current(newest, seed.news)
                session.flush()
                _date_version(course, clock.now() - timedelta(days=seed.news_days_ago))


def _upload(seed: SeedCourse, course: Course, pdf: bytes, services: Services, limit: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{seed.slug}.pdf"
        path.write_bytes(pdf)
        with uploads.stored(path, path.name, storage=services.storage, limit=limit) as received, transaction():
            uploads.accept(course, received)
    runtime.run_due(_WORK)


def _date_version(course: Course, when: datetime) -> None:
    db.session.execute(
        update(CourseVersion)
        .where(CourseVersion.id == course.current_version_id)
        .values(created_at=when - timedelta(days=1), released_at=when)
    )


def _leave_unfinished(author: Customer) -> None:
    """A draft that still needs things, as the desk of anybody who writes has one."""
    title = "Letters to a Beginner"
    if db.session.scalar(select(Course.id).where(Course.title == title).limit(1)) is not None:
        return
    with transaction():
        drafting.create(
            author,
            title=title,
            subtitle="What I wish somebody had told me in my first year",
            category="writing",
            price_cents=1500,
        )


def _sell(known: dict[str, Customer]) -> int:
    chance = random.Random(7)
    shelf = db.session.scalars(select(Course).where(Course.status == "published").order_by(Course.published_at)).all()
    buyers = [one for one in known.values() if one.role == "buyer"]
    owned: set[tuple[object, object]] = set()
    sold = 0
    with transaction() as session:
        for number in range(ORDERS):
            # Ben's come first, so that his library has something in it; Cleo keeps hers empty.
            buyer = known["ben@example.com"] if number < BENS else chance.choice(buyers)
            course = chance.choices(shelf, weights=[len(shelf) + 2 - place for place in range(len(shelf))])[0]
            if (buyer.id, course.id) in owned or buyer.email == "cleo@example.com":
                continue
            owned.add((buyer.id, course.id))
            sold += 1
            age = timedelta(days=chance.triangular(0, 90, 20), minutes=chance.uniform(0, 1440))
            if number % 40 == 2:  # some of today's, whatever hour it is
                age = timedelta(minutes=chance.uniform(1, 20))
            when = max(clock.now() - age, course.published_at or clock.now(), buyer.registration_date)
            lost = chance.random() < 0.12 and number >= BENS
            order = _order(buyer, course, "expired" if lost else "payment_succeeded")
            order.created_at = order.updated_at = when
            session.add(order)
            session.flush()
            session.add(_line(order, course))
            record_move("order", order.id, None, order.status, cause="demo", actor="seed")
            if lost:
                continue
            order.paid_at = when + timedelta(minutes=2)
            purchase = grants.grant(
                order.id, buyer.id, course.id, _line(order, course).version_id_snapshot, reason="paid", actor="seed"
            )
            purchase.fulfillment_status = "ready"
            purchase.purchased_at = order.paid_at
            if chance.random() < 0.7 and number >= BENS:
                order.status, purchase.fulfillment_status = "course_downloaded", "downloaded"
        session.flush()
        _count_sales()
    return sold


def _furnish_library(ben: Customer, services: Services, limit: int) -> None:
    """A file of Ben's own beside his courses, and one course that he has put away."""
    with transaction() as session:
        owned = session.scalars(
            select(Purchase)
            .where(Purchase.customer_id == ben.id, Purchase.access == "active")
            .order_by(Purchase.purchased_at)
        ).all()
        if len(owned) > 2:
            archiving.archive(owned[0])
        has_file = session.scalar(select(PrivateFile.id).where(PrivateFile.customer_id == ben.id).limit(1))
    if has_file is not None:
        return
    db.session.rollback()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / own_files.FILENAME
        path.write_bytes(own_files.pdf_bytes(services.pdf))
        with uploads.stored(path, path.name, storage=services.storage, limit=limit) as received, transaction():
            private_files.accept(ben, received, quota=current_app.config["SETTINGS"].private_quota)
    runtime.run_due(_WORK)


def _open_books(ben: Customer) -> None:
    """Ben is in the middle of his two newest courses, once."""
    with transaction() as session:
        if session.scalar(select(ReadingPosition.id).where(ReadingPosition.customer_id == ben.id).limit(1)) is not None:
            return
        owned = session.scalars(
            select(Purchase.course_id)
            .where(Purchase.customer_id == ben.id, Purchase.access == "active")
            .order_by(Purchase.purchased_at.desc())
            .limit(2)
        ).all()
        for number, course_id in enumerate(owned, start=1):
            book = books.of_course(ben, course_id)
            page = max(1, book.pages_count // (number + 1))
            positions.keep(ben.id, book, page, ago=timedelta(hours=20 * number))


def _order(buyer: Customer, course: Course, status: str) -> Order:
    return Order(
        id=new_id(),
        customer_id=buyer.id,
        number=f"CH-{short_code(2, 4)}",
        status=status,
        cart_hash=new_id().hex,
        total_cents=course.price_cents,
        currency=course.currency,
    )


def _line(order: Order, course: Course) -> OrderItem:
    assert course.current_version_id is not None
    return OrderItem(
        order_id=order.id,
        course_id=course.id,
        course_title_snapshot=course.title,
        version_id_snapshot=course.current_version_id,
        unit_price_cents=course.price_cents,
    )


def _count_sales() -> None:
    sales = select(func.count()).where(Purchase.course_id == Course.id).scalar_subquery()
    db.session.execute(
        update(Course)
        .values(sales_count=sales, updated_at=Course.updated_at)
        .execution_options(synchronize_session=False)
    )


def _keep_quiet(ids: list[UUID]) -> None:
    """Nobody gets mail about a shop that was only planted; mails to anybody else are left alone."""
    with transaction() as session:
        ours = delete(MailMessage).where(MailMessage.status == "queued", MailMessage.customer_id.in_(ids))
        mails = [str(mail_id) for mail_id in session.scalars(ours.returning(MailMessage.id))]
        named = OutboxMessage.payload["mail_id"].astext.in_(mails)
        session.execute(delete(OutboxMessage).where(OutboxMessage.name == "email.send", named))
