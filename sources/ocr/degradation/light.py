"""Light: shadows and uneven, coloured lighting as coarse brightness fields, which are multiplied in once."""

import random

import cv2
import numpy as np

from sources.ocr.arrays import Floats, Pixels

GRID = 48  # nodes along each side of a field


def ramp_up(amount: float, slope: float, end: float) -> float:
    """Return a quadratic in `amount` with this slope at 0 and the value `end` at 1."""
    return slope * amount + (end - slope) * amount**2


def shadow(amount: float, random: random.Random) -> Floats:
    """Return a (GRID, GRID, 3) float32 field: a soft-edged shadow over a half or a corner of the picture."""
    angle, softness = random.uniform(0, 2 * np.pi), random.uniform(0.02, 0.2)
    offset, bend = random.uniform(-0.35, 0.25), random.uniform(-0.6, 0.6)
    x, y = _grid()
    along, across = x * np.cos(angle) + y * np.sin(angle), -x * np.sin(angle) + y * np.cos(angle)
    inside = 1 / (1 + np.exp((along - offset - bend * across**2) / softness * 4))
    dark = ramp_up(amount, 1, 1.3) * random.uniform(0.3, 0.65) * inside
    blue = np.array([1.0, 0.97, 0.9])  # shadows are lit by the sky
    field: Floats = 1 - dark[..., None] * blue
    return field.astype(np.float32)


def uneven_light(amount: float, random: random.Random) -> Floats:
    """Return a (GRID, GRID, 3) float32 field: a coloured lamp at one side, darker with distance."""
    centre_x, centre_y = random.uniform(-0.5, 0.5), random.uniform(-0.5, 0.5)
    reach = random.uniform(0.7, 1.6)
    x, y = _grid()
    distance = np.hypot(x - centre_x, y - centre_y) / reach
    fall = 1 - 0.5 * amount * np.minimum(distance, 1.2) ** 2 * random.uniform(0.5, 1)
    warmth = random.uniform(-0.12, 0.16) * amount
    colour = np.array([1 + min(warmth, 0), 1 - abs(warmth) * 0.4, 1 - max(warmth, 0)])
    field: Floats = fall[..., None] * colour
    return field.astype(np.float32)


def _grid() -> tuple[Floats, Floats]:
    """Return x and y from -0.5 to 0.5 as two (GRID, GRID) arrays."""
    line = np.linspace(-0.5, 0.5, GRID, dtype=np.float32)
    x, y = np.meshgrid(line, line)
    return x, y


def apply_light(pixels: Pixels, field: Pixels) -> Pixels:
    """Multiply pixels by a field of light.

    Args:
        pixels: (H, W) or (H, W, 3) uint8.
        field: (h, w) or, with colours, (h, w, 3) brightness factors of any size.
    """
    fine = cv2.resize((field * 255).clip(0, 255).astype(np.uint8), pixels.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    if fine.ndim < pixels.ndim:
        fine = cv2.merge([fine] * 3)
    return cv2.multiply(pixels, fine, scale=1 / 255)
