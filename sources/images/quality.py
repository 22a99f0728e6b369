"""How much an encoded image has lost, from its header alone: which of two copies of a picture is the better one."""

import io

import numpy as np
from PIL import Image

LOSSLESS, DRAWING, PALETTE, LOSSY = 100, 99, 45, 70  # LOSSY: of formats whose header does not tell
COLOUR = 30  # a coloured JPEG of quality 80 is better than a grey PNG
DRAWING_COLOURS = 64  # a palette of fewer is a drawing's own; photographs get 256
GREY_MODES = ("1", "L", "LA", "I", "I;16", "I;16B", "F")
# Sum of the standard luminance table (ITU-T T.81, K.1), which encoders scale by their quality.
STANDARD_TABLE_SUM = 3688


def encoded_quality(data: bytes) -> int:
    """0 to 130, more is better; 0 for what is no image."""
    try:
        image = Image.open(io.BytesIO(data))
    except (OSError, Image.DecompressionBombError):
        return 0
    colour = 0 if image.mode in GREY_MODES else COLOUR
    return colour + _fidelity(image, data)


def _fidelity(image: Image.Image, data: bytes) -> int:
    if image.mode == "P" and image.palette is not None:
        return DRAWING if len(image.palette.getdata()[1]) < 3 * DRAWING_COLOURS else PALETTE
    tables = getattr(image, "quantization", None)
    if image.format in ("JPEG", "MPO") and tables:
        return jpeg_quality(np.array(tables[min(tables)]))
    if image.format == "WEBP":
        return LOSSLESS if b"VP8L" in data[:64] else LOSSY
    return LOSSY if image.format in ("AVIF", "JPEG2000") else LOSSLESS


def jpeg_quality(table: np.ndarray) -> int:
    """The quality setting, 1 to 98, that scales the standard table to one with this sum, as libjpeg does."""
    scale = 100 * float(table.sum()) / STANDARD_TABLE_SUM
    quality = (200 - scale) / 2 if scale <= 100 else 5000 / scale
    return int(min(98, max(1, round(quality))))
