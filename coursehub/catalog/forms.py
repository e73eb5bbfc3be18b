"""The filters of the course list: GET forms, so that every search has an address."""

from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import Form, SelectField, StringField
from wtforms.fields.choices import SelectChoice

from coursehub.catalog.filters import Filters
from coursehub.kernel import money
from coursehub.kernel.errors import Invalid

# Amounts in the address are whole units of the shop's usual money.
_CURRENCY = "USD"


class FiltersForm(Form):
    """What somebody looks for. Nothing here is ever an error page: what makes no sense is said at its field."""

    price_min = StringField(_("From"))
    price_max = StringField(_("To"))
    sort = SelectField(_("Sort by"), validate_choice=False)

    def __init__(self, values: Any) -> None:
        super().__init__(values)
        self._values = values
        # The usual order has no name in the address, so that typing words means: best match first.
        usual, other = (_("Best match"), ("newest",)) if values.get("q") else (_("Newest"), ())
        labels = {
            "newest": _("Newest"),
            "popular": _("Most bought"),
            "rating": _("Best rated"),
            "price": _("Price, lowest first"),
            "price_desc": _("Price, highest first"),
        }
        names = ("popular", "rating", *other, "price", "price_desc")
        self.sort.choices = [SelectChoice("", usual), *(SelectChoice(name, labels[name]) for name in names)]

    def filters(self) -> Filters:
        """The filters; a price that is none is blamed on its field and left out."""
        return Filters(
            q=self._values.get("q", ""),
            category=self._values.get("category", ""),
            tag=self._values.get("tag", ""),
            language=self._values.get("language", ""),
            sort=self.sort.data or "",
            price_min=self._amount(self.price_min),
            price_max=self._amount(self.price_max),
            rating_min=_stars(self._values.get("rating_min", "")),
        )

    @staticmethod
    def _amount(field: Any) -> int | None:
        if not (field.data or "").strip():
            return None
        try:
            return min(money.parse_amount(field.data, _CURRENCY), money.MAXIMUM_CHARGE)
        except Invalid:
            field.errors = [_("Enter an amount such as 20.")]
            return None


def _stars(typed: str) -> float | None:
    """1 to 5; anything else asks for nothing."""
    return float(typed) if typed in ("1", "2", "3", "4", "5", "3.5", "4.5") else None
