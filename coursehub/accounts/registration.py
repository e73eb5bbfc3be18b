"""Making an account and confirming its address, without telling anybody which addresses are known."""

from datetime import timedelta

from sqlalchemy import delete

from coursehub.accounts import addresses, email_tokens, passwords, profile, queries
from coursehub.accounts.events import CustomerRegistered
from coursehub.accounts.models import Consent, Customer
from coursehub.kernel import clock
from coursehub.kernel.db import db
from coursehub.kernel.errors import Invalid
from coursehub.kernel.events import record
from coursehub.kernel.ids import new_id
from coursehub.mail import delivery

UNCONFIRMED_LIVE = timedelta(days=7)
STALE_LINK = "This link has been used or is too old. Sign in and ask for a new one."


def register(email: str, password: str, name: str, terms_version: str) -> Customer:
    """A new account whose address is not confirmed yet, also when the address is known already. Raises Invalid.

    Known or not, the same work is done and one mail is sent: the link, or, to an address that has an account,
    word that it has one.
    """
    address = addresses.check(email)
    cleaned = profile.clean_name(name)
    passwords.check_policy(password, email=address, name=cleaned)
    password_hash = passwords.hash_password(password)
    customer = Customer(id=new_id(), email=address, password_hash=password_hash, name=cleaned)
    db.session.add(customer)
    db.session.flush()
    for kind in ("terms", "privacy"):
        db.session.add(Consent(customer_id=customer.id, kind=kind, version=terms_version, given=True))
    record(CustomerRegistered(customer_id=customer.id))
    _mail_proof(customer)
    return customer


def resend(customer: Customer) -> None:
    """Mail a fresh link and code. Nothing happens for a confirmed account."""
    if not customer.email_verified:
        _mail_proof(customer)


def verify(token: str) -> Customer:
    """Confirm the address that `token` was mailed to; works on any device.

    Raises Invalid for a token that was used, is older than 24 hours or never existed, Conflict when another account
    owns the address.
    """
    found = email_tokens.find("verify", token)
    if found is None:
        raise Invalid(STALE_LINK, field="token")
    addresses.lock(found[0].email)  # before any row, so that rivals queue up instead of crossing
    found = email_tokens.find("verify", token, lock=True)
    if found is None:
        raise Invalid(STALE_LINK, field="token")
    return _confirm(found[1])


def verify_code(customer: Customer, code: str) -> Customer | None:
    """Confirm the signed-in `customer` by the mailed code. None: it is not the code.

    A wrong try is counted in the open transaction, so this must not raise for it: commit, then refuse. After five
    tries only a new code helps. Raises Conflict when another account owns the address.
    """
    if customer.email_verified:
        return customer
    addresses.lock(customer.email)
    if email_tokens.try_code(customer, code) is None:
        return None
    return _confirm(customer)


def find_unconfirmed(token: str) -> Customer | None:
    """Whom `token` would confirm: for the page that asks before it acts."""
    found = email_tokens.find("verify", token)
    return found[1] if found else None


def sweep_unverified() -> int:
    """Delete accounts that did not confirm their address within 7 days, never one with an order; how many."""
    gone = db.session.execute(
        delete(Customer)
        .where(
            Customer.email_verified_at.is_(None),
            Customer.status == "active",
            Customer.registration_date < clock.now() - UNCONFIRMED_LIVE,
            *queries.may_vanish(),
        )
        .returning(Customer.id)
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())


def _confirm(customer: Customer) -> Customer:
    addresses.claim(customer, customer.email)
    email_tokens.spend(customer, "verify")
    return customer


def _mail_proof(customer: Customer) -> None:
    # The proof is made either way, so that wrong codes are answered alike for a known address.
    proof = email_tokens.issue(customer, "verify", customer.email)
    owner = queries.verified_by_email(customer.email)
    if owner is None:
        delivery.request_email(
            "verify_email",
            to=customer.email,
            subject_key=str(proof.id),
            data={"name": customer.name, "token": proof.token, "code": proof.code},
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
