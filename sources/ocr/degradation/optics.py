"""Effects of cameras, scanners and photocopiers: blur, noise, low resolution, JPEG, photocopy.

All take and return (H, W) grey or (H, W, 3) RGB uint8. Blur and resolution scale with the height of the text: a blur
that spoils small print does no harm to a headline.
"""

import random
from statistics import NormalDist

import cv2
import numpy as np

from sources.ocr.arrays import Pixels
from sources.ocr.degradation.light import apply_light, ramp_up

# Quantiles of the normal distribution, indexed by a random byte.
NORMAL = np.array([NormalDist().inv_cdf((k + 0.5) / 256) for k in range(256)])
MIDDLE = 128  # grey level that means no noise
MAX_SPECKS = 0.0012  # specks per pixel of the dirtiest copy
SPECKS = (20, 60, 110, 250)  # grey levels of toner and of missing toner
READABLE_PX = 4.2  # words are at least about this high after low resolution


def blur(pixels: Pixels, amount: float, text_px: float, random: random.Random) -> Pixels:
    """Blur as out of focus or by motion."""
    sigma = min(text_px, 25) * ramp_up(amount, 0.10, 0.30)
    if random.random() < 0.65:
        return cv2.GaussianBlur(pixels, (0, 0), max(sigma, 0.05))
    angle = random.uniform(0, np.pi)
    reach = 2.2 * sigma
    size = 2 * int(np.ceil(reach)) + 3
    offsets = np.arange(size, dtype=np.float32) - size // 2
    x, y = np.meshgrid(offsets, offsets)
    along, across = x * np.cos(angle) + y * np.sin(angle), -x * np.sin(angle) + y * np.cos(angle)
    kernel = np.clip(reach + 0.5 - np.abs(along), 0, 1) * np.clip(1 - np.abs(across), 0, 1)
    return cv2.filter2D(pixels, -1, kernel / kernel.sum())


def noise(pixels: Pixels, amount: float, text_px: float, random: random.Random) -> Pixels:
    """Add sensor noise, the same in all channels."""
    height, width = pixels.shape[:2]
    levels = np.rint(MIDDLE + NORMAL * ramp_up(amount, 24, 80)).clip(0, 255).astype(np.uint8)
    generator = np.random.Generator(np.random.PCG64(random.getrandbits(64)))
    thrown = generator.integers(0, 256, (height, width), np.uint8)
    grain = cv2.LUT(thrown, levels)
    if pixels.ndim == 3:
        grain = cv2.merge([grain] * 3)
    return cv2.addWeighted(pixels, 1, grain, 1, -MIDDLE)


def low_resolution(pixels: Pixels, amount: float, text_px: float, random: random.Random) -> Pixels:
    """Reduce the number of pixels and enlarge the picture again."""
    smallest = min(max(READABLE_PX / text_px, 0.3), 1.0)
    scale = 1 - ramp_up(amount, 0.8, 1) * (1 - smallest)
    height, width = pixels.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    # Averaging areas is slower and differs little: pixels are at most three times as large, and cameras alias too.
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR)
    enlarged = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    share = min(1, 5 * amount)  # blend in gradually: the smallest amount would blur at once
    return enlarged if share == 1 else cv2.addWeighted(enlarged, share, pixels, 1 - share, 0)


def jpeg(pixels: Pixels, amount: float, text_px: float, random: random.Random) -> Pixels:
    """Encode as JPEG, down to quality 4, and decode."""
    quality = round(96 - ramp_up(amount, 78, 92))
    if pixels.ndim == 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", pixels, (cv2.IMWRITE_JPEG_QUALITY, quality))
    decoded = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    return decoded if pixels.ndim == 2 else cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)


def photocopy(pixels: Pixels, amount: float, text_px: float, random: random.Random) -> Pixels:
    """Turn grey with hard contrast, specks, streaks of the drum and a dark edge."""
    width = pixels.shape[1]
    grey = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    threshold, hardness = random.uniform(0.5, 0.72), 4 + 14 * amount
    levels = np.linspace(0, 1, 256)
    hard = 1 / (1 + np.exp(-hardness * (levels - threshold)))
    hard = (hard - hard[0]) / (hard[-1] - hard[0])
    curve = ((1 - amount) * levels + amount * hard) * 255
    copied = cv2.LUT(grey, curve.round().astype(np.uint8))
    generator = np.random.Generator(np.random.PCG64(random.getrandbits(64)))
    _speckle(copied, amount, generator)
    streaks = 1 - 0.25 * amount * (generator.random(width) < 0.003) * generator.random(width)
    edge = 1 - 0.7 * amount * np.exp(-np.arange(width) / generator.uniform(4, 20))
    copied = apply_light(copied, (streaks * edge[:: generator.choice((-1, 1))])[None])
    share = min(1, 3 * amount)
    if pixels.ndim == 3:
        copied = cv2.merge([copied] * 3)
    return copied if share == 1 else cv2.addWeighted(pixels, 1 - share, copied, share, 0)


def _speckle(grey: Pixels, amount: float, generator: np.random.Generator) -> None:
    """Draw dark specks and white dropouts of toner into grey pixels, in place."""
    height, width = grey.shape
    num_specks = int(width * height * MAX_SPECKS)
    x, y = generator.integers(0, width - 1, num_specks), generator.integers(0, height - 1, num_specks)
    is_large, shade = generator.random(num_specks) < 0.4, generator.choice(np.array(SPECKS, np.uint8), num_specks)
    shown = slice(int(num_specks * amount))
    large = np.flatnonzero(is_large[shown])
    grey[y[shown], x[shown]] = shade[shown]
    grey[y[large], x[large] + 1] = shade[large]
    grey[y[large] + 1, x[large]] = shade[large]
