"""Words of lines that PaddleOCR read: each with its box, cut where the picture has no ink between letters."""

import re
from collections.abc import Iterator, Sequence

import numpy as np

from sources.paddle_ocr.reader import TALL, Line
from sources.text.words import LayoutWords, compose

MIN_SKEW = np.radians(0.1)  # of a page; less is the detector's uncertainty
SAME_ROW = 0.5  # distance between the middles of lines side by side, in heights of a line
SEARCH = 0.8  # where a space is looked for, on both sides of the place that PaddleOCR gives, in heights of a line
WIDE = 2  # a gap may be farther from that place than another one by as many times what it is wider
MIN_CONTRAST = 16  # grey levels between the letters of a line and its ground
EDGE = 0.15  # of a line's height, at its top and bottom, where the letters of other lines may reach in
LETTER_SHARE = 0.75  # font size, in heights of a line's box
_SPACES = re.compile(r"\s+")


def words_of(lines: Sequence[Line], grey: np.ndarray) -> tuple[LayoutWords, np.ndarray]:
    """Return the words of lines as the words of a page, from the top to the bottom, and their boxes.

    The words' own boxes and frames are those of the page turned upright: a scan is rarely straight, and the order of
    lines is found from their places.

    Args:
        lines: what was read, in any order.
        grey: (height, width) uint8 luma of the picture.
    Returns:
        N words, and (N, 4) float64 x0, y0, x1, y1 in the picture as it is.
    """
    lines = [line for line in lines if line.text.strip()]
    if not lines:
        return LayoutWords(), np.zeros((0, 4))
    quads = np.stack([_along_text(line.quad) for line in lines])
    is_turned = np.array([is_tall(line.quad) for line in lines])
    turn = _rotation(-_skew(quads[~is_turned]))
    rows = _in_rows(_hulls(quads @ turn.T))
    texts: list[str] = []
    numbers, corners, turned = [], [], []
    for number, k in enumerate(rows):
        found = _SPACES.split(lines[k].text.strip())
        texts += compose(found)
        corners += [_part(quads[k], start, stop) for start, stop in _cuts(lines[k], quads[k], grey, len(found))]
        numbers += [number] * len(found)
        turned += [bool(is_turned[k])] * len(found)
    in_picture = np.stack(corners)
    upright = _hulls(in_picture @ turn.T)
    directions = np.where(np.array(turned)[:, None], [0.0, 1.0], [1.0, 0.0])
    heights = np.linalg.norm(in_picture[:, 3] - in_picture[:, 0], axis=1)
    words = LayoutWords(
        texts,
        upright,
        np.array(numbers),
        np.array(numbers),
        directions=directions,
        frames=np.where(np.array(turned)[:, None], _turned_frames(upright), upright),
        sizes=LETTER_SHARE * heights,
    )
    return words, _hulls(in_picture)


def is_tall(quad: np.ndarray) -> bool:
    """Return True if PaddleOCR turned a line by a quarter before it read it."""
    width = max(np.linalg.norm(quad[1] - quad[0]), np.linalg.norm(quad[2] - quad[3]))
    height = max(np.linalg.norm(quad[3] - quad[0]), np.linalg.norm(quad[2] - quad[1]))
    return bool(height >= TALL * width)


def _along_text(quad: np.ndarray) -> np.ndarray:
    """Return the (4, 2) corners from the one where the text begins: PaddleOCR reads tall lines from top to bottom."""
    quad = quad.astype(np.float64)
    return np.roll(quad, -1, axis=0) if is_tall(quad) else quad


def _skew(quads: np.ndarray) -> float:
    """Return the angle of a page's lines to the horizontal, in radians: the median, weighted by length."""
    if not len(quads):
        return 0.0
    along = quads[:, 1] - quads[:, 0] + quads[:, 2] - quads[:, 3]
    angles = np.arctan2(along[:, 1], along[:, 0])
    order = np.argsort(angles, kind="stable")
    weight = np.cumsum(np.linalg.norm(along, axis=1)[order])
    angle = float(angles[order][np.searchsorted(weight, weight[-1] / 2)])
    return angle if abs(angle) >= MIN_SKEW else 0.0


def _rotation(angle: float) -> np.ndarray:
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _hulls(quads: np.ndarray) -> np.ndarray:
    """Return (N, 4) boxes around (N, 4, 2) corners."""
    return np.concatenate([quads.min(axis=1), quads.max(axis=1)], axis=1)


def _turned_frames(boxes: np.ndarray) -> np.ndarray:
    """Return the frames of words that are read downwards: the next line is on the left."""
    return np.stack([boxes[:, 1], -boxes[:, 2], boxes[:, 3], -boxes[:, 0]], axis=1)


def _in_rows(boxes: np.ndarray) -> list[int]:
    """Return the indices of lines in rows from the top to the bottom, and in each row from left to right."""
    middles = (boxes[:, 1] + boxes[:, 3]) / 2
    heights = boxes[:, 3] - boxes[:, 1]
    ordered: list[int] = []
    row: list[int] = []
    for k in np.lexsort((boxes[:, 0], middles)).tolist():
        if row and middles[k] - middles[row[0]] > SAME_ROW * min(heights[k], heights[row[0]]):
            ordered += sorted(row, key=lambda each: boxes[each, 0])
            row = []
        row.append(k)
    return ordered + sorted(row, key=lambda each: boxes[each, 0])


def _part(quad: np.ndarray, start: float, stop: float) -> np.ndarray:
    """Return the corners of a part of a line.

    Args:
        quad: (4, 2) corners from the one where the text begins.
        start, stop: shares of the line's length.
    """
    above, below = quad[1] - quad[0], quad[2] - quad[3]
    return np.stack([quad[0] + start * above, quad[0] + stop * above, quad[3] + stop * below, quad[3] + start * below])


def _cuts(line: Line, quad: np.ndarray, grey: np.ndarray, num_words: int) -> list[tuple[float, float]]:
    """Return where the words of a line begin and end, as shares of its length."""
    profile, height = _profile(quad, grey)
    length = len(profile)
    has_ink = profile > 0
    edges = [0]
    for place in _places(line, num_words):
        middle, reach = int(place * length), max(1, int(SEARCH * height))
        low, high = max(edges[-1], middle - reach), min(length, middle + reach + 1)
        edges += _gap(has_ink, profile, low, high, middle)
    edges.append(length)
    cuts = []
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        inked = np.flatnonzero(has_ink[start:stop])
        if len(inked):
            start, stop = start + int(inked[0]), start + int(inked[-1]) + 1
        cuts.append((start / length, max(stop, start + 1) / length))
    return cuts


def _places(line: Line, num_words: int) -> Iterator[float]:
    """Yield the place of each run of spaces between words, as a share of the line's length."""
    text = line.text.strip()
    spaces = list(line.spaces)
    is_complete = len(spaces) == sum(map(str.isspace, line.text))
    passed = len(line.text) - len(line.text.lstrip())
    for run in _SPACES.finditer(text):
        if is_complete:
            found = spaces[passed : passed + len(run[0])]
            passed += len(run[0])
            yield sum(found) / len(found)
        else:
            yield (run.start() + run.end()) / 2 / len(text)


def _gap(has_ink: np.ndarray, profile: np.ndarray, low: int, high: int, middle: int) -> tuple[int, int]:
    """Return the gap without ink between `low` and `high` that is wide and near to `middle`.

    Where letters touch, it is empty and where there is the least ink.
    """
    if high <= low:
        return low, low
    bounds = np.flatnonzero(np.diff(np.concatenate([[True], has_ink[low:high], [True]]).astype(np.int8)))
    gaps = [(low + int(a), low + int(b)) for a, b in zip(bounds[::2], bounds[1::2], strict=True)]
    if gaps:
        return min(gaps, key=lambda gap: abs((gap[0] + gap[1]) / 2 - middle) - WIDE * (gap[1] - gap[0]))
    columns = np.arange(low, high)
    least = int(columns[np.lexsort((np.abs(columns - middle), profile[low:high]))[0]])
    return least, least


def _profile(quad: np.ndarray, grey: np.ndarray) -> tuple[np.ndarray, float]:
    """Return how many pixels of ink each column of a line has, and the line's height in pixels."""
    above, below = quad[1] - quad[0], quad[2] - quad[3]
    length = max(1, round(float(max(np.linalg.norm(above), np.linalg.norm(below)))))
    height = max(1, round(float(np.linalg.norm(quad[3] - quad[0]))))
    along = ((np.arange(length) + 0.5) / length)[None, :, None]
    down = (EDGE + (1 - 2 * EDGE) * (np.arange(height) + 0.5) / height)[:, None, None]
    points = (quad[0] + along * above) * (1 - down) + (quad[3] + along * below) * down
    x = np.clip(points[..., 0].astype(np.intp), 0, grey.shape[1] - 1)
    y = np.clip(points[..., 1].astype(np.intp), 0, grey.shape[0] - 1)
    crop = grey[y, x]
    low, high = np.percentile(crop, [2, 98])
    if high - low < MIN_CONTRAST:
        return np.ones(length, np.intp), float(height)
    is_dark = crop < (low + high) / 2
    ink = is_dark if 2 * np.count_nonzero(is_dark) <= is_dark.size else ~is_dark
    return np.count_nonzero(ink, axis=0), float(height)
