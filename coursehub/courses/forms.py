"""Forms of the studio: details, file, cover, changelog, status."""

from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import FileField, HiddenField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from coursehub.courses import drafting, publishing, queries, versions
from coursehub.courses.drafting import Details
from coursehub.courses.models import Course
from coursehub.kernel import money
from coursehub.kernel.errors import DomainError
from coursehub.web.forms import Form, MoneyField, TagsField, stripped


class DetailsForm(Form):
    """What a course is called, about, and costs. `revision` is that of the course as it was shown."""

    title = StringField(
        _("Title"),
        [Optional(), Length(max=drafting.LONGEST["title"])],
        filters=[stripped],
        description=_("Leave it empty to take the title from your PDF."),
    )
    subtitle = StringField(
        _("Subtitle"),
        [Optional(), Length(max=drafting.LONGEST["subtitle"])],
        filters=[stripped],
        description=_("One line under the title: for whom it is, or what it leads to."),
    )
    description = TextAreaField(
        _("Description"),
        [Optional(), Length(max=drafting.LONGEST["description"])],
        filters=[stripped],
        description=_("What will readers be able to do? Markdown works: **bold**, lists, ## headings."),
    )
    category = SelectField(_("Category"), [InputRequired(_("Choose a category."))])
    tags = TagsField(_("Tags"), [Optional()], description=_("Up to 8 words, separated by commas."))
    language = SelectField(
        _("Language of the text"),
        choices=[SelectChoice(code, name) for code, name in drafting.LANGUAGES.items()],
        default="en",
    )
    price = MoneyField(
        _("Price"),
        [InputRequired(_("Enter a price; 0 makes the course free."))],
        filters=[stripped],
        description=_("0 makes the course free."),
    )
    currency = SelectField(
        _("Currency"), choices=[SelectChoice(code) for code in sorted(money.MINIMUM_CHARGE)], default="USD"
    )
    sample_pages = IntegerField(
        _("Sample pages"),
        [InputRequired(_("Enter how many pages everyone may see.")), NumberRange(0, drafting.MOST_SAMPLE_PAGES)],
        default=3,
        description=_("So many of the first pages can be seen by everyone, as pictures."),
    )
    revision = HiddenField()

    def __init__(self, course: Course | None = None, **more: Any) -> None:
        super().__init__(data=_shown(course) if course else None, **more)
        shelves = [SelectChoice(shelf.slug, shelf.title) for shelf in queries.categories()]
        self.category.choices = shelves if course else [SelectChoice("", _("Choose one")), *shelves]

    def details(self) -> Details:
        """The values for the stories. Raises Invalid for a price that is none."""
        return Details(
            title=self.title.data or "",
            subtitle=self.subtitle.data or "",
            description=self.description.data or "",
            category=self.category.data,
            tags=self.tags.data or [],
            language=self.language.data,
            price_cents=money.parse_amount(self.price.data or "", self.currency.data),
            currency=self.currency.data,
            sample_pages=self.sample_pages.data or 0,
        )

    def seen_revision(self) -> int | None:
        """The revision the person saw, None where the field was tampered with."""
        text = self.revision.data or ""
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


class SamplesForm(Form):
    """How much everyone may see, chosen while looking at the pages. `revision` as in the details."""

    sample_pages = DetailsForm.sample_pages
    revision = HiddenField()

    def __init__(self, course: Course | None = None, **more: Any) -> None:
        shown = {"sample_pages": course.sample_pages, "revision": str(course.revision)} if course else None
        super().__init__(data=shown, **more)

    seen_revision = DetailsForm.seen_revision


class UploadForm(Form):
    file = FileField(_("Your course as a PDF"))


class CoverForm(Form):
    cover = FileField(_("Cover picture"))


class ReleaseForm(Form):
    changelog = TextAreaField(
        _("What is new"),
        [Optional(), Length(max=versions.LONGEST_CHANGELOG)],
        filters=[stripped],
        description=_("Buyers read this beside the new version."),
    )


class StatusForm(Form):
    status = SelectField(_("Status"), choices=[SelectChoice(status) for status in publishing.MOVES])


def blame(form: Form, error: DomainError) -> None:
    """Write a story's refusal at the field it names, else at the form."""
    name = {"price_cents": "price"}.get(error.field or "", error.field or "")
    field = form._fields.get(name)
    if field is None:
        form.form_errors.append(error.sentence)
    else:
        field.errors = [*field.errors, error.sentence]


def _shown(course: Course) -> dict[str, Any]:
    places = money.decimals(course.currency)
    amount = f"{course.price_cents / 10**places:.{places}f}"
    return {
        "title": "" if course.title == drafting.UNTITLED else course.title,
        "subtitle": course.subtitle,
        "description": course.description,
        "category": course.category,
        "tags": course.tags,
        "language": course.language,
        "price": amount,
        "currency": course.currency,
        "sample_pages": course.sample_pages,
        "revision": str(course.revision),
    }
