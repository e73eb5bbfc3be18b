"""Who may look at an order."""

from coursehub.accounts.models import Customer
from coursehub.orders.models import Order


def may_see(customer: Customer, order: Order) -> bool:
    """Its buyer and staff."""
    return customer.is_admin or order.customer_id == customer.id
