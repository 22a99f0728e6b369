"""What the camera or scanner does: blur, noise, too few pixels, JPEG; and what a photocopier does.

The sizes of blurs and pixels go with the text: a smudge that spoils small print is nothing to a headline.
"""

import random

import cv2
import numpy as np

from sources.ocr.textures import grain

READABLE_PX = 7.0  # a low resolution leaves words about this high
BAND_ROWS = 64


def blur(pixels: np.ndarray, amount: float, text_px: float, random: random.Random) -> np.ndarray:
    """Out of focus, or moved while the shutter was open."""
    sigma = min(0.10 * text_px, 2.5) * amount
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


def noise(pixels: np.ndarray, amount: float, text_px: float, random: random.Random) -> np.ndarray:
    """Grain of the sensor: the same in all colours."""
    height, width = pixels.shape[:2]
    generator = np.random.Generator(np.random.PCG64(random.getrandbits(64)))
    levels = grain(width, height, generator) * np.float32(24 * amount)
    brighter = cv2.convertScaleAbs(np.maximum(levels, 0))
    darker = cv2.convertScaleAbs(np.minimum(levels, 0))
    return cv2.subtract(cv2.add(pixels, cv2.merge([brighter] * 3)), cv2.merge([darker] * 3))


def low_resolution(pixels: np.ndarray, amount: float, text_px: float, random: random.Random) -> np.ndarray:
    """Taken with fewer pixels and enlarged again."""
    smallest = min(max(READABLE_PX / text_px, 0.3), 1.0)
    scale = 1 - amount * (1 - smallest)
    height, width = pixels.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (width, height), interpolation=random.choice((cv2.INTER_LINEAR, cv2.INTER_CUBIC)))


def jpeg(pixels: np.ndarray, amount: float, text_px: float, random: random.Random) -> np.ndarray:
    """Encoded as JPEG, down to quality 18, and decoded."""
    quality = round(96 - 78 * amount)
    _, data = cv2.imencode(".jpg", pixels, (cv2.IMWRITE_JPEG_QUALITY, quality))
    return cv2.imdecode(data, cv2.IMREAD_COLOR)


def photocopy(pixels: np.ndarray, amount: float, text_px: float, random: random.Random) -> np.ndarray:
    """Grey, of hard contrast, with specks, streaks of the drum and a dark edge."""
    height, width = pixels.shape[:2]
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    threshold, hardness = random.uniform(0.5, 0.72), 4 + 14 * amount
    levels = np.linspace(0, 1, 256)
    hard = 1 / (1 + np.exp(-hardness * (levels - threshold)))
    hard = (hard - hard[0]) / (hard[-1] - hard[0])
    curve = ((1 - amount) * levels + amount * hard) * 255
    copied = cv2.LUT(grey, curve.round().astype(np.uint8))
    generator = np.random.Generator(np.random.PCG64(random.getrandbits(64)))
    _speckle(copied, amount, generator)
    streaks = 1 - 0.25 * amount * (generator.random(width // 2) < 0.004) * generator.random(width // 2)
    edge = 1 - 0.7 * amount * np.exp(-np.arange(width // 2) / generator.uniform(2, 10))
    profile = (streaks * (edge if generator.random() < 0.5 else edge[::-1])).astype(np.float32)
    profile = cv2.resize((profile * 255).astype(np.uint8)[None], (width, 1), interpolation=cv2.INTER_LINEAR)
    copied = cv2.multiply(copied, np.ascontiguousarray(np.broadcast_to(profile, copied.shape)), scale=1 / 255)
    return cv2.addWeighted(pixels, 1 - min(1, 3 * amount), cv2.merge([copied] * 3), min(1, 3 * amount), 0)


def _speckle(grey: np.ndarray, amount: float, generator: np.random.Generator) -> None:
    """Draw specks of toner, and of none, into grey pixels."""
    height, width = grey.shape
    num_specks = int(width * height * 0.0012)
    x, y = generator.integers(0, width - 1, num_specks), generator.integers(0, height - 1, num_specks)
    wide, shades = generator.random(num_specks) < 0.4, generator.choice(np.uint8([20, 60, 110, 250]), num_specks)
    x, y, wide, shades = (values[: int(num_specks * amount)] for values in (x, y, wide, shades))
    grey[y, x] = shades
    grey[y[wide], x[wide] + 1] = shades[wide]
    grey[y[wide] + 1, x[wide]] = shades[wide]
