"""What all forms share: the base, and fields for money and tags."""

from typing import Any

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import Field, StringField, ValidationError
from wtforms.widgets import TextInput

MAX_TAGS = 8


class Form(FlaskForm):
    """The base of every form: NUL bytes are refused, since PostgreSQL cannot store them."""

    def validate(self, extra_validators: Any = None) -> bool:
        valid = bool(super().validate(extra_validators))
        for field in self:
            if isinstance(field.data, str) and "\0" in field.data:
                field.errors = [*field.errors, _("This contains a character that cannot be stored.")]
                valid = False
        return valid


def stripped(value: str | None) -> str | None:
    """A form filter: surrounding space is never meant."""
    return value.strip() if value else value


class MoneyField(StringField):
    """An amount as typed; the view turns it into minor units with the form's currency."""


class TagsField(Field):
    """Tags separated by commas → a list of short lower-case words without repeats."""

    widget = TextInput()

    def _value(self) -> str:
        return ", ".join(self.data) if isinstance(self.data, list) else (self.raw_data or [""])[0]

    def process_formdata(self, valuelist: list[Any]) -> None:
        text = valuelist[0] if valuelist else ""
        tags = list(dict.fromkeys(tag.strip().lower() for tag in text.split(",") if tag.strip()))
        self.data = tags

    def pre_validate(self, form: Any) -> None:
        tags = self.data or []
        if len(tags) > MAX_TAGS:
            raise ValidationError(_("At most 8 tags."))
        if any(len(tag) > 40 for tag in tags):
            raise ValidationError(_("A tag has at most 40 characters."))
