"""Who may change a course, who may see its page."""

from coursehub.accounts.models import Customer
from coursehub.courses.models import Course


def may_edit(customer: Customer, course: Course) -> bool:
    """Its author, while the account may sell, and staff."""
    return bool(customer.is_admin or (course.author_id == customer.id and customer.status == "active"))


def may_see(customer: Customer | None, course: Course, *, owns: bool = False) -> bool:
    """Anyone, while it is public; its buyers, once it is archived or withdrawn; its author and staff, always."""
    if course.is_public:
        return True
    if customer is None:
        return False
    return bool(owns or customer.is_admin or course.author_id == customer.id)
