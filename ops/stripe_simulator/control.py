"""The controls for tests and demos: disturb deliveries, plan faults, and do what banks and time would do."""

import json
import re
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any
from urllib.parse import urlsplit

from . import delivery, disputes, payments, refunds
from .delivery import Deliveries
from .errors import Refused, bad_parameter
from .faults import MAX_LATENCY_MS, Fault, Faults
from .store import Object, Store
from .web import Reply, Request, json_reply

Given = dict[str, Any]

_MAX_LISTED = 5_000
_REST = 5.0


class Control:
    def __init__(self, store: Store, deliveries: Deliveries, faults: Faults) -> None:
        self.store = store
        self.deliveries = deliveries
        self.faults = faults

    def answer(self, request: Request) -> Reply:
        """The JSON face: `/_control/…`."""
        try:
            if request.comes_from_another_site():
                raise Refused("Another site may not steer this simulator.", status=403)
            action, subject = self._action(request)
            given = _json(request.body) if request.method == "POST" else {}
            return json_reply(200, action(subject, given) if subject else action(given))
        except Refused as refusal:
            return json_reply(refusal.status, refusal.body(""))

    def show_webhooks(self, given: Given) -> Given:
        with self.store.transaction() as tx:
            chosen = delivery.behaviour(tx)
            listed = delivery.listed(tx, _MAX_LISTED)
        return {**asdict(chosen), "url": self.deliveries.url, "deliveries": listed}

    def change_webhooks(self, given: Given) -> Given:
        """Settings that are not named stay as they are."""
        readers: dict[str, Callable[[Any, str], Any]] = {
            "paused": _flag,
            "delay_ms": _whole(0, 3_600_000),
            "duplicate": _copies,
            "shuffle": _flag,
            "drop": _share,
            "drop_types": _names,
            "url": _address,
        }
        changes = _read(given, readers)
        if "url" in changes:
            self.deliveries.url = changes.pop("url")
            self.store.delivers_events = self.deliveries.url is not None
        if isinstance(changes.get("drop"), list):
            changes |= {"drop_types": changes["drop"], "drop": 0.0}
        elif "drop" in changes and "drop_types" not in changes:
            changes["drop_types"] = ()
        with self.store.transaction() as tx:
            chosen = replace(delivery.behaviour(tx), **changes)
            delivery.keep_behaviour(tx, chosen)
        self.deliveries.wake()
        return {**asdict(chosen), "url": self.deliveries.url}

    def flush_webhooks(self, given: Given) -> Given:
        wanted = _read(given, {"parallel": _flag, "dropped": _flag})
        return dict(self.deliveries.flush(**wanted))

    def resend_event(self, event_id: str, given: Given) -> Given:
        _read(given, {})
        with self.store.transaction() as tx:
            delivery.send_again(tx, event_id)
        return {"event_id": event_id}

    def show_faults(self, given: Given) -> Given:
        return {"faults": self.faults.planned()}

    def plan_fault(self, given: Given) -> Given:
        readers: dict[str, Callable[[Any, str], Any]] = {
            "path": _path,
            "method": _one_of("GET", "POST", "DELETE"),
            "status": _whole(400, 599),
            "when": _one_of("before", "after"),
            "latency_ms": _whole(0, MAX_LATENCY_MS),
            "reset": _flag,
            "times": _whole(1, 1_000_000),
        }
        wanted = _read(given, readers)
        planned = Fault(
            path=wanted.get("path"),
            method=wanted.get("method"),
            status=wanted.get("status"),
            when=wanted.get("when", "before"),
            latency_ms=wanted.get("latency_ms", 0),
            reset=wanted.get("reset", False),
            times=wanted.get("times", 1),
        )
        if planned.status is None and not planned.latency_ms and not planned.reset:
            raise bad_parameter("A fault needs a status, a latency_ms or a reset.")
        self.faults.plan(planned)
        return self.show_faults({})

    def clear_faults(self, given: Given) -> Given:
        self.faults.clear()
        return self.show_faults({})

    def expire_session(self, session_id: str, given: Given) -> Object:
        _read(given, {})
        with self.store.transaction() as tx:
            session = tx.get(session_id, "checkout.session")
            if session["status"] != "open":
                raise Refused(f"This session is {session['status']}; only an open one can expire.")
            return payments.expire(tx, session)

    def settle_session(self, session_id: str, given: Given) -> Object:
        succeed = _read(given, {"succeed": _flag}).get("succeed", True)
        with self.store.transaction() as tx:
            tx.get(session_id, "checkout.session")
            session = payments.settle_bank_debit(tx, session_id, succeed=succeed)
            if session is None:
                raise Refused("No bank debit of this session is under way.")
            return session

    def dispute_charge(self, charge_id: str, given: Given) -> Object:
        readers = {
            "status": _one_of(*disputes.STATUSES),
            "amount": _whole(1, 99_999_999),
            "reason": _one_of(*disputes.REASONS),
        }
        wanted = _read(given, readers)
        with self.store.transaction() as tx:
            return disputes.bring_to(
                tx,
                tx.get(charge_id, "charge", "charge"),
                wanted.get("status", "needs_response"),
                amount=wanted.get("amount"),
                reason=wanted.get("reason"),
            )

    def warn_of_fraud(self, charge_id: str, given: Given) -> Object:
        _read(given, {})
        with self.store.transaction() as tx:
            return disputes.warn_of_fraud(tx, tx.get(charge_id, "charge", "charge"))

    def fail_refund(self, refund_id: str, given: Given) -> Object:
        reason = _read(given, {"reason": _one_of(*_REFUND_FAILURES)}).get("reason", "lost_or_stolen_card")
        with self.store.transaction() as tx:
            return refunds.fail(tx, tx.get(refund_id, "refund"), reason)

    def reset(self, given: Given) -> Given:
        """Nothing that happened before it is delivered after it, unless the endpoint is very slow."""
        _read(given, {})
        self.faults.clear()
        with self.deliveries.at_rest(_REST), self.store.transaction() as tx:
            tx.erase_everything()
        return {"reset": True}

    def _action(self, request: Request) -> tuple[Callable[..., Any], str]:
        for method, pattern, action in self._routes():
            found = re.fullmatch(pattern, request.path)
            if found and method == request.method:
                return action, found.groupdict().get("id", "")
        raise Refused(f"There is no control {request.method} {request.path}.", status=404)

    def _routes(self) -> tuple[tuple[str, str, Callable[..., Any]], ...]:
        some = r"(?P<id>[A-Za-z0-9_]{1,255})"
        return (
            ("GET", "/_control/webhooks", self.show_webhooks),
            ("POST", "/_control/webhooks", self.change_webhooks),
            ("POST", "/_control/webhooks/flush", self.flush_webhooks),
            ("POST", f"/_control/events/{some}/resend", self.resend_event),
            ("GET", "/_control/faults", self.show_faults),
            ("POST", "/_control/faults", self.plan_fault),
            ("DELETE", "/_control/faults", self.clear_faults),
            ("POST", f"/_control/sessions/{some}/expire", self.expire_session),
            ("POST", f"/_control/sessions/{some}/async", self.settle_session),
            ("POST", f"/_control/charges/{some}/dispute", self.dispute_charge),
            ("POST", f"/_control/charges/{some}/fraud_warning", self.warn_of_fraud),
            ("POST", f"/_control/refunds/{some}/fail", self.fail_refund),
            ("POST", "/_control/reset", self.reset),
        )


_REFUND_FAILURES = ("lost_or_stolen_card", "expired_or_canceled_card", "insufficient_funds", "declined", "unknown")


def _json(body: bytes) -> Given:
    if not body.strip():
        return {}
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        raise bad_parameter("The body is not valid JSON.") from None
    if not isinstance(given, dict):
        raise bad_parameter("The body must be a JSON object.")
    return given


def _read(given: Given, readers: dict[str, Callable[[Any, str], Any]]) -> Given:
    for name in given:
        if name not in readers:
            raise bad_parameter(f"Unknown control: {name[:100]}", name[:100], "parameter_unknown")
    return {name: readers[name](value, name) for name, value in given.items() if value is not None}


def _flag(value: Any, name: str) -> bool:
    if not isinstance(value, bool):
        raise bad_parameter(f"{name} must be true or false.", name)
    return value


def _whole(minimum: int, maximum: int) -> Callable[[Any, str], int]:
    def reader(value: Any, name: str) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not minimum <= value <= maximum:
            raise bad_parameter(f"{name} must be a whole number from {minimum} to {maximum}.", name)
        return value

    return reader


def _copies(value: Any, name: str) -> int:
    """How often each event is sent in all; `true` is twice."""
    if isinstance(value, bool):
        return 2 if value else 1
    return max(1, _whole(0, delivery.MAX_COPIES)(value, name))


def _share(value: Any, name: str) -> float | list[str]:
    """`true` drops all, a number that share of them, a list the event types it names."""
    if isinstance(value, list):
        return _names(value, name)
    if not isinstance(value, bool | int | float) or not 0 <= value <= 1:
        raise bad_parameter(f"{name} must be true, false, a number from 0 to 1, or a list of event types.", name)
    return float(value)


def _names(value: Any, name: str) -> list[str]:
    if not isinstance(value, list) or len(value) > 100 or not all(isinstance(entry, str) for entry in value):
        raise bad_parameter(f"{name} must be a list of event types.", name)
    return [entry[:100] for entry in value]


def _path(value: Any, name: str) -> str:
    if not isinstance(value, str) or not value.startswith("/v1/"):
        raise bad_parameter(f"{name} must be a path that starts with /v1/.", name)
    return value[:500]


def _address(value: Any, name: str) -> str | None:
    if value == "":
        return None
    try:
        valid = isinstance(value, str) and urlsplit(value).scheme in ("http", "https") and urlsplit(value).hostname
    except ValueError:
        valid = False
    if not valid:
        raise bad_parameter(f"{name} must be an http or https address.", name)
    return str(value)


def _one_of(*allowed: str) -> Callable[[Any, str], str]:
    def reader(value: Any, name: str) -> str:
        if value not in allowed:
            raise bad_parameter(f"{name} must be one of {', '.join(allowed)}.", name)
        return str(value)

    return reader
