"""What people say about themselves, and the one step that makes a buyer a creator."""

import re
import unicodedata
from functools import lru_cache
from urllib.parse import urlsplit, urlunsplit

from babel import Locale

from coursehub.accounts import policies
from coursehub.accounts.events import CustomerRenamed
from coursehub.accounts.models import Customer
from coursehub.audit import records
from coursehub.kernel.errors import Invalid, NotAllowed
from coursehub.kernel.events import record

NAME_LONGEST = 120
WEBSITE_LONGEST = 200
BIO_LONGEST = 2000
LINE_LONGEST = 200
# A name with a top-level domain: neither an address in numbers nor a host of the house.
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{1,59})", re.ASCII)
_NO_COUNTRIES = {"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"}  # in the list of territories, but nobody lives there


def update(
    customer: Customer,
    *,
    name: str | None = None,
    bio: str | None = None,
    website: str | None = None,
    address_line1: str | None = None,
    address_line2: str | None = None,
    city: str | None = None,
    region: str | None = None,
    postal_code: str | None = None,
    country: str | None = None,
) -> Customer:
    """Change what was given; None leaves a field as it is, an empty text clears it; in the open transaction.

    Raises Invalid. A new name is announced, because search knows courses by it.
    """
    if name is not None:
        cleaned = clean_name(name)
        if cleaned != customer.name:
            customer.name = cleaned
            record(CustomerRenamed(customer_id=customer.id))
    if bio is not None:
        customer.bio = _text(bio, "bio", BIO_LONGEST)
    if website is not None:
        customer.website = _website(website)
    if address_line1 is not None:
        customer.address_line1 = _line(address_line1, "address_line1") or None
    if address_line2 is not None:
        customer.address_line2 = _line(address_line2, "address_line2") or None
    if city is not None:
        customer.city = _line(city, "city") or None
    if region is not None:
        customer.region = _line(region, "region") or None
    if postal_code is not None:
        customer.postal_code = _line(postal_code, "postal_code") or None
    if country is not None:
        customer.country = _country(country)
    return customer


def clean_name(name: str) -> str:
    """`name` on one line, without characters that no name has. Raises Invalid."""
    cleaned = _line(name, "name", NAME_LONGEST)
    if not any(unicodedata.category(c)[0] in "LNS" for c in cleaned):
        raise Invalid("Enter your name.", field="name")
    return cleaned


def become_creator(customer: Customer) -> Customer:
    """One step for any buyer with a confirmed address; for creators and staff nothing changes. Raises NotAllowed."""
    if customer.is_creator:
        return customer
    if not policies.may_become_creator(customer):
        raise NotAllowed(
            "This account may not sell courses."
            if customer.status != "active"
            else "Confirm your e-mail address first; then you can become a creator."
        )
    change_role(customer, "creator", actor=customer)
    return customer


def change_role(customer: Customer, role: str, *, actor: Customer | None, reason: str = "") -> None:
    """Give `customer` another role, on record."""
    before = customer.role
    customer.role = role
    records.write(
        actor.id if actor else None, "role.changed", "customer", customer.id, reason, {"from": before, "to": role}
    )


@lru_cache(maxsize=8)
def countries(locale: str = "en") -> tuple[tuple[str, str], ...]:
    """(ISO code, name) of every country, by name."""
    territories = Locale.parse(locale).territories.items()
    named = ((code, name) for code, name in territories if len(code) == 2 and code.isalpha())
    return tuple(sorted((pair for pair in named if pair[0] not in _NO_COUNTRIES), key=lambda pair: _folded(pair[1])))


def _folded(name: str) -> str:
    """`name` as people look it up: Å stands with A."""
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().casefold()


def _website(address: str) -> str | None:
    """An https address of a public host, in one form; what is typed without a scheme is https."""
    typed = _line(address, "website", WEBSITE_LONGEST)
    if not typed:
        return None
    sentence = "Enter an address that begins with https://, such as https://example.com."
    try:
        parts = urlsplit(typed if "://" in typed else f"https://{typed}")
        port, host = parts.port, (parts.hostname or "").encode("idna").decode()
    except ValueError as error:  # no port, no brackets, no such name
        raise Invalid(sentence, field="website") from error
    plain = parts.scheme == "https" and parts.username is None and port in (None, 443)
    if not (plain and _HOST.fullmatch(host) and typed.isprintable() and not re.search(r"[\s\"'<>\\\\]", typed)):
        raise Invalid(sentence, field="website")
    return urlunsplit(("https", host, parts.path.rstrip("/"), parts.query, parts.fragment))


def _country(code: str) -> str | None:
    chosen = code.strip().upper()
    if chosen and chosen not in dict(countries()):
        raise Invalid("Choose a country from the list.", field="country")
    return chosen or None


def _line(text: str, field: str, longest: int = LINE_LONGEST) -> str:
    line = " ".join(unicodedata.normalize("NFC", text).split())
    _check(line, field, longest)
    return line


def _text(text: str, field: str, longest: int) -> str:
    cleaned = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
    _check(cleaned.replace("\n", " ").replace("\t", " "), field, longest)
    return cleaned


def _check(text: str, field: str, longest: int) -> None:
    if len(text) > longest:
        raise Invalid(f"At most {longest} characters fit here.", field=field)
    # Control characters and direction overrides: headers and other people's screens must not be steered by a name.
    if any(
        unicodedata.category(c) in ("Cc", "Cs") or c in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
        for c in text
    ):
        raise Invalid("This contains a character that cannot be used here.", field=field)
