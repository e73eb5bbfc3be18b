"""The forms of reviews: stars with a text, and a reply."""

from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import RadioField, TextAreaField, ValidationError
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from coursehub.kernel.errors import DomainError
from coursehub.reviews.models import STARS
from coursehub.reviews.queries import Read
from coursehub.reviews.writing import LONGEST
from coursehub.web.forms import Form, stripped


class ReviewForm(Form):
    """Stars, and words where somebody has some."""

    rating = RadioField(
        _("Your rating"),
        choices=[SelectChoice(str(number), str(number)) for number in STARS],
        validate_choice=False,
        id="review_rating",
    )
    text = TextAreaField(
        _("Your review"),
        [Length(max=LONGEST)],
        filters=[stripped],
        description=_("What did it help you to do? For whom is it? Other buyers read this, and so does its creator."),
        id="review_text",
    )

    @classmethod
    def of(cls, written: Read | None) -> "ReviewForm":
        """The form as it is first shown: empty, or with what the person said before."""
        if written is None:
            return cls(formdata=None)
        return cls(formdata=None, data={"rating": str(written.rating), "text": written.text})

    def validate_rating(self, field: Any) -> None:
        if field.data not in {str(number) for number in STARS}:
            raise ValidationError(_("Choose between one and five stars."))

    def blame(self, error: DomainError) -> None:
        """Say the story's refusal at its field."""
        field = self._fields.get(error.field or "", self.text)
        field.errors = [*field.errors, error.sentence]


class ReplyForm(Form):
    """The creator's answer."""

    reply = TextAreaField(
        _("Your reply"),
        [InputRequired(_("Write your reply.")), Length(max=LONGEST)],
        filters=[stripped],
        description=_("Everybody sees it under the review. The writer gets a mail."),
        id="review_reply",
    )

    def blame(self, error: DomainError) -> None:
        """Say the story's refusal at the field."""
        self.reply.errors = [*self.reply.errors, error.sentence]
