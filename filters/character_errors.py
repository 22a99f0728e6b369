"""Character errors: the distance between the text read from an image and the text that is there.

The order in which lines were read must not count: a reader that sees lines does not know which column comes first. So
lines are matched with known words by their places, and compared place by place.
"""

import re
import unicodedata
from collections.abc import Sequence

import numpy as np

from sources.paddle_ocr.reader import Line

MIN_COVERED = 0.25  # share of a word that must lie in a line to count as read there: lines are drawn tight or loose
GRID = (np.arange(7) + 0.5) / 7  # places across and down a box where it is looked up, as shares of its sides
# Variants that differ by a font's or a keyboard's habit, and by no more than a pixel or two on the page.
_SAME = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′‵`´ʹʼ＇", "'"),
        **dict.fromkeys("“”„‟″‶〃＂", '"'),
        **dict.fromkeys("‐‑‒–—―−﹘﹣－─", "-"),
        **dict.fromkeys("•∙⋅・●‧", "·"),
        **dict.fromkeys("×✕✖", "x"),
        **dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff", ""),  # soft hyphen, zero width
    }
)


_RULES = re.compile(r"([-_.·=*~])\1{2,}")  # blanks of forms, leaders of tables of contents: lines, not text


def normalized(text: str) -> str:
    """The form in which two readings are compared: no white space, compatibility or typographic variants."""
    plain = unicodedata.normalize("NFKC", text.translate(_SAME)).translate(_SAME)
    return _RULES.sub("", "".join(plain.split()))


def errors_of_text(truth: str, read: str) -> int:
    """Insertions, deletions and substitutions between two normalized texts."""
    from rapidfuzz.distance import Levenshtein

    return Levenshtein.distance(truth, read)


def errors_at_places(words: Sequence[str], boxes: np.ndarray, lines: Sequence[Line]) -> int:
    """Character errors between words of an image and lines read from it, each compared at its place.

    Words that no line covers are missing, lines that cover no word are made up; both count with all their characters.

    Args:
        words: N normalized words in reading order.
        boxes: (N, 4) x0, y0, x1, y1 in pixels.
        lines: what was read, in any order.
    """
    texts = [normalized(line.text) for line in lines]
    if not len(words) or not lines:
        return sum(map(len, words)) + sum(map(len, texts))
    quads = np.stack([line.quad for line in lines])
    covered = _inside(_points_of_boxes(boxes), quads)  # (N, M) share of each word in each line
    line_of = np.where(covered.max(axis=1) >= MIN_COVERED, covered.argmax(axis=1), -1)
    groups: list[tuple[list[int], list[int]]] = []  # words and lines in the same place
    for k in range(len(lines)):
        of_line = np.flatnonzero(line_of == k).tolist()
        if of_line:
            groups.append((of_line, [k]))
    _add_pieces(groups, boxes, quads, set(range(len(lines))) - {k for _, (k,) in groups})
    matched_words = {n for of_group, _ in groups for n in of_group}
    matched_lines = {k for _, of_group in groups for k in of_group}
    missing = sum(len(words[n]) for n in range(len(words)) if n not in matched_words)
    made_up = sum(len(texts[k]) for k in range(len(lines)) if k not in matched_lines)
    by_group = [
        errors_of_text("".join(words[n] for n in of_words), "".join(texts[k] for k in _along(of_lines, quads)))
        for of_words, of_lines in groups
    ]
    # A word that runs over the border of two lines is wrong in both groups, and right in the whole. Both matchings
    # are upper limits of the same distance, so the smaller one is nearer.
    groups.sort(key=lambda group: float(np.mean(group[0])))
    whole = errors_of_text(
        "".join(words[n] for n in range(len(words)) if n in matched_words),
        "".join(texts[k] for _, of_lines in groups for k in _along(of_lines, quads)),
    )
    return min(sum(by_group), whole) + missing + made_up


def _add_pieces(
    groups: list[tuple[list[int], list[int]]], boxes: np.ndarray, quads: np.ndarray, unmatched: set[int]
) -> None:
    """Give lines that are pieces of one long word (Chinese is written without spaces) to the group of that word."""
    for k in sorted(unmatched):
        points = _points_of_quad(quads[k])
        held = np.array(
            [
                np.mean((points[:, 0] >= x0) & (points[:, 0] <= x1) & (points[:, 1] >= y0) & (points[:, 1] <= y1))
                for x0, y0, x1, y1 in boxes
            ]
        )
        word = int(held.argmax())
        if held[word] < 0.5:
            continue
        group = next((group for group in groups if word in group[0]), None)
        if group is None:
            groups.append(([word], [k]))
        else:
            group[1].append(k)


def _along(lines: Sequence[int], quads: np.ndarray) -> list[int]:
    """Lines of one place in the direction of their text: down if the place is taller than wide, else to the right."""
    corners = quads[list(lines)].reshape(-1, 2)
    width, height = np.ptp(corners, axis=0)
    return sorted(lines, key=lambda k: float(quads[k][:, int(height > width)].mean()))


def _points_of_boxes(boxes: np.ndarray) -> np.ndarray:
    """(N, P, 2) points spread over upright boxes."""
    x = boxes[:, 0:1] + GRID * (boxes[:, 2:3] - boxes[:, 0:1])
    y = boxes[:, 1:2] + GRID * (boxes[:, 3:4] - boxes[:, 1:2])
    across = np.repeat(x[:, :, None], len(GRID), axis=2)
    down = np.repeat(y[:, None, :], len(GRID), axis=1)
    return np.stack([across, down], axis=3).reshape(len(boxes), -1, 2)


def _points_of_quad(quad: np.ndarray) -> np.ndarray:
    """(P, 2) points spread over a quadrilateral."""
    u, v = (axis.reshape(-1, 1) for axis in np.meshgrid(GRID, GRID))
    top_left, top_right, bottom_right, bottom_left = quad
    points: np.ndarray = (top_left * (1 - u) + top_right * u) * (1 - v) + (bottom_left * (1 - u) + bottom_right * u) * v
    return points


def _inside(points: np.ndarray, quads: np.ndarray) -> np.ndarray:
    """(N, M) share of each of N sets of points (N, P, 2) that lies in each of M convex quadrilaterals (M, 4, 2)."""
    shares = np.zeros((len(points), len(quads)))
    low, high = points.min(axis=1), points.max(axis=1)
    for k, quad in enumerate(quads):
        near = np.flatnonzero(np.all((low <= quad.max(axis=0)) & (high >= quad.min(axis=0)), axis=1))
        edges = np.roll(quad, -1, axis=0) - quad
        to_points = points[near][:, :, None, :] - quad
        side = edges[:, 0] * to_points[..., 1] - edges[:, 1] * to_points[..., 0]
        shares[near, k] = (np.all(side >= 0, axis=2) | np.all(side <= 0, axis=2)).mean(axis=1)
    return shares
