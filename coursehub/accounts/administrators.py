"""Making the first people who run the shop, from the command line."""

from coursehub.accounts import addresses, passwords, profile, queries
from coursehub.accounts.models import Customer
from coursehub.audit import records
from coursehub.kernel import clock
from coursehub.kernel.db import db
from coursehub.kernel.ids import new_id


def find(email: str) -> Customer | None:
    """The confirmed account with this address. Raises Invalid where `email` is no address."""
    return queries.verified_by_email(addresses.check(email))


def promote(customer: Customer) -> Customer:
    """Make an existing person an admin; nothing happens to one who is."""
    if customer.role != "admin":
        profile.change_role(customer, "admin", actor=None, reason="create-admin")
    return customer


def create(email: str, password: str, name: str) -> Customer:
    """A new admin with a confirmed address: whoever runs the command vouches for it. Raises Invalid, Conflict."""
    address = addresses.check(email)
    cleaned = profile.clean_name(name)
    passwords.check_policy(password, email=address, name=cleaned)
    password_hash = passwords.hash_password(password)
    customer = Customer(
        id=new_id(), email=address, password_hash=password_hash, name=cleaned, registration_date=clock.now()
    )
    db.session.add(customer)
    db.session.flush()
    addresses.claim(customer, address)
    profile.change_role(customer, "admin", actor=None, reason="create-admin")
    records.write(None, "admin.created", "customer", customer.id)
    return customer
