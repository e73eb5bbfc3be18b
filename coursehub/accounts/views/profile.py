"""What people say about themselves, and the step that makes a buyer a creator."""

from flask import Response, render_template
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from coursehub.accounts import profile
from coursehub.accounts.forms import ProfileForm
from coursehub.accounts.views.blueprint import blueprint, me, refuse, renew_session
from coursehub.kernel.db import transaction
from coursehub.kernel.errors import Invalid
from coursehub.web.auth import login_required
from coursehub.web.hypermedia import fragments, page_or_fragment, respond, see_other


@blueprint.get("/account")
@login_required
def show() -> Response:
    """The profile."""
    return respond(render_template("accounts/profile.html", form=ProfileForm(formdata=None, obj=current_user)))


@blueprint.post("/account")
@login_required
def update() -> Response | AnyResponse:
    """Change the profile."""
    form = ProfileForm()
    try:
        if not form.validate():
            return _profile_again(form)
        with transaction():
            profile.update(me(), **form.values)
    except Invalid as error:
        refuse(form, error)
        return _profile_again(form)
    return fragments("accounts/update.htmx.html", fallback="/account", message=_("Your profile is saved."), form=form)


def _profile_again(form: ProfileForm) -> Response:
    return page_or_fragment("accounts/profile.html", "accounts/update.htmx.html", 422, form=form)


@blueprint.post("/account/creator")
@login_required
def create_creator() -> AnyResponse:
    """Become a creator."""
    with transaction():
        became = not current_user.is_creator
        profile.become_creator(me())
    if became:
        renew_session()
    return see_other("/studio", _("You are a creator now. Make your first course.") if became else None)
