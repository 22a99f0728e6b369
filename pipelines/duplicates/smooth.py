"""Pairs of smooth pictures: plain skies and gradients, of whose hash most bits are noise.

Their strongest frequencies find candidates, and the pixels at 8 × 8 decide.
"""

from collections.abc import Iterator

import numpy as np

from pipelines.duplicates.bit_sampling import side_by_side

MIN_CONTRAST = 3.0  # standard deviation of the pixels, in grey levels; with less there is nothing to compare
MAX_RESIDUAL, RESIDUAL_SHARE = 1.0, 0.02  # grey levels, and share of the contrast, that copies may differ by


def smooth_pairs(strongest: np.ndarray, tiny: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Places of pictures that are the same but for brightness and contrast, the smaller place first.

    Args:
        strongest: (N, 3) uint64 digests, zero for pictures that are not smooth.
        tiny: (N, 8, 8) uint8 pixels.
    """
    for digests in strongest.T:
        some = np.flatnonzero(digests)
        places = np.argsort(digests[some], kind="stable").astype(np.uint32)
        for a, b in side_by_side(digests[some][places], places):
            same = same_pixels(tiny[some[a]], tiny[some[b]])
            yield some[a[same]], some[b[same]]


def same_pixels(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(P,) bool: whether pictures differ by no more than lossy encoding changes.

    Args:
        a, b: (P, 8, 8) uint8.
    """
    x, y = (pixels.reshape(len(pixels), -1).astype(np.float32) for pixels in (a, b))
    x -= x.mean(axis=1, keepdims=True)
    y -= y.mean(axis=1, keepdims=True)
    gain = (x * y).sum(axis=1) / np.maximum((x * x).sum(axis=1), 1e-6)
    residual = np.sqrt(((y - gain[:, None] * x) ** 2).mean(axis=1))
    contrast = np.minimum(x.std(axis=1), y.std(axis=1))
    same: np.ndarray = (gain > 0) & (contrast >= MIN_CONTRAST) & (residual <= MAX_RESIDUAL + RESIDUAL_SHARE * contrast)
    return same
