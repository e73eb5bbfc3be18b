"""The ways a story says no: each with an HTTP status, a title and a sentence for a human (RFC 9457)."""


class DomainError(Exception):
    """A refusal that the person who asked should read."""

    status = 400
    title = "That did not work"
    type = "about:blank"

    def __init__(self, sentence: str, *, field: str | None = None, code: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field
        self.code = code


class Invalid(DomainError):
    """The values make no sense here; `field` names the one to blame."""

    status = 422
    title = "Please check what you entered"


class NotSignedIn(DomainError):
    status = 401
    title = "Please sign in"


class NotAllowed(DomainError):
    status = 403
    title = "You may not do this"


class NotFound(DomainError):
    status = 404
    title = "Not found"

    def __init__(self, sentence: str = "There is nothing here.", **more: str | None) -> None:
        super().__init__(sentence, **more)


class Conflict(DomainError):
    status = 409
    title = "That clashes with how things are now"


class TooLarge(DomainError):
    status = 413
    title = "Too large"


class TooMany(DomainError):
    """Asked too often; `retry_after` in seconds."""

    status = 429
    title = "Too many requests"

    def __init__(self, sentence: str, *, retry_after: int = 60) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class Unavailable(DomainError):
    """Something we depend on is away; trying again later works. `retry_after` in seconds."""

    status = 503
    title = "Not available right now"

    def __init__(self, sentence: str, *, retry_after: int = 30) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after
