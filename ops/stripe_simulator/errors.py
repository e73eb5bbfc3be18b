"""The refusals of the API, in the shape of Stripe's error bodies."""

from typing import Any

_DOCUMENTED = "https://docs.stripe.com/error-codes#"


class Refused(Exception):
    """A request that Stripe would answer with an error body.

    `remembered` says whether an idempotency key keeps this answer: Stripe forgets refusals of the parameters
    themselves, since nothing was started, and keeps the others.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        remembered: bool = True,
        extra: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.kind = kind
        self.code = code
        self.param = param
        self.remembered = remembered
        self.extra = extra or {}

    def body(self, log_url: str) -> dict[str, Any]:
        error: dict[str, Any] = {}
        if self.code:
            error["code"] = self.code
            error["doc_url"] = _DOCUMENTED + self.code.replace("_", "-")
        error["message"] = self.message
        if self.param:
            error["param"] = self.param
        error["request_log_url"] = log_url
        error["type"] = self.kind
        error.update(self.extra)
        return {"error": error}


def bad_parameter(message: str, param: str | None = None, code: str | None = None) -> Refused:
    return Refused(message, code=code, param=param, remembered=False)


def missing(what: str, object_id: str, param: str = "id") -> Refused:
    return Refused(f"No such {what}: '{object_id}'", status=404, code="resource_missing", param=param)
