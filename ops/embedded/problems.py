"""What a person is told when the stack cannot run: one sentence, no traceback."""

import os
import sys
from contextlib import suppress


class CannotRun(Exception):
    """The stack cannot start or go on; the message is the whole explanation."""


class Stopped(Exception):
    """A signal asked us to stop while something was still under way."""


def say(sentence: str) -> None:
    # The terminal may be gone (SIGHUP, a closed pipe); that must not keep us from stopping our children.
    try:
        print(sentence, flush=True)
    except OSError:
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
