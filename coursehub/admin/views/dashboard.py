"""The first page: how the shop sells, and what waits for a person."""

from flask import current_app, render_template

from coursehub.admin import figures
from coursehub.admin.views.blueprint import blueprint


@blueprint.get("")
def dashboard() -> str:
    """Today, the week, the month, and everything that needs a look."""
    return render_template("admin/dashboard.html", overview=figures.overview(current_app.config["TIMEZONE"]))
