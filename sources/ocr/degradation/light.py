"""Light on the picture: shadows, and light that falls off, of some colour; coarse fields, multiplied in once."""

import random

import cv2
import numpy as np

GRID = 48  # nodes along each side of a field


def steep(amount: float, slope: float, end: float) -> float:
    """`slope` times the amount while it is small, `end` at 1."""
    return slope * amount + (end - slope) * amount**2


def shadow(amount: float, random: random.Random) -> np.ndarray:
    """(GRID, GRID, 3) float32: somebody's shadow, a soft-edged half or corner of the picture."""
    angle, softness = random.uniform(0, 2 * np.pi), random.uniform(0.02, 0.2)
    offset, bend = random.uniform(-0.35, 0.25), random.uniform(-0.6, 0.6)
    x, y = _grid()
    along, across = x * np.cos(angle) + y * np.sin(angle), -x * np.sin(angle) + y * np.cos(angle)
    inside = 1 / (1 + np.exp((along - offset - bend * across**2) / softness * 4))
    dark = steep(amount, 1, 1.3) * random.uniform(0.3, 0.65) * inside
    blue = np.array([1.0, 0.97, 0.9])  # shadows are lit by the sky
    return (1 - dark[..., None] * blue).astype(np.float32)


def uneven_light(amount: float, random: random.Random) -> np.ndarray:
    """(GRID, GRID, 3) float32: a lamp of some colour at one side, darker further away."""
    centre_x, centre_y = random.uniform(-0.5, 0.5), random.uniform(-0.5, 0.5)
    reach = random.uniform(0.7, 1.6)
    x, y = _grid()
    distance = np.hypot(x - centre_x, y - centre_y) / reach
    fall = 1 - 0.5 * amount * np.minimum(distance, 1.2) ** 2 * random.uniform(0.5, 1)
    warmth = random.uniform(-0.12, 0.16) * amount
    colour = np.array([1 + min(warmth, 0), 1 - abs(warmth) * 0.4, 1 - max(warmth, 0)])
    return (fall[..., None] * colour).astype(np.float32)


def _grid() -> tuple[np.ndarray, np.ndarray]:
    """Two (GRID, GRID) arrays: x and y from -0.5 to 0.5."""
    line = np.linspace(-0.5, 0.5, GRID, dtype=np.float32)
    x, y = np.meshgrid(line, line)
    return x, y


def lit(pixels: np.ndarray, field: np.ndarray) -> np.ndarray:
    """Pixels under a field of light.

    Args:
        pixels: (H, W) or (H, W, 3) uint8.
        field: (h, w) or, for colours, (h, w, 3) shares of 1; of any size.
    """
    fine = cv2.resize((field * 255).clip(0, 255).astype(np.uint8), pixels.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    if fine.ndim < pixels.ndim:
        fine = cv2.merge([fine] * 3)
    return cv2.multiply(pixels, fine, scale=1 / 255)
