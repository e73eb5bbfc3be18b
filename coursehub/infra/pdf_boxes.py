"""The boxes of a page: what a viewer shows, whatever the file says."""

import math

import pikepdf

_Box = tuple[float, float, float, float]

_LETTER: _Box = (0.0, 0.0, 612.0, 792.0)
_LARGEST_UNIT = 75_000


def set_boxes_right(page: pikepdf.Object) -> None:
    """A page whose boxes, turn and unit every viewer understands alike."""
    media = _box(page.get("/MediaBox")) or _LETTER
    page["/MediaBox"] = pikepdf.Array(media)
    for name in ("/CropBox", "/TrimBox", "/BleedBox", "/ArtBox"):
        if name in page:
            box = _box(page[name])
            if box and _overlap(box, media):
                page[name] = pikepdf.Array(box)
            else:
                del page[name]
    turn = _number(page.get("/Rotate", 0))
    if "/Rotate" in page and (turn is None or turn % 90):
        del page["/Rotate"]
    if "/UserUnit" in page:
        unit = _number(page["/UserUnit"])
        if unit is None or not 0 < unit <= _LARGEST_UNIT:
            del page["/UserUnit"]


def _box(value: object) -> _Box | None:
    if not isinstance(value, pikepdf.Array) or len(value) != 4:
        return None
    sides = [_number(side) for side in value]
    if any(side is None for side in sides):
        return None
    x0, y0, x1, y1 = (side for side in sides if side is not None)
    box = (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
    return box if box[2] > box[0] and box[3] > box[1] else None


def _number(value: object) -> float | None:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return round(number, 4) if math.isfinite(number) and abs(number) < 1e9 else None


def _overlap(one: _Box, other: _Box) -> bool:
    return min(one[2], other[2]) > max(one[0], other[0]) and min(one[3], other[3]) > max(one[1], other[1])
