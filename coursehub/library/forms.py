"""Forms of the library: a file of one's own, its title."""

from flask_babel import lazy_gettext as _
from wtforms import FileField, StringField
from wtforms.validators import DataRequired, Length

from coursehub.library.private_files import LONGEST_TITLE
from coursehub.web.forms import Form, stripped


class FileForm(Form):
    file = FileField(_("A PDF of your own"))


class TitleForm(Form):
    title = StringField(
        _("Title"),
        [DataRequired(_("Give the file a title.")), Length(max=LONGEST_TITLE)],
        filters=[stripped],
        description=_("Only you see it."),
    )
