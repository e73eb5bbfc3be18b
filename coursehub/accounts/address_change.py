"""A new e-mail address: confirmed at the new one, told to the old one."""

from coursehub.accounts import addresses, credentials, email_tokens, queries
from coursehub.accounts.models import Customer
from coursehub.audit import records
from coursehub.kernel.encryption import fold_email
from coursehub.kernel.errors import Invalid
from coursehub.mail import delivery

STALE_LINK = "This link has been used or is too old. Ask for the change once more on your account page."


def request_change(customer: Customer, new_email: str, password: str) -> None:
    """Mail a link to `new_email`. Raises Invalid for a wrong password or no address; a known one is not told apart."""
    credentials.confirm_password(customer, password)
    address = addresses.check(new_email)
    if customer.email_verified and fold_email(address) == fold_email(customer.email):
        raise Invalid("This is your address already.", field="email")
    email_tokens.spend(customer, "change")
    proof = email_tokens.issue(customer, "change", address)
    owner = queries.verified_by_email(address)
    if owner is None:
        delivery.request_email(
            "confirm_address",
            to=address,
            subject_key=str(proof.id),
            data={"name": customer.name, "token": proof.token},
            customer_id=customer.id,
        )
    else:
        delivery.request_email(
            "you_have_an_account",
            to=owner.email,
            subject_key=str(proof.id),
            data={"name": owner.name},
            customer_id=owner.id,
        )


def find(token: str) -> tuple[Customer, str] | None:
    """Whose address `token` changes, and to what."""
    found = email_tokens.find("change", token)
    return (found[1], found[0].email) if found else None


def confirm(token: str) -> Customer:
    """The new address takes effect. Raises Invalid for a stale token, Conflict when it has an owner."""
    found = email_tokens.find("change", token)
    if found is None:
        raise Invalid(STALE_LINK, field="token")
    addresses.lock(found[0].email)
    found = email_tokens.find("change", token, lock=True)
    if found is None:
        raise Invalid(STALE_LINK, field="token")
    proof, customer = found
    old, was_confirmed = customer.email, customer.email_verified
    addresses.claim(customer, proof.email)
    email_tokens.spend(customer, "verify", "reset", "change")
    records.write(customer.id, "email.changed", "customer", customer.id)
    if was_confirmed:  # nobody has shown that an unconfirmed address is theirs: nobody there to tell
        delivery.request_email(
            "address_changed",
            to=old,
            subject_key=str(proof.id),
            data={"name": customer.name},
            customer_id=customer.id,
        )
    return customer
