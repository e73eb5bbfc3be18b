"""A process that ends when its parent does, so that a killed supervisor leaves nothing behind."""

import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1  # prctl(2)


def follow_parent() -> None:
    """Ask the kernel for SIGTERM at the parent's death; end at once when it has died already. Linux only."""
    if not hasattr(os, "getppid") or os.name != "posix":
        return
    try:
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    except (OSError, AttributeError):
        return
    if os.getppid() == 1:
        os.kill(os.getpid(), signal.SIGTERM)
