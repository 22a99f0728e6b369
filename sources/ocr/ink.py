"""Ink: a colour laid over pixels where a mask covers them."""

import cv2
import numpy as np


def blend(pixels: np.ndarray, coverage: np.ndarray, colour: tuple[int, int, int]) -> None:
    """Lay a colour over pixels, in place.

    Args:
        pixels: (H, W, 3) uint8.
        coverage: (H, W) uint8: 0 leaves a pixel as it is, 255 gives it the colour.
    """
    ink = cv2.merge([cv2.convertScaleAbs(coverage, alpha=level / 255) for level in colour])
    left = cv2.bitwise_not(coverage)
    cv2.add(cv2.multiply(pixels, cv2.merge([left, left, left]), scale=1 / 255), ink, dst=pixels)
