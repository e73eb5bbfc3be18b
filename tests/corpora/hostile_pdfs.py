"""PDFs made to hurt: bombs, circles, programs and disguises, each with the answers that are good enough."""

import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import pikepdf

from tests.corpora.pdf_sketch import FONT, WORDS, Sketch, deflated, document, packed, stream, utf16, with_update

ACCEPTED = "accepted"


@dataclass(frozen=True)
class HostilePdf:
    """`answers` are the outcomes allowed: ACCEPTED or codes of refusal; `removed` must then be among what was cut."""

    name: str
    make: Callable[[], bytes]
    answers: frozenset[str]
    removed: frozenset[str] = frozenset()


def hostile_pdfs() -> Iterator[HostilePdf]:
    yield from _bombs()
    yield from _circles_and_depths()
    yield from _sizes()
    yield from _programs()
    yield from _disguises()
    yield from _ruins()


def _case(name: str, make: Callable[[], bytes], *answers: str, removed: tuple[str, ...] = ()) -> HostilePdf:
    return HostilePdf(name, make, frozenset(answers), frozenset(removed))


def _bombs() -> Iterator[HostilePdf]:
    blanks = partial(deflated, b" " * 1_000_000)
    yield _case(
        "bomb-1-GB-of-blanks",
        lambda: document(contents=stream(blanks(1000), b"/Filter /FlateDecode")).with_table(),
        "too_complex",
        ACCEPTED,
    )
    yield _case(
        "bomb-200-MB-of-lines",
        lambda: document(
            contents=stream(deflated(b"0 0 m 600 700 l S\n" * 50_000, 220), b"/Filter /FlateDecode")
        ).with_table(),
        "too_complex",
    )
    yield _case(
        "bomb-packed-three-times",
        lambda: document(
            contents=stream(
                zlib.compress(zlib.compress(blanks(2000))), b"/Filter [/FlateDecode /FlateDecode /FlateDecode]"
            )
        ).with_table(),
        "too_complex",
        ACCEPTED,
    )
    yield _case("bomb-run-length", lambda: document(contents=_run_length_bomb()).with_table(), "too_complex", ACCEPTED)
    yield _case(
        "bomb-lzw-garbage",
        lambda: document(contents=stream(b"\x80" * 3_000_000, b"/Filter /LZWDecode")).with_table(),
        "too_complex",
        ACCEPTED,
    )
    yield _case("bomb-in-the-object-stream", _object_stream_bomb, "too_complex", "damaged", ACCEPTED)
    yield _case("bomb-in-the-table", _table_bomb, "too_complex", "damaged", ACCEPTED)
    yield _case(
        "bomb-picture-1-bit", partial(_picture_bomb, 60_000, 60_000, 1, b"/DeviceGray"), "too_complex", ACCEPTED
    )
    yield _case(
        "bomb-picture-colour", partial(_picture_bomb, 25_000, 25_000, 8, b"/DeviceRGB"), "too_complex", ACCEPTED
    )
    yield _case(
        "bomb-picture-huge-numbers", partial(_small_picture, 2_000_000_000, 2_000_000_000), "too_complex", ACCEPTED
    )
    yield _case("bomb-mask-of-a-mask", _masked_picture, "too_complex", ACCEPTED)
    yield _case("bomb-forms-ten-to-the-eighth", partial(_laughs, 8, 10), "too_complex", ACCEPTED)
    yield _case("bomb-forms-two-to-the-thirtieth", partial(_laughs, 30, 2), "too_complex", ACCEPTED)
    yield _case("bomb-pattern-tiny-steps", _tiny_steps, "too_complex", ACCEPTED)
    yield _case("bomb-pattern-in-pattern", _pattern_in_pattern, "too_complex", ACCEPTED)
    yield _case("bomb-function-shading", _function_shading, "too_complex", ACCEPTED)
    yield _case("bomb-mesh", _mesh, "too_complex", ACCEPTED)
    yield _case("bomb-letters-of-forms", _letters_of_forms, "too_complex", ACCEPTED)
    yield _case("bomb-transparent-groups", _groups, "too_complex", ACCEPTED)
    yield _case(
        "bomb-million-states",
        lambda: document(contents=packed(b"q " * 2_000_000)).with_table(),
        "too_complex",
        ACCEPTED,
    )
    yield _case(
        "bomb-dashes",
        lambda: document(content=b"[0.00001] 0 d 0 0 m 600 700 l S " * 50).with_table(),
        "too_complex",
        ACCEPTED,
    )
    yield _case(
        "bomb-dots",
        lambda: document(content=b"1000000 w 1 J 0 0 m " + b"1e7 1e7 -1e7 1e7 0 0 c " * 20_000 + b"S").with_table(),
        "too_complex",
        ACCEPTED,
    )
    yield _case("bomb-200000-annotations", _many_annotations, "too_complex", ACCEPTED)
    yield _case("bomb-300000-objects", _many_objects, "too_complex", ACCEPTED)
    yield _case(
        "bomb-title-of-ten-megabytes",
        lambda: document(title=utf16("\u202e\0A" * 1_000_000)).with_table(),
        ACCEPTED,
        "too_complex",
    )
    yield _case("bomb-name-tree", _names_upon_names, ACCEPTED, "too_complex")


def _circles_and_depths() -> Iterator[HostilePdf]:
    yield _case("circle-form", _form_in_itself, ACCEPTED, "too_complex")
    yield _case(
        "circle-pages",
        lambda: _tree(b"/Kids [2 0 R 5 0 R] /Count 2147483647"),
        ACCEPTED,
        "damaged",
        "too_complex",
        "too_many_pages",
    )
    yield _case("circle-pages-only", lambda: _tree(b"/Kids [2 0 R] /Count 1"), "damaged", "no_pages", "too_complex")
    yield _case(
        "circle-parents",
        lambda: document(tree=b"/Parent 5 0 R", box=None).with_table(),
        ACCEPTED,
        "damaged",
        "too_complex",
    )
    yield _case("circle-previous-table", _previous_of_itself, ACCEPTED, "damaged", "too_complex")
    yield _case(
        "circle-length",
        lambda: document(contents=b"<< /Length 4 0 R >>\nstream\nq Q\nendstream").with_table(),
        ACCEPTED,
        "damaged",
        "too_complex",
    )
    yield _case("circle-of-references", _references_in_a_circle, ACCEPTED, "damaged", "page_too_large", "too_complex")
    yield _case("circle-object-streams", _object_streams_in_a_circle, ACCEPTED, "damaged", "too_complex")
    yield _case(
        "circle-font",
        lambda: _with_object(
            3, b"<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /Identity-H /DescendantFonts [3 0 R] >>"
        ),
        ACCEPTED,
        "too_complex",
        "damaged",
    )
    yield _case(
        "depth-of-a-million-lists",
        lambda: document(page=b"/A " + b"[" * 1_000_000 + b"]" * 1_000_000).with_table(),
        ACCEPTED,
        "damaged",
        "too_complex",
        "no_pages",
    )
    yield _case(
        "depth-of-a-million-dictionaries",
        lambda: document(page=b"/A " + b"<</A" * 1_000_000 + b">>" * 1_000_000).with_table(),
        ACCEPTED,
        "damaged",
        "too_complex",
        "no_pages",
    )
    yield _case(
        "depth-of-lists-in-content",
        lambda: document(contents=packed(b"[" * 5_000_000)).with_table(),
        ACCEPTED,
        "too_complex",
    )
    yield _case("depth-of-pages-5000", partial(_deep_pages, 5000), ACCEPTED, "damaged", "too_complex")
    yield _case(
        "pages-200000-times-the-same",
        lambda: _tree(b"/Kids [" + b"5 0 R " * 200_000 + b"] /Count 200000"),
        "too_many_pages",
        "too_complex",
    )
    yield _case(
        "pages-counted-too-often",
        lambda: _tree(b"/Kids [5 0 R] /Count 2147483647"),
        ACCEPTED,
        "damaged",
        "too_complex",
        "too_many_pages",
    )


def _sizes() -> Iterator[HostilePdf]:
    large = ("page_too_large",)
    yield _case("size-billion", lambda: document(box=b"[0 0 1000000000 1000000000]").with_table(), *large, ACCEPTED)
    yield _case("size-thin", lambda: document(box=b"[0 0 1 10000000]").with_table(), *large)
    yield _case("size-unit", lambda: document(page=b"/UserUnit 1000000").with_table(), *large)
    yield _case("size-infinite", lambda: document(box=b"[0 0 1e400 1e400]").with_table(), *large, ACCEPTED, "damaged")
    yield _case(
        "size-not-numbers", lambda: document(box=b"[nan nan inf -inf]").with_table(), *large, ACCEPTED, "damaged"
    )
    yield _case(
        "size-overflow",
        lambda: document(box=b"[-2147483648 -2147483648 2147483647 2147483647]").with_table(),
        *large,
        ACCEPTED,
    )
    yield _case("size-hair", lambda: document(box=b"[0 0 0.0000001 0.0000001]").with_table(), ACCEPTED, "damaged")
    yield _case("size-largest-allowed", lambda: document(box=b"[0 0 14400 14400]").with_table(), ACCEPTED)


_JS = b"<< /S /JavaScript /JS (app.alert\\(1\\); this.submitForm\\({cURL: 'http://127.0.0.1:9/'}\\)) >>"


def _programs() -> Iterator[HostilePdf]:
    def runs(name: str, label: str, make: Callable[[], bytes]) -> HostilePdf:
        return _case(f"runs-{name}", make, ACCEPTED, removed=(label,))

    def link(action: bytes) -> bytes:
        return document(
            page=b"/Annots [<< /Type /Annot /Subtype /Link /Rect [0 0 99 99] /A %s >>]" % action
        ).with_table()

    opening, automatic, script = "actions on opening", "automatic actions", "JavaScript"
    yield runs("script-on-opening", opening, lambda: document(catalogue=b"/OpenAction " + _JS).with_table())
    yield runs(
        "script-by-name",
        script,
        lambda: document(catalogue=b"/Names << /JavaScript << /Names [(a) %s] >> >>" % _JS).with_table(),
    )
    yield runs("script-of-the-page", automatic, lambda: document(page=b"/AA << /O %s >>" % _JS).with_table())
    yield runs("script-of-the-document", automatic, lambda: document(catalogue=b"/AA << /WC %s >>" % _JS).with_table())
    yield runs("script-in-a-link", script, lambda: link(_JS))
    yield runs("script-in-a-stream", script, _script_in_a_stream)
    yield runs("script-escaped-names", script, lambda: link(b"<< /S /Java#53cript /#4a#53 (app.alert\\(1\\)) >>"))
    yield runs("script-in-an-object-stream", opening, lambda: _packed_catalogue(b"/OpenAction 20 0 R", _JS))
    yield runs(
        "script-second-in-line",
        script,
        lambda: link(b"<< /S /GoTo /D [5 0 R /Fit] /Next [<< /S /URI /URI (https://a.example/) /Next %s >>] >>" % _JS),
    )
    yield runs("script-of-a-field", automatic, lambda: _field(b"/AA << /K %s /F %s >>" % (_JS, _JS)))
    yield runs("script-of-an-outline", script, lambda: _outline(b"/A " + _JS))
    yield runs("script-hidden-in-an-update", opening, _hidden_in_an_update)
    yield runs("script-in-a-locked-file", opening, lambda: _locked(document(catalogue=b"/OpenAction " + _JS)))
    yield runs(
        "script-where-nobody-looks", script, lambda: document(page=b"/Odd [[[<< /Deep %s >>]]]" % _JS).with_table()
    )
    yield runs(
        "launch",
        "program launches",
        lambda: link(b"<< /S /Launch /F (cmd.exe) /Win << /F (cmd.exe) /P (/c calc) >> >>"),
    )
    yield runs(
        "launch-on-opening", opening, lambda: document(catalogue=b"/OpenAction << /S /Launch /F (a.sh) >>").with_table()
    )
    yield runs(
        "launch-like-a-tag", "program launches", lambda: link(b"<< /S /Launch /F (a.sh) /P 5 0 R /Type /StructElem >>")
    )
    yield runs("form-submission", "form submission", lambda: link(b"<< /S /SubmitForm /F (http://127.0.0.1:9/x) >>"))
    yield runs("data-import", "data import", lambda: link(b"<< /S /ImportData /F (\\\\\\\\host\\\\share) >>"))
    yield runs(
        "other-file",
        "links to other files",
        lambda: link(b"<< /S /GoToR /F (\\\\\\\\host\\\\share\\\\x.pdf) /D [0 /Fit] >>"),
    )
    yield runs("other-file-inside", "links to other files", lambda: link(b"<< /S /GoToE /T << /R /C /N (a.pdf) >> >>"))
    yield runs(
        "other-file-as-content",
        "links to other files",
        lambda: document(contents=stream(b"", b"/F (/etc/passwd)")).with_table(),
    )
    yield runs("embedded-program", "embedded files", _embedded_program)
    yield runs("embedded-in-an-annotation", "embedded files", _file_annotation)
    yield runs("portfolio", "embedded files", lambda: document(catalogue=b"/Collection << /View /D >>").with_table())
    yield runs("form-xfa", "XFA form", partial(_xfa, b""))
    yield _case("runs-form-xfa-only", partial(_xfa, b"/NeedsRendering true"), "active_content_unremovable")
    yield runs(
        "film",
        "rich media",
        lambda: document(
            page=b"/Annots [<< /Type /Annot /Subtype /RichMedia /Rect [0 0 9 9] /RichMediaContent << >> >>]"
        ).with_table(),
    )
    yield runs("rendition", "rich media", lambda: link(b"<< /S /Rendition /OP 0 /JS (app.alert\\(1\\)) >>"))
    yield runs("menu-command", "other actions", lambda: link(b"<< /S /Named /N /Quit >>"))
    for name, address in {
        "javascript": b"javascript:alert\\(document.domain\\)",
        "javascript-disguised": b" \\njAvAs\\tcRiPt:alert\\(1\\)",
        "file": b"file:///etc/passwd",
        "data": b"data:text/html,<script>alert\\(1\\)</script>",
        "vbscript": b"vbscript:msgbox",
        "share": b"\\\\\\\\host\\\\share",
        "search": b"search-ms:query=x",
        "relative": b"../../secret.pdf",
    }.items():
        yield runs(f"link-{name}", "unsafe links", lambda a=address: link(b"<< /S /URI /URI (%s) >>" % a))
    yield runs("link-utf16", "unsafe links", lambda: link(b"<< /S /URI /URI %s >>" % utf16("javascript:alert(1)")))
    yield runs("link-base", "unsafe links", lambda: document(catalogue=b"/URI << /Base (javascript:) >>").with_table())
    yield _case("runs-font-matrix", _font_matrix, ACCEPTED)
    yield _case("runs-xmp-entity", _xmp_entities, ACCEPTED, "too_complex")


def _disguises() -> Iterator[HostilePdf]:
    sound = document().with_table()
    page = b"<!doctype html><script>alert(document.domain)</script><!--\n"
    hidden = ("data hidden around the document",)
    yield _case("disguise-page-before", lambda: page + sound, "not_a_pdf")
    yield _case(
        "disguise-page-after", lambda: sound + b"<script>alert(1)</script>", ACCEPTED, "polyglot", removed=hidden
    )
    yield _case(
        "disguise-page-in-comment",
        lambda: document(header=b"%PDF-1.4\n%<script>alert(1)</script>\n").with_table(),
        ACCEPTED,
        "polyglot",
        removed=hidden,
    )
    yield _case(
        "disguise-page-in-stream",
        lambda: document(contents=stream(b"% <script>alert(1)</script>\n" + WORDS)).with_table(),
        ACCEPTED,
    )
    yield _case("disguise-gif", lambda: b"GIF89a" + b"\0" * 1000 + sound, "not_a_pdf")
    yield _case("disguise-program-before", lambda: b"MZ\x90\0" + b"\0" * 900 + sound, "not_a_pdf")
    yield _case(
        "disguise-program-after", lambda: sound + b"MZ\x90\0" + b"\1" * 5000, ACCEPTED, "polyglot", removed=hidden
    )
    yield _case("disguise-archive-after", lambda: _with_zip(sound), ACCEPTED, "polyglot", removed=hidden)
    yield _case("disguise-archive-in-stream", _zip_in_a_stream, ACCEPTED, "polyglot", removed=hidden)
    yield _case(
        "disguise-java-archive", lambda: _with_zip(sound, "META-INF/MANIFEST.MF"), ACCEPTED, "polyglot", removed=hidden
    )
    yield _case("disguise-shell-script", lambda: b"#!/bin/sh\nexit 0\n" + sound, "not_a_pdf")
    yield _case("disguise-program-renamed", lambda: b"MZ\x90\0" + b"\0" * 3000, "not_a_pdf")
    yield _case(
        "disguise-drawing-renamed", lambda: b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "not_a_pdf"
    )
    yield _case(
        "disguise-title", lambda: document(title=b'("><img src=x onerror=alert\\(1\\)>)').with_table(), ACCEPTED
    )


def _ruins() -> Iterator[HostilePdf]:
    sound = document(3).with_table()
    either = (ACCEPTED, "damaged", "no_pages", "too_complex")
    for part in (30, 45, 60, 75, 90, 99):
        yield _case(f"ruin-first-{part}-percent", lambda p=part: sound[: len(sound) * p // 100], *either)
    yield _case("ruin-every-hundredth-byte", lambda: _hurt(sound, 100), *either)
    yield _case(
        "ruin-every-thirtieth-byte",
        lambda: _hurt(sound, 30),
        *either,
        "password",
        "too_many_pages",
        "page_too_large",
        "not_a_pdf",
    )
    yield _case("ruin-ten-megabytes-of-nothing", lambda: sound + b"\0" * 10_000_000, ACCEPTED)
    yield _case(
        "ruin-million-objects-without-end", lambda: b"%PDF-1.7\n" + b"1 0 obj\n<<\n" * 300_000, "damaged", "too_complex"
    )
    yield _case("ruin-table-of-ten-million", lambda: sound.replace(b"xref\n0 8", b"xref\n0 9999999"), *either)
    yield _case("ruin-objects-numbered-high", lambda: sound.replace(b"/Size 8", b"/Size 2147483647"), *either)
    yield _case(
        "ruin-encryption-of-nothing", lambda: document(trailer=b"/Encrypt 99 0 R").with_table(), *either, "password"
    )
    yield _case(
        "ruin-encryption-key-enormous",
        lambda: document(
            trailer=b"/Encrypt << /Filter /Standard /V 2 /R 3 /Length 99999999 /O () /U () /P -1 >> /ID [() ()]"
        ).with_table(),
        *either,
        "password",
    )


def _run_length_bomb() -> bytes:
    return stream(deflated(b"\x81 " * 500_000, 8), b"/Filter [/FlateDecode /RunLengthDecode]")


def _object_stream_bomb() -> bytes:
    made = document()
    heads = b"30 0 "
    body = deflated(heads.ljust(1_000_000, b"("), 1500)
    made.objects[20] = stream(body, b"/Type /ObjStm /N 1 /First %d /Filter /FlateDecode" % len(heads))
    return _with_packed_object(made, 20, 30)


def _with_packed_object(made: Sketch, holder: int, number: int) -> bytes:
    """A cross-reference stream by hand, in which object `number` lies in object stream `holder`."""
    made.objects[5] = made.objects[5].replace(b"/Contents 4 0 R", b"/Contents 4 0 R /Extra %d 0 R" % number)
    written, places = made.body()
    table = number + 1
    rows = [b"\0" * 7] * (table + 1)
    for index, place in (places | {table: len(written)}).items():
        rows[index] = b"\1" + place.to_bytes(4, "big") + b"\0\0"
    rows[number] = b"\2" + holder.to_bytes(4, "big") + b"\0\0"
    entries = b"/Type /XRef /Size %d /Root 1 0 R /W [1 4 2]" % (table + 1)
    ending = made.ending(len(written))
    return bytes(written) + b"%d 0 obj\n" % table + packed(b"".join(rows), entries) + b"\nendobj\n" + ending


def _table_bomb() -> bytes:
    written, _ = document().body()
    body = stream(
        deflated(b"\0" * 1_000_000, 1500), b"/Type /XRef /Size 214000000 /Root 1 0 R /W [1 4 2] /Filter /FlateDecode"
    )
    return bytes(written) + b"9 0 obj\n" + body + b"\nendobj\n" + Sketch().ending(len(written))


def _picture(width: int, height: int, bits: int, colours: bytes, data: bytes, more: bytes = b"") -> bytes:
    size = b"/Width %d /Height %d /BitsPerComponent %d /ColorSpace %s" % (width, height, bits, colours)
    return stream(data, b"/Type /XObject /Subtype /Image %s /Filter /FlateDecode %s" % (size, more))


def _shown(picture: bytes) -> Sketch:
    made = document(content=b"q 600 0 0 700 0 0 cm /I Do Q", resources=b"/XObject << /I 30 0 R >>")
    made.objects[30] = picture
    return made


def _picture_bomb(width: int, height: int, bits: int, colours: bytes) -> bytes:
    row = width * bits * (3 if colours == b"/DeviceRGB" else 1) // 8
    return _shown(_picture(width, height, bits, colours, deflated(b"\0" * row, height))).with_table()


def _small_picture(width: int, height: int) -> bytes:
    return _shown(_picture(width, height, 8, b"/DeviceRGB", zlib.compress(b"\0" * 100))).with_table()


def _masked_picture() -> bytes:
    made = _shown(_picture(8000, 8000, 8, b"/DeviceRGB", deflated(b"\0" * 24_000, 8000), b"/SMask 31 0 R"))
    made.objects[31] = _picture(16_000, 16_000, 8, b"/DeviceGray", deflated(b"\x80" * 16_000, 16_000), b"/SMask 30 0 R")
    return made.with_table()


def _form(content: bytes, entries: bytes = b"") -> bytes:
    return stream(content, b"/Type /XObject /Subtype /Form /BBox [0 0 600 700] " + entries)


def _laughs(depth: int, width: int) -> bytes:
    """Each form shows the next one `width` times."""
    made = document(content=b"/X Do", resources=b"/XObject << /X 30 0 R >>")
    for level in range(depth):
        made.objects[30 + level] = _form(b"/X Do " * width, b"/Resources << /XObject << /X %d 0 R >> >>" % (31 + level))
    made.objects[30 + depth] = _form(b"0 0 m 9 9 l S " * width)
    return made.with_table()


def _tiny_steps() -> bytes:
    made = document(content=b"/Pattern cs /P scn 0 0 612 792 re f", resources=b"/Pattern << /P 30 0 R >>")
    entries = b"/Type /Pattern /PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 1 1] /XStep 0.001 /YStep 0.001"
    made.objects[30] = stream(b"0 0 1 1 re f", entries + b" /Resources << >>")
    return made.with_table()


def _pattern_in_pattern() -> bytes:
    made = document(content=b"/Pattern cs /P scn 0 0 612 792 re f", resources=b"/Pattern << /P 30 0 R >>")
    for level in range(12):
        entries = b"/Type /Pattern /PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 50 50] /XStep 5 /YStep 5 "
        inside = b"/Resources << /Pattern << /P %d 0 R >> >>" % (31 + level)
        made.objects[30 + level] = stream(b"/Pattern cs /P scn 0 0 50 50 re f", entries + inside)
    made.objects[42] = stream(
        b"0 0 1 1 re f",
        b"/Type /Pattern /PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 1 1] /XStep 1 /YStep 1 /Resources << >>",
    )
    return made.with_table()


def _function_shading() -> bytes:
    made = document(content=b"/S sh", resources=b"/Shading << /S 30 0 R >>")
    made.objects[30] = b"<< /ShadingType 1 /ColorSpace /DeviceRGB /Domain [0 1e6 0 1e6] /Function 31 0 R >>"
    program = b"{ " + b"sin cos " * 20_000 + b"pop dup dup }"
    made.objects[31] = stream(program, b"/FunctionType 4 /Domain [0 1e6 0 1e6] /Range [0 1 0 1 0 1]")
    return made.with_table()


def _mesh() -> bytes:
    made = document(content=b"/S sh", resources=b"/Shading << /S 30 0 R >>")
    entries = b"/ShadingType 7 /ColorSpace /DeviceRGB /BitsPerCoordinate 8 /BitsPerComponent 8 /BitsPerFlag 8"
    data = deflated(bytes(range(256)) * 4000, 20)
    made.objects[30] = stream(data, entries + b" /Decode [0 600 0 700 0 1 0 1 0 1] /Filter /FlateDecode")
    return made.with_table()


def _letters_of_forms() -> bytes:
    """A Type 3 font whose one letter writes a line in the same font."""
    made = document(content=b"BT /F1 9 Tf 9 9 Td (%s) Tj ET" % (b"A" * 200))
    made.objects[3] = (
        b"<< /Type /Font /Subtype /Type3 /FontBBox [0 0 9 9] /FontMatrix [1 0 0 1 0 0] /CharProcs << /A 30 0 R >> "
        b"/Encoding << /Differences [65 /A] >> /FirstChar 65 /LastChar 65 /Widths [1] "
        b"/Resources << /Font << /F1 3 0 R >> >> >>"
    )
    made.objects[30] = stream(b"1 0 0 0 9 9 d1 BT /F1 1 Tf (%s) Tj ET" % (b"A" * 200))
    return made.with_table()


def _groups() -> bytes:
    made = document(content=b"/X Do", resources=b"/XObject << /X 30 0 R >>", box=b"[0 0 14400 14400]")
    for level in range(60):
        group = b"/Group << /S /Transparency /I true /K true >> /BBox [0 0 14400 14400]"
        inside = b"/Resources << /XObject << /X %d 0 R >> >>" % (31 + level)
        made.objects[30 + level] = stream(b"/X Do", b"/Type /XObject /Subtype /Form " + group + inside)
    made.objects[90] = _form(b"0 0 600 700 re f")
    return made.with_table()


def _many_annotations() -> bytes:
    made = document()
    one = b"<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A << /S /URI /URI (javascript:x) >> >>"
    made.objects[5] = made.objects[5].replace(b"/Contents", b"/Annots 30 0 R /Contents")
    made.objects[30] = b"[" + one * 200_000 + b"]"
    return made.with_table()


def _many_objects() -> bytes:
    made = document(page=b"/Extra [" + b" ".join(b"%d 0 R" % n for n in range(30, 300_030)) + b"]")
    for number in range(30, 300_030):
        made.objects[number] = b"<< /A %d /B [1 2 3] >>" % number
    return made.with_table()


def _names_upon_names() -> bytes:
    made = document(catalogue=b"/Names << /Dests 30 0 R >> /Outlines 20 0 R")
    made.objects[20] = b"<< /Type /Outlines /First 21 0 R /Last 21 0 R >>"
    made.objects[21] = b"<< /Title (Where) /Parent 20 0 R /Dest (nowhere) >>"
    for level in range(28):
        made.objects[30 + level] = b"<< /Limits [(a) (z)] /Kids [%d 0 R %d 0 R] >>" % (31 + level, 31 + level)
    made.objects[58] = b"<< /Limits [(a) (z)] /Names [(b) [5 0 R /Fit]] >>"
    return made.with_table()


def _form_in_itself() -> bytes:
    made = document(content=b"/X Do", resources=b"/XObject << /X 30 0 R >>")
    made.objects[30] = _form(b"/X Do /X Do", b"/Resources << /XObject << /X 30 0 R >> >>")
    return made.with_table()


def _tree(entries: bytes) -> bytes:
    made = document()
    made.objects[2] = b"<< /Type /Pages %s >>" % entries
    return made.with_table()


def _with_object(number: int, body: bytes) -> bytes:
    made = document()
    made.objects[number] = body
    return made.with_table()


def _previous_of_itself() -> bytes:
    sound = document().with_table()
    return sound.replace(b"/Root 1 0 R", b"/Root 1 0 R /Prev %d" % sound.rfind(b"xref\n0"))


def _references_in_a_circle() -> bytes:
    made = document(page=b"/UserUnit 30 0 R /Rotate 30 0 R")
    made.objects[30], made.objects[31] = b"31 0 R", b"30 0 R"
    return made.with_table()


def _object_streams_in_a_circle() -> bytes:
    made = document()
    made.objects[20] = stream(b"20 0 1 0 ", b"/Type /ObjStm /N 20 0 R /First 20 0 R /Extends 20 0 R")
    return _with_packed_object(made, 20, 30)


def _deep_pages(depth: int) -> bytes:
    made = document()
    made.objects[2] = b"<< /Type /Pages /Kids [30 0 R] /Count 1 >>"
    for level in range(depth):
        kid = 5 if level == depth - 1 else 31 + level
        made.objects[30 + level] = b"<< /Type /Pages /Kids [%d 0 R] /Count 1 >>" % kid
    return made.with_table()


def _script_in_a_stream() -> bytes:
    made = document(catalogue=b"/Names << /JavaScript << /Names [(a) << /S /JavaScript /JS 20 0 R >>] >> >>")
    made.objects[20] = packed(b"app.alert('hello')")
    return made.with_table()


def _packed_catalogue(entry: bytes, held: bytes) -> bytes:
    made = document(catalogue=entry)
    made.objects[20] = held
    return made.with_stream(pack_objects=True)


def _field(entries: bytes) -> bytes:
    made = document(page=b"/Annots [20 0 R]", catalogue=b"/AcroForm << /Fields [20 0 R] >>")
    made.objects[20] = b"<< /FT /Tx /T (a) /Type /Annot /Subtype /Widget /Rect [9 9 99 30] %s >>" % entries
    return made.with_table()


def _outline(entries: bytes) -> bytes:
    made = document(catalogue=b"/Outlines 20 0 R")
    made.objects[20] = b"<< /Type /Outlines /First 21 0 R /Last 21 0 R >>"
    made.objects[21] = b"<< /Title (Click) /Parent 20 0 R %s >>" % entries
    return made.with_table()


def _hidden_in_an_update() -> bytes:
    return with_update(document().with_table(), {1: b"<< /Type /Catalog /Pages 2 0 R /OpenAction %s >>" % _JS})


def _locked(sketch: Sketch) -> bytes:
    made = io.BytesIO()
    with pikepdf.open(io.BytesIO(sketch.with_table())) as pdf:
        pdf.save(made, encryption=pikepdf.Encryption(owner="owner", user="", R=6))
    return made.getvalue()


def _embedded_program() -> bytes:
    made = document(catalogue=b"/Names << /EmbeddedFiles << /Names [(a.exe) 20 0 R] >> >> /AF [20 0 R]")
    made.objects[20] = b"<< /Type /Filespec /F (a.exe) /UF (a.exe) /EF << /F 21 0 R /UF 21 0 R >> >>"
    made.objects[21] = stream(b"MZ" + b"\0" * 64, b"/Type /EmbeddedFile")
    return made.with_table()


def _file_annotation() -> bytes:
    made = document(page=b"/Annots [20 0 R]")
    made.objects[20] = b"<< /Type /Annot /Subtype /FileAttachment /Rect [9 9 30 30] /FS 21 0 R >>"
    made.objects[21] = b"<< /Type /Filespec /F (a.exe) /EF << /F 22 0 R >> >>"
    made.objects[22] = stream(b"MZ" + b"\0" * 64, b"/Type /EmbeddedFile")
    return made.with_table()


def _xfa(entry: bytes) -> bytes:
    made = document(catalogue=b"/AcroForm << /XFA 20 0 R /Fields [] >> " + entry)
    evil = b"<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>"
    made.objects[20] = stream(
        b"<?xml version='1.0'?>" + evil + b"<xdp:xdp xmlns:xdp='http://ns.adobe.com/xdp/'>&e;</xdp:xdp>"
    )
    return made.with_table()


def _font_matrix() -> bytes:
    """The font matrix that older versions of pdf.js compiled as JavaScript (CVE-2024-4367)."""
    made = document()
    made.objects[3] = FONT.replace(
        b"/Helvetica", b"/X /FontMatrix [1 2 3 4 5 (1\\); window.owned=1;//)] /FontDescriptor 20 0 R"
    )
    made.objects[20] = b"<< /Type /FontDescriptor /FontName /X /Flags 4 /FontBBox [0 0 1 1] /ItalicAngle 0 >>"
    return made.with_table()


def _xmp_entities() -> bytes:
    made = document(catalogue=b"/Metadata 20 0 R")
    levels = b"".join(b"<!ENTITY a%d '%s'>" % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 9))
    evil = b"<!DOCTYPE x [<!ENTITY a0 'ha'>" + levels + b"]><x:xmpmeta xmlns:x='adobe:ns:meta/'>&a8;</x:xmpmeta>"
    made.objects[20] = stream(evil, b"/Type /Metadata /Subtype /XML")
    return made.with_table()


def _archive(name: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(name, "Main-Class: Evil\n")
    return made.getvalue()


def _with_zip(sound: bytes, name: str = "evil.html") -> bytes:
    return sound + _archive(name)


def _zip_in_a_stream() -> bytes:
    """The archive's end mark says that the rest of the file is its comment."""
    archive = _archive("evil.html")
    made = document()
    made.objects[30] = stream(archive[:-2] + b"\xff\xff")
    sound = made.with_table()
    rest = len(sound) - (sound.index(archive[:-2]) + len(archive))
    return sound.replace(archive[:-2] + b"\xff\xff", archive[:-2] + rest.to_bytes(2, "little"))


def _hurt(sound: bytes, each: int) -> bytes:
    hurt = bytearray(sound)
    for place in range(each, len(hurt), each):
        hurt[place] ^= 0x15
    return bytes(hurt)
