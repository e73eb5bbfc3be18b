"""Who may review a course, and who answers."""

from coursehub.accounts.models import Customer
from coursehub.courses.models import Course
from coursehub.entitlements import access


def may_review(person: Customer | None, course: Course) -> bool:
    """Those who bought it and have not lost it for good, under a confirmed address; never its author."""
    if person is None or not person.email_verified or person.status != "active" or course.author_id == person.id:
        return False
    purchase = access.purchase_of(person.id, course.id)
    return purchase is not None and purchase.refund_status != "refunded"


def may_answer(person: Customer | None, course: Course) -> bool:
    """Its author, who alone speaks as its creator: staff do not."""
    return person is not None and course.author_id == person.id and person.is_creator
