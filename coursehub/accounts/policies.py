"""What a person may do by who they are."""

from coursehub.accounts.models import Customer


def is_creator(customer: Customer) -> bool:
    """Writes and sells courses; staff too."""
    return customer.is_authenticated and customer.is_creator


def is_admin(customer: Customer) -> bool:
    """Runs the shop."""
    return customer.is_authenticated and customer.is_admin


def may_buy(customer: Customer) -> bool:
    """Buying needs a confirmed address; a ban ends buying, not reading what was bought."""
    return customer.is_authenticated and customer.email_verified and customer.status == "active"


def may_become_creator(customer: Customer) -> bool:
    """Any buyer with a confirmed address."""
    return may_buy(customer)
