"""Which words can still be read, measured in the pixels of each."""

from functools import lru_cache

import numpy as np

MIN_CORRELATION = 0.55  # of a word's pixels with those before blur, noise and light
MIN_CONTRAST = 7.0  # grey levels: standard deviation of what is left of a word's ink and paper
MIN_KEPT_CONTRAST = 0.5  # of a word that was fainter than that from the start
MIN_HEIGHT_PX = 6.0  # of lower-case letters with ascender or descender
SAMPLES = (16, 6)  # points along and across a word
_EPSILON = 1e-6


def inside(quads: np.ndarray, width: int, height: int) -> np.ndarray:
    """(N,) whether all corners are in the picture."""
    return np.all((quads >= 0) & (quads <= (width, height)), axis=(1, 2))


def heights(quads: np.ndarray) -> np.ndarray:
    """(N,) the mean length of the two upright sides, in pixels."""
    sides = np.linalg.norm(quads[:, (3, 2)] - quads[:, (0, 1)], axis=2)
    return sides.mean(axis=1)


def large_enough(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """(N,) whether words did not shrink below the height at which letters can be told apart.

    A dash is as legible as the letters beside it: no word counts as lower than the page's median.

    Args:
        before, after: (N, 4, 2) quads.
    """
    if not len(before):
        return np.zeros(0, bool)
    original = np.maximum(heights(before), np.median(heights(before)))
    scale = np.sqrt(_areas(after) / np.maximum(_areas(before), _EPSILON))
    return (scale >= 1) | (original * scale >= MIN_HEIGHT_PX)


def _areas(quads: np.ndarray) -> np.ndarray:
    diagonals = quads[:, (2, 3)] - quads[:, (0, 1)]
    return np.abs(diagonals[:, 0, 0] * diagonals[:, 1, 1] - diagonals[:, 0, 1] * diagonals[:, 1, 0]) / 2


def distinct(clean: np.ndarray, final: np.ndarray, quads: np.ndarray) -> np.ndarray:
    """(N,) whether the ink of words still stands out: its contrast, and how much of what is seen is the word.

    Args:
        clean: (H, W) uint8 luma, warped but not yet blurred, lit or noisy.
        final: (H, W) uint8 luma.
        quads: (N, 4, 2) in both.
    """
    if not len(quads):
        return np.zeros(0, bool)
    before, after = sampled(clean, quads), sampled(final, quads)
    before -= before.mean(axis=1, keepdims=True)
    after -= after.mean(axis=1, keepdims=True)
    deviation = np.sqrt((before**2).mean(axis=1)) + _EPSILON
    contrast = (before * after).mean(axis=1) / deviation
    correlation = contrast / (np.sqrt((after**2).mean(axis=1)) + _EPSILON)
    return (correlation >= MIN_CORRELATION) & (contrast >= np.minimum(MIN_CONTRAST, MIN_KEPT_CONTRAST * deviation))


def sampled(grey: np.ndarray, quads: np.ndarray) -> np.ndarray:
    """(N, K) float32 levels at a grid of points in each quad.

    Args:
        grey: (H, W) uint8.
    """
    points = (_grid_weights() @ quads).astype(np.int32)  # (N, K, 2)
    np.clip(points, 0, (grey.shape[1] - 1, grey.shape[0] - 1), out=points)
    return grey.ravel()[points[..., 1] * grey.shape[1] + points[..., 0]].astype(np.float32)


@lru_cache(maxsize=1)
def _grid_weights() -> np.ndarray:
    """(K, 4) float32: of the corners, at each point of the grid."""
    along, across = ((np.arange(count, dtype=np.float32) + 0.5) / count for count in SAMPLES)
    u, v = (grid.reshape(-1, 1) for grid in np.meshgrid(along, across))
    return np.concatenate([(1 - u) * (1 - v), u * (1 - v), u * v, (1 - u) * v], axis=1)
