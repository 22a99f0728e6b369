"""Converts images of any kind to the canvas that the model reads, exactly as the authors do."""

import io
import warnings
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from deepseek_vl.config import ModelConfig

ImageInput = Image.Image | bytes | Path
MIN_SIDE_PX = 14  # the authors' lower bound of the resized short side
MAX_PIXELS = 100_000_000  # 300 MB as RGB; larger images are rejected before they are decoded


def canvas(image: ImageInput, config: ModelConfig, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Resize an image and centre it on the square canvas of a model.

    The long side becomes the model's image size and the short side is truncated to whole pixels (at least 14), by
    bicubic interpolation with antialiasing; the rest of the canvas has the colour of the configuration.

    Returns:
        (3, image_px, image_px) uint8.
    Raises:
        ValueError: the image cannot be read, is larger than `max_pixels`, or has values that are not colours.
    """
    picture = read_rgb(image, max_pixels)
    side = config.image_px
    picture = picture.resize(resized_size(*picture.size, side), Image.Resampling.BICUBIC)
    square = Image.new("RGB", (side, side), config.canvas_colour)
    square.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    return np.ascontiguousarray(np.asarray(square).transpose(2, 0, 1))


def resized_size(width: int, height: int, side: int) -> tuple[int, int]:
    """Return width and height after resizing, truncated (not rounded) as the authors do, at least 14 pixels each."""
    longest = max(width, height)
    return max(int(width / longest * side), MIN_SIDE_PX), max(int(height / longest * side), MIN_SIDE_PX)


def read_rgb(image: ImageInput, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Decode an image, apply its EXIF orientation, flatten transparency on white, and convert it to RGB.

    Raises:
        ValueError: as in `canvas`.
    """
    try:
        # Pillow's warning about large pictures is redundant: the limit is checked below.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            if not isinstance(image, Image.Image):
                image = Image.open(io.BytesIO(image) if isinstance(image, bytes) else image)
            if image.width * image.height > max_pixels:
                raise ValueError(f"the image has {image.width}x{image.height} pixels; expected at most {max_pixels}")
            if not image.width or not image.height:
                raise ValueError("the image has no pixels")
            image.load()
            return _flatten(_upright(image))
    except UnidentifiedImageError as error:
        raise ValueError("the data is not an image in a known format") from error
    except ValueError:
        raise
    except Exception as error:  # the decoders of damaged files raise anything: struct.error, IndexError, KeyError, …
        raise ValueError(f"the image cannot be decoded: {error or type(error).__name__}") from error


def _upright(image: Image.Image) -> Image.Image:
    """Apply the EXIF orientation; Pillow's function alone copies an image that is upright, too."""
    if image.getexif().get(ExifTags.Base.Orientation, 1) == 1:
        return image
    return ImageOps.exif_transpose(image)


def _flatten(image: Image.Image) -> Image.Image:
    if image.mode.startswith(("I", "F")):
        image = _eight_bits(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, image).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """Convert a grey image of 16 bits, 32 bits or floating point to 8 bits."""
    values = np.asarray(image)
    if not np.isfinite(values).all():
        raise ValueError("the image holds values that are not finite (NaN or infinite)")
    largest = 255 if image.mode == "F" else 65535
    if values.min() < 0 or values.max() > largest:
        raise ValueError(
            f"the image (mode {image.mode}) holds values from {values.min()} to {values.max()}; expected 0 to {largest}"
        )
    scaled = values.astype(np.float64) * (255 / largest)
    return Image.fromarray(np.round(scaled).astype(np.uint8))
