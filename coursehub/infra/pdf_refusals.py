"""The reasons for which a file is refused, each with a sentence for the person who sent it."""

from typing import ClassVar

from coursehub.kernel.errors import Invalid, Unavailable

_PDF_SENTENCES = {
    "empty_file": "This file is empty. Please export the PDF again and upload it once more.",
    "not_a_pdf": "This file is not a PDF. Please export it as a PDF and upload that.",
    "password": "This PDF opens only with a password. Please save a copy without the password and upload that.",
    "no_pages": "This PDF has no pages, so there is nothing to read.",
    "damaged": "This PDF is damaged and could not be repaired. Please export it again from the program that made it.",
    "too_many_pages": "This PDF has {pages} pages; at most {limit} are possible. Please split it into several files.",
    "page_too_large": "Page {page} of this PDF measures {width} by {height} points; at most {limit} are possible.",
    "too_complex": (
        "This PDF takes more time or memory to open than any document should need. Please export it in a simpler form."
    ),
    "polyglot": "This PDF carries a second file hidden inside it. Please export it again and upload the clean copy.",
    "active_content_unremovable": (
        "This PDF is a program rather than a document, and what it runs cannot be taken out. "
        "Please print it to a plain PDF and upload that."
    ),
}

_PICTURE_SENTENCES = {
    "empty_file": "This picture is empty. Please save it again and upload it once more.",
    "not_a_picture": "This file is not a picture we can read. Please use PNG, JPEG, WebP, GIF, AVIF or HEIC.",
    "svg": "SVG drawings can carry scripts, so they are not accepted. Please export the drawing as PNG.",
    "too_many_pixels": "This picture has more than {limit} million pixels. Please make it smaller.",
    "damaged": "This picture is damaged or cut off. Please save it again.",
    "too_complex": (
        "This picture takes more time or memory to open than a picture should need. Please save it in a simpler form."
    ),
}

_TYPESETTING_SENTENCES = {
    "outside_resource": "The text asks for {address}, which is not part of this course. Please take it out.",
    "damaged": "This text could not be set as pages. Please simplify the part you changed last.",
    "too_complex": "This text takes too long to set as pages. Please simplify the part you changed last.",
}


class FileRefused(Invalid):
    """A file that cannot be taken; `code` says why to programs, `sentence` to people, `facts` holds the numbers."""

    sentences: ClassVar[dict[str, str]] = {}

    def __init__(self, code: str, sentence: str | None = None, **facts: object) -> None:
        known = code if code in self.sentences else "damaged"
        super().__init__(sentence or self.sentences[known].format(**facts), field="file", code=known)
        self.facts = facts


class PdfRefused(FileRefused):
    sentences = _PDF_SENTENCES


class PictureRefused(FileRefused):
    sentences = _PICTURE_SENTENCES


class TypesettingRefused(FileRefused):
    sentences = _TYPESETTING_SENTENCES


class PdfToolsUnavailable(Unavailable):
    """Our side failed (disk full, library missing, no process to be had), not the file: worth trying again."""

    def __init__(self, trouble: str) -> None:
        super().__init__("The file could not be looked at just now. We try again by ourselves.", retry_after=60)
        self.trouble = trouble
