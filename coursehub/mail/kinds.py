"""Every kind of mail: what it is for, which data it needs, and a sample of that data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Nature = Literal["transactional", "notice", "marketing"]


@dataclass(frozen=True)
class Kind:
    """A kind of mail, rendered from `templates/emails/<name>/`.

    `transactional`: the person asked for it or must know it; always sent, no unsubscribe link.
    `notice`: sent until the person says no. `marketing`: sent only to those who said yes.
    `secret`: its data holds a way into the account, so it is wiped once the mail is out.
    """

    name: str
    nature: Nature
    fields: Mapping[str, str]
    sample: Mapping[str, Any]
    secret: bool = False


_NAME = {"name": "how the person is greeted; may be empty"}
_TOKEN = {"token": "the link's secret"}
_SAMPLE_TOKEN = "q3vVh2pT8nYxw0bJr6LkZc9DfGmS1aUeXo4iWtRyB7E"
_COURSE = {
    "course_id": "UUID of the course",
    "course_title": "its title",
    "version_number": "number of the version that was processed",
    "path": "where the creator goes on, a path of the shop",
}

_ALL = [
    Kind(
        "verify_email",
        "transactional",
        fields={**_NAME, **_TOKEN, "code": "six digits to type where the mail is not at hand"},
        sample={"name": "Ben Okafor", "token": _SAMPLE_TOKEN, "code": "482913"},
        secret=True,
    ),
    Kind("you_have_an_account", "transactional", fields={**_NAME}, sample={"name": "Ben Okafor"}),
    Kind(
        "reset_password",
        "transactional",
        fields={**_NAME, **_TOKEN},
        sample={"name": "Ben Okafor", "token": _SAMPLE_TOKEN},
        secret=True,
    ),
    Kind("password_changed", "transactional", fields={**_NAME}, sample={"name": "Ben Okafor"}),
    Kind(
        "confirm_address",
        "transactional",
        fields={**_NAME, **_TOKEN},
        sample={"name": "Ben Okafor", "token": _SAMPLE_TOKEN},
        secret=True,
    ),
    Kind("address_changed", "transactional", fields={**_NAME}, sample={"name": "Ben Okafor"}),
    Kind(
        "receipt",
        "transactional",
        fields={
            **_NAME,
            "order_id": "UUID of the order",
            "order_number": "the number people quote",
            "paid_at": "ISO 8601 with zone",
            "currency": "ISO 4217 code",
            "total_cents": "what was paid, tax included",
            "tax_cents": "tax therein, 0 for none",
            "discount_cents": "what a coupon took off, 0 for none",
            "receipt_url": "Stripe's receipt, empty for free orders",
            "items": "list of {title, price_cents, license_key}",
        },
        sample={
            "name": "Ben Okafor",
            "order_id": "01936f3e-5b7c-7d20-8a11-3f0c5be1a001",
            "order_number": "CH-7K3QP2MX",
            "paid_at": "2026-11-23T14:05:00+00:00",
            "currency": "USD",
            "total_cents": 4380,
            "tax_cents": 380,
            "discount_cents": 500,
            "receipt_url": "https://pay.stripe.com/receipts/acct_1/ch_1/rcpt_1?s=em&x=1",
            "items": [
                {"title": "Quiet Typography", "price_cents": 1900, "license_key": "7K3QP-M2XWE-RT8NY-BD4HF"},
                {"title": "Watercolour Skies & Seas", "price_cents": 2600, "license_key": "QW9ER-2TYUP-ASDFG-HJK4M"},
            ],
        },
    ),
    Kind(
        "download_link",
        "transactional",
        fields={
            **_NAME,
            "title": "title of the course",
            "purchase_id": "UUID of the purchase",
            "version_number": "number of the version that a download gives",
            "left": "how many downloads of it are left",
            "allowed": "of how many",
        },
        sample={
            "name": "Ben Okafor",
            "title": "Quiet Typography",
            "purchase_id": "01936f3e-5b7c-7d20-8a11-3f0c5be1a003",
            "version_number": 2,
            "left": 4,
            "allowed": 5,
        },
    ),
    Kind(
        "course_ready",
        "notice",
        fields={
            **_NAME,
            **_COURSE,
            "pages_count": "pages of the PDF, may be None",
            "removed": "list of what was taken out of the file for safety, in words",
        },
        sample={
            "name": "Ada Brandt",
            "course_id": "01936f3e-5b7c-7d20-8a11-3f0c5be1a002",
            "course_title": "Quiet Typography",
            "version_number": 2,
            "pages_count": 128,
            "removed": ["JavaScript", "embedded files"],
            "path": "/studio/courses/01936f3e-5b7c-7d20-8a11-3f0c5be1a002/preview",
        },
    ),
    Kind(
        "upload_failed",
        "notice",
        fields={
            **_NAME,
            **_COURSE,
            "filename": "the uploaded file's name",
            "sentence": "why, in a sentence for the creator",
        },
        sample={
            "name": "Ada Brandt",
            "course_id": "01936f3e-5b7c-7d20-8a11-3f0c5be1a002",
            "course_title": "Quiet Typography",
            "version_number": 3,
            "filename": "quiet-typography-final.pdf",
            "sentence": "This PDF opens only with a password. Save it without one and upload it again.",
            "path": "/studio/courses/01936f3e-5b7c-7d20-8a11-3f0c5be1a002/content",
        },
    ),
    Kind(
        "course_sold",
        "notice",
        fields={
            **_NAME,
            "title": "title of the course as it was sold",
            "price_cents": "price of this line",
            "currency": "ISO 4217 code",
            "course_id": "UUID of the course",
        },
        sample={
            "name": "Ada Brandt",
            "title": "Quiet Typography",
            "price_cents": 1900,
            "currency": "USD",
            "course_id": "01936f3e-5b7c-7d20-8a11-3f0c5be1a002",
        },
    ),
    Kind(
        "review_written",
        "notice",
        fields={
            **_NAME,
            "title": "title of the course",
            "reviewer": "who wrote it",
            "rating": "1 to 5 stars",
            "text": "the beginning of what they wrote, may be empty",
            "path": "the review on the course's page, a path of the shop",
        },
        sample={
            "name": "Ada Brandt",
            "title": "Quiet Typography",
            "reviewer": "Ben Okafor",
            "rating": 4,
            "text": "The chapter on margins alone was worth it.\nMore about tables, please.",
            "path": "/courses/quiet-typography#review_01936f3e-5b7c-7d20-8a11-3f0c5be1a003",
        },
    ),
    Kind(
        "review_answered",
        "notice",
        fields={
            **_NAME,
            "title": "title of the course",
            "author": "its creator, who replied",
            "text": "the beginning of the reply",
            "path": "the review on the course's page, a path of the shop",
        },
        sample={
            "name": "Ben Okafor",
            "title": "Quiet Typography",
            "author": "Ada Brandt",
            "text": "Thank you, Ben. Tables come with version 3.",
            "path": "/courses/quiet-typography#review_01936f3e-5b7c-7d20-8a11-3f0c5be1a003",
        },
    ),
]

KINDS: dict[str, Kind] = {kind.name: kind for kind in _ALL}


def known(name: str) -> Kind:
    """The kind called `name`. Raises ValueError."""
    if name not in KINDS:
        raise ValueError(f"No mail is called {name!r}.")
    return KINDS[name]


def optional() -> list[Kind]:
    """The kinds that a person may turn off."""
    return [kind for kind in KINDS.values() if kind.nature != "transactional"]
