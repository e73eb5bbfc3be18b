"""The child's side of every PDF and picture operation: limits first, then one operation, then the end."""

import ctypes
import json
import os
import resource
import signal
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_CLONE_NEWNET = 0x40000000

_OPERATIONS = {
    "inspect": ("coursehub.infra.pdf_inspection", "inspect"),
    "sanitise": ("coursehub.infra.pdf_cleaning", "sanitise"),
    "texts": ("coursehub.infra.pdf_drawing", "texts"),
    "images": ("coursehub.infra.pdf_drawing", "images"),
    "placeholders": ("coursehub.infra.pdf_drawing", "placeholders"),
    "cover": ("coursehub.infra.pdf_drawing", "cover"),
    "picture": ("coursehub.infra.pdf_pictures", "picture"),
    "typeset": ("coursehub.infra.pdf_typesetting", "typeset"),
}
_FORBIDDEN_ACTS = ("socket.connect", "socket.bind", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.exec")


def confine(limits: dict[str, int]) -> None:
    """Everything the operating system can take from us before we look at a stranger's file."""
    libc = ctypes.CDLL(None, use_errno=True)
    if sys.platform == "linux":
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        libc.unshare(_CLONE_NEWNET)  # a network without a way out, where we are allowed to ask for one
    if os.getppid() != limits["parent"]:
        os._exit(1)  # the parent died before PDEATHSIG was set
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (limits["cpu"], limits["cpu"] + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (limits["file_bytes"], limits["file_bytes"]))
    resource.setrlimit(resource.RLIMIT_AS, (limits["memory"], limits["memory"]))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write beyond the limit fails as OSError instead
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def main() -> int:
    confine(json.loads(sys.argv[1]))
    results = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    os.dup2(2, 1)  # libraries that print must not spoil the answer
    request = json.load(sys.stdin)

    def say(**line: object) -> None:
        results.write(json.dumps(line) + "\n")
        results.flush()

    # Only now, under limits: these imports bring in the libraries that read strangers' files.
    from importlib import import_module

    from coursehub.infra.pdf_verdicts import verdict_on

    try:
        module, function = _OPERATIONS[request["operation"]]
        operation = getattr(import_module(module), function)
        sys.addaudithook(_no_way_out)
        for line in operation(**request["arguments"]):
            say(**line)
        say(done=True)
    except Exception as problem:
        say(**verdict_on(problem))
        return 1
    finally:
        # Left at once: a library that crashes while it tidies up must not spoil an answer that is complete.
        results.flush()
    os._exit(0)


def _no_way_out(event: str, arguments: tuple[object, ...]) -> None:
    if event in _FORBIDDEN_ACTS:
        raise PermissionError(f"{event} is not for documents")


if __name__ == "__main__":
    os._exit(main())
