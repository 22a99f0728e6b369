"""Words that can be seen: the picture has ink where the text layer says that a word is."""

from collections.abc import Sequence

import numpy as np

# A grey of 0.9 on white differs by 25 levels; lighter text is a watermark at most (docs/decisions.md).
MIN_CONTRAST = 20
SAMPLE_ROWS = np.array([0.4, 0.58, 0.76])  # in heights of a box: from the middle to just above the base line
NUM_PARTS = 4  # parts of a word, from its beginning to its end
PART_COLUMNS = 4  # samples in each part of a row
MIN_LETTERS_OF_PARTS = 6  # a shorter word may have a letter gap as wide as a part
MAX_EMPTY_PARTS = 1
MIN_LETTER_PX = 2.0  # height, or breadth per letter; smaller letters are a grey line
OUTER_SHARE = 0.12  # of a box's height, at its top and bottom, where the neighbouring lines' letters may reach
TALL_PX = 40  # boxes of some Type 3 fonts are ten times as high as their letters, which are at the bottom
EAST_ASIAN, OUTSIDE_BOX = "\u2e80", 0.6  # a letter of a vertical line may be half a height outside of its box
MARGIN_PX = 1  # boxes of punctuation may be a pixel off


def seen_words(pixels: np.ndarray, grey: np.ndarray, texts: Sequence[str], boxes: np.ndarray) -> np.ndarray:
    """Return an (N,) mask of the words that the picture shows.

    A word is seen if its box has contrast in luma or in a colour; if it is long, in most of its parts, because a clip
    may leave two letters of it. White text on white, text under a shape of one colour, transparent and clipped text
    have no contrast.

    Args:
        pixels: (height, width, 3) uint8 RGB.
        grey: (height, width) uint8 luma of the same picture.
        texts, boxes: N words and their (N, 4) boxes in pixels, inside the picture.
    """
    if not len(texts):
        return np.zeros(0, np.bool_)
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    is_legible = ~_is_tiny(boxes, lengths)
    num_parts: np.ndarray = (_sampled_contrast(grey, boxes) >= MIN_CONTRAST).sum(axis=1)
    least_parts = np.where(lengths < MIN_LETTERS_OF_PARTS, 1, NUM_PARTS - MAX_EMPTY_PARTS)
    seen = np.asarray((num_parts >= least_parts) & is_legible, np.bool_)
    for k in np.flatnonzero(~seen & is_legible):  # few words: leaders, dashes, pale or hidden ones
        seen[k] = _is_seen(pixels, texts[k], boxes[k])
    return seen


def has_contrast(grey: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Return an (N,) mask of the boxes with contrast in luma in some part, for text layers, which are not exact."""
    enough: np.ndarray = np.any(_sampled_contrast(grey, boxes) >= MIN_CONTRAST, axis=1)
    return enough


def _sampled_contrast(grey: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Return the (N, NUM_PARTS) contrast in luma between samples of every part: three rows through the middle."""
    height, width = grey.shape
    x0, y0, x1, y1 = boxes.T
    num_columns = NUM_PARTS * PART_COLUMNS
    across = (np.arange(num_columns) + 0.5) / num_columns
    columns = np.minimum((x0[:, None] + (x1 - x0)[:, None] * across).astype(np.intp), width - 1)
    rows = np.minimum((y0[:, None] + (y1 - y0)[:, None] * SAMPLE_ROWS).astype(np.intp), height - 1)
    samples = grey.ravel()[(rows * width)[:, :, None] + columns[:, None, :]]
    samples = samples.reshape(len(boxes), len(SAMPLE_ROWS), NUM_PARTS, PART_COLUMNS)
    contrast: np.ndarray = samples.max(axis=(1, 3)) - samples.min(axis=(1, 3))
    return contrast


def _is_tiny(boxes: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return an (N,) mask of words whose letters are smaller than `MIN_LETTER_PX` both ways."""
    sides = boxes[:, 2:] - boxes[:, :2]
    tiny: np.ndarray = (sides.min(axis=1) < MIN_LETTER_PX) & (sides.max(axis=1) < MIN_LETTER_PX * lengths)
    return tiny


def _is_seen(pixels: np.ndarray, text: str, box: np.ndarray) -> bool:
    """Look at every pixel of a box."""
    x0, y0, x1, y1 = box
    if len(text) == 1 and text >= EAST_ASIAN:
        y0, y1 = y0 - OUTSIDE_BOX * (y1 - y0), y1 + OUTSIDE_BOX * (y1 - y0)
    elif any(map(str.isalnum, text)):
        inset = OUTER_SHARE * (y1 - y0) if y1 - y0 < TALL_PX else -MARGIN_PX
        y0, y1 = y0 + inset, y1 - inset
    else:
        x0, y0, x1, y1 = x0 - MARGIN_PX, y0 - MARGIN_PX, x1 + MARGIN_PX, y1 + MARGIN_PX
    top, left = max(0, int(y0)), max(0, int(x0))
    patch = pixels[top : int(np.ceil(y1)), left : int(np.ceil(x1))]
    if len(text) < MIN_LETTERS_OF_PARTS:
        return _contrast(patch) >= MIN_CONTRAST
    axis = 1 if patch.shape[1] >= patch.shape[0] else 0  # words of turned text are taller than wide
    parts = np.array_split(patch, NUM_PARTS, axis=axis)
    return sum(_contrast(part) < MIN_CONTRAST for part in parts) <= MAX_EMPTY_PARTS


def _contrast(patch: np.ndarray) -> int:
    """Return the largest difference within any channel of (h, w, 3) pixels; 0 without pixels."""
    if not patch.size:
        return 0
    channels = patch.reshape(-1, 3)
    return int((channels.max(axis=0) - channels.min(axis=0)).max())
