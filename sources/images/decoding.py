"""Encoded images of strangers: checked, decoded, and kept as they are wherever a reader can show them so.

Every source and comparison sees a picture as `as_shown` has it: turned as EXIF says, on white, with 8 bits per channel.
"""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import PIL.Image
import PIL.ImageOps

from sources.base.sample import EncodedImage
from sources.base.source import ItemError
from sources.images.encoding import encode

# Formats whose decoders are in wide use; others (EPS, FITS, …) start programs or are rarely tested.
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF")
KEPT = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp"}  # written to the dataset byte for byte
KEPT_MODES = ("L", "RGB", "P", "1")
# What decoders raise for damaged data.
ERRORS = (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, OverflowError, AttributeError)
ORIENTATION = 0x0112  # tag of EXIF
QUALITY = 95  # of JPEG images that have to be encoded again


@dataclass(frozen=True, slots=True)
class DecodedImage:
    """An image for a sample.

    Args:
        grey: (height, width) uint8 luma.
        size: width and height in pixels before it was made smaller.
    """

    encoded: EncodedImage
    grey: np.ndarray
    size: tuple[int, int]


def read_image(data: bytes, *, max_pixels: int, max_side_px: int = 0) -> DecodedImage:
    """Decode an image completely, so that a damaged one is noticed.

    JPEG, PNG and WebP files stay as they are, byte for byte, unless they are turned (EXIF), animated, transparent, have
    colours other than RGB, or are larger than wanted. Transparent images are put on white.

    Args:
        max_pixels: a larger image is an error, before it is decoded.
        max_side_px: a larger image is made smaller; 0 leaves the size.
    Raises:
        ItemError: the data are no image, a damaged one, or too large.
    """
    with opened(data, max_pixels) as image:
        return _decoded(data, image, max_side_px)


def read_luma(data: bytes, *, max_pixels: int) -> np.ndarray:
    """Decode an image completely to its (height, width) uint8 luma as shown. Raises ItemError as `read_image`."""
    with opened(data, max_pixels) as image:
        return np.asarray(as_shown(image).convert("L"))


@contextmanager
def opened(data: bytes, max_pixels: int) -> Iterator[PIL.Image.Image]:
    """An open image, with every error of a decoder in the block as an ItemError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of damaged metadata, and of images that are checked for size below
            with PIL.Image.open(io.BytesIO(data), formats=FORMATS) as image:
                if image.width * image.height > max_pixels:
                    size = f"{image.width:,} × {image.height:,} pixels"
                    raise ItemError("image_too_large", f"the image has {size}, more than {max_pixels:,}")
                yield image
    except PIL.UnidentifiedImageError as error:
        raise ItemError("not_an_image", "the data are not an image of a known format") from error
    except PIL.Image.DecompressionBombError as error:
        raise ItemError("image_too_large", "the image is too large to be decoded") from error
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, TypeError, OverflowError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ItemError("damaged_image", f"the image cannot be decoded: {reason}") from error


def _decoded(data: bytes, image: PIL.Image.Image, max_side_px: int) -> DecodedImage:
    is_kept = (
        image.format in KEPT
        and (image.mode in KEPT_MODES or _is_opaque(image))
        and "transparency" not in image.info
        and getattr(image, "n_frames", 1) == 1
        and image.getexif().get(ORIENTATION, 1) == 1
        and (not max_side_px or max(image.size) <= max_side_px)
    )
    if is_kept:
        width, height = image.size
        if image.format == "JPEG" and image.mode == "RGB":
            image.draft("L", image.size)  # the luma as it is stored
        grey = np.asarray(image.convert("L"))
        encoded = EncodedImage(data=data, extension=KEPT[str(image.format)], width=width, height=height)
        return DecodedImage(encoded, grey, (width, height))
    picture = as_shown(image)
    size = picture.size
    if max_side_px and max(picture.size) > max_side_px:
        picture.thumbnail((max_side_px, max_side_px), PIL.Image.Resampling.LANCZOS)
    lossy = image.format in ("JPEG", "MPO")
    encoded = encode(picture, "jpeg" if lossy else "png", QUALITY)
    return DecodedImage(encoded, np.asarray(picture.convert("L")), size)


def _is_opaque(image: PIL.Image.Image) -> bool:
    """Return True for RGB with an alpha channel that hides nothing, as matplotlib writes it."""
    return image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255)


def as_shown(image: PIL.Image.Image) -> PIL.Image.Image:
    """Return an image as a viewer shows it: RGB, or L if it is grey without transparency.

    It is turned as EXIF says, and what is transparent becomes white. Levels of more than 8 bits are scaled down:
    Pillow alone would cut them off at 255, so that a grey photograph of 16 bits became white.
    """
    image = _upright(image)
    if image.mode.startswith(("I", "F")):
        return PIL.Image.fromarray(_eight_bits(np.asarray(image)))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = PIL.Image.new("RGBA", image.size, "white")
        image = PIL.Image.alpha_composite(white, image)
    return image.convert("L" if image.mode in ("L", "1") else "RGB")


def _upright(image: PIL.Image.Image) -> PIL.Image.Image:
    """Return a picture turned as its EXIF data say; broken data turn nothing."""
    try:
        return PIL.ImageOps.exif_transpose(image)
    except ERRORS:
        return image


def _eight_bits(levels: np.ndarray) -> np.ndarray:
    """Return grey levels as uint8. White is 65,535 for whole numbers, 1 for fractions; if some are larger, the largest.

    Args:
        levels: (height, width), of 16 or 32 bits.
    """
    white = 65_535.0 if levels.dtype.kind in "iu" else 1.0
    levels = np.nan_to_num(levels.astype(np.float64), posinf=0).clip(0)
    white = max(white, float(levels.max(initial=0)))
    return np.asarray((levels * (255 / white)).round(), np.uint8)
