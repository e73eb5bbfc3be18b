"""The machine room: messages under way and given up, webhooks that wait, the audit trail."""

import json
from uuid import UUID

from flask import Response, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from coursehub.admin import queries
from coursehub.admin.forms import ReasonForm
from coursehub.admin.views.blueprint import blueprint, note, turn, words
from coursehub.audit import chain
from coursehub.kernel import dead_letters
from coursehub.kernel.db import transaction
from coursehub.kernel.redaction import redact
from coursehub.web.hypermedia import respond, see_other


@blueprint.get("/system")
def system() -> str:
    """How messages stand, which were given up, which webhooks wait."""
    page = queries.jobs(cursor=words("cursor"))
    return render_template(
        "admin/system.html",
        standing=dead_letters.standing(),
        page=page,
        webhooks=queries.unapplied_webhooks(),
        **turn("admin.system", page.next_cursor),
    )


@blueprint.get("/system/jobs/<uuid:job_id>")
def job(job_id: UUID) -> Response:
    """One message that nobody could handle: what it said and why it failed."""
    return _show(job_id)


@blueprint.post("/system/jobs/<uuid:job_id>/replays")
def create_replay(job_id: UUID) -> AnyResponse:
    """Send it again; effects it had already are not applied twice."""
    form = ReasonForm(prefix="replay-")
    if not form.validate():
        return _show(job_id, 422, replay_form=form)
    with transaction():
        sent = dead_letters.replay(job_id)
        note("job.replayed", "job", job_id, form.reason.data, {"event": str(sent.event_id), "name": sent.actor})
    return see_other(url_for("admin.system"), _("%(name)s is on its way again.", name=sent.actor))


@blueprint.post("/system/jobs/<uuid:job_id>/drops")
def create_drop(job_id: UUID) -> AnyResponse:
    """Let it go; the row stays."""
    form = ReasonForm(prefix="drop-")
    if not form.validate():
        return _show(job_id, 422, drop_form=form)
    with transaction():
        gone = dead_letters.drop(job_id)
        note("job.dropped", "job", job_id, form.reason.data, {"event": str(gone.event_id), "name": gone.actor})
    return see_other(url_for("admin.system"), _("%(name)s is dropped.", name=gone.actor))


@blueprint.get("/audit")
def audit_list() -> str:
    """Who did what to whom, and why; newest first."""
    q = words("q")
    page = queries.audit_trail(words=q, cursor=words("cursor"))
    return render_template("admin/audit.html", page=page, q=q, **turn("admin.audit_list", page.next_cursor, q=q))


@blueprint.post("/audit/verifications")
def create_verification() -> AnyResponse:
    """Recompute the chain of hashes from its first record."""
    broken = chain.verify()
    if not broken:
        return see_other(url_for("admin.audit_list"), _("The chain is whole: no record was altered or removed."))
    listed = ", ".join(str(number) for number in broken[:10])
    said = _("The chain is broken at %(count)d records, first at: %(numbers)s.", count=len(broken), numbers=listed)
    return see_other(url_for("admin.audit_list"), said, "error")


def _show(
    job_id: UUID, status: int = 200, *, replay_form: ReasonForm | None = None, drop_form: ReasonForm | None = None
) -> Response:
    found = dead_letters.get(job_id)
    page = render_template(
        "admin/job.html",
        job=found,
        payload=redact(json.dumps(found.payload, indent=2, sort_keys=True)),
        replay_form=replay_form or ReasonForm(formdata=None, prefix="replay-"),
        drop_form=drop_form or ReasonForm(formdata=None, prefix="drop-"),
    )
    return respond(page, status)
