"""The mail that leads to a purchase's page: for the device where the file is wanted. It holds no way in by itself."""

from coursehub.accounts.models import Customer
from coursehub.kernel.errors import Invalid
from coursehub.library.downloads import check_access
from coursehub.library.queries import Owned
from coursehub.mail import delivery


def request_link(owned: Owned, customer: Customer, *, nonce: str) -> None:
    """Have the link mailed to its owner; the same `nonce` again sends nothing. In the open transaction.

    Raises NoAccess when the right does not stand.
    """
    if not nonce or len(nonce) > 200 or "\0" in nonce:
        raise Invalid("A mail request needs a key of 1 to 200 characters.", field="nonce")
    check_access(owned.purchase)
    delivery.request_email(
        "download_link",
        to=customer.email,
        subject_key=f"{owned.purchase.id}.{nonce}",
        customer_id=customer.id,
        data={
            "name": customer.name,
            "title": owned.course.title,
            "purchase_id": str(owned.purchase.id),
            "version_number": owned.current.version_number,
            "left": owned.left,
            "allowed": owned.allowed,
        },
    )
