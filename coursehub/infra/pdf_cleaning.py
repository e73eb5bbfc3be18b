"""Re-write a PDF as a plain document, in the child: nothing that runs, nothing hidden, nothing locked."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pikepdf

from coursehub.infra.pdf_active import active_content, is_only_a_program
from coursehub.infra.pdf_opening import check_header, count_pages, open_pdf, rebuild_page_tree, second_file_signs
from coursehub.infra.pdf_verdicts import Refusal

LOCK = "printing and editing restrictions"
HIDDEN_DATA = "data hidden around the document"


def sanitise(path: str, out: str, max_pages: int) -> Iterator[dict[str, object]]:
    source, target = Path(path), Path(out)
    check_header(source)
    with open_pdf(source) as pdf:
        if is_only_a_program(pdf):
            raise Refusal("active_content_unremovable")
        count_pages(pdf, max_pages)
        removed = active_content(pdf, take_out=True)
        if pdf.is_encrypted:
            removed.append(LOCK)
        if second_file_signs(source):
            removed.append(HIDDEN_DATA)
        rebuild_page_tree(pdf)
        if "/Size" not in pdf.trailer:
            # Rebuilt trailers have none, and then the linearised table gets none; a present one is set right.
            pdf.trailer["/Size"] = len(pdf.objects) + 1
        # Streams stay as they are (a bomb is not unpacked here), loose ones are packed, unreachable ones fall away.
        pdf.save(
            target,
            linearize=True,
            compress_streams=True,
            stream_decode_level=pikepdf.StreamDecodeLevel.none,
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
            encryption=False,
            deterministic_id=True,
        )
        repaired = bool(pdf.get_warnings())
    pages = _prove(target)
    yield {"removed": sorted(set(removed)), "repaired": repaired, "pages_count": pages, "size": target.stat().st_size}


def _prove(target: Path) -> int:
    """Trust nothing that was not looked at again in the file as written."""
    if zipfile.is_zipfile(target):
        raise Refusal("polyglot")
    with open_pdf(target) as written:
        if active_content(written):
            raise Refusal("active_content_unremovable")
        return count_pages(written, most=len(written.pages))
