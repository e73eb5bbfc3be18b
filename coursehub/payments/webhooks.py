"""Stripe's webhooks: verify, store, hand on, 200. Nothing else happens in the request."""

from flask import Blueprint, Response, current_app, jsonify, request
from werkzeug.exceptions import RequestEntityTooLarge

from coursehub.infra.payments import BadSignature
from coursehub.infra.services import services
from coursehub.kernel.db import transaction
from coursehub.payments import receipts
from coursehub.web.errors import problem
from coursehub.web.limits import limited

blueprint = Blueprint("stripe_webhooks", __name__)
LARGEST = 256_000  # bytes; Stripe's events are far smaller


@blueprint.post("/api/v1/webhooks/stripe")
@limited("webhook")
def receive() -> Response | tuple[Response, int]:
    """Take one event. A repeat answers 200 and changes nothing; what Stripe did not sign answers 400."""
    request.max_content_length = LARGEST
    try:
        body = request.get_data(cache=True)
    except RequestEntityTooLarge:
        return problem(413, "Too large", "Stripe's events are smaller than this.")
    if not current_app.config["SETTINGS"].stripe_webhook_secret.get_secret_value():
        return problem(404, "Not found", "No webhook secret is set, so this endpoint is closed.")
    try:
        event = services().gateway.verify(body, request.headers.get("Stripe-Signature"))
    except BadSignature as error:
        return problem(400, "Bad signature", str(error))
    if event.livemode != services().gateway.livemode:
        return jsonify(received=True, ignored="other mode")
    with transaction():
        fresh = receipts.store_once(event)
    return jsonify(received=True, repeated=not fresh)
