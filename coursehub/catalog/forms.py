"""The filters of the course list: a GET form, so that every search has an address."""

from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import Form, SearchField, SelectField, StringField
from wtforms.fields.choices import SelectChoice

from coursehub.catalog.search import Filters
from coursehub.catalog.shelves import Subject
from coursehub.kernel import money
from coursehub.kernel.errors import Invalid

# Amounts in the address are whole units of the shop's usual money.
_CURRENCY = "USD"


class FiltersForm(Form):
    """What somebody looks for. Nothing here is ever an error page: what makes no sense is said at its field."""

    q = SearchField(_("Words"))
    category = SelectField(_("Category"), validate_choice=False)
    tag = StringField(_("Tag"))
    price_min = StringField(_("Price from"))
    price_max = StringField(_("Price to"))
    sort = SelectField(_("Sort by"), validate_choice=False)

    def __init__(self, values: Any, subjects: list[Subject]) -> None:
        super().__init__(values)
        self.category.choices = [
            SelectChoice("", _("All categories")),
            *(SelectChoice(subject.slug, subject.title) for subject in subjects),
        ]
        # The usual order has no name in the address, so that typing words means: best match first.
        usual, other = (_("Best match"), ("newest",)) if self.q.data else (_("Newest"), ())
        labels = {
            "newest": _("Newest"),
            "popular": _("Most bought"),
            "price": _("Price, lowest first"),
            "price_desc": _("Price, highest first"),
        }
        self.sort.choices = [
            SelectChoice("", usual),
            *(SelectChoice(name, labels[name]) for name in (*other, "popular", "price", "price_desc")),
        ]

    def filters(self) -> Filters:
        """The filters; a price that is none is blamed on its field and left out."""
        return Filters(
            q=self.q.data or "",
            category=self.category.data or "",
            tag=self.tag.data or "",
            sort=self.sort.data or "",
            price_min=self._amount(self.price_min),
            price_max=self._amount(self.price_max),
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
