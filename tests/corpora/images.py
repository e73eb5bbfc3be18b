"""Pictures as people and attackers send them, each with the size or the refusal to expect."""

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pillow_heif
from PIL import Image, ImageCms, ImageDraw

from tests.corpora.pdf_sketch import deflated


@dataclass(frozen=True)
class OddPicture:
    """An accepted picture comes back `size` wide and high; `corner`, where given, is its upper left colour."""

    name: str
    make: Callable[[], bytes]
    size: tuple[int, int] | None = None
    refused: frozenset[str] = frozenset()
    corner: tuple[int, int, int] | None = None


def odd_pictures() -> Iterator[OddPicture]:
    yield from _formats()
    yield from _modes()
    yield from _turned()
    yield from _carrying()
    yield from _sizes()
    yield from _moving()
    yield from _refused()
    yield from _bombs()


RED = (220, 30, 30)


def _sheet(size: tuple[int, int] = (60, 40), mode: str = "RGB") -> Image.Image:
    """White with a red upper left corner, so that a turned picture shows."""
    sheet = Image.new("RGB", size, "white")
    ImageDraw.Draw(sheet).rectangle((0, 0, size[0] // 3, size[1] // 3), fill=RED)
    return sheet.convert(mode)


def _as(kind: str, picture: Image.Image, **options: Any) -> bytes:
    if kind == "HEIF":
        pillow_heif.register_heif_opener()
    made = io.BytesIO()
    picture.save(made, kind, **options)
    return made.getvalue()


def _formats() -> Iterator[OddPicture]:
    for kind in ("PNG", "JPEG", "WEBP", "GIF", "AVIF", "HEIF"):
        yield OddPicture(f"format-{kind.lower()}", lambda k=kind: _as(k, _sheet()), (60, 40), corner=RED)
        yield OddPicture(f"format-{kind.lower()}-one-pixel", lambda k=kind: _as(k, _sheet((1, 1))), (1, 1))
        yield OddPicture(f"format-{kind.lower()}-large", lambda k=kind: _as(k, _sheet((1500, 900))), (1200, 720))
    yield OddPicture("format-jpeg-progressive", lambda: _as("JPEG", _sheet(), progressive=True), (60, 40), corner=RED)
    yield OddPicture("format-jpeg-coarse", lambda: _as("JPEG", _sheet(), quality=1), (60, 40))
    yield OddPicture("format-webp-lossless", lambda: _as("WEBP", _sheet(), lossless=True), (60, 40), corner=RED)
    yield OddPicture("format-png-packed-hard", lambda: _as("PNG", _sheet(), optimize=True), (60, 40), corner=RED)


def _modes() -> Iterator[OddPicture]:
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
        yield OddPicture(f"mode-png-{mode}", partial(_in_mode, "PNG", mode), (60, 40))
    for mode in ("L", "RGB", "CMYK"):
        yield OddPicture(f"mode-jpeg-{mode}", partial(_in_mode, "JPEG", mode), (60, 40))
    for mode in ("RGB", "RGBA"):
        for kind in ("WEBP", "AVIF", "HEIF"):
            yield OddPicture(f"mode-{kind.lower()}-{mode}", partial(_in_mode, kind, mode), (60, 40))
    yield OddPicture("mode-png-transparent-palette", _transparent_palette, (60, 40))
    yield OddPicture(
        "mode-png-transparent-colour", lambda: _as("PNG", _sheet(), transparency=(255, 255, 255)), (60, 40)
    )
    yield OddPicture(
        "mode-png-all-transparent", lambda: _as("PNG", Image.new("RGBA", (60, 40), (0, 0, 0, 0))), (60, 40)
    )


def _in_mode(kind: str, mode: str) -> bytes:
    if mode == "I;16":
        return _as(kind, Image.frombytes("I;16", (60, 40), b"\x00\x80" * 2400))
    return _as(kind, _sheet(mode=mode))


def _transparent_palette() -> bytes:
    picture = _sheet().convert("P", palette=Image.Palette.ADAPTIVE)
    return _as("PNG", picture, transparency=0)


def _turned() -> Iterator[OddPicture]:
    for orientation in range(1, 9):
        size = (60, 40) if orientation < 5 else (40, 60)
        for kind in ("JPEG", "PNG", "WEBP"):
            make = partial(_with_orientation, kind, orientation)
            yield OddPicture(f"turned-{kind.lower()}-{orientation}", make, size, corner=RED)
    yield OddPicture("turned-nonsense", partial(_with_orientation, "JPEG", 99), (60, 40))


def _with_orientation(kind: str, orientation: int) -> bytes:
    """Stored so that, once turned as told, the red corner is in the upper left."""
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    size = (60, 40) if orientation < 5 or orientation > 8 else (40, 60)
    picture = _sheet(size)
    if orientation in undo:
        picture = picture.transpose(undo[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    return _as(kind, picture, exif=exif.tobytes())


def _carrying() -> Iterator[OddPicture]:
    """Things that must not come out again."""
    for kind in ("JPEG", "PNG", "WEBP", "AVIF"):
        yield OddPicture(f"carrying-place-{kind.lower()}", partial(_with_place, kind), (60, 40), corner=RED)
    yield OddPicture("carrying-comment-jpeg", lambda: _as("JPEG", _sheet(), comment=b"SECRET-PLACE <script>"), (60, 40))
    yield OddPicture("carrying-comment-gif", lambda: _as("GIF", _sheet(), comment=b"SECRET-PLACE"), (60, 40))
    yield OddPicture("carrying-xmp", lambda: _as("WEBP", _sheet(), xmp=b"<x>SECRET-PLACE</x>"), (60, 40))
    yield OddPicture("carrying-colour-profile", _with_profile, (60, 40))
    yield OddPicture("carrying-broken-profile", lambda: _as("PNG", _sheet(), icc_profile=b"SECRET-PLACE"), (60, 40))
    yield OddPicture("carrying-broken-exif", lambda: _as("JPEG", _sheet(), exif=b"Exif\0\0SECRET-PLACE"), (60, 40))
    yield OddPicture("carrying-page-after", lambda: _as("PNG", _sheet()) + b"<script>SECRET-PLACE</script>", (60, 40))
    yield OddPicture(
        "carrying-archive-after", lambda: _as("JPEG", _sheet()) + b"PK\x05\x06SECRET-PLACE" + b"\0" * 18, (60, 40)
    )
    yield OddPicture("carrying-text-chunk", _with_text_chunk, (60, 40))


def _with_place(kind: str) -> bytes:
    exif = Image.Exif()
    exif[0x010F] = "SECRET-PLACE"
    exif.get_ifd(0x8825)[29] = "2026:01:01"
    return _as(kind, _sheet(), exif=exif.tobytes())


def _with_profile() -> bytes:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return _as("PNG", _sheet(), icc_profile=profile)


def _with_text_chunk() -> bytes:
    sound = _as("PNG", _sheet())
    return sound[:33] + _chunk(b"tEXt", b"Comment\0SECRET-PLACE") + sound[33:]


def _sizes() -> Iterator[OddPicture]:
    for name, size, expected in (
        ("as-large-as-allowed", (1200, 1200), (1200, 1200)),
        ("one-too-wide", (1201, 600), (1200, 600)),
        ("tall", (300, 2400), (150, 1200)),
        ("strip-wide", (12_000, 10), (1200, 1)),
        ("strip-tall", (2, 9000), (1, 1200)),
        ("panorama", (6000, 500), (1200, 100)),
    ):
        yield OddPicture(f"size-{name}", lambda s=size: _as("PNG", _sheet(s)), expected)
    yield OddPicture("size-36-million", lambda: _as("PNG", Image.new("L", (6000, 6000), 9)), (1200, 1200))


def _moving() -> Iterator[OddPicture]:
    for kind in ("GIF", "WEBP", "PNG"):
        yield OddPicture(f"moving-{kind.lower()}", partial(_animation, kind, 5), (60, 40), corner=RED)
    yield OddPicture("moving-gif-300-frames", partial(_animation, "GIF", 300), (60, 40), corner=RED)


def _animation(kind: str, frames: int) -> bytes:
    rest = [Image.new("RGB", (60, 40), (0, number % 256, 255)) for number in range(frames - 1)]
    return _as(kind, _sheet(), save_all=True, append_images=rest, duration=40, loop=0)


def _refused() -> Iterator[OddPicture]:
    svg = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><script>alert(2)</script></svg>"
    cases: dict[str, tuple[Callable[[], bytes], str]] = {
        "nothing": (lambda: b"", "empty_file"),
        "svg": (lambda: svg, "svg"),
        "svg-with-preamble": (lambda: b"<?xml version='1.0'?>\n<!-- a -->\n<!DOCTYPE svg>" + svg, "svg"),
        "text": (lambda: b"not a picture", "not_a_picture"),
        "web-page": (lambda: b"<!doctype html><img src=x>", "not_a_picture"),
        "pdf": (lambda: b"%PDF-1.7\n", "not_a_picture"),
        "zeros": (lambda: b"\0" * 5000, "not_a_picture"),
        "bmp": (lambda: _as("BMP", _sheet()), "not_a_picture"),
        "tiff": (lambda: _as("TIFF", _sheet()), "not_a_picture"),
        "ico": (lambda: _as("ICO", _sheet((32, 32))), "not_a_picture"),
        "tga": (lambda: _as("TGA", _sheet()), "not_a_picture"),
        "ppm": (lambda: _as("PPM", _sheet()), "not_a_picture"),
        "eps": (lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not_a_picture"),
        "psd": (lambda: b"8BPS\0\1" + b"\0" * 200, "not_a_picture"),
        "mark-only-png": (lambda: b"\x89PNG\r\n\x1a\n", "damaged not_a_picture"),
        "mark-only-jpeg": (lambda: b"\xff\xd8\xff\xe0", "damaged not_a_picture"),
        "mark-only-gif": (lambda: b"GIF89a", "damaged not_a_picture"),
        "mark-only-webp": (lambda: b"RIFF\x04\0\0\0WEBP", "damaged not_a_picture"),
        "cut-png": (lambda: _cut("PNG"), "damaged"),
        "cut-jpeg": (lambda: _cut("JPEG"), "damaged"),
        "cut-webp": (lambda: _cut("WEBP"), "damaged not_a_picture"),
        "cut-avif": (lambda: _cut("AVIF"), "damaged not_a_picture"),
        "cut-heif": (lambda: _cut("HEIF"), "damaged not_a_picture"),
        "png-wrong-sum": (lambda: _as("PNG", _sheet()).replace(b"IDAT", b"IDAX"), "damaged not_a_picture"),
        "png-no-size": (lambda: _png(0, 0, b""), "damaged not_a_picture"),
    }
    for name, (make, codes) in cases.items():
        yield OddPicture(f"refused-{name}", make, refused=frozenset(codes.split()))


def _cut(kind: str) -> bytes:
    picture = Image.effect_noise((200, 200), 90).convert("RGB")
    sound = _as(kind, picture)
    return sound[: len(sound) // 2]


def _bombs() -> Iterator[OddPicture]:
    many = frozenset({"too_many_pixels"})
    either = many | {"damaged", "not_a_picture", "too_complex"}
    yield OddPicture("bomb-png-169-million", lambda: _png_bomb(13_000, 13_000), refused=many)
    yield OddPicture("bomb-png-41-million", lambda: _png_bomb(6_500, 6_400), refused=many)
    yield OddPicture("bomb-png-colour", lambda: _png_bomb(9_000, 9_000, colour=True), refused=many)
    yield OddPicture("bomb-png-numbers-only", lambda: _png(2_000_000_000, 2_000_000_000, b""), refused=either)
    yield OddPicture(
        "bomb-png-interlaced", lambda: _png(30_000, 30_000, zlib.compress(b"\0" * 100_000), 1), refused=many
    )
    yield OddPicture("bomb-gif-numbers-only", lambda: b"GIF89a\xff\xff\xff\xff\0\0\0," + b"\0" * 20, refused=either)
    yield OddPicture("bomb-png-text", _text_bomb, (60, 40), either)
    yield OddPicture("bomb-png-profile", _profile_bomb, (60, 40), either)
    yield OddPicture("bomb-jpeg-65000", _jpeg_with_wrong_size, refused=either)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(width: int, height: int, data: bytes, interlaced: int = 0, colour: int = 0) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, interlaced)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _png_bomb(width: int, height: int, colour: bool = False) -> bytes:
    row = b"\0" * (1 + width * (3 if colour else 1))
    return _png(width, height, deflated(row, height), colour=2 if colour else 0)


def _text_bomb() -> bytes:
    sound = _as("PNG", _sheet())
    return sound[:33] + _chunk(b"zTXt", b"Comment\0\0" + deflated(b"A" * 1_000_000, 200)) + sound[33:]


def _profile_bomb() -> bytes:
    sound = _as("PNG", _sheet())
    return sound[:33] + _chunk(b"iCCP", b"p\0\0" + deflated(b"A" * 1_000_000, 200)) + sound[33:]


def _jpeg_with_wrong_size() -> bytes:
    sound = bytearray(_as("JPEG", _sheet()))
    frame = sound.index(b"\xff\xc0")
    sound[frame + 5 : frame + 9] = struct.pack(">HH", 65_000, 65_000)
    return bytes(sound)
