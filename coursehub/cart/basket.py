"""What somebody means to buy: adding, removing, merging at sign-in, and what it comes to now."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import and_, delete, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from coursehub.accounts.models import Customer
from coursehub.cart.models import Cart, CartItem
from coursehub.courses import queries as courses
from coursehub.courses.models import Course
from coursehub.entitlements import access
from coursehub.kernel import clock
from coursehub.kernel.db import db
from coursehub.kernel.errors import Conflict, NotFound
from coursehub.kernel.ids import new_id
from coursehub.kernel.money import Money

MOST = 50
# How long a guest's cart waits for its guest; the cookie that names it lives 30 days.
GUESTS_KEPT = timedelta(days=60)
EMPTY_KEPT = timedelta(days=1)


class AlreadyOwned(Conflict):
    """The course is in the person's library."""


class OwnCourse(Conflict):
    """The person wrote it."""


@dataclass(frozen=True)
class Line:
    """One course in the cart as it stands in the shop now."""

    item_id: UUID
    course_id: UUID
    version_id: UUID | None
    slug: str
    title: str
    author: str
    cover: str | None  # address of the picture
    price: Money
    seen: Money
    # Why it cannot be bought at present, None when it can.
    trouble: str | None

    @property
    def price_changed(self) -> bool:
        return self.trouble is None and self.price != self.seen


@dataclass(frozen=True)
class CartView:
    """A cart's lines and what they come to. Lines in trouble are shown but not counted."""

    cart_id: UUID | None
    lines: tuple[Line, ...]

    @property
    def buyable(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.trouble is None)

    @property
    def total(self) -> Money:
        currency = self.buyable[0].price.currency if self.buyable else "USD"
        return Money(sum(line.price.cents for line in self.buyable), currency)

    @property
    def prices_changed(self) -> bool:
        return any(line.price_changed for line in self.lines)

    @property
    def seen_total(self) -> int:
        """What the buyer was shown, in minor units."""
        return sum(line.seen.cents for line in self.buyable)


EMPTY = CartView(None, ())


def of_customer(customer_id: UUID) -> Cart:
    """The customer's one cart, made when there is none; in the open transaction."""
    db.session.execute(
        insert(Cart).values(id=new_id(), customer_id=customer_id).on_conflict_do_nothing(index_elements=["customer_id"])
    )
    return db.session.scalars(select(Cart).where(Cart.customer_id == customer_id)).one()


def of_guest(guest_hash: bytes) -> Cart:
    """The cart of the browser that holds this token, made when there is none; in the open transaction."""
    db.session.execute(
        insert(Cart).values(id=new_id(), guest_hash=guest_hash).on_conflict_do_nothing(index_elements=["guest_hash"])
    )
    return db.session.scalars(select(Cart).where(Cart.guest_hash == guest_hash)).one()


def find(*, customer_id: UUID | None = None, guest_hash: bytes | None = None) -> Cart | None:
    """The cart that is there, None when there is none."""
    if customer_id is not None:
        return db.session.scalar(select(Cart).where(Cart.customer_id == customer_id))
    if guest_hash is not None:
        return db.session.scalar(select(Cart).where(Cart.guest_hash == guest_hash))
    return None


def locked(cart_id: UUID) -> Cart:
    """The cart, locked until the transaction ends: two checkouts of one cart take turns."""
    return db.session.scalars(select(Cart).where(Cart.id == cart_id).with_for_update()).one()


def add(cart: Cart, course: Course, customer: Customer | None, *, since: datetime | None = None) -> CartItem:
    """Put `course` in; a second time changes nothing. Raises Conflict with the reason why not.

    With `since` it takes the place of a course that was added then: what left by mistake comes back where it stood.
    """
    refuse_if_not_for_sale(course, customer)
    locked(cart.id)  # two additions at once must not bring two currencies
    currency = db.session.scalar(select(CartItem.seen_currency).where(CartItem.cart_id == cart.id).limit(1))
    if currency is not None and currency != course.currency:
        raise Conflict(
            f"Your cart is in {currency} and this course is sold in {course.currency}: please buy one first."
        )
    count = db.session.scalar(select(func.count()).select_from(CartItem).where(CartItem.cart_id == cart.id))
    if (count or 0) >= MOST:
        raise Conflict(f"A cart holds {MOST} courses. Please buy these first.")
    db.session.execute(
        insert(CartItem)
        .values(
            id=new_id(),
            cart_id=cart.id,
            course_id=course.id,
            seen_price_cents=course.price_cents,
            seen_currency=course.currency,
            added_at=min(since, clock.now()) if since else func.now(),
        )
        .on_conflict_do_nothing(index_elements=["cart_id", "course_id"])
    )
    return db.session.scalars(
        select(CartItem).where(CartItem.cart_id == cart.id, CartItem.course_id == course.id)
    ).one()


def refuse_if_not_for_sale(course: Course, customer: Customer | None) -> None:
    """Raises Conflict when this person cannot buy this course, NotFound when they may not know of it."""
    if customer is not None and course.author_id == customer.id:
        raise OwnCourse(f"“{course.title}” is your own course: you have it already.")
    if customer is not None and access.owns(customer.id, course.id):
        raise AlreadyOwned(f"“{course.title}” is already in your library.")
    if course.status == "draft":
        raise NotFound()
    if not courses.is_for_sale(course):
        raise Conflict(f"“{course.title}” is not sold at the moment.")


def remove(cart: Cart, item_id: UUID) -> CartItem:
    """Take one line out and return what it was. Raises NotFound for another cart's line."""
    item = db.session.scalar(select(CartItem).where(CartItem.id == item_id, CartItem.cart_id == cart.id))
    if item is None:
        raise NotFound("That course is not in your cart any more.")
    db.session.execute(delete(CartItem).where(CartItem.id == item.id))
    return item


def view(cart: Cart | None, customer: Customer | None) -> CartView:
    """The cart as it stands now: prices of today, what cannot be bought and why. Two queries."""
    if cart is None:
        return EMPTY
    rows = db.session.execute(
        select(CartItem, Course, Customer.name, Customer.status == "active")
        .join(Course, Course.id == CartItem.course_id)
        .join(Customer, Customer.id == Course.author_id)
        .where(CartItem.cart_id == cart.id)
        .order_by(CartItem.added_at, CartItem.id)
    ).all()
    owned = access.owned_among(customer.id, [row[1].id for row in rows]) if customer is not None else set()
    lines = [_line(item, course, author, sells, owned, customer) for item, course, author, sells in rows]
    return CartView(cart.id, tuple(_one_currency(lines)))


def count(cart: Cart | None) -> int:
    """How many courses are in the cart that its owner has not bought meanwhile."""
    if cart is None:
        return 0
    items = select(func.count()).select_from(CartItem).where(CartItem.cart_id == cart.id)
    if cart.customer_id is not None:
        items = items.where(~access.owning(cart.customer_id, CartItem.course_id))
    return db.session.scalar(items) or 0


def acknowledge_prices(cart_id: UUID) -> None:
    """The buyer has been shown the prices of today."""
    db.session.execute(
        update(CartItem)
        .where(CartItem.cart_id == cart_id, CartItem.course_id == Course.id)
        .values(seen_price_cents=Course.price_cents, seen_currency=Course.currency)
        .execution_options(synchronize_session=False)
    )


def merge(guest_hash: bytes, customer: Customer) -> int:
    """At sign-in the guest's courses join the customer's cart, without repeats and without what they cannot buy.

    Returns how many came over; in the open transaction.
    """
    guest = find(guest_hash=guest_hash)
    if guest is None:
        return 0
    cart = of_customer(customer.id)
    courses = db.session.scalars(
        select(Course)
        .join(CartItem, CartItem.course_id == Course.id)
        .where(CartItem.cart_id == guest.id)
        .order_by(CartItem.added_at)
    ).all()
    moved = 0
    for course in courses:
        try:
            add(cart, course, customer)
            moved += 1
        except (Conflict, NotFound):
            continue
    db.session.execute(delete(Cart).where(Cart.id == guest.id))
    return moved


def retire(customer_id: UUID, course_ids: list[UUID]) -> None:
    """What was bought leaves the customer's cart."""
    cart = find(customer_id=customer_id)
    if cart is not None:
        db.session.execute(delete(CartItem).where(CartItem.cart_id == cart.id, CartItem.course_id.in_(course_ids)))


def _one_currency(lines: list[Line]) -> list[Line]:
    """A course whose currency was changed after it was added cannot be paid together with the others."""
    first = next((line.price.currency for line in lines if line.trouble is None), None)
    return [
        replace(line, trouble=f"It is sold in {line.price.currency} now: buy it separately.")
        if line.trouble is None and line.price.currency != first
        else line
        for line in lines
    ]


def _line(
    item: CartItem, course: Course, author: str, author_sells: bool, owned: set[UUID], customer: Customer | None
) -> Line:
    trouble = None
    if course.id in owned:
        trouble = "You own this course already."
    elif customer is not None and course.author_id == customer.id:
        trouble = "This is your own course."
    elif not (course.is_public and author_sells):
        trouble = "This course is not sold any more."
    return Line(
        item_id=item.id,
        course_id=course.id,
        version_id=course.current_version_id,
        slug=course.slug,
        title=course.title,
        author=author,
        cover=courses.cover_address(course.slug, course.cover_image_url),
        price=course.price,
        seen=Money(item.seen_price_cents, item.seen_currency),
        trouble=trouble,
    )


def sweep_guests() -> int:
    """Delete carts that no guest comes back to: empty since yesterday, or untouched for 60 days; how many."""
    now = clock.now()
    inside = exists().where(CartItem.cart_id == Cart.id)
    lately = inside.where(CartItem.added_at > now - GUESTS_KEPT)
    gone = db.session.execute(
        delete(Cart)
        .where(
            Cart.guest_hash.is_not(None),
            or_(
                and_(~inside, Cart.created_at < now - EMPTY_KEPT),
                and_(~lately, Cart.created_at < now - GUESTS_KEPT),
            ),
        )
        .returning(Cart.id)
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())
