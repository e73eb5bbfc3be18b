"""`@idempotent`: the same Idempotency-Key gives the same answer, however often it is sent."""

import json
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from hashlib import sha256
from typing import Any, TypeVar

from flask import Response, make_response, request
from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert

from coursehub.kernel import clock
from coursehub.kernel.db import db, transaction
from coursehub.kernel.errors import Conflict, Invalid
from coursehub.kernel.idempotency import IdempotencyKey

KEPT = timedelta(hours=24)
# A request that began this long ago and left no answer died with its process: the key may be used again.
_ABANDONED = timedelta(seconds=60)
View = TypeVar("View", bound=Callable[..., Any])


class InFlight(Conflict):
    """The first request with this key is still running."""

    retry_after = 2


def idempotent(person: Callable[[], str]) -> Callable[[View], View]:
    """Honour an `Idempotency-Key` header for `person()`. Without the header the view runs as it is.

    Same key and request: the stored answer, byte for byte. Other request: 422. In flight: 409 with Retry-After.
    Answers of 409, 429 and 5xx are not stored, so they may be tried again.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            key = request.headers.get("Idempotency-Key", "")
            if not key:
                return view(*args, **kwargs)
            if len(key) > 200:
                raise Invalid("An Idempotency-Key has at most 200 characters.", field="Idempotency-Key")
            scope = f"{person()} {request.method} {request.path}"
            digest = sha256(request.get_data(cache=True)).digest()
            stored = _claim(scope, key, digest)
            if stored is not None:
                return _replay(stored)
            try:
                response = make_response(view(*args, **kwargs))
            except BaseException:
                _release(scope, key)
                raise
            if response.status_code in (409, 429) or response.status_code >= 500:
                _release(scope, key)
            else:
                _keep(scope, key, response)
            return response

        return guarded  # type: ignore[return-value]

    return decorate


def _claim(scope: str, key: str, digest: bytes) -> dict[str, Any] | None:
    """None: the key is ours to use. Else the stored answer. Raises InFlight or Invalid."""
    with transaction() as session:
        now = clock.now()
        session.execute(
            delete(IdempotencyKey).where(
                IdempotencyKey.scope == scope,
                IdempotencyKey.key == key,
                (IdempotencyKey.created_at < now - KEPT)
                | (IdempotencyKey.answer.is_(None) & (IdempotencyKey.created_at < now - _ABANDONED)),
            )
        )
        claimed = session.execute(
            insert(IdempotencyKey)
            .values(scope=scope, key=key, request_hash=digest)
            .on_conflict_do_nothing()
            .returning(IdempotencyKey.key)
        ).first()
        if claimed:
            return None
        row = session.get_one(IdempotencyKey, (scope, key), populate_existing=True)
        if row.request_hash != digest:
            raise Invalid("This Idempotency-Key was used for another request.", field="Idempotency-Key")
        if row.answer is None:
            raise InFlight("The first request with this Idempotency-Key is still running.")
        return dict(row.answer)


def _release(scope: str, key: str) -> None:
    db.session.rollback()
    with transaction() as session:
        session.execute(delete(IdempotencyKey).where(IdempotencyKey.scope == scope, IdempotencyKey.key == key))


def _keep(scope: str, key: str, response: Response) -> None:
    answer = {
        "status": response.status_code,
        "body": response.get_data(as_text=True),
        "type": response.content_type,
        "location": response.headers.get("Location"),
    }
    json.dumps(answer)
    with transaction() as session:
        session.execute(
            update(IdempotencyKey).where(IdempotencyKey.scope == scope, IdempotencyKey.key == key).values(answer=answer)
        )


def _replay(stored: dict[str, Any]) -> Response:
    response = make_response(stored["body"], stored["status"])
    response.headers["Content-Type"] = stored["type"]
    if stored["location"]:
        response.headers["Location"] = stored["location"]
    response.headers["Idempotent-Replayed"] = "true"
    return response
