"""Procedural textures for surfaces behind signs and below pages.

Textures are drawn at half size from random grids and enlarged: full size takes three times as long and adds no detail
that a camera would see.
"""

from collections.abc import Callable, Mapping

import cv2
import numpy as np

from sources.ocr.arrays import Floats, Pixels

SHRINK = 2


def draw_surface(name: str, width: int, height: int, generator: np.random.Generator) -> Pixels:
    """Return (height, width, 3) uint8 RGB pixels of one of SURFACES."""
    small = SURFACES[name](-(-width // SHRINK), -(-height // SHRINK), generator)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def noise_field(width: int, height: int, cell_px: float, octaves: int, generator: np.random.Generator) -> Floats:
    """Return (height, width) float32 smooth noise in ±1: a sum of octaves from cells of `cell_px` pixels down."""
    field = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        cell = max(cell_px / 2**octave, 1.0)
        grid = generator.random((int(height / cell) + 3, int(width / cell) + 3), np.float32) - np.float32(0.5)
        shape = (round(grid.shape[1] * cell), round(grid.shape[0] * cell))
        layer = cv2.resize(grid, shape, interpolation=cv2.INTER_LINEAR if octave else cv2.INTER_CUBIC)
        cv2.scaleAdd(layer[:height, :width], 0.5**octave, field, field)
    return field


def _paint_field(field: Pixels, low: Floats, high: Floats) -> Pixels:
    """Return (H, W, 3) uint8: a gradient from colour `low` where the field is -1 to `high` where it is 1."""
    levels = (field * np.float32(127.5) + np.float32(127.5)).clip(0, 255).astype(np.uint8)
    ramp = np.linspace(low, high, 256).clip(0, 255).astype(np.uint8)
    return cv2.LUT(cv2.merge([levels] * 3), ramp.reshape(1, 256, 3))


def _random_colour(generator: np.random.Generator, low: float, high: float, spread: float) -> Floats:
    """Return a random colour; `spread` is its distance from grey."""
    return generator.uniform(low, high) + generator.uniform(-spread, spread, 3)


def gradient(width: int, height: int, generator: np.random.Generator) -> Pixels:
    """Draw a wall or sky: a gradient between two colours."""
    corners = (generator.random((2, 2), np.float32) - 0.5) * 2
    field = cv2.resize(corners, (width, height), interpolation=cv2.INTER_LINEAR)
    middle = _random_colour(generator, 50, 210, 50)
    return _paint_field(field, middle * 0.8, middle * 1.15)


def stone(width: int, height: int, generator: np.random.Generator) -> Pixels:
    """Draw plaster, concrete or stone: noise on many scales."""
    field = noise_field(width, height, generator.uniform(30, 90), 4, generator)
    middle = _random_colour(generator, 70, 215, 18)
    return _paint_field(field, middle * 0.8, middle * 1.15)


def wood(width: int, height: int, generator: np.random.Generator) -> Pixels:
    """Draw planks with grain."""
    grain = noise_field(-(-width // 16), height, 24, 3, generator)
    field = np.asarray(cv2.resize(grain, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    plank = int(generator.integers(40, 160))
    shades = generator.uniform(-0.35, 0.35, height // plank + 2).astype(np.float32)
    rows = (np.arange(height) + int(generator.integers(plank))) // plank
    field += shades[rows][:, None]
    field[np.flatnonzero(np.diff(rows)) + 1] = -1
    tone = generator.uniform(60, 190)
    middle = tone * np.array([1, generator.uniform(0.7, 0.85), generator.uniform(0.45, 0.7)])
    return _paint_field(field, middle * 0.7, middle * 1.2)


def fabric(width: int, height: int, generator: np.random.Generator) -> Pixels:
    """Draw woven threads and the folds of the cloth."""
    pitch = generator.uniform(2.5, 5)
    x = np.sin(np.arange(width, dtype=np.float32) * np.float32(2 * np.pi / pitch))
    y = np.sin(np.arange(height, dtype=np.float32) * np.float32(2 * np.pi / pitch))
    field = noise_field(width, height, 90, 1, generator) + 0.25 * (x[None, :] + y[:, None])
    middle = _random_colour(generator, 50, 190, 60)
    return _paint_field(field, middle * 0.75, middle * 1.2)


def bricks(width: int, height: int, generator: np.random.Generator) -> Pixels:
    """Draw a wall of bricks in different shades, with mortar."""
    tall = int(generator.integers(14, 34))
    wide, joint = int(tall * generator.uniform(2, 3)), max(1, tall // 9)
    y, x = np.arange(height), np.arange(width)
    row = y // tall
    shifted = x[None, :] + (row % 2)[:, None] * (wide // 2)
    column = shifted // wide
    shades = generator.uniform(-0.5, 0.5, (height // tall + 2, width // wide + 3)).astype(np.float32)
    field = shades[row[:, None], column] + 0.4 * noise_field(width, height, 6, 2, generator)
    tone = generator.uniform(80, 190)
    middle = tone * np.array([1, generator.uniform(0.5, 0.95), generator.uniform(0.4, 0.9)])
    pixels = _paint_field(field, middle * 0.75, middle * 1.2)
    mortar = ((y % tall) < joint)[:, None] | ((shifted % wide) < joint)
    pixels[mortar] = np.clip(_random_colour(generator, 120, 200, 10), 0, 255).astype(np.uint8)
    return pixels


def metal(width: int, height: int, generator: np.random.Generator) -> Pixels:
    """Draw brushed sheet metal: fine lines and a broad reflection."""
    lines = (generator.random((height, 1), np.float32) - 0.5) * generator.uniform(0.2, 0.6)
    reflection = noise_field(-(-width // 8), 1, 20, 2, generator)
    field = lines + 1.2 * cv2.resize(reflection, (width, height), interpolation=cv2.INTER_LINEAR)
    middle = _random_colour(generator, 90, 190, 10)
    return _paint_field(field, middle * 0.75, middle * 1.25)


def bokeh(width: int, height: int, generator: np.random.Generator) -> Pixels:
    """Draw a street out of focus: blurred discs and boxes of colour."""
    small_width, small_height = -(-width // 4), -(-height // 4)
    pixels = gradient(small_width, small_height, generator)
    for _ in range(int(generator.integers(8, 22))):
        colour = tuple(int(c) for c in generator.integers(10, 245, 3))
        x, y = int(generator.integers(small_width)), int(generator.integers(small_height))
        size = int(generator.integers(6, max(7, small_height // 3)))
        if generator.random() < 0.4:
            cv2.circle(pixels, (x, y), size // 2, colour, -1)
        else:
            cv2.rectangle(pixels, (x, y), (x + size, y + int(size * generator.uniform(0.4, 3))), colour, -1)
    pixels = cv2.GaussianBlur(pixels, (0, 0), generator.uniform(2, 6))
    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR)


SURFACES: Mapping[str, Callable[[int, int, np.random.Generator], Pixels]] = {
    "bokeh": bokeh,
    "bricks": bricks,
    "fabric": fabric,
    "gradient": gradient,
    "metal": metal,
    "stone": stone,
    "wood": wood,
}
