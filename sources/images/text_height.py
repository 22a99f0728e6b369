"""The height of text in a picture: what is too small cannot be read."""

from collections.abc import Sequence

import numpy as np

MIN_LETTERS = 3  # a full stop or an l is narrower than its line is high


def text_height(texts: Sequence[str], boxes: np.ndarray) -> float | None:
    """Return the median height of words in pixels, from descender to ascender; None without words.

    Args:
        texts, boxes: N words and their (N, 4) boxes in pixels. Turned words are as high as their box is wide.
    """
    is_long = np.fromiter(map(len, texts), np.int64, len(texts)) >= MIN_LETTERS
    if not is_long.any():
        return None
    heights = np.minimum(*(boxes[is_long, 2:] - boxes[is_long, :2]).T)
    middle = len(heights) // 2
    return float(np.partition(heights, middle)[middle])
