"""Forms of the account pages: they check shape; the stories check sense."""

from typing import Any

from flask_babel import get_locale
from flask_babel import lazy_gettext as _
from wtforms import HiddenField, PasswordField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional, Regexp
from wtforms.widgets import EmailInput

from coursehub.accounts import addresses, profile
from coursehub.web.forms import Form, stripped

_EMAIL_MISSING = _("Enter your e-mail address.")
_TOO_LONG = _("At most %(max)d characters fit here.")


class EmailAddress(StringField):
    """An address; whether it is one is for `addresses.check` to say."""

    widget = EmailInput()

    def __init__(self, label: Any, missing: Any = _EMAIL_MISSING, **more: Any) -> None:
        validators = [InputRequired(missing), Length(max=addresses.LONGEST, message=_TOO_LONG)]
        super().__init__(label, validators, filters=[stripped], **more)


class NewPassword(PasswordField):
    """A password being chosen. Its rules are in `passwords`; here only that there is one."""

    def __init__(self, label: Any, **more: Any) -> None:
        super().__init__(
            label,
            [InputRequired(_("Choose a password of at least 10 characters."))],
            description=_("At least 10 characters. A few words you remember work well; pasting is fine."),
            **more,
        )


class RegisterForm(Form):
    name = StringField(
        _("Your name"),
        [InputRequired(_("Enter your name.")), Length(max=profile.NAME_LONGEST, message=_TOO_LONG)],
        filters=[stripped],
        description=_("Shown on your receipts and beside what you write."),
    )
    email = EmailAddress(_("E-mail address"))
    password = NewPassword(_("Password"))
    next = HiddenField()


class SignInForm(Form):
    email = EmailAddress(_("E-mail address"))
    password = PasswordField(_("Password"), [InputRequired(_("Enter your password."))])
    next = HiddenField()


class ForgottenForm(Form):
    email = EmailAddress(_("E-mail address"))


class ResetForm(Form):
    password = NewPassword(_("New password"))


class CodeForm(Form):
    code = StringField(
        _("Code from the mail"),
        [
            InputRequired(_("Enter the six digits from the mail.")),
            Regexp(r"\d{6}\Z", message=_("The code has six digits.")),
        ],
        filters=[lambda typed: "".join(typed.split()).replace("-", "") if typed else typed],
    )
    next = HiddenField()


class PasswordForm(Form):
    current = PasswordField(_("Current password"), [InputRequired(_("Enter your current password."))])
    password = NewPassword(_("New password"))


class EmailForm(Form):
    email = EmailAddress(_("New e-mail address"), missing=_("Enter your new e-mail address."))
    password = PasswordField(
        _("Your password"),
        [InputRequired(_("Enter your password."))],
        description=_("So that nobody at an unlocked screen can take your account over."),
    )


class ProfileForm(Form):
    """What people say about themselves; nothing else of an account can be changed by it."""

    name = StringField(
        _("Name"),
        [InputRequired(_("Enter your name.")), Length(max=profile.NAME_LONGEST, message=_TOO_LONG)],
        filters=[stripped],
    )
    bio = TextAreaField(
        _("About you"),
        [Optional(), Length(max=profile.BIO_LONGEST, message=_TOO_LONG)],
        filters=[stripped],
        description=_("A few sentences, shown on your page as a creator. Addresses become links."),
    )
    website = StringField(
        _("Website"),
        [Optional(), Length(max=profile.WEBSITE_LONGEST, message=_TOO_LONG)],
        filters=[stripped],
        description=_("Begins with https://."),
    )
    address_line1 = StringField(_("Street and number"), [Optional(), Length(max=profile.LINE_LONGEST)])
    address_line2 = StringField(_("Address line 2"), [Optional(), Length(max=profile.LINE_LONGEST)])
    postal_code = StringField(
        _("Postal code"),
        [Optional(), Regexp(r"[\w -]{1,12}\Z", message=_("A postal code has at most 12 letters, digits and dashes."))],
        filters=[stripped],
    )
    city = StringField(_("City"), [Optional(), Length(max=profile.LINE_LONGEST)])
    region = StringField(_("State or region"), [Optional(), Length(max=profile.LINE_LONGEST)])
    country = SelectField(_("Country"), [Optional()], validate_choice=False)

    def __init__(self, *args: Any, public: bool = False, **more: Any) -> None:
        """`public`: for a creator, whose page in the shop shows more."""
        super().__init__(*args, **more)
        if not public:
            del self.website
        self.country.choices = [("", _("No country")), *profile.countries(str(get_locale() or "en"))]

    def validate(self, extra_validators: Any = None) -> bool:
        """An address is whole or not there: half of one is no use on an invoice."""
        valid = super().validate(extra_validators)
        lines = [self.address_line1, self.address_line2, self.postal_code, self.city, self.region, self.country]
        if any(field.data and field.data.strip() for field in lines):
            for field, missing in (
                (self.address_line1, _("Enter the street and number, or clear the whole address.")),
                (self.city, _("Enter the city, or clear the whole address.")),
                (self.country, _("Choose the country, or clear the whole address.")),
            ):
                if not (field.data and field.data.strip()) and not field.errors:
                    field.errors, valid = [missing], False
        return valid

    @property
    def values(self) -> dict[str, str]:
        """The fields by name, as `profile.update` takes them."""
        return {field.name: field.data or "" for field in self if field.name != "csrf_token"}
