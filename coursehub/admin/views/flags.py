"""Feature flags: for whom each is on."""

from typing import Any

from flask import Response, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from coursehub.admin import queries
from coursehub.admin.forms import FlagForm
from coursehub.admin.views.blueprint import blame, blueprint, note
from coursehub.flags import toggles
from coursehub.flags.models import Flag
from coursehub.kernel.db import transaction
from coursehub.kernel.errors import Invalid, NotFound
from coursehub.web.hypermedia import respond, see_other


@blueprint.get("/flags")
def flag_list() -> Response:
    """All flags, and a form for another one."""
    return _list(FlagForm(formdata=None))


@blueprint.get("/flags/<name>")
def flag(name: str) -> Response:
    """One flag."""
    found = next((one for one in toggles.every_flag() if one.name == name), None)
    if found is None:
        raise NotFound("There is no such flag.")
    form = FlagForm(formdata=None, name=found.name, enabled=found.enabled, roles=found.roles, people=_addresses(found))
    return _edit(name, form)


@blueprint.post("/flags")
def update_flag() -> AnyResponse:
    """Say for whom a flag is on; a new name makes a new flag."""
    form = FlagForm()
    if form.validate():
        try:
            with transaction():
                change = toggles.set_flag(form.name.data, form.enabled.data, form.roles.data, form.customer_ids())
                details: dict[str, Any] = {"before": change.before, "after": change.after}
                note("flag.set", "flag", form.name.data, form.reason.data, details)
            toggles.forget()
            return see_other(
                url_for("admin.flag_list"),
                _("%(name)s is changed; every process knows it within 5 seconds.", name=form.name.data),
            )
        except Invalid as error:
            blame(form, error)
    known = any(one.name == form.name.data for one in toggles.every_flag())
    return _edit(form.name.data, form, 422) if known else _list(form, 422)


def _list(form: FlagForm, status: int = 200) -> Response:
    flags = toggles.every_flag()
    people = queries.people_among([one for flag in flags for one in flag.customer_ids])
    return respond(render_template("admin/flags/index.html", flags=flags, people=people, form=form), status)


def _edit(name: str, form: FlagForm, status: int = 200) -> Response:
    return respond(render_template("admin/flags/show.html", name=name, form=form), status)


def _addresses(flag: Flag) -> str:
    return "\n".join(one.email for one in queries.people_among(flag.customer_ids).values())
