"""From an exception inside the child to one line: refused (the file's fault) or trouble (ours)."""

import errno
import sys
import traceback

_OUR_FAULT = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EACCES,
    errno.EROFS,
    errno.ENOENT,
    errno.EIO,
    errno.EMFILE,
    errno.ENFILE,
)


class Refusal(Exception):
    """Raised by an operation that knows why the file is refused."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


def verdict_on(problem: Exception) -> dict[str, object]:
    if isinstance(problem, Refusal):
        return {"refused": problem.code, "facts": problem.facts}
    if isinstance(problem, MemoryError | RecursionError):
        return {"refused": "too_complex", "facts": {}}
    if isinstance(problem, OSError) and problem.errno == errno.EFBIG:
        return {"refused": "too_complex", "facts": {}}
    if isinstance(problem, ImportError | FileNotFoundError) or (
        isinstance(problem, OSError) and problem.errno in _OUR_FAULT
    ):
        return {"trouble": f"{type(problem).__name__}: {problem}"}
    # Whatever a parser throws at a file that it does not understand: the log gets the details, the person a sentence.
    traceback.print_exc(limit=20, file=sys.stderr)
    return {"refused": "damaged", "facts": {}}
