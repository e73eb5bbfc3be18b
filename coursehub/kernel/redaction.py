"""What must not reach a log or an error report: addresses of people."""

import re

_ADDRESS = re.compile(r"[\w.+%'-]+@[\w-]+(?:\.[\w-]+)+")


def redact(text: str) -> str:
    """`text` with everything that looks like an e-mail address taken out."""
    return _ADDRESS.sub("<address>", text)
