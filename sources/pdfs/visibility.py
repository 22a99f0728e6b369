"""Words that can be seen: the picture has ink where the text layer says that a word is."""

from collections.abc import Sequence

import numpy as np

# A grey of 0.9 on white differs by 25 levels; lighter text is a watermark at most (docs/decisions.md).
MIN_CONTRAST = 20
NUM_PARTS = 4  # parts of a word, from its beginning to its end
# Samples in a box, in its heights and widths: few for most words, from the middle to just above the base line, and more
# for those without contrast there.
FEW_ROWS, FEW_COLUMNS = np.array([0.4, 0.58, 0.76], np.float32), 16
MANY_ROWS, MANY_COLUMNS = np.linspace(0.14, 0.86, 16, dtype=np.float32), 32
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
    least_parts = np.where(lengths < MIN_LETTERS_OF_PARTS, 1, NUM_PARTS - MAX_EMPTY_PARTS)
    num_parts = _parts_with_contrast(grey, boxes, FEW_ROWS, FEW_COLUMNS)
    seen = np.asarray((num_parts >= least_parts) & is_legible, np.bool_)
    rest = np.flatnonzero(~seen & is_legible)
    if len(rest):  # leaders and thin letters
        seen[rest] = _parts_with_contrast(grey, boxes[rest], MANY_ROWS, MANY_COLUMNS) >= least_parts[rest]
        for k in rest[~seen[rest]]:  # dashes, coloured, pale and hidden words
            seen[k] = _is_seen(pixels, texts[k], boxes[k])
    return seen


def has_contrast(grey: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Return an (N,) mask of the boxes with contrast in luma in some part, for text layers, which are not exact."""
    return np.asarray(_parts_with_contrast(grey, boxes, MANY_ROWS, MANY_COLUMNS) > 0)


def _parts_with_contrast(grey: np.ndarray, boxes: np.ndarray, rows: np.ndarray, num_columns: int) -> np.ndarray:
    """Return how many of the `NUM_PARTS` parts of (N, 4) boxes have contrast in luma between samples.

    Args:
        rows: places of rows of samples, in heights of a box.
        num_columns: samples per row.
    """
    across = ((np.arange(num_columns) + 0.5) / num_columns).astype(np.float32)
    starts, sides = boxes[:, :2].T, (boxes[:, 2:] - boxes[:, :2]).T  # boxes are inside the picture, and so are samples
    x = (starts[0] + sides[0] * across[:, None]).astype(np.int32)
    y = (starts[1] + sides[1] * rows[:, None]).astype(np.int32)
    samples = grey.ravel().take(y[:, None] * grey.shape[1] + x)  # words last: five times faster than words first
    samples = samples.reshape(len(rows), NUM_PARTS, num_columns // NUM_PARTS, len(boxes))
    contrast = samples.max(axis=(0, 2)) - samples.min(axis=(0, 2))
    num_parts: np.ndarray = np.count_nonzero(contrast >= MIN_CONTRAST, axis=0)
    return num_parts


def _is_tiny(boxes: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return an (N,) mask of words whose letters are smaller than `MIN_LETTER_PX` both ways."""
    width, height = (boxes[:, 2:] - boxes[:, :2]).T
    shorter, longer = np.minimum(width, height), np.maximum(width, height)
    tiny: np.ndarray = (shorter < MIN_LETTER_PX) & (longer < MIN_LETTER_PX * lengths)
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
