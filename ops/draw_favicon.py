"""Draw static/img/favicon.ico and apple-touch-icon.png: the mark of favicon.svg as pixels."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw

IMAGES = Path(__file__).resolve().parents[1] / "static" / "img"
BLUE, WHITE, PALE = "#1565c0", "#ffffff", "#bbdefb"
_GRID = 32
_OVERSAMPLING = 8


def main() -> None:
    _mark(256, corner=7).save(IMAGES / "favicon.ico", sizes=[(16, 16), (32, 32), (48, 48)])
    # The home screen rounds the corners itself.
    _mark(180, corner=0).convert("RGB").save(IMAGES / "apple-touch-icon.png", optimize=True)


def _mark(size: int, *, corner: float) -> Image.Image:
    scale = size * _OVERSAMPLING / _GRID
    picture = Image.new("RGBA", (size * _OVERSAMPLING,) * 2, (0, 0, 0, 0))
    pen = ImageDraw.Draw(picture)
    pen.rounded_rectangle((0, 0, _GRID * scale - 1, _GRID * scale - 1), radius=corner * scale, fill=BLUE)
    left = _page()
    pen.polygon([(x * scale, y * scale) for x, y in left], fill=WHITE)
    pen.polygon([((_GRID - x) * scale, y * scale) for x, y in left], fill=PALE)
    return picture.resize((size, size), Image.Resampling.LANCZOS)


def _page() -> list[tuple[float, float]]:
    """The left page: two curved edges between the spine and the outside."""
    top = _curve((15.2, 10.6), (12.6, 8.9), (9.4, 8.4), (6.0, 8.8))
    bottom = _curve((6.0, 22.4), (9.4, 22.0), (12.6, 22.5), (15.2, 24.2))
    return top + bottom


def _curve(*points: tuple[float, float], steps: int = 24) -> list[tuple[float, float]]:
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = points
    found = []
    for step in range(steps + 1):
        t, u = step / steps, 1 - step / steps
        x = u**3 * ax + 3 * u * u * t * bx + 3 * u * t * t * cx + t**3 * dx
        y = u**3 * ay + 3 * u * u * t * by + 3 * u * t * t * cy + t**3 * dy
        found.append((x, y))
    return found


if __name__ == "__main__":
    main()
