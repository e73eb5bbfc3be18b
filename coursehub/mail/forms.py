"""The form at the account: one box for each kind of mail that may be turned off."""

from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import BooleanField

from coursehub.mail import kinds
from coursehub.web.forms import Form

# What people read for a kind: its name, and what it brings them.
LABELS = {
    "course_ready": (_("Finished uploads"), _("When a PDF of yours has been processed.")),
    "upload_failed": (_("Failed uploads"), _("When a PDF of yours could not be used, and why.")),
    "course_sold": (_("Sales"), _("Each time somebody buys one of your courses.")),
    "review_written": (_("Reviews"), _("When a buyer reviews one of your courses.")),
    "review_answered": (_("Answers to your reviews"), _("When a creator replies to a review of yours.")),
}


class _Box(BooleanField):
    """A checkbox named after its kind."""

    def __init__(self, kind: str, **more: Any) -> None:
        label, helper = LABELS[kind]
        super().__init__(label, description=helper, **more)


class PreferencesForm(Form):
    """Which mails a person wants."""

    def choices(self) -> dict[str, bool]:
        """Kind → whether it is wanted."""
        return {kind.name: bool(self[kind.name].data) for kind in kinds.optional()}


for _kind in kinds.optional():
    setattr(PreferencesForm, _kind.name, _Box(_kind.name))
