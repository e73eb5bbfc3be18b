"""Money: integer minor units and a currency, never a float."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Self

from babel.numbers import format_currency

from coursehub.kernel.errors import Invalid

# Stripe's minimum charge per currency, in minor units: https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts
MINIMUM_CHARGE = {
    "USD": 50, "EUR": 50, "GBP": 30, "CHF": 50, "AUD": 50, "CAD": 50, "NZD": 50, "SGD": 50,
    "SEK": 300, "NOK": 300, "DKK": 250, "PLN": 200, "CZK": 1500, "JPY": 50, "MXN": 1000, "BRL": 50, "INR": 50,
    "HKD": 400,
}  # fmt: skip
# Stripe's largest amount is eight digits: https://docs.stripe.com/currencies
MAXIMUM_CHARGE = 99_999_999
_ZERO_DECIMAL = {"JPY"}


@dataclass(frozen=True, order=False)
class Money:
    """An amount in minor units (cents) of one currency."""

    cents: int
    currency: str

    def __add__(self, other: Self) -> "Money":
        self._same(other)
        return Money(self.cents + other.cents, self.currency)

    def __sub__(self, other: Self) -> "Money":
        self._same(other)
        return Money(self.cents - other.cents, self.currency)

    def _same(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not mix")

    def text(self, locale: str = "en") -> str:
        """The amount as people write it in `locale`: `$19.99`, `19,99 €`."""
        return format_currency(Decimal(self.cents).scaleb(-decimals(self.currency)), self.currency, locale=locale)


def decimals(currency: str) -> int:
    """How many decimal places `currency` has."""
    return 0 if currency in _ZERO_DECIMAL else 2


def parse_amount(text: str, currency: str) -> int:
    """Minor units from what a person typed: `19`, `19.99`, `19,99`. Raises Invalid with a sentence."""
    cleaned = text.strip().replace(" ", "").replace("\u00a0", "")
    if cleaned.count(",") == 1 and "." not in cleaned:
        cleaned = cleaned.replace(",", ".")
    # ASCII digits only: Decimal would also take "NaN", "1e9" and other scripts' digits.
    if not cleaned or any(c not in "0123456789." for c in cleaned) or cleaned.count(".") > 1 or cleaned == ".":
        raise Invalid("Enter the price as a number such as 19 or 19.99.", field="price")
    places = decimals(currency)
    if len(cleaned.partition(".")[2]) > places:
        raise Invalid(f"{currency} has {places} decimal places.", field="price")
    return int(Decimal(cleaned).scaleb(places).to_integral_value(ROUND_HALF_UP))


def check_price(cents: int, currency: str) -> None:
    """A course is free or costs at least what Stripe can charge. Raises Invalid."""
    if currency not in MINIMUM_CHARGE:
        raise Invalid(f"Courses can be sold in {', '.join(sorted(MINIMUM_CHARGE))}.", field="currency")
    least = MINIMUM_CHARGE[currency]
    if cents < 0 or 0 < cents < least:
        raise Invalid(f"The price is 0 (free) or at least {Money(least, currency).text()}.", field="price")
    if cents > MAXIMUM_CHARGE:
        raise Invalid(f"The price is at most {Money(MAXIMUM_CHARGE, currency).text()}.", field="price")
