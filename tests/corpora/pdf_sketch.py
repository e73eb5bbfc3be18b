"""A small PDF writer from the specification (ISO 32000): exact where it should be, wrong where it is told to be."""

import zlib
from dataclasses import dataclass, field

FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
WORDS = b"BT /F1 24 Tf 72 700 Td (A page of a course) Tj ET"


def stream(data: bytes, entries: bytes = b"", length: int | None = None) -> bytes:
    size = len(data) if length is None else length
    return b"<< %s /Length %d >>\nstream\n%s\nendstream" % (entries, size, data)


def packed(data: bytes, entries: bytes = b"") -> bytes:
    return stream(zlib.compress(data), entries + b" /Filter /FlateDecode")


def deflated(unit: bytes, times: int) -> bytes:
    """`unit` many times over, packed; quickly, since the same packed block may be repeated as it is."""
    packer = zlib.compressobj(9, wbits=-15)
    block = packer.compress(unit) + packer.flush(zlib.Z_FULL_FLUSH)
    check = 1
    for _ in range(times):
        check = zlib.adler32(unit, check)
    return b"\x78\xda" + block * times + b"\x03\x00" + check.to_bytes(4, "big")


def heading(text: bytes, size: int = 30) -> bytes:
    small = b"BT /F1 10 Tf 72 %d Td (small words of the page that say more) Tj ET\n"
    return b"BT /F1 %d Tf 72 700 Td (%s) Tj ET\n" % (size, text) + small % 600 + small % 580


@dataclass
class Sketch:
    """Objects by number; number 1 is the catalogue, 2 the root of the page tree, 3 the font."""

    version: bytes = b"1.7"
    eol: bytes = b"\n"
    trailer: bytes = b""
    header: bytes | None = None
    objects: dict[int, bytes] = field(default_factory=dict)
    _free: int = 1

    def add(self, body: bytes) -> int:
        # Counting up from the last number found free: asking for the largest each time takes minutes for 100,000 pages.
        number = self._free
        while number in self.objects:
            number += 1
        self.objects[number], self._free = body, number + 1
        return number

    def body(self) -> tuple[bytearray, dict[int, int]]:
        eol = self.eol
        start = self.header if self.header is not None else b"%PDF-" + self.version + eol + b"%\xe2\xe3\xcf\xd3" + eol
        written, places = bytearray(start), {}
        for number, content in self.objects.items():
            places[number] = len(written)
            written += b"%d 0 obj" % number + eol + content + eol + b"endobj" + eol
        return written, places

    def with_table(self, *, entry_end: bytes = b" \n", shift: int = 0, start: int | None = None) -> bytes:
        """The classic form: xref table and trailer. `shift` moves every offset, `start` overrides startxref."""
        written, places = self.body()
        table = len(written)
        size = max(self.objects) + 1
        written += b"xref" + self.eol + b"0 %d" % size + self.eol + b"0000000000 65535 f" + entry_end
        for number in range(1, size):
            if number in places:
                written += b"%010d 00000 n" % (places[number] + shift) + entry_end
            else:
                written += b"0000000000 00000 f" + entry_end
        written += b"trailer" + self.eol + b"<< /Size %d /Root 1 0 R %s >>" % (size, self.trailer) + self.eol
        return bytes(written) + self.ending(table if start is None else start)

    def with_stream(self, *, predictor: bool = False, pack_objects: bool = False, widths: bytes = b"[1 4 2]") -> bytes:
        """The form of PDF 1.5: a cross-reference stream, and on wish the objects inside an object stream."""
        loose = dict(self.objects)
        inside: dict[int, tuple[int, int]] = {}
        if pack_objects:
            # Streams may not lie inside an object stream.
            chosen = [number for number, content in loose.items() if b"\nstream\n" not in content]
            holder = max(loose) + 1
            heads, bodies = b"", b""
            for index, number in enumerate(chosen):
                heads += b"%d %d " % (number, len(bodies))
                bodies += loose.pop(number) + b"\n"
                inside[number] = (holder, index)
            entries = b"/Type /ObjStm /N %d /First %d" % (len(chosen), len(heads))
            loose[holder] = packed(heads + bodies, entries)
        written, places = Sketch(self.version, self.eol, objects=loose, header=self.header).body()
        table_number = max(loose) + 1
        places[table_number] = len(written)
        rows = [b"\0" + (0).to_bytes(4, "big") + (65535).to_bytes(2, "big")]
        for number in range(1, table_number + 1):
            if number in inside:
                rows.append(b"\2" + inside[number][0].to_bytes(4, "big") + inside[number][1].to_bytes(2, "big"))
            elif number in places:
                rows.append(b"\1" + places[number].to_bytes(4, "big") + b"\0\0")
            else:
                rows.append(b"\0" * 7)
        extra = b""
        if predictor:
            last, table = b"\0" * 7, b""
            for row in rows:
                table += b"\2" + bytes((now - before) & 255 for now, before in zip(row, last, strict=True))
                last = row
            extra = b"/DecodeParms << /Predictor 12 /Columns 7 >>"
        else:
            table = b"".join(rows)
        entries = b"/Type /XRef /Size %d /Root 1 0 R /W %s %s %s" % (table_number + 1, widths, extra, self.trailer)
        written += b"%d 0 obj" % table_number + self.eol + packed(table, entries) + self.eol + b"endobj" + self.eol
        return bytes(written) + self.ending(places[table_number])

    def with_both(self) -> bytes:
        """A hybrid file: a table for old readers that points to a stream for new ones."""
        written, places = self.body()
        rows = b"".join(b"\1" + place.to_bytes(4, "big") + b"\0\0" for _, place in sorted(places.items()))
        number = max(self.objects) + 1
        entries = b"/Type /XRef /Size %d /Root 1 0 R /W [1 4 2] /Index [1 %d]" % (number + 1, len(places))
        stream_place = len(written)
        written += b"%d 0 obj\n" % number + packed(rows, entries) + b"\nendobj\n"
        table = len(written)
        written += b"xref\n0 %d\n0000000000 65535 f \n" % number
        for index in range(1, number):
            written += b"%010d 00000 n \n" % places[index]
        written += b"trailer\n<< /Size %d /Root 1 0 R /XRefStm %d >>\n" % (number + 1, stream_place)
        return bytes(written) + self.ending(table)

    def ending(self, table: int) -> bytes:
        return b"startxref" + self.eol + b"%d" % table + self.eol + b"%%EOF" + self.eol


def document(
    pages: int = 1,
    content: bytes = WORDS,
    *,
    box: bytes | None = b"[0 0 612 792]",
    page: bytes = b"",
    tree: bytes = b"",
    catalogue: bytes = b"",
    resources: bytes = b"",
    title: bytes | None = None,
    information: bytes | None = None,
    contents: bytes | None = None,
    **options: bytes,
) -> Sketch:
    """A sound document of `pages` like pages; the rest adds entries where they are named after."""
    made = Sketch(**options)  # type: ignore[arg-type]
    made.objects[1] = b"<< /Type /Catalog /Pages 2 0 R %s >>" % catalogue
    made.objects[2] = b""
    made.objects[3] = FONT
    made.objects[4] = contents if contents is not None else stream(content)
    boxed = b"" if box is None else b"/MediaBox %s" % box
    body = b"<< /Type /Page /Parent 2 0 R %s /Contents 4 0 R /Resources << /Font << /F1 3 0 R >> %s >> %s >>" % (
        boxed,
        resources,
        page,
    )
    kids = [made.add(body) for _ in range(pages)]
    made.objects[2] = b"<< /Type /Pages /Kids [%s] /Count %d %s >>" % (references(kids), pages, tree)
    if title is not None or information is not None:
        number = made.add(information if information is not None else b"<< /Title %s >>" % (title or b""))
        made.trailer += b" /Info %d 0 R" % number
    return made


def references(numbers: list[int]) -> bytes:
    return b" ".join(b"%d 0 R" % number for number in numbers)


def utf16(text: str) -> bytes:
    return b"<FEFF" + text.encode("utf-16-be").hex().upper().encode() + b">"


def with_update(earlier: bytes, changed: dict[int, bytes], trailer: bytes = b"") -> bytes:
    """An incremental update: changed objects, a table for them, /Prev to the one before."""
    previous = int(earlier.rsplit(b"startxref", 1)[1].split()[0])
    written = bytearray(earlier)
    places = {}
    for number, content in changed.items():
        places[number] = len(written)
        written += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = len(written)
    written += b"xref\n"
    for number, place in places.items():
        written += b"%d 1\n%010d 00000 n \n" % (number, place)
    size = max(*changed, 200) + 1
    written += b"trailer\n<< /Size %d /Root 1 0 R /Prev %d %s >>\n" % (size, previous, trailer)
    return bytes(written) + b"startxref\n%d\n%%%%EOF\n" % table
