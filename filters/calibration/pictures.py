"""Corruptions of the picture; what the sample says about it stays."""

import dataclasses
import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageFilter

from sources.base.sample import EncodedImage, Sample
from sources.images.ink import ink

BLUR_SHARE = 1 / 250  # radius, of the longer side: letters of 12 points on a page run together
BLUR_OF_WORDS = 0.28  # the same of the height of words, so that large letters run together, too
CUT_SHARE = 0.35
LEAST_SIDE_PX = 16


def blur(sample: Sample, others: Sequence[Sample], chance: np.random.Generator) -> Sample | None:
    """Every image out of focus."""
    heights = sample.words.boxes[:, 3] - sample.words.boxes[:, 1]
    radius_px = BLUR_OF_WORDS * float(np.median(heights)) if len(heights) else 0.0
    return _changed(sample, [_blurred(image, radius_px) for image in opened(sample)])


def cut(sample: Sample, others: Sequence[Sample], chance: np.random.Generator) -> Sample | None:
    """Every image without the part along one of its sides."""
    side = int(chance.integers(4))
    return _changed(sample, [_cut(image, side) for image in opened(sample)])


def rotation(sample: Sample, others: Sequence[Sample], chance: np.random.Generator) -> Sample | None:
    """Every image turned by a multiple of 90 degrees."""
    degrees = 90 * int(chance.integers(1, 4))
    return _changed(sample, [image.rotate(degrees, expand=True) for image in opened(sample)])


def opened(sample: Sample) -> list[Image.Image]:
    """The decoded images."""
    return [_plain(Image.open(io.BytesIO(image.data))) for image in sample.images]


def _plain(image: Image.Image) -> Image.Image:
    return image if image.mode in ("L", "RGB") else image.convert("RGB")


def _blurred(image: Image.Image, radius_px: float) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(max(1.5, radius_px, BLUR_SHARE * max(image.size))))


def _cut(image: Image.Image, side: int) -> Image.Image:
    width, height = image.size
    x, y = round(width * CUT_SHARE), round(height * CUT_SHARE)
    box = [(x, 0, width, height), (0, y, width, height), (0, 0, width - x, height), (0, 0, width, height - y)][side]
    return image.crop(box)


def _changed(sample: Sample, images: Sequence[Image.Image]) -> Sample | None:
    if not images or min(min(image.size) for image in images) < LEAST_SIDE_PX:
        return None
    encoded = []
    for image in images:
        buffer = io.BytesIO()
        image.save(buffer, "PNG", compress_level=1)
        encoded.append(EncodedImage(data=buffer.getvalue(), extension="png", width=image.width, height=image.height))
    measures = {**sample.measures, "ink": ink(np.asarray(images[0].convert("L")))}
    return dataclasses.replace(sample, images=encoded, measures=measures)
