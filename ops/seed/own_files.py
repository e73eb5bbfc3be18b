"""A PDF of Ben's own, for his library: three short pages, set when somebody asks."""

from coursehub.infra.pdf import PdfTools

FILENAME = "reading-group-notes.pdf"
_CSS = "@page { size: A5; margin: 18mm } body { font: 11pt/1.5 serif } h1 { break-before: page; font-size: 18pt }"
_PAGES = (
    (
        "Notes from the reading group",
        "We meet on the first Tuesday of the month, at seven, in the room above the bicycle shop. Bring the course you "
        "are reading and one page that you would read aloud.",
        "In March we read about light. Nobody had noticed before that a window is a lamp that moves.",
    ),
    (
        "What we agreed on",
        "A page is long enough when somebody wants to turn it. Margins are for the thumbs and for second thoughts.",
        "Whoever has finished a course says in one sentence what they can do now that they could not do before.",
    ),
    (
        "Next time",
        "Four chords, one song. Bring the guitar; the neighbours have been asked.",
        "Cleo brings tea, Ben brings these notes.",
    ),
)


def pdf_bytes(tools: PdfTools) -> bytes:
    """The file, as Ben would upload it."""
    body = "".join(f"<h1>{heading}</h1>" + "".join(f"<p>{text}</p>" for text in texts) for heading, *texts in _PAGES)
    return tools.typeset(f"<html lang=en><title>{_PAGES[0][0]}</title><body>{body}</body></html>", {}, _CSS)
