"""Liveness and readiness."""

from flask import Blueprint, Response, jsonify, request
from sqlalchemy import text

from coursehub.infra.services import services
from coursehub.kernel.db import db

blueprint = Blueprint("health", __name__)
HEARTBEATS = ("worker-io", "worker-media", "relay", "clock")


@blueprint.get("/healthz")
def healthz() -> Response:
    """This process answers."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def readyz() -> tuple[Response, int]:
    """This process can serve: the database answers. `?all=1` also asks for Redis and the other processes."""
    checks = {"database": _database()}
    if request.args.get("all"):
        checks["redis"] = _redis()
        for name in HEARTBEATS:
            checks[name] = checks["redis"] and bool(services().redis.exists(f"heartbeat:{name}"))
    ready = all(checks.values())
    response = jsonify(status="ready" if ready else "not ready", checks=checks)
    response.headers["Cache-Control"] = "no-store"
    return response, 200 if ready else 503


def _database() -> bool:
    try:
        db.session.execute(text("SELECT 1"))
    except Exception:
        db.session.remove()
        return False
    return True


def _redis() -> bool:
    try:
        return bool(services().redis.ping())
    except Exception:
        return False
