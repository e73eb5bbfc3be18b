"""Forms of the back office: filters by GET, and acts that each need a reason."""

import re
from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, HiddenField, IntegerField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional, Regexp

from coursehub.accounts import addresses
from coursehub.accounts import queries as people
from coursehub.accounts.models import ROLES
from coursehub.kernel.errors import Invalid
from coursehub.web.forms import Form, stripped

MOST_PEOPLE = 200


class ReasonForm(Form):
    """Any act of staff: what it is for is kept with it."""

    reason = StringField(
        _("Reason"),
        [
            InputRequired(_("Say why: it is kept on record.")),
            Length(3, 500, _("Give a reason of 3 to 500 characters.")),
        ],
        filters=[stripped],
    )


class ReceiptForm(ReasonForm):
    """`nonce` makes a double click one mail."""

    nonce = HiddenField(validators=[InputRequired(), Length(max=64), Regexp(r"^[\w-]+$")])


class DownloadsForm(ReasonForm):
    """`allowed` is what staff saw: a second click adds nothing."""

    purchase_id = HiddenField(validators=[InputRequired()])
    allowed = IntegerField(validators=[InputRequired()])
    more = IntegerField(
        _("More downloads"),
        [InputRequired(_("Enter a number from 1 to 20.")), NumberRange(1, 20, _("Enter a number from 1 to 20."))],
        default=5,
    )


class FlagForm(Form):
    """For whom a feature is on."""

    name = StringField(
        _("Name"),
        [
            InputRequired(_("Enter the flag's name.")),
            Regexp(r"^[a-z][a-z0-9_.-]{1,59}$", re.ASCII, _("Use lower-case letters, digits, dots and dashes.")),
        ],
        filters=[stripped],
    )
    enabled = BooleanField(_("On for everyone"))
    roles = SelectMultipleField(_("On for roles"), choices=list(ROLES))
    people = TextAreaField(
        _("On for people"),
        [Optional(), Length(max=20_000)],
        filters=[stripped],
        description=_("E-mail addresses of confirmed accounts, one a line."),
    )
    reason = ReasonForm.reason

    def customer_ids(self) -> list[Any]:
        """The accounts behind the addresses. Raises Invalid for one that has none."""
        lines = [line.strip() for line in re.split(r"[\s,;]+", self.people.data or "") if line.strip()]
        if len(lines) > MOST_PEOPLE:
            raise Invalid(f"A flag names at most {MOST_PEOPLE} people.", field="people")
        found = []
        for line in dict.fromkeys(lines):
            customer = people.verified_by_email(addresses.normal(line) or line)
            if customer is None:
                raise Invalid(f"No confirmed account has the address {line[:80]}.", field="people")
            found.append(customer.id)
        return found
