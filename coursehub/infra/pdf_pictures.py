"""Any uploaded picture to a plain WebP, in the child: pixels kept, everything else left behind."""

import io
import re
import warnings
from collections.abc import Iterator
from pathlib import Path

import pillow_heif
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from coursehub.infra.pdf_verdicts import Refusal

_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "AVIF", "HEIF")
_SVG = re.compile(rb"<\s*svg\b", re.IGNORECASE)


def picture(path: str, out: str, max_side: int, max_pixels: int) -> Iterator[dict[str, object]]:
    source = Path(path)
    if source.stat().st_size == 0:
        raise Refusal("empty_file")
    pillow_heif.register_heif_opener()
    Image.MAX_IMAGE_PIXELS = max_pixels
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        with Image.open(source, formats=_FORMATS) as opened:
            clean = _pixels(opened, max_side)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as problem:
        raise Refusal("too_many_pixels", limit=max_pixels // 1_000_000) from problem
    except UnidentifiedImageError as problem:
        raise Refusal("svg" if _is_svg(source) else "not_a_picture") from problem
    except MemoryError:
        raise
    except Exception as problem:  # each format has its own ways to say that a file is broken
        raise Refusal("damaged") from problem
    clean.save(out, format="WEBP", quality=84, method=4, exif=b"", icc_profile=b"", xmp=b"")
    yield {"width": clean.width, "height": clean.height}


def _pixels(opened: Image.Image, max_side: int) -> Image.Image:
    opened.seek(0)  # the first picture of an animation
    opened.draft("RGB", (max_side, max_side))
    opened.load()
    upright = ImageOps.exif_transpose(opened)
    picture = _in_srgb(upright)
    picture.thumbnail((max_side, max_side), Image.Resampling.LANCZOS, reducing_gap=3.0)
    bare = Image.new(picture.mode, picture.size)
    bare.paste(picture)
    return bare


def _in_srgb(picture: Image.Image) -> Image.Image:
    see_through = picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info
    if picture.mode in ("I", "I;16", "I;16L", "I;16B", "F"):
        brightest = float(picture.getextrema()[1])  # type: ignore[arg-type]
        scale = 1.0 if brightest <= 255 else 255 / 65535
        return picture.convert("F").point(lambda value: value * scale).convert("L").convert("RGB")
    profile = picture.info.get("icc_profile")
    if profile and picture.mode in ("RGB", "CMYK", "L"):
        try:
            from_profile = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(
                picture, from_profile, ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
            return converted if converted is not None else picture.convert("RGB")
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # a broken profile: the plain numbers are still a picture
    return picture.convert("RGBA" if see_through else "RGB")


def _is_svg(source: Path) -> bool:
    with source.open("rb") as stream:
        return bool(_SVG.search(stream.read(4096)))
