"""Procedural surfaces: what stands behind signs and under pages."""

from collections.abc import Callable, Mapping

import cv2
import numpy as np

Colour = tuple[float, float, float]


def noise_field(width: int, height: int, cell_px: float, generator: np.random.Generator, octaves: int = 3) -> np.ndarray:
    """(height, width) float32 smooth noise about 0, within ±1: random grids of ever smaller cells, added up."""
    field = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        cell = max(cell_px / 2**octave, 1.0)
        grid = generator.random((int(height / cell) + 3, int(width / cell) + 3), np.float32) - 0.5
        shape = (round(grid.shape[1] * cell), round(grid.shape[0] * cell))
        layer = cv2.resize(grid, shape, interpolation=cv2.INTER_CUBIC)[:height, :width]
        cv2.scaleAdd(layer, 0.5**octave, field, field)
    return field


def grain(width: int, height: int, generator: np.random.Generator) -> np.ndarray:
    """(height, width) float32 noise of single pixels, bell-shaped about 0, of standard deviation 1."""
    bytes_ = np.frombuffer(generator.bytes(4 * width * height), np.uint8).reshape(4, height, width)
    total = bytes_.sum(axis=0, dtype=np.int16)
    return (total - np.float32(4 * 127.5)) * np.float32(1 / (2 * 73.9))


def painted(field: np.ndarray, low: Colour, high: Colour) -> np.ndarray:
    """(H, W, 3) uint8 of a field: from one colour at -1 to another at 1."""
    levels = cv2.convertScaleAbs(field, alpha=127.5, beta=127.5) if field.min() >= -1 else None
    if levels is None:
        levels = np.clip(field * 127.5 + 127.5, 0, 255).astype(np.uint8)
    ramp = np.linspace(low, high, 256).clip(0, 255).astype(np.uint8)
    return cv2.LUT(cv2.merge([levels] * 3), ramp.reshape(1, 256, 3))


def wood(width: int, height: int, generator: np.random.Generator) -> np.ndarray:
    """Planks with grain along them."""
    length = noise_field(width // 8 + 1, height, 60, generator, octaves=2)
    field = cv2.resize(length, (width, height), interpolation=cv2.INTER_LINEAR)
    field += 0.5 * cv2.resize(grain(width // 40 + 2, height, generator), (width, height)) * 0.4
    shade = generator.uniform(60, 190)
    warmth = generator.uniform(0.45, 0.7)
    colour = np.array([shade, shade * 0.78, shade * warmth])
    return painted(field, tuple(colour * 0.75), tuple(colour * 1.2))


def fabric(width: int, height: int, generator: np.random.Generator) -> np.ndarray:
    """Threads across each other."""
    pitch = generator.uniform(3, 7)
    x = np.sin(np.arange(width, dtype=np.float32) * (2 * np.pi / pitch))
    y = np.sin(np.arange(height, dtype=np.float32) * (2 * np.pi / pitch))
    field = 0.3 * x[None, :] + 0.3 * y[:, None] + noise_field(width, height, 120, generator)
    colour = generator.uniform(40, 200, 3)
    return painted(field, tuple(colour * 0.8), tuple(np.minimum(colour * 1.2, 255)))


def stone(width: int, height: int, generator: np.random.Generator) -> np.ndarray:
    """Plaster, concrete or stone: noise of many scales."""
    field = noise_field(width, height, generator.uniform(40, 200), generator, octaves=5)
    shade = generator.uniform(70, 220)
    colour = shade + generator.uniform(-18, 18, 3)
    return painted(field, tuple(colour * 0.75), tuple(np.minimum(colour * 1.2, 255)))


SURFACES: Mapping[str, Callable[[int, int, np.random.Generator], np.ndarray]] = {
    "wood": wood,
    "fabric": fabric,
    "stone": stone,
}
