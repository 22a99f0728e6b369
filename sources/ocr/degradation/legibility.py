"""Which words can still be read, measured in the pixels of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

FIRST_DENSE = "\u2e80"  # Chinese characters and their punctuation come from here on
SAMPLES = (16, 6)  # points along and across a word
_EPSILON = 1e-6


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What a word needs to count as legible. Calibrated with what PaddleOCR reads (docs/sources/ocr_degradation.md).

    Args:
        correlation: of its pixels with those before blur, noise and light.
        dense_correlation: on top of that for words of Chinese characters, which take more than their outline to tell.
        contrast: grey levels, standard deviation of what is left of its ink and paper.
        kept_contrast: share of its contrast, for a word that was fainter than that from the start.
        height_px: of lower-case letters with ascender or descender.
        share: of the words that must be legible; a picture in which fewer are is no picture of the page.
    """

    correlation: float = 0.55
    dense_correlation: float = 0.1
    contrast: float = 7.0
    kept_contrast: float = 0.5
    height_px: float = 6.0
    share: float = 0.5


def inside(quads: np.ndarray, width: int, height: int) -> np.ndarray:
    """(N,) whether all corners are in the picture."""
    return np.all((quads >= 0) & (quads <= (width, height)), axis=(1, 2))


def heights(quads: np.ndarray) -> np.ndarray:
    """(N,) the mean length of the two upright sides, in pixels."""
    sides = np.linalg.norm(quads[:, (3, 2)] - quads[:, (0, 1)], axis=2)
    return sides.mean(axis=1)


def large_enough(before: np.ndarray, after: np.ndarray, limits: Limits) -> np.ndarray:
    """(N,) whether words did not shrink below the height at which letters can be told apart.

    A dash is as legible as the letters beside it: no word counts as lower than the page's median.

    Args:
        before, after: (N, 4, 2) quads.
    """
    if not len(before):
        return np.zeros(0, bool)
    original = np.maximum(heights(before), np.median(heights(before)))
    scale = np.sqrt(_areas(after) / np.maximum(_areas(before), _EPSILON))
    return (scale >= 1) | (original * scale >= limits.height_px)


def _areas(quads: np.ndarray) -> np.ndarray:
    diagonals = quads[:, (2, 3)] - quads[:, (0, 1)]
    return np.abs(diagonals[:, 0, 0] * diagonals[:, 1, 1] - diagonals[:, 0, 1] * diagonals[:, 1, 0]) / 2


def grid(quads: np.ndarray, width: int, height: int) -> np.ndarray:
    """(N, K) places of a grid of points in each quad, in the flattened pixels of a picture of this size."""
    x, y = (quads.transpose(2, 0, 1) @ _grid_weights()).astype(np.int32)  # (N, K) each
    np.clip(x, 0, width - 1, out=x)
    np.clip(y, 0, height - 1, out=y)
    return y * width + x


def dense(texts: Sequence[str]) -> np.ndarray:
    """(N,) whether words are of Chinese characters."""
    return np.array([text[:1] >= FIRST_DENSE for text in texts], bool)


def distinct(clean: np.ndarray, final: np.ndarray, correlation: np.ndarray, limits: Limits) -> np.ndarray:
    """(N,) whether the ink of words still stands out: its contrast, and how much of what is seen is the word.

    Args:
        clean: (N, K) uint8 luma at points in each word, warped but not yet blurred, lit or noisy.
        final: (N, K) uint8 luma at the same points.
        correlation: (N,) that they need.
    """
    before, after = clean.astype(np.float32), final.astype(np.float32)
    before -= before.mean(axis=1, keepdims=True)
    after -= after.mean(axis=1, keepdims=True)
    deviation = np.sqrt(_mean_product(before, before)) + _EPSILON
    contrast = _mean_product(before, after) / deviation
    found = contrast / (np.sqrt(_mean_product(after, after)) + _EPSILON)
    return (found >= correlation) & (contrast >= np.minimum(limits.contrast, limits.kept_contrast * deviation))


def _mean_product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(N,) means of the products of two (N, K)."""
    return np.einsum("nk,nk->n", a, b) / a.shape[1]


@lru_cache(maxsize=1)
def _grid_weights() -> np.ndarray:
    """(4, K) float32: of the corners, at each point of the grid."""
    along, across = ((np.arange(count, dtype=np.float32) + 0.5) / count for count in SAMPLES)
    u, v = (grid.ravel() for grid in np.meshgrid(along, across))
    return np.stack([(1 - u) * (1 - v), u * (1 - v), u * v, (1 - u) * v])
