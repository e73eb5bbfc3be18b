"""Words taken from a stranger's file, made fit to be shown: no control characters, no turned reading direction."""

import re
import unicodedata

TITLE_LENGTH = 200
_BLANKS = re.compile(r"\s+")
# Cf (invisible formatting) goes, except the joiners that emoji and several scripts are written with.
_KEPT_FORMATTING = "\u200c\u200d"
_NO_TITLE = re.compile(
    r"^(untitled([ _-]?\d*)?|document ?\d*|microsoft word\b.*|(microsoft )?powerpoint\b.*"
    r"|.*\.(docx?|indd|pages|tex|odt|pptx?|pdf|qxd))$",
    re.IGNORECASE,
)


def readable(text: str, length: int = TITLE_LENGTH) -> str:
    """`text` on one line, cleaned and cut to `length` characters."""
    text = unicodedata.normalize("NFC", text[: length * 20])
    shown = "".join(
        " " if unicodedata.category(sign) in ("Zl", "Zp") or sign in "\t\n\r\f\v" else sign for sign in text
    )
    shown = "".join(sign for sign in shown if _shows(sign))
    shown = _BLANKS.sub(" ", shown).strip(_KEPT_FORMATTING + " ")
    return shown[:length].rstrip(_KEPT_FORMATTING + " ")


def as_title(text: str | None) -> str | None:
    """`text` as a course title, or None where it is empty or the name that a program gave by itself."""
    title = readable(text or "")
    if not any(sign.isalnum() or unicodedata.category(sign) == "So" for sign in title):
        return None
    return None if _NO_TITLE.match(title) else title


def plain(text: str, length: int) -> str:
    """The text of a page: lines kept, everything that cannot be stored or shown left out."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(sign for sign in text if sign in "\n\t" or _shows(sign))[:length].strip()


def _shows(sign: str) -> bool:
    if sign in _KEPT_FORMATTING:
        return True
    return unicodedata.category(sign) not in ("Cc", "Cf", "Cs", "Co", "Cn") and sign not in "\ufffe\uffff"
