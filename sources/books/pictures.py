"""Figures as pixels: decoded within limits, drawn if they are vectors, and checked for being figures at all."""

import io
import re
import struct
import warnings
import zlib
from dataclasses import dataclass

import numpy as np
import resvg_py
from PIL import Image

from sources.base.sample import EncodedImage
from sources.books.svg import is_svg
from sources.images.decoding import as_shown
from sources.images.encoding import encode, grey_of

FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF")
MAX_PIXELS = 150_000_000
MAX_SHAPE = 12.0  # ratio of the sides; more is a rule or an ornament between paragraphs
MIN_CONTRAST = 8  # grey levels between the darkest and the brightest pixel; less is an empty picture
_NOTES = frozenset(("exif", "xmp", "comment", "photoshop"))
_LENGTH = re.compile(r"\s*([\d.]+)\s*(px|pt|pc|mm|cm|in|em|ex|%)?")
_UNITS = {
    None: 1.0,
    "px": 1.0,
    "pt": 4 / 3,
    "pc": 16.0,
    "in": 96.0,
    "cm": 96 / 2.54,
    "mm": 96 / 25.4,
    "em": 16.0,
    "ex": 8.0,
}


class NoFigure(Exception):
    """A picture that is no figure.

    Args:
        reason: `icon`, `ornament`, `blank`, `unreadable` or `too_large`.
    """

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded figure.

    Args:
        pixels: (height, width) grey or (height, width, 3) RGB, uint8.
        image: encoded.
    """

    pixels: np.ndarray
    image: EncodedImage


def size_of(data: bytes) -> tuple[int, int]:
    """Return width and height without decoding pixels. Raises NoFigure."""
    if is_svg(data):
        return _svg_size(data)
    with _opened(data) as image:
        return image.size


def check_size(size: tuple[int, int], min_side_px: int) -> None:
    """Raise NoFigure for icons, ornaments, and pictures that are too large to decode."""
    short, long = sorted(size)
    if short * long > MAX_PIXELS:
        raise NoFigure("too_large")
    if long < min_side_px or short < min_side_px / 3:
        raise NoFigure("icon")
    if long > MAX_SHAPE * short:
        raise NoFigure("ornament")


def load(data: bytes, *, side_px: int, min_side_px: int, quality: int) -> Picture:
    """Decode a figure; vectors are drawn with a long side of `side_px`, larger pictures are scaled down to it.

    Photographs (JPEG) stay as they are if nothing is changed and they say nothing of their origin, else they are
    encoded as JPEG; everything else as PNG. Raises NoFigure.
    """
    check_size(size_of(data), min_side_px)
    is_photo = data[:3] == b"\xff\xd8\xff"
    image, is_plain = (_drawn(data, side_px), False) if is_svg(data) else _decoded(data, side_px)
    is_plain &= max(image.size) <= side_px
    if max(image.size) > side_px:
        image.thumbnail((side_px, side_px), Image.Resampling.LANCZOS)
    pixels = np.asarray(image)
    if int(pixels.max()) - int(pixels.min()) < MIN_CONTRAST:
        raise NoFigure("blank")
    if is_photo and is_plain:  # encoding it again would only lose
        return Picture(pixels, EncodedImage(data=data, extension="jpg", width=image.width, height=image.height))
    grey = grey_of(np.ascontiguousarray(pixels)) if pixels.ndim == 3 else pixels
    pixels = pixels if grey is None else grey
    return Picture(pixels, encode(pixels, "jpeg" if is_photo else "png", quality))


def _opened(data: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about sizes, which are checked, and about broken metadata
            return Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise NoFigure("too_large") from error
    except (OSError, SyntaxError, ValueError, struct.error) as error:
        raise NoFigure("unreadable") from error


def _decoded(data: bytes, side_px: int) -> tuple[Image.Image, bool]:
    """Return a picture, and whether it is what the file has, without turning, background, or notes of a camera."""
    try:
        with warnings.catch_warnings(), _opened(data) as image:
            warnings.simplefilter("ignore")
            if image.format == "JPEG":
                image.draft(image.mode, (side_px * 2, side_px * 2))
            is_plain = image.mode in ("L", "RGB") and not _NOTES.intersection(image.info)
            return as_shown(image), is_plain
    except (OSError, SyntaxError, ValueError, struct.error, zlib.error, IndexError, EOFError) as error:
        raise NoFigure("unreadable") from error


def _svg_size(data: bytes) -> tuple[int, int]:
    head = re.search(rb"<(?:[\w.-]+:)?svg\b[^>]*>", data[:65536], re.DOTALL)
    if head is None:
        raise NoFigure("unreadable")
    tag = head[0].decode("utf-8", "replace")
    box = re.search(r"viewBox\s*=\s*[\"']([^\"']+)", tag, re.IGNORECASE)
    sides = [re.search(rf"\b{name}\s*=\s*[\"']([^\"']+)", tag) for name in ("width", "height")]
    lengths = [_length(side[1]) if side else None for side in sides]
    if box:
        try:
            width, height = (float(number) for number in re.split(r"[\s,]+", box[1].strip())[2:4])
        except ValueError as error:
            raise NoFigure("unreadable") from error
        lengths = [found or other for found, other in zip(lengths, (width, height), strict=True)]
    width, height = (min(max(length or 100.0, 1.0), 1e6) for length in lengths)
    return round(width), round(height)


def _length(text: str) -> float | None:
    found = _LENGTH.match(text)
    if found is None or found[2] == "%":
        return None
    try:
        return float(found[1]) * _UNITS[found[2]]
    except ValueError:
        return None


def _drawn(data: bytes, side_px: int) -> Image.Image:
    """Draw an SVG that `svg.self_contained` returned."""
    width, height = _svg_size(data)
    scale = side_px / max(width, height)
    try:
        png = bytes(
            resvg_py.svg_to_bytes(
                svg_string=data.decode("utf-8", "replace"),
                background="#ffffff",
                dpi=96,  # without it, lengths in pt are 0
                skip_system_fonts=b"text" not in data,  # looking for them takes 0.2 s
                width=max(1, round(width * scale)),
                height=max(1, round(height * scale)),
            )
        )
    except (ValueError, RuntimeError) as error:
        raise NoFigure("unreadable") from error
    return _decoded(png, side_px)[0]
