"""Decide which words can still be read, from the pixels of each word."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from sources.ocr.arrays import Bools, Floats, Ints, Pixels

FIRST_DENSE = "\u2e80"  # first code point of Chinese characters and their punctuation
SAMPLES = (16, 6)  # grid points along and across a word
_EPSILON = 1e-6


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Limits of legible words, calibrated with the words that PaddleOCR reads (docs/sources/ocr_degradation.md).

    Args:
        correlation: least correlation of a word's pixels with those before blur, noise and light.
        dense_correlation: added to `correlation` for Chinese words, whose characters need more detail.
        contrast: least standard deviation, in grey levels, that remains between ink and paper.
        kept_contrast: least fraction of the original contrast, for a word that was faint before.
        height_px: least height in pixels of lower-case letters with ascender or descender.
        share: least fraction of legible words; below it, the picture is illegible.
    """

    correlation: float = 0.55
    dense_correlation: float = 0.1
    contrast: float = 7.0
    kept_contrast: float = 0.5
    height_px: float = 6.0
    share: float = 0.5


def is_inside(quads: Floats, width: int, height: int) -> Bools:
    """Return (N,) bool: True if all corners are inside the picture."""
    inside: Bools = np.all((quads >= 0) & (quads <= (width, height)), axis=(1, 2))
    return inside


def word_heights(quads: Floats) -> Floats:
    """Return the (N,) mean lengths of the two upright sides in pixels."""
    sides = np.linalg.norm(quads[:, (3, 2)] - quads[:, (0, 1)], axis=2)
    heights: Floats = sides.mean(axis=1)
    return heights


def is_large_enough(before: Floats, after: Floats, limits: Limits) -> Bools:
    """Return (N,) bool: True if a word did not shrink below the least legible height.

    A dash is as legible as the letters around it: no word counts as lower than the median of the page.

    Args:
        before, after: (N, 4, 2) quads.
    """
    if not len(before):
        return np.zeros(0, bool)
    original = np.maximum(word_heights(before), np.median(word_heights(before)))
    scale: Floats = np.sqrt(_areas(after) / np.maximum(_areas(before), _EPSILON))
    return np.logical_or(scale >= 1, original * scale >= limits.height_px)


def _areas(quads: Floats) -> Floats:
    diagonals = quads[:, (2, 3)] - quads[:, (0, 1)]
    return np.abs(diagonals[:, 0, 0] * diagonals[:, 1, 1] - diagonals[:, 0, 1] * diagonals[:, 1, 0]) / 2


def grid_places(quads: Floats, width: int, height: int) -> Ints:
    """Return (N, K) indices of a grid of points in each quad, into the flattened pixels of a picture of this size."""
    x, y = (quads.transpose(2, 0, 1) @ _grid_weights()).astype(np.int32)  # (N, K) each
    np.clip(x, 0, width - 1, out=x)
    np.clip(y, 0, height - 1, out=y)
    places: Ints = y * width + x
    return places


def is_dense(texts: Sequence[str]) -> Bools:
    """Return (N,) bool: True if a word consists of Chinese characters."""
    return np.array([text[:1] >= FIRST_DENSE for text in texts], bool)


def is_distinct(clean: Pixels, final: Pixels, correlation: Floats, limits: Limits) -> Bools:
    """Return (N,) bool: True if the ink of a word still has enough contrast and correlates with the clean word.

    Args:
        clean: (N, K) uint8 luma at points in each word, warped but without blur, light and noise.
        final: (N, K) uint8 luma at the same points after degradation.
        correlation: (N,) least correlation.
    """
    before, after = clean.astype(np.float32), final.astype(np.float32)
    before -= before.mean(axis=1, keepdims=True)
    after -= after.mean(axis=1, keepdims=True)
    deviation = np.sqrt(_mean_product(before, before)) + _EPSILON
    contrast = _mean_product(before, after) / deviation
    found = contrast / (np.sqrt(_mean_product(after, after)) + _EPSILON)
    return (found >= correlation) & (contrast >= np.minimum(limits.contrast, limits.kept_contrast * deviation))


def _mean_product(a: Floats, b: Floats) -> Floats:
    """Return the (N,) means of the products of two (N, K) arrays."""
    means: Floats = np.einsum("nk,nk->n", a, b) / a.shape[1]
    return means


@lru_cache(maxsize=1)
def _grid_weights() -> Floats:
    """Return the (4, K) float32 weights of the corners at each point of the grid."""
    along, across = ((np.arange(count, dtype=np.float32) + 0.5) / count for count in SAMPLES)
    u, v = (grid.ravel() for grid in np.meshgrid(along, across))
    return np.stack([(1 - u) * (1 - v), u * (1 - v), u * v, (1 - u) * v])
