"""A forgotten password: mailed to the owner of the address, used once, within half an hour."""

from coursehub.accounts import addresses, email_tokens, password_change, queries
from coursehub.accounts.models import Customer
from coursehub.kernel.db import db
from coursehub.kernel.errors import Invalid
from coursehub.kernel.ids import new_id, new_token
from coursehub.mail import delivery

STALE_LINK = "This link has been used or is too old. Ask for a new one."


def request_reset(email: str) -> None:
    """Mail a link to the account that owns `email`; for any other address do the same work and send nothing."""
    address = addresses.normal(email)
    owner = queries.verified_by_email(address) if address else None
    if owner is not None:
        proof = email_tokens.issue(owner, "reset", owner.email)
        _mail(owner.email, str(proof.id), owner.name, proof.token, owner)
        return
    with db.session.begin_nested() as undone:
        _mail(address or "nobody@example.com", str(new_id()), "Nobody", new_token(), None)
        undone.rollback()


def find(token: str) -> Customer | None:
    """Whose password `token` may set."""
    found = email_tokens.find("reset", token)
    return found[1] if found else None


def reset(token: str, password: str) -> Customer:
    """Set a new password and sign the person out everywhere. Raises Invalid."""
    found = email_tokens.find("reset", token, lock=True)
    if found is None:
        raise Invalid(STALE_LINK, field="token")
    customer = found[1]
    password_change.settle(customer, password, action="password.reset")
    return customer


def _mail(to: str, key: str, name: str, token: str, owner: Customer | None) -> None:
    delivery.request_email(
        "reset_password",
        to=to,
        subject_key=key,
        data={"name": name, "token": token},
        customer_id=owner.id if owner else None,
    )
