"""Marks on the sheet itself: faded ink, bleed-through and stains."""

import random

import cv2
import numpy as np

from sources.ocr.arrays import Floats, Pixels
from sources.ocr.degradation.light import apply_light, ramp_up


def fading(pixels: Pixels, amount: float, random: random.Random) -> Pixels:
    """Fade the ink, in some places more than in others."""
    grid = np.array([[random.uniform(0.5, 1) for _ in range(5)] for _ in range(7)], np.float32)
    field = cv2.resize(1 - ramp_up(amount, 0.35, 0.9) * grid, (40, 56), interpolation=cv2.INTER_CUBIC)
    return cv2.bitwise_not(apply_light(cv2.bitwise_not(pixels), field))


def bleed_through(pixels: Pixels, amount: float, random: random.Random) -> Pixels:
    """Let the other side of the sheet show through, printed like this side."""
    grey = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    paper = int(np.bincount(small.ravel(), minlength=256).argmax())
    other = cv2.flip(small, 1)
    other = np.roll(other, random.randint(8, 40) * random.choice((-1, 1)), axis=0)
    ink = cv2.GaussianBlur(np.where(other < paper, paper - other, 0).astype(np.uint8), (0, 0), 0.9)
    ink = cv2.resize(ink, grey.shape[::-1], interpolation=cv2.INTER_LINEAR)
    ink = cv2.convertScaleAbs(ink, alpha=ramp_up(amount, 0.3, 0.6))
    return cv2.subtract(pixels, ink if pixels.ndim == 2 else cv2.merge([ink] * 3))


def stains(pixels: Pixels, amount: float, random: random.Random) -> Pixels:
    """Add rings of cups, drops and yellowed patches."""
    height, width = pixels.shape[:2]
    pixels = pixels.copy()
    for _ in range(random.randint(1, 3)):
        radius = random.uniform(0.04, 0.14) * min(width, height)
        x, y = random.uniform(0, width), random.uniform(0, height)
        is_ring = random.random() < 0.5
        axes = (radius, radius * random.uniform(0.7, 1.0))
        wobble = [random.uniform(-0.12, 0.12) for _ in range(6)]
        tint = np.array([random.uniform(0.0, 0.25), random.uniform(0.2, 0.5), random.uniform(0.45, 0.8)], np.float32)
        _stain(pixels, (x, y), axes, wobble, is_ring, 0.55 * amount * tint)
    return pixels


def _stain(
    pixels: Pixels,
    middle: tuple[float, float],
    axes: tuple[float, float],
    wobble: list[float],
    is_ring: bool,
    absorbed: Floats,
) -> None:
    """Darken pixels in place, in a ring or a drop with a dark rim, by the fraction of each colour that is absorbed."""
    reach = int(1.5 * max(axes)) + 2
    x0, x1 = max(0, int(middle[0]) - reach), min(pixels.shape[1], int(middle[0]) + reach)
    y0, y1 = max(0, int(middle[1]) - reach), min(pixels.shape[0], int(middle[1]) + reach)
    if x1 <= x0 or y1 <= y0:
        return
    y, x = np.mgrid[y0:y1:2, x0:x1:2].astype(np.float32)
    angle = np.arctan2(y - middle[1], x - middle[0])
    distance = np.hypot((x - middle[0]) / axes[0], (y - middle[1]) / axes[1])
    for k, size in enumerate(wobble):
        distance += size * np.sin((k % 3 + 2) * angle + 7 * k) * (0.15 if is_ring else 0.6)
    rim = np.exp(-(((distance - 1) / 0.07) ** 2))
    body = 0.0 if is_ring else 0.55 / (1 + np.exp(np.minimum((distance - 1) * 25, 50)))
    mask = cv2.resize((rim * 0.8 + body).clip(0, 1).astype(np.float32), (x1 - x0, y1 - y0))
    patch = pixels[y0:y1, x0:x1]
    patch[:] = (patch * (1 - mask[..., None] * absorbed)).astype(np.uint8)
