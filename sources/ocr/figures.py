"""Pictures without text that interrupt the columns of a page: landscapes, charts, blurred shapes."""

import random as random_module

import numpy as np
from PIL import Image, ImageDraw

from sources.ocr.arrays import Pixels
from sources.ocr.blocks import Inset

Colour = tuple[int, int, int]


def draw_figure(width: int, height: int, accent: Colour, random: random_module.Random) -> Inset:
    """Draw a figure of one of several kinds."""
    draw = random.choice((_landscape, _bars, _curve, _blobs))
    pixels = draw(width, height, accent, random)
    return Inset(pixels=np.dstack([pixels, np.full((height, width), 255, np.uint8)]))


def _landscape(width: int, height: int, accent: Colour, random: random_module.Random) -> Pixels:
    """Draw ridges that pale into the distance, with film grain."""
    rng = np.random.default_rng(random.getrandbits(32))
    x = np.linspace(0, 1, width)
    rows = np.arange(height)[:, None]
    image = np.empty((height, width), np.float32)
    image[:] = np.linspace(235, 200, height)[:, None]
    for k in range(4):
        ridge = np.full(width, 0.3 + 0.15 * k)
        for n in range(1, 6):
            ridge += 0.08 / n * np.sin(2 * np.pi * (n * 1.3 * x + rng.random()))
        image = np.where(rows > ridge[None] * height, 185 - 45 * k, image)
    image += rng.normal(0, 5, image.shape)
    tint = 0.75 + 0.25 * np.array(accent, np.float32) / 255
    return np.clip(image[..., None] * tint, 0, 255).astype(np.uint8)


def _bars(width: int, height: int, accent: Colour, random: random_module.Random) -> Pixels:
    canvas = Image.new("RGB", (width, height), (250, 250, 250))
    draw = ImageDraw.Draw(canvas)
    count = random.randint(5, 11)
    step = (width - 20) / count
    for k in range(count):
        top = height - 12 - random.random() * (height - 30)
        draw.rectangle((14 + k * step, top, 14 + k * step + step * 0.65, height - 12), fill=accent)
    draw.line((10, 6, 10, height - 12, width - 6, height - 12), fill=(60, 60, 60), width=1)
    return np.asarray(canvas)


def _curve(width: int, height: int, accent: Colour, random: random_module.Random) -> Pixels:
    canvas = Image.new("RGB", (width, height), (255, 255, 255))
    draw = ImageDraw.Draw(canvas)
    for k in range(1, 5):
        draw.line((10, k * height // 5, width - 6, k * height // 5), fill=(215, 215, 215))
    for colour in (accent, (110, 110, 110)):
        level, points = height / 2, []
        for x in range(12, width - 6, max(3, width // 40)):
            level = min(height - 14.0, max(8.0, level + random.gauss(0, height / 18)))
            points.append((x, level))
        draw.line(points, fill=colour, width=2)
    draw.line((10, 6, 10, height - 10, width - 6, height - 10), fill=(60, 60, 60), width=1)
    return np.asarray(canvas)


def _blobs(width: int, height: int, accent: Colour, random: random_module.Random) -> Pixels:
    """Draw discs on a plain ground, like a still life out of focus."""
    base = tuple(200 + random.randint(-25, 35) for _ in range(3))
    canvas = Image.new("RGB", (width, height), base)
    draw = ImageDraw.Draw(canvas)
    for _ in range(random.randint(5, 12)):
        x, y, radius = random.random() * width, random.random() * height, random.uniform(0.05, 0.3) * height
        share = random.random()
        colour = tuple(round(a * share + b * (1 - share)) for a, b in zip(accent, base, strict=True))
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    return np.asarray(canvas)
