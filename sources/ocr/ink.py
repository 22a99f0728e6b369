"""Ink: blend a colour into pixels."""

import cv2

from sources.ocr.arrays import Pixels


def blend(pixels: Pixels, coverage: Pixels, colour: tuple[int, int, int]) -> None:
    """Blend a colour into pixels, in place.

    Args:
        pixels: (H, W, 3) uint8.
        coverage: (H, W) uint8: 0 leaves a pixel as it is, 255 gives it the colour.
    """
    ink = cv2.merge([cv2.convertScaleAbs(coverage, alpha=level / 255) for level in colour])
    left = cv2.bitwise_not(coverage)
    cv2.add(cv2.multiply(pixels, cv2.merge([left, left, left]), scale=1 / 255), ink, dst=pixels)
