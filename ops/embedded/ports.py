"""Ports: which one is free, and one sentence when the one we want is not."""

import errno
import socket

from ops.embedded.problems import CannotRun


def require_free(host: str, port: int, *, use: str) -> None:
    try:
        with _listening(host, port):
            pass
    except OSError as problem:
        if problem.errno == errno.EADDRINUSE:
            reason = "is taken by another program"
        elif problem.errno == errno.EACCES:
            reason = "may not be used by this user"
        else:
            raise CannotRun(f"CourseHub cannot listen on {host}:{port} ({problem.strerror or problem}).") from None
        raise CannotRun(
            f"Port {port} on {host}, needed for {use}, {reason}; choose another with make run PORT=8100."
        ) from None


def a_free_one(host: str = "127.0.0.1") -> int:
    with _listening(host, 0) as listener:
        port: int = listener.getsockname()[1]
        return port


def _listening(host: str, port: int) -> socket.socket:
    family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind)
    try:
        # As servers do: a port in TIME_WAIT counts as free, one that somebody listens on does not.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1)
    except OSError:
        listener.close()
        raise
    return listener
