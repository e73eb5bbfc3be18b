"""Covers drawn from a few shapes: one motif and one colour for each course, the same picture every time."""

import io
import math
import random
from collections.abc import Callable
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path

from PIL import Image, ImageColor, ImageDraw, ImageFont

WIDTH, HEIGHT = 900, 1200
_SHARP = 2  # drawn at twice the size and reduced: shapes get smooth edges
_FONTS = Path(__file__).parents[2] / "static" / "vendor" / "fonts"
_ART_TOP, _ART_BOTTOM = 430, 1090

Colour = tuple[int, int, int]
Pen = ImageDraw.ImageDraw


def draw_cover(title: str, subtitle: str, author: str, accent: str, motif: str, kind: str) -> bytes:
    """The cover as a picture file of `kind` (a Pillow format)."""
    made = io.BytesIO()
    _drawn(title, subtitle, author, accent, motif).save(made, kind, quality=90)
    return made.getvalue()


@lru_cache(maxsize=16)
def _drawn(title: str, subtitle: str, author: str, accent: str, motif: str) -> Image.Image:
    ink = _rgb(accent)
    paper = _mix(ink, (255, 252, 245), 0.91)
    cover = Image.new("RGB", (WIDTH * _SHARP, HEIGHT * _SHARP), paper)
    pen = ImageDraw.Draw(cover)
    MOTIFS[motif](pen, ink, paper, random.Random(title))
    _write(pen, title, subtitle, author, ink)
    return cover.reduce(_SHARP)


def _write(pen: Pen, title: str, subtitle: str, author: str, ink: Colour) -> None:
    dark = _mix(ink, (18, 18, 22), 0.72)
    below = _wrapped(subtitle, _font(30, 450), 700)
    size, lines = _fitted(title, 740, _ART_TOP - 130 - 40 * len(below))
    y = 96.0
    for line in lines:
        pen.text((_at(72), _at(y)), line, font=_font(size, 800), fill=dark)
        y += size * 1.08
    y += 16
    for line in below:
        pen.text((_at(74), _at(y)), line, font=_font(30, 450), fill=_mix(ink, dark, 0.35))
        y += 40
    pen.line([(_at(72), _at(72)), (_at(168), _at(72))], fill=ink, width=_at(8))
    pen.text((_at(74), _at(1124)), author, font=_font(28, 600), fill=dark)
    pen.ellipse(_round(808, 1140, 14), fill=ink)
    pen.ellipse(_round(780, 1140, 14), outline=ink, width=_at(4))


def _fitted(title: str, width: int, height: int) -> tuple[int, list[str]]:
    """The largest letters in which the title keeps clear of the drawing."""
    for size in (104, 96, 88, 80, 72, 64, 56):
        lines = _wrapped(title, _font(size, 800), width)
        if len(lines) * size * 1.08 <= height and all(_font(size, 800).getlength(x) <= _at(width) for x in lines):
            break
    return size, lines


def _wrapped(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(longer) <= _at(width):
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


@cache
def _font(size: int, weight: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    file = _FONTS / "inter-latin.woff2"
    if not file.is_file():
        return ImageFont.load_default(size * _SHARP)
    font = ImageFont.truetype(file, size * _SHARP)
    font.set_variation_by_axes([weight])
    return font


def _terminal(pen: Pen, ink: Colour, paper: Colour, chance: random.Random) -> None:
    """Lines of code as blocks, one of them lit, beside a coil."""
    pen.rounded_rectangle(_area(72, 470, 828, 1050), _at(28), fill=_mix(ink, (12, 18, 30), 0.74))
    for index, tone in enumerate((0.0, 0.35, 0.65)):
        pen.ellipse(_round(116 + 38 * index, 514, 11), fill=_mix(ink, (255, 255, 255), tone))
    y, deep = 572, 0
    tones = [_mix(ink, (255, 255, 255), share) for share in (0.15, 0.4, 0.7)]
    for row in range(11):
        x = 116 + 46 * deep
        for _ in range(chance.randint(1, 4)):
            length = chance.choice((52, 78, 104, 150))
            if x + length > 780:
                break
            colour = (255, 214, 102) if row == 6 else chance.choice(tones)
            pen.rounded_rectangle(_area(x, y, x + length, y + 20), _at(10), fill=colour)
            x += length + 16
        deep = max(0, min(4, deep + chance.choice((-1, 0, 1, 1))))
        y += 42


def _grid(pen: Pen, ink: Colour, paper: Colour, chance: random.Random) -> None:
    """Quarter circles and squares on a grid."""
    shades = [ink, _mix(ink, paper, 0.45), _mix(ink, (20, 20, 30), 0.55), (247, 196, 84), _mix(ink, paper, 0.75)]
    side = 126
    for row in range(5):
        for column in range(6):
            x, y = 72 + column * side, 455 + row * side
            back, front = chance.sample(shades, 2)
            pen.rectangle(_area(x, y, x + side, y + side), fill=back)
            kind = chance.randrange(5)
            if kind < 3:
                corner = chance.randrange(4)
                cx, cy = x + side * (corner % 2), y + side * (corner // 2)
                start = (0, 90, 270, 180)[corner]
                pen.pieslice(_area(cx - side, cy - side, cx + side, cy + side), start, start + 90, fill=front)
            elif kind == 3:
                pen.ellipse(_round(x + side / 2, y + side / 2, side * 0.32), fill=front)


def _columns(pen: Pen, ink: Colour, paper: Colour, chance: random.Random) -> None:
    """Bars that grow, with a line of coins above them."""
    base = 1050
    for index in range(9):
        height = 90 + 44 * index + chance.randint(-26, 26)
        x = 72 + index * 84
        tone = _mix(_mix(ink, paper, 0.68), ink, index / 8)
        pen.rounded_rectangle(_area(x, base - height, x + 60, base), _at(12), fill=tone)
        pen.rectangle(_area(x, base - 20, x + 60, base), fill=tone)
        pen.ellipse(_round(x + 30, base - height - 44, 20), fill=(245, 190, 65))
        pen.ellipse(_round(x + 30, base - height - 44, 12), outline=_mix(ink, (245, 190, 65), 0.4), width=_at(3))
    pen.line([(_at(72), _at(base)), (_at(828), _at(base))], fill=_mix(ink, (20, 20, 30), 0.6), width=_at(6))


def _pages(pen: Pen, ink: Colour, paper: Colour, chance: random.Random) -> None:
    """Sheets fanned out, the top one with its paragraphs."""
    for index in range(6, -1, -1):
        angle = math.radians(-24 + index * 7)
        tone = _mix(_mix(ink, (25, 20, 30), 0.25), paper, index / 9)
        pen.polygon(_sheet(450, 1180, 400, 620, angle), fill=tone if index else (255, 255, 255))
    angle = math.radians(-24)
    for row in range(13):
        length = 300 if row % 4 else chance.choice((150, 190, 230))
        start = _turned(450, 1180, -150, -560 + row * 38, angle)
        end = _turned(450, 1180, -150 + length, -560 + row * 38, angle)
        pen.line([start, end], fill=ink if row == 0 else _mix(ink, paper, 0.55), width=_at(16 if row == 0 else 9))
    pen.rectangle(_area(0, 1096, 900, 1200), fill=paper)


def _sky(pen: Pen, ink: Colour, paper: Colour, chance: random.Random) -> None:
    """A night with rings around the pole, stars joined to a figure, and hills."""
    night = _mix(ink, (8, 10, 28), 0.62)
    pen.rectangle(_area(0, _ART_TOP + 20, 900, 1096), fill=night)
    for radius in range(90, 900, 62):
        pen.arc(_round(640, 640, radius), 0, 360, fill=_mix(night, (255, 255, 255), 0.13), width=_at(2))
    pen.rectangle(_area(0, 0, 900, _ART_TOP + 20), fill=paper)
    pen.rectangle(_area(0, 1096, 900, 1200), fill=paper)
    for _ in range(170):
        x, y, size = chance.uniform(0, 900), chance.uniform(460, 1040), chance.choice((1.4, 1.4, 2, 2.6, 3.6))
        pen.ellipse(_round(x, y, size), fill=_mix(night, (255, 255, 255), chance.uniform(0.5, 1)))
    figure = [(168, 610), (268, 566), (352, 604), (430, 648), (452, 742), (572, 760), (592, 668)]
    figure = [(x - 30, y + 20) for x, y in figure]
    for one, two in [*pairwise(figure), (figure[6], figure[3])]:
        pen.line([(_at(one[0]), _at(one[1])), (_at(two[0]), _at(two[1]))], fill=(250, 220, 140), width=_at(3))
    for x, y in figure:
        pen.ellipse(_round(x, y, 9), fill=(255, 236, 170))
    for depth, (height, tone) in enumerate(((905, 0.42), (965, 0.62), (1030, 0.82))):
        points = [(x, height + 46 * math.sin(x / (150 - 25 * depth) + depth * 2.1)) for x in range(0, 910, 10)]
        shape = [(_at(x), _at(y)) for x, y in [*points, (900, 1096), (0, 1096)]]
        pen.polygon(shape, fill=_mix(night, (4, 6, 16), tone))


def _talk(pen: Pen, ink: Colour, paper: Colour, chance: random.Random) -> None:
    """Speech bubbles that answer each other."""
    bubbles = [(72, 470, 520, 640, 0), (330, 610, 828, 800, 1), (110, 780, 560, 930, 2), (400, 900, 828, 1040, 3)]
    tones = [ink, _mix(ink, (245, 196, 92), 0.85), _mix(ink, (20, 20, 30), 0.55), _mix(ink, paper, 0.6)]
    for left, top, right, bottom, tone in bubbles:
        pen.rounded_rectangle(_area(left, top, right, bottom), _at(52), fill=tones[tone])
        foot = left + 84 if tone % 2 == 0 else right - 84
        lean = -46 if tone % 2 == 0 else 46
        tail = [(foot - 28, bottom - 6), (foot + 28, bottom - 6), (foot + lean, bottom + 44)]
        pen.polygon([(_at(x), _at(y)) for x, y in tail], fill=tones[tone])
        line = top + 48
        while line < bottom - 36:
            length = chance.uniform(0.45, 0.78) * (right - left - 100)
            light = _mix(tones[tone], (255, 255, 255), 0.75) if tone != 3 else ink
            pen.rounded_rectangle(_area(left + 50, line, left + 50 + length, line + 16), _at(8), fill=light)
            line += 40


def _strings(pen: Pen, ink: Colour, paper: Colour, chance: random.Random) -> None:
    """Six strings over a sound hole, one of them sounding."""
    dark = _mix(ink, (30, 14, 8), 0.62)
    pen.rectangle(_area(0, 460, 900, 1096), fill=_mix(ink, (222, 168, 104), 0.72))
    for index in range(22):
        y = 470 + index * 29 + chance.uniform(-6, 6)
        points = [(x, y + 5 * math.sin(x / 90 + index)) for x in range(0, 910, 15)]
        pen.line([(_at(a), _at(b)) for a, b in points], fill=_mix(ink, (214, 158, 94), 0.6), width=_at(2))
    for radius, tone in ((252, dark), (238, (238, 196, 132)), (226, ink), (206, (238, 196, 132)), (194, (36, 20, 14))):
        pen.ellipse(_round(560, 778, radius), fill=tone)
    for index in range(6):
        y = 648 + index * 52
        swing = 22 if index == 2 else 0
        for way in (-1, 1) if swing else (1,):
            points = [(x, y + way * swing * math.sin(math.pi * x / 900)) for x in range(0, 910, 10)]
            width = max(2, 8 - index)
            pen.line([(_at(a), _at(b)) for a, b in points], fill=(252, 240, 214), width=_at(width), joint="curve")


def _aperture(pen: Pen, ink: Colour, paper: Colour, chance: random.Random) -> None:
    """Six blades that leave a window on a landscape."""
    cx, cy, radius = 450, 766, 284
    pen.ellipse(_round(cx, cy, radius + 26), fill=_mix(ink, (14, 14, 20), 0.78))
    pen.ellipse(_round(cx, cy, radius), fill=(250, 214, 130))
    pen.ellipse(_round(cx + 36, cy - 30, 52), fill=(255, 246, 220))
    for height, tone in ((790, 0.25), (832, 0.5), (872, 0.72)):
        points = [(x, height + 26 * math.sin(x / 64 + height)) for x in range(250, 651, 10)]
        shape = [(_at(x), _at(y)) for x, y in [*points, (650, 980), (250, 980)]]
        pen.polygon(shape, fill=_mix(ink, (16, 20, 32), tone))
    blades = 7
    for index in range(blades):
        one = math.tau * index / blades
        two = one + math.tau / blades
        inner = 126
        first = (cx + inner * math.cos(one), cy + inner * math.sin(one))
        second = (cx + inner * math.cos(two), cy + inner * math.sin(two))
        along = math.atan2(second[1] - first[1], second[0] - first[0])
        reach = _until_rim(first, along, (cx, cy), radius)
        start = math.atan2(first[1] - cy, first[0] - cx)
        before = math.atan2(first[1] - cy, first[0] - cx) - math.tau / blades
        back = (cx + inner * math.cos(before), cy + inner * math.sin(before))
        reach_back = _until_rim(back, math.atan2(first[1] - back[1], first[0] - back[0]), (cx, cy), radius)
        rim = _arc((cx, cy), radius, reach_back, reach)
        shape = [(_at(x), _at(y)) for x, y in [first, *rim]]
        tone = 0.3 + 0.45 * (0.5 + 0.5 * math.cos(start + 2.2))
        pen.polygon(shape, fill=_mix(ink, (24, 24, 34), tone))
        pen.line([(_at(first[0]), _at(first[1])), shape[-1]], fill=_mix(ink, (255, 255, 255), 0.28), width=_at(3))
    pen.arc(_round(cx, cy, radius + 26), 0, 360, fill=_mix(ink, (255, 255, 255), 0.2), width=_at(4))


MOTIFS: dict[str, Callable[[Pen, Colour, Colour, random.Random], None]] = {
    "terminal": _terminal,
    "grid": _grid,
    "columns": _columns,
    "pages": _pages,
    "sky": _sky,
    "talk": _talk,
    "strings": _strings,
    "aperture": _aperture,
}


def _until_rim(
    start: tuple[float, float], angle: float, centre: tuple[float, float], radius: float
) -> tuple[float, float]:
    dx, dy = math.cos(angle), math.sin(angle)
    x, y = start[0] - centre[0], start[1] - centre[1]
    along = -(x * dx + y * dy) + math.sqrt((x * dx + y * dy) ** 2 - x * x - y * y + radius * radius)
    return start[0] + along * dx, start[1] + along * dy


def _arc(
    centre: tuple[float, float], radius: float, start: tuple[float, float], end: tuple[float, float]
) -> list[tuple[float, float]]:
    one = math.atan2(start[1] - centre[1], start[0] - centre[0])
    two = math.atan2(end[1] - centre[1], end[0] - centre[0])
    if two < one:
        two += math.tau
    steps = [one + (two - one) * step / 24 for step in range(25)]
    return [(centre[0] + radius * math.cos(angle), centre[1] + radius * math.sin(angle)) for angle in steps]


def _sheet(x: float, y: float, width: float, height: float, angle: float) -> list[tuple[int, int]]:
    corners = ((-width / 2, -height), (width / 2, -height), (width / 2, 0), (-width / 2, 0))
    return [_turned(x, y, dx, dy, angle) for dx, dy in corners]


def _turned(x: float, y: float, dx: float, dy: float, angle: float) -> tuple[int, int]:
    return (
        _at(x + dx * math.cos(angle) - dy * math.sin(angle)),
        _at(y + dx * math.sin(angle) + dy * math.cos(angle)),
    )


def _at(length: float) -> int:
    return round(length * _SHARP)


def _area(left: float, top: float, right: float, bottom: float) -> tuple[int, int, int, int]:
    return _at(left), _at(top), _at(right), _at(bottom)


def _round(x: float, y: float, radius: float) -> tuple[int, int, int, int]:
    return _area(x - radius, y - radius, x + radius, y + radius)


def _rgb(name: str) -> Colour:
    red, green, blue = ImageColor.getrgb(name)[:3]
    return red, green, blue


def _mix(one: Colour, two: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, two, strict=True))
    return red, green, blue
