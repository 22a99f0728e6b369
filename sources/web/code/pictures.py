"""Replaces pictures by boxes with their colours, taken from the screenshot."""

import numpy as np

from sources.web.code.node import Node

GRADIENT_FROM = 24  # difference between upper and lower half, in levels, from which on the box is a gradient


def colour_pictures(root: Node, pixels: np.ndarray, scale: float) -> None:
    """Give every picture, and every element with a background image, its colours in the screenshot.

    Args:
        pixels: (H, W, 3) uint8, the screenshot.
        scale: image pixels per CSS pixel.
    """
    for node in root.walk():
        if node.box is None or not (node.is_picture or node.has_backdrop):
            continue
        seen = _region(pixels, node.box, scale)
        if seen.size:
            # There is text on a backdrop; the median is the colour between the letters.
            background = _background(seen, by_median=node.has_backdrop)
            node.style["background-image" if "gradient" in background else "background-color"] = background


def _region(pixels: np.ndarray, box: tuple[float, float, float, float], scale: float) -> np.ndarray:
    height, width = pixels.shape[:2]
    x0, y0, x1, y1 = (round(value * scale) for value in box)
    return pixels[max(0, y0) : min(height, max(y1, y0 + 1)), max(0, x0) : min(width, max(x1, x0 + 1))]


def _background(region: np.ndarray, *, by_median: bool) -> str:
    def colour(part: np.ndarray) -> np.ndarray:
        flat = part.reshape(-1, 3)
        rounded: np.ndarray = np.rint(np.median(flat, axis=0) if by_median else flat.mean(axis=0)).astype(int)
        return rounded

    half = len(region) // 2
    if half:
        upper, lower = colour(region[:half]), colour(region[half:])
        if abs(upper - lower).max() >= GRADIENT_FROM:
            return f"linear-gradient({_css(upper)}, {_css(lower)})"
    return _css(colour(region))


def _css(colour: np.ndarray) -> str:
    return f"rgb({colour[0]}, {colour[1]}, {colour[2]})"
