"""Rows for tests, made as the stories leave them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from coursehub.courses.models import Course, CourseVersion
from coursehub.entitlements.models import Purchase
from coursehub.kernel import clock
from coursehub.kernel.db import transaction
from coursehub.kernel.ids import new_id, short_code
from coursehub.orders.models import Order, OrderItem

_numbers = iter(range(1, 1_000_000))


def a_course(
    *,
    by: Any,
    title: str = "Quiet Typography",
    price: int = 1900,
    status: str = "published",
    pages: int = 12,
    **more: Any,
) -> Course:
    """A course with one ready version; `price` in cents."""
    number = next(_numbers)
    course = Course(
        id=new_id(),
        slug=f"course-{number}",
        title=title,
        description="Setting type that nobody notices.",
        author_id=by.id,
        price_cents=price,
        currency=more.pop("currency", "USD"),
        category=more.pop("category", "design"),
        status="draft",
        pages_count=pages,
        cover_image_url=more.pop("cover_image_url", f"covers/{number}/picture-of-course.webp"),
        published_at=clock.now() if status != "draft" else None,
        **more,
    )
    version = a_version(course, number=1, pages=pages)
    with transaction() as session:
        session.add(course)
        session.flush()
        session.add(version)
        session.flush()
        course.current_version_id = version.id
        course.status = status
        session.flush()
        from coursehub.courses import search_text

        search_text.reindex(course)
    return course


def a_version(course: Course, *, number: int, pages: int = 12, status: str = "ready") -> CourseVersion:
    """A version, not added to the session."""
    version_id = new_id()
    return CourseVersion(
        id=version_id,
        course_id=course.id,
        version_number=number,
        pdf_url=f"versions/{version_id}.pdf",
        generated_by="upload",
        status=status,
        pages_count=pages if status == "ready" else None,
        released_at=clock.now(),
        filename="course.pdf",
        byte_size=1000,
    )


def a_purchase(course: Course, *, by: Any, access: str = "active") -> Purchase:
    """What a paid order leaves behind: order, line, purchase."""
    assert course.current_version_id is not None
    order = Order(
        id=new_id(),
        customer_id=by.id,
        number=f"T-{short_code(1, 8)}",
        status="payment_succeeded",
        cart_hash=new_id().hex,
        total_cents=course.price_cents,
        currency=course.currency,
        paid_at=clock.now(),
    )
    item = OrderItem(
        order_id=order.id,
        course_id=course.id,
        course_title_snapshot=course.title,
        version_id_snapshot=course.current_version_id,
        unit_price_cents=course.price_cents,
    )
    purchase = Purchase(
        id=new_id(),
        order_id=order.id,
        customer_id=by.id,
        course_id=course.id,
        version_id=course.current_version_id,
        license_key=short_code(),
        fulfillment_status="ready",
        access=access,
    )
    with transaction() as session:
        session.add(order)
        session.flush()
        session.add(item)
        session.add(purchase)
    return purchase


def a_sale(
    course: Course, *, by: Any, on: datetime | None = None, price: int | None = None, refunded: bool = False
) -> OrderItem:
    """A paid order for `course` and its purchase; `on`: when it was paid."""
    purchase = a_purchase(course, by=by, access="revoked" if refunded else "active")
    with transaction() as session:
        order = session.get_one(Order, purchase.order_id)
        item = session.scalars(select(OrderItem).where(OrderItem.order_id == order.id)).one()
        order.paid_at = on or order.paid_at
        if price is not None:
            order.total_cents = item.unit_price_cents = price
        if refunded:
            session.get_one(Purchase, purchase.id).refund_status = "refunded"
    return item


def stored_pdf(version_id: UUID, body: bytes = b"%PDF-1.7\n% a small file for download tests\n" * 50) -> None:
    """Put a file behind a version."""
    from coursehub.infra.services import services

    services().storage.put(f"versions/{version_id}.pdf", body, "application/pdf")
