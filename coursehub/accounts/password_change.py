"""A new password: what has to happen with it, whichever way it came."""

from coursehub.accounts import credentials, email_tokens, passwords, sessions, tokens
from coursehub.accounts.models import Customer
from coursehub.audit import records
from coursehub.kernel.ids import new_id
from coursehub.mail import delivery


def change(customer: Customer, current: str, password: str, *, keep: bytes | None) -> None:
    """Replace the password of somebody who knows it; only the browser session `keep` stays. Raises Invalid."""
    credentials.confirm_password(customer, current, field="current")
    settle(customer, password, action="password.changed", keep=keep)


def settle(customer: Customer, password: str, *, action: str, keep: bytes | None = None) -> None:
    """Set `password`, sign out every other browser and program, end open proofs, tell the person. Raises Invalid."""
    passwords.check_policy(password, email=customer.email, name=customer.name)
    customer.password_hash = passwords.hash_password(password)
    email_tokens.spend(customer, "reset", "change")
    sessions.end_all(customer, keep, reason=action)
    tokens.revoke_all(customer)
    records.write(customer.id, action, "customer", customer.id)
    delivery.request_email(
        "password_changed",
        to=customer.email,
        subject_key=str(new_id()),
        data={"name": customer.name},
        customer_id=customer.id,
    )
