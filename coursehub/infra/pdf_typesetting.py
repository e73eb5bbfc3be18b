"""HTML to a tagged PDF by WeasyPrint, in the child, with nothing in reach but what was handed in."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

from weasyprint import CSS, HTML  # type: ignore[import-untyped]
from weasyprint.text.fonts import FontConfiguration  # type: ignore[import-untyped]
from weasyprint.urls import URLFetcher, URLFetcherResponse  # type: ignore[import-untyped]

from coursehub.infra.pdf_verdicts import Refusal

_BASE = "course:"


class HandedIn(URLFetcher):
    """Answers for the resources that came with the text; every other address is written down and denied."""

    def __init__(self, resources: dict[str, tuple[str, Path]]) -> None:
        super().__init__(allowed_protocols=())
        self.resources = resources
        self.denied: list[str] = []

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:
        if url in self.resources:
            kind, file = self.resources[url]
            return URLFetcherResponse(url, file.read_bytes(), {"Content-Type": kind})
        self.denied.append(url)
        raise ValueError("not handed in")


def typeset(html: str, css: str, resources: str, out: str) -> Iterator[dict[str, object]]:
    """Each argument names a file: the text, its style, a list of resources, and where the PDF goes."""
    logging.getLogger("weasyprint").setLevel(logging.ERROR)
    listed = json.loads(Path(resources).read_text("utf-8"))
    fetcher = HandedIn({address: (kind, Path(file)) for address, kind, file in listed})
    fonts = FontConfiguration()
    style = CSS(string=Path(css).read_text("utf-8"), font_config=fonts, url_fetcher=fetcher, base_url=_BASE)
    text = HTML(string=Path(html).read_text("utf-8"), url_fetcher=fetcher, base_url=_BASE)
    document = text.render(stylesheets=[style], font_config=fonts)
    if fetcher.denied:
        raise Refusal("outside_resource", address=fetcher.denied[0][:200])
    document.write_pdf(out, pdf_variant="pdf/ua-1")
    if fetcher.denied:
        raise Refusal("outside_resource", address=fetcher.denied[0][:200])
    yield {"pages_count": len(document.pages)}
