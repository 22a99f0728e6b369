"""Pixels to encoded images."""

import io
import struct
from functools import lru_cache

import numpy as np
from PIL import Image
from zlib_ng import zlib_ng

from sources.base.sample import EncodedImage

# zlib-ng level 2 without a row filter takes 1.2 ms and 62 KB per page (mean over 118 grey text pages); Pillow's PNG at
# level 1 takes 6.1 ms and 73 KB (benchmarks/encode.py). The output does not depend on the processor.
PNG_LEVEL = 2
GREY_BAND_BYTES = 1 << 17  # rows are searched for colour in bands: 128 KB and two temporaries fit in a core's cache
FORMATS = ("png", "jpeg", "webp")


def grey_of(rgb: np.ndarray) -> np.ndarray | None:
    """Return the single channel of an RGB image whose channels are equal everywhere, else None.

    Args:
        rgb: (height, width, 3) uint8, contiguous.
    """
    # Consecutive bytes of a grey image differ only between pixels (every third). A band of rows stays in the
    # processor's cache, and the first band with colour ends the search.
    row_bytes = rgb.shape[1] * 3
    rows = max(1, GREY_BAND_BYTES // row_bytes)
    inside_pixel = _inside_pixel(rows * rgb.shape[1])
    for start in range(0, len(rgb), rows):
        band = rgb[start : start + rows].reshape(-1)
        differences = band[1:] ^ band[:-1]
        differences &= inside_pixel[: len(differences)]
        if differences.any():
            return None
    return np.ascontiguousarray(rgb[..., 0])


@lru_cache(maxsize=8)  # the pages of a file mostly have the same size
def _inside_pixel(num_pixels: int) -> np.ndarray:
    """Return a (3 · num_pixels,) mask of the bytes whose successor belongs to the same pixel."""
    return np.tile(np.array([255, 255, 0], np.uint8), num_pixels)


def luma(image: Image.Image) -> np.ndarray:
    """Return the (height, width) uint8 ITU-R 601 luma of an RGB image, as in Pillow's convert("L")."""
    return np.asarray(image.convert("L"))


def check_encoding(image_format: str, quality: int) -> None:
    """Raise ValueError unless `encode` supports the format and the quality."""
    if image_format not in FORMATS:
        raise ValueError(f"format must be {', '.join(FORMATS[:-1])} or {FORMATS[-1]}, got {image_format!r}")
    if not 1 <= quality <= 100:
        raise ValueError(f"quality must be between 1 and 100, got {quality}")


def encode(pixels: np.ndarray | Image.Image, image_format: str, quality: int = 90) -> EncodedImage:
    """Encode pixels.

    Args:
        pixels: (height, width) grey or (height, width, 3) RGB, uint8; or a Pillow image of mode L or RGB.
        image_format: `png` (lossless), `jpeg` or `webp`.
        quality: 1 to 100, for jpeg and webp.
    """
    check_encoding(image_format, quality)
    if image_format == "png":
        array = np.asarray(pixels)
        return EncodedImage(data=_png(array), extension="png", width=array.shape[1], height=array.shape[0])
    image = Image.fromarray(pixels) if isinstance(pixels, np.ndarray) else pixels
    buffer = io.BytesIO()
    if image_format == "jpeg":
        image.save(buffer, "JPEG", quality=quality)
        return EncodedImage(data=buffer.getvalue(), extension="jpg", width=image.width, height=image.height)
    image.save(buffer, "WEBP", quality=quality, method=0)
    return EncodedImage(data=buffer.getvalue(), extension="webp", width=image.width, height=image.height)


def _png(pixels: np.ndarray) -> bytes:
    height, width = pixels.shape[:2]
    colour_type = 0 if pixels.ndim == 2 else 2
    row_bytes = pixels.reshape(height, -1)
    filtered = np.zeros((height, row_bytes.shape[1] + 1), np.uint8)  # a leading 0 means no filter for this row
    filtered[:, 1:] = row_bytes

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib_ng.crc32(data, zlib_ng.crc32(name)))

    header = struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)
    body = zlib_ng.compress(filtered, PNG_LEVEL)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
