"""Pixels to encoded images, and what is measured on the pixels before lossy encoding."""

import io
import struct
import zlib

import imagehash
import numpy as np
from PIL import Image
from zlib_ng import zlib_ng

from sources.sample import NUM_PHASH_BYTES, EncodedImage

# zlib-ng level 2 without a row filter: on 118 grey text pages 1.2 ms and 62 KB, where Pillow's PNG at level 1 takes
# 6.1 ms and 73 KB (benchmarks/encode.py). The output does not depend on the processor.
PNG_LEVEL = 2
INK_CONTRAST = 32  # grey levels a pixel must differ from the page's background to count as ink


def grey_of(rgb: np.ndarray) -> np.ndarray | None:
    """The single channel of an RGB image whose channels agree everywhere, else None.

    Args:
        rgb: (height, width, 3) uint8.
    """
    # Any row that differs settles it; a few rows find most coloured pages without touching the rest.
    for rows in (rgb[:: max(1, len(rgb) // 16)], rgb):
        red = rows[..., 0]
        if not (np.array_equal(red, rows[..., 1]) and np.array_equal(red, rows[..., 2])):
            return None
    return np.ascontiguousarray(rgb[..., 0])


def encode(pixels: np.ndarray, image_format: str, quality: int = 90) -> EncodedImage:
    """Encode pixels.

    Args:
        pixels: (height, width) grey or (height, width, 3) RGB, uint8.
        image_format: `png` (lossless), `jpeg` or `webp`.
        quality: 1 to 100, of jpeg and webp.
    """
    height, width = pixels.shape[:2]
    if image_format == "png":
        return EncodedImage(data=_png(pixels), extension="png", width=width, height=height)
    buffer = io.BytesIO()
    if image_format == "jpeg":
        Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
        return EncodedImage(data=buffer.getvalue(), extension="jpg", width=width, height=height)
    if image_format == "webp":
        Image.fromarray(pixels).save(buffer, "WEBP", quality=quality, method=0)
        return EncodedImage(data=buffer.getvalue(), extension="webp", width=width, height=height)
    raise ValueError(f"image format must be png, jpeg or webp, got {image_format!r}")


def _png(pixels: np.ndarray) -> bytes:
    height, width = pixels.shape[:2]
    colour_type = 0 if pixels.ndim == 2 else 2
    row_bytes = pixels.reshape(height, -1)
    filtered = np.zeros((height, row_bytes.shape[1] + 1), np.uint8)  # leading 0: no filter on this row
    filtered[:, 1:] = row_bytes

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)
    body = zlib_ng.compress(filtered, PNG_LEVEL)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def ink(grey: np.ndarray) -> float:
    """Share of pixels (0 to 1) that differ from the background, the most common grey level, by more than 32 levels.

    Args:
        grey: (height, width) uint8; every second pixel of every second row is looked at.
    """
    counts = np.bincount(np.ascontiguousarray(grey[::2, ::2]).ravel(), minlength=256)
    background = int(counts.argmax())
    low, high = max(0, background - INK_CONTRAST), min(255, background + INK_CONTRAST)
    return float(1 - counts[low : high + 1].sum() / counts.sum())


def phash(grey: np.ndarray) -> bytes:
    """256-bit perceptual hash: `imagehash.phash(image.reduce(k), hash_size=16)`, k = max(1, long side // 256).

    Args:
        grey: (height, width) uint8.
    Returns:
        32 bytes, the hash's bits row by row, most significant first.
    """
    image = Image.fromarray(grey)
    factor = max(1, max(image.size) // 256)
    bits = imagehash.phash(image.reduce(factor), hash_size=16).hash
    packed = np.packbits(bits.ravel()).tobytes()
    assert len(packed) == NUM_PHASH_BYTES
    return packed
