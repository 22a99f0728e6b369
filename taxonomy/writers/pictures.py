"""Edits of a page's picture with known extent: painting over a box, adding a line of text below."""

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from sources.base.sample import EncodedImage
from sources.images.encoding import encode, luma
from sources.images.fingerprint import picture_fingerprint

QUALITY = 95  # of edited JPEG and WebP pictures; the rest of the picture must not look different
_FORMATS = {"png": "png", "jpg": "jpeg", "webp": "webp"}


def paint_over(image: EncodedImage, box: np.ndarray, margin_px: int = 1) -> EncodedImage | None:
    """Return the picture with a box filled with the colour around it; None if the surroundings have several colours.

    Args:
        box: (4,) x0, y0, x1, y1 in pixels.
    """
    picture = _decoded(image)
    x0, y0 = np.maximum(np.floor(box[:2]).astype(int) - margin_px, 0)
    x1, y1 = np.minimum(np.ceil(box[2:]).astype(int) + margin_px, picture.size)
    pixels = np.array(picture)
    left, right = pixels[y0:y1, max(0, x0 - 2) : x0], pixels[y0:y1, x1 : x1 + 2]
    around = np.concatenate([left.reshape(-1, *pixels.shape[2:]), right.reshape(-1, *pixels.shape[2:])])
    if not len(around) or (around.max(axis=0).astype(int) - around.min(axis=0)).max() > 24:
        return None
    pixels[y0:y1, x0:x1] = np.median(around, axis=0).astype(np.uint8)
    return encode(pixels if picture.mode == "L" else Image.fromarray(pixels), _FORMATS[image.extension], QUALITY)


def reencoded(image: EncodedImage) -> EncodedImage:
    """Return the picture as it is after an edit that changed nothing: decoded, and encoded with the same settings."""
    picture = _decoded(image)
    pixels = np.array(picture)
    return encode(pixels if picture.mode == "L" else Image.fromarray(pixels), _FORMATS[image.extension], QUALITY)


def add_line_below(image: EncodedImage, text: str) -> tuple[EncodedImage, list[str], np.ndarray]:
    """Add a blank band with a text below the picture.

    Returns:
        The picture, the words of the text and their (N, 4) boxes in pixels.
    """
    picture = _decoded(image)
    background = 255 if picture.mode == "L" else (255, 255, 255)
    ink = 0 if picture.mode == "L" else (0, 0, 0)
    size = max(12, round(picture.width / 42))
    font = ImageFont.load_default(size)
    lines: list[list[str]] = [[]]
    for word in text.split():
        if lines[-1] and font.getlength(" ".join([*lines[-1], word])) > picture.width - 2 * size:
            lines.append([])
        lines[-1].append(word)
    canvas = Image.new(picture.mode, (picture.width, picture.height + round((len(lines) * 1.4 + 1) * size)), background)
    canvas.paste(picture, (0, 0))
    draw = ImageDraw.Draw(canvas)
    boxes = []
    for k, line in enumerate(lines):
        x, y = float(size), picture.height + (0.5 + 1.4 * k) * size
        for word in line:
            draw.text((x, y), word, fill=ink, font=font)
            boxes.append(draw.textbbox((x, y), word, font=font))
            x += font.getlength(word + " ")
    encoded = encode(np.asarray(canvas) if canvas.mode == "L" else canvas, _FORMATS[image.extension], QUALITY)
    return encoded, [word for line in lines for word in line], np.array(boxes, np.float32)


def fingerprint_of(image: EncodedImage) -> bytes:
    """Return the fingerprint of an encoded picture."""
    picture = _decoded(image)
    return picture_fingerprint(np.asarray(picture) if picture.mode == "L" else luma(picture))


def _decoded(image: EncodedImage) -> Image.Image:
    picture = Image.open(io.BytesIO(image.data))
    return picture if picture.mode == "L" else picture.convert("RGB")
