"""Decodes and checks the images of requests."""

import base64
import binascii
import io
import re

import numpy as np
from PIL import Image, UnidentifiedImageError

from deepseek_vl.config import ModelConfig
from deepseek_vl.images import canvas, read_rgb
from deepseek_vl.serve.errors import ApiError

# Formats allowed for data from the network. Pillow's other readers are older, rarer, or start programs (EPS).
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
DATA_URL = re.compile(r"data:image/[a-z0-9.+-]+;base64,", re.IGNORECASE)


def is_remote(url: str) -> bool:
    """Return True for an http or https URL, which has to be fetched."""
    return url[:8].lower().startswith(("http://", "https://"))


def decode_data_url(url: str) -> bytes:
    """Decode the bytes of an image in a data URL. Raises ValueError."""
    header = DATA_URL.match(url)
    if header is None:
        raise ValueError(f"expected a URL that begins with data:image/…;base64, and got {url[:40]!r}")
    try:
        return base64.b64decode(url[header.end() :], validate=True)
    except (binascii.Error, ValueError) as error:  # ValueError: characters that are not ASCII
        raise ValueError(f"the data URL is not valid base64: {error}") from error


def open_image(source: str | bytes) -> Image.Image:
    """Open an image in a data URL or in encoded bytes; only its header is read. Raises ValueError."""
    data = decode_data_url(source) if isinstance(source, str) else source
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError as error:
        raise ValueError(f"the data is not an image in a known format ({', '.join(FORMATS)})") from error
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"the image cannot be read: {error}") from error


def to_canvas(source: str | bytes, config: ModelConfig, max_pixels: int, index: int) -> np.ndarray:
    """Return image `index` of a chat on the model's canvas (see `deepseek_vl.images.canvas`). Raises ApiError."""
    try:
        return canvas(open_image(source), config, max_pixels)
    except ValueError as error:
        raise bad_image(index, error, "messages") from error


def to_rgb(source: str | bytes, max_pixels: int, index: int) -> Image.Image:
    """Decode image `index` of a scoring request. Raises ApiError."""
    try:
        return read_rgb(open_image(source), max_pixels)
    except ValueError as error:
        raise bad_image(index, error, "images") from error


def bad_image(index: int, error: Exception, param: str) -> ApiError:
    """Return the error for image `index` of the field `param`."""
    return ApiError(400, f"image {index}: {error}", param=param, code="invalid_image")
