"""The API under /v1: keys, idempotency, faults, parameters, and the route to each endpoint."""

import base64
import binascii
import hmac
import json
import logging
import time
from dataclasses import dataclass
from typing import Any

from . import (
    balance,
    charges,
    checkout,
    customers,
    disputes,
    event_log,
    expand,
    forms,
    idempotency,
    ids,
    intents,
    params,
    refunds,
)
from .calls import EXPAND, Call, Route
from .config import Config
from .errors import Refused
from .events import API_VERSION
from .faults import Fault, Faults
from .store import Origin, Store
from .web import Reply, Request

ROUTES: tuple[Route, ...] = (
    *checkout.ROUTES,
    *customers.ROUTES,
    *intents.ROUTES,
    *charges.ROUTES,
    *refunds.ROUTES,
    *disputes.ROUTES,
    *event_log.ROUTES,
    *balance.ROUTES,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Api:
    config: Config
    store: Store
    faults: Faults

    def answer(self, request: Request) -> Reply:
        request_id = ids.new("request")
        try:
            reply = self._answer(request, request_id)
        except Refused as refusal:
            reply = _refusal(refusal, request, request_id)
        except Exception:
            log.exception("%s %s failed", request.method, request.path)
            reply = _broken(500)
        reply.headers = {**_headers(request, request_id), **reply.headers}
        return reply

    def _answer(self, request: Request, request_id: str) -> Reply:
        api_key = self._api_key(request)
        route, object_id = _route(request)
        given = forms.parse(request.body if request.method == "POST" else request.query.encode())
        key = request.headers.get("idempotency-key") if request.method == "POST" else None
        if not key:
            return self._with_faults(request, request_id, route, object_id, given, api_key, None)
        stored = idempotency.begin(self.store, api_key, key, request.path, given, request_id)
        if stored is not None:
            fault = self.faults.take(request.method, request.path)
            replay = Reply(
                stored.status,
                stored.body.encode(),
                {"Idempotent-Replayed": "true", "Original-Request": stored.request_id},
            )
            return _suffer(fault, "before") or _suffer(fault, "after") or replay
        try:
            return self._with_faults(request, request_id, route, object_id, given, api_key, key)
        finally:
            idempotency.forget(self.store, api_key, key)

    def _with_faults(
        self,
        request: Request,
        request_id: str,
        route: Route,
        object_id: str,
        given: dict[str, Any],
        api_key: str,
        key: str | None,
    ) -> Reply:
        fault = self.faults.take(request.method, request.path)
        early = _suffer(fault, "before")
        if early is not None:
            return early
        reply = self._perform(request, request_id, route, object_id, given, api_key, key)
        return _suffer(fault, "after") or reply

    def _perform(
        self,
        request: Request,
        request_id: str,
        route: Route,
        object_id: str,
        given: dict[str, Any],
        api_key: str,
        key: str | None,
    ) -> Reply:
        try:
            with self.store.transaction(Origin(request_id, key)) as tx:
                read = params.read(given, {**route.shape, "expand": EXPAND}, required=route.required)
                paths = read.pop("expand", [])
                call = Call(tx, self.config, request.public_url, read, request.path, object_id)
                answer = expand.expanded(tx, route.endpoint(call), paths)
                body = json.dumps(answer, indent=2)
                if key:
                    idempotency.keep(tx, api_key, key, 200, body)
            return Reply(200, body.encode())
        except Refused as refusal:
            # The effect was rolled back; what is left to keep is the refusal.
            reply = _refusal(refusal, request, request_id)
            if key and refusal.remembered:
                with self.store.transaction() as tx:
                    idempotency.keep(tx, api_key, key, reply.status, reply.body.decode())
            return reply

    def _api_key(self, request: Request) -> str:
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        given = credentials.strip()
        if scheme.lower() == "basic":
            try:
                given = base64.b64decode(given, validate=True).decode().partition(":")[0]
            except (binascii.Error, UnicodeDecodeError):
                given = ""
        if scheme.lower() not in ("bearer", "basic") or not given:
            raise Refused(
                "You did not provide an API key. You need to provide your API key in the Authorization header, "
                "using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
                status=401,
                remembered=False,
            )
        if not any(hmac.compare_digest(given.encode(), known.encode()) for known in self.config.api_keys):
            hidden = given[:8] + "*" * 12 + given[-4:] if len(given) > 16 else "*" * len(given)
            raise Refused(f"Invalid API Key provided: {hidden}", status=401, remembered=False)
        return given


def _route(request: Request) -> tuple[Route, str]:
    for route in ROUTES:
        if route.method == request.method:
            object_id = route.match(request.path)
            if object_id is not None:
                return route, object_id
    raise Refused(
        f"Unrecognized request URL ({request.method}: {request.path}). "
        "If you are trying to list objects, remove the trailing slash. "
        "If you are trying to retrieve an object, make sure you passed a valid (non-empty) identifier.",
        status=404,
        remembered=False,
    )


def _suffer(fault: Fault | None, when: str) -> Reply | None:
    """What the fault does at this point: it waits, and then maybe breaks the request."""
    if fault is None or fault.when != when:
        return None
    time.sleep(fault.latency_ms / 1000)
    if fault.reset:
        return Reply(0, reset=True)
    return None if fault.status is None else _broken(fault.status)


def _broken(status: int) -> Reply:
    error = {"message": "An unknown error occurred", "type": "api_error"}
    if status == 429:
        error = {
            "code": "rate_limit",
            "message": "Request rate limit exceeded. Learn more at https://docs.stripe.com/rate-limits.",
            "type": "invalid_request_error",
        }
    return Reply(status, json.dumps({"error": error}, indent=2).encode())


def _refusal(refusal: Refused, request: Request, request_id: str) -> Reply:
    body = refusal.body(f"{request.public_url}/requests/{request_id}")
    return Reply(refusal.status, json.dumps(body, indent=2).encode())


def _headers(request: Request, request_id: str) -> dict[str, str]:
    headers = {
        "Content-Type": "application/json",
        "Cache-Control": "no-cache, no-store",
        "Request-Id": request_id,
        "Stripe-Version": request.headers.get("stripe-version", API_VERSION),
    }
    if request.method == "POST" and request.headers.get("idempotency-key"):
        headers["Idempotency-Key"] = request.headers["idempotency-key"]
        headers["Original-Request"] = request_id
    return headers
