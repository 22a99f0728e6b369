"""Figures of a page: the regions of its pictures and drawings that are no tables, frames or ornaments."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sources.pdfs.structure.content import PageContent

CELL = 4.0  # points; items with less than two cells between them are of one drawing
BACKGROUND = 0.85  # share of the page
COVER = 0.6  # share of the page that a figure without a caption may have; more is a cover or a background
MAX_GAP = 45.0  # points between a figure and its caption
MAX_PART_GAP = 30.0  # points between the parts of a figure
MIN_SIDE, MIN_BARE_SIDE = 24.0, 60.0  # points, with a caption and without one
MIN_DRAWINGS = 10  # curves and slanted lines of a drawing without a caption
MAX_TEXT, MAX_BARE_TEXT = 0.35, 0.2  # share of the area that words cover; more is a frame around text
LABEL_GAP = 6.0  # points between a drawing and its labels
MAX_LABEL = 30  # characters
LARGER = 1.2  # height of a heading, in heights of a line; a label is not larger
Box = tuple[float, float, float, float]


@dataclass(slots=True)
class Region:
    """A figure on a page.

    Args:
        box: x0, y0, x1, y1 in points.
        caption: index of its caption; None without one.
    """

    box: Box
    caption: int | None = None


def figure_regions(content: PageContent, lines: Sequence[tuple[str, Box]], captions: Sequence[int]) -> list[Region]:
    """Find the figures of a page.

    Args:
        content: the words and drawings of the page.
        lines: text and box of each line of text.
        captions: indices of the lines with which captions of figures begin.
    Returns:
        Regions from the top to the bottom; `caption` is an index of `lines`.
    """
    if not len(content.images) and not len(content.drawings) and not captions:
        return []
    items, kinds = _items(content)
    regions: dict[int, Region] = {}
    bare: list[Region] = []
    for members in _components(items, content.width, content.height):
        box = _hull(items[members])
        caption = _caption_of(box, lines, captions)
        if caption is not None:
            if min(_sides(box)) < MIN_SIDE and not (kinds[members] <= 1).any():
                continue
            box = _without_caption(box, lines[caption][1])
            known = regions.get(caption)
            if known is not None:
                box = _together(known.box, box, lines[caption][1])
            regions[caption] = Region(box, caption)
        elif _is_bare_figure(content, items[members], kinds[members], box):
            bare.append(Region(box))
    found = [
        region
        for region in regions.values()
        if min(_sides(region.box)) >= MIN_SIDE
        and (_has_picture(content, region.box) or _text_share(content, region.box) < MAX_TEXT)
    ]
    for region in found:
        _take_parts(region, bare, lines)
    for region in (*found, *bare):
        region.box = _with_labels(region.box, lines, captions)
    found += [region for region in bare if not any(_overlap(region.box, other.box) for other in found)]
    return sorted(found, key=lambda region: (region.box[1], region.box[0]))


def _items(content: PageContent) -> tuple[np.ndarray, np.ndarray]:
    """Return the boxes of what a page draws, and the kind of each: 0 image, 1 drawing, 2 area, 3 rule."""
    y, x0, x1 = content.horizontal.reshape(-1, 3).T
    horizontal = np.stack([x0, y, x1, y], axis=1)
    x, y0, y1 = content.vertical.reshape(-1, 3).T
    vertical = np.stack([x, y0, x, y1], axis=1)
    groups = (content.images, content.drawings, content.fills, np.concatenate([horizontal, vertical]))
    boxes = np.concatenate([np.asarray(group, np.float64).reshape(-1, 4) for group in groups])
    kinds = np.repeat(np.arange(4), [len(group) for group in groups])
    boxes = np.clip(boxes, 0, [content.width, content.height] * 2)
    sides = boxes[:, 2:] - boxes[:, :2]
    is_background = sides.prod(axis=1) > BACKGROUND * content.width * content.height
    is_margin = (boxes[:, 3] < 0.1 * content.height) | (boxes[:, 1] > 0.9 * content.height)
    keep = ~is_background & ~(is_margin & (kinds >= 2))  # rules of running heads
    return boxes[keep], kinds[keep]


def _components(boxes: np.ndarray, width: float, height: float) -> list[np.ndarray]:
    """Return the indices of boxes that touch or nearly touch each other."""
    if not len(boxes):
        return []
    columns, rows = int(width / CELL) + 3, int(height / CELL) + 3
    grid = np.zeros((rows, columns), np.bool_)
    cells = np.concatenate([np.floor(boxes[:, :2] / CELL), np.ceil(boxes[:, 2:] / CELL) + 2], axis=1).astype(np.intp)
    cells[:, 2] = np.minimum(cells[:, 2], columns)
    cells[:, 3] = np.minimum(cells[:, 3], rows)
    for x0, y0, x1, y1 in np.unique(cells, axis=0):
        grid[y0:y1, x0:x1] = True
    labels = _labelled(grid)
    of_box = labels[cells[:, 1], cells[:, 0]]
    return [np.flatnonzero(of_box == label) for label in np.unique(of_box)]


def _labelled(grid: np.ndarray) -> np.ndarray:
    """Return the number of the connected area of each cell, 0 outside."""
    labels = np.zeros(grid.shape, np.intp)
    number = 0
    for start in zip(*(axis.tolist() for axis in np.nonzero(grid)), strict=True):
        if labels[start]:
            continue
        number += 1
        stack = [start]
        labels[start] = number
        while stack:
            row, column = stack.pop()
            for near in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)):
                inside = 0 <= near[0] < grid.shape[0] and 0 <= near[1] < grid.shape[1]
                if inside and grid[near] and not labels[near]:
                    labels[near] = number
                    stack.append(near)
    return labels


def _caption_of(box: Box, lines: Sequence[tuple[str, Box]], captions: Sequence[int]) -> int | None:
    """Return the nearest caption below or above a region; below is usual."""
    found = []
    for k in captions:
        x0, y0, x1, y1 = lines[k][1]
        if min(x1, box[2]) - max(x0, box[0]) <= 0:
            continue
        middle = (y0 + y1) / 2
        if box[1] < middle < box[3]:
            found.append((0.0, k))
        elif -2 <= y0 - box[3] <= MAX_GAP:
            found.append((y0 - box[3], k))
        elif -2 <= box[1] - y1 <= MAX_GAP / 2:
            found.append((MAX_GAP + box[1] - y1, k))
    return min(found)[1] if found else None


def _without_caption(box: Box, caption: Box) -> Box:
    """Return a region without the caption at its lower or upper end."""
    x0, y0, x1, y1 = box
    if not y0 < (caption[1] + caption[3]) / 2 < y1:
        return box
    below, above = y1 - caption[1], caption[3] - y0
    return (x0, y0, x1, caption[1] - 1) if below < above else (x0, caption[3] + 1, x1, y1)


def _take_parts(region: Region, bare: list[Region], lines: Sequence[tuple[str, Box]]) -> None:
    """Add the drawings to a figure that are right above it, as its part (a) is above part (b), with labels between."""
    for part in sorted(bare, key=lambda part: -part.box[3]):
        x0, x1 = max(region.box[0], part.box[0]), min(region.box[2], part.box[2])
        narrower = min(region.box[2] - region.box[0], part.box[2] - part.box[0])
        gap = region.box[1] - part.box[3]
        if not -2 <= gap <= MAX_PART_GAP or x1 - x0 < 0.5 * narrower:
            continue
        between = (x0, part.box[3], x1, region.box[1])
        if not any(_overlap(between, line) and len(text) > MAX_LABEL for text, line in lines):
            region.box = _union(region.box, part.box)
            bare.remove(part)


def _together(a: Box, b: Box, caption: Box) -> Box:
    """Return two drawings of one caption as one; of drawings on both sides of it, the larger: text may be marked."""
    middle = (caption[1] + caption[3]) / 2
    if (a[3] <= middle) == (b[3] <= middle):
        return _union(a, b)
    return max(a, b, key=_area)


def _is_bare_figure(content: PageContent, items: np.ndarray, kinds: np.ndarray, box: Box) -> bool:
    """Return True if a region without a caption is a picture or a drawing, and no frame or ornament."""
    if min(_sides(box)) < MIN_BARE_SIDE / 2 or max(_sides(box)) < MIN_BARE_SIDE:
        return False
    if _area(box) > COVER * content.width * content.height:
        return False
    if (kinds == 0).any():
        return _text_share(content, box) < MAX_TEXT
    is_drawing = (kinds == 1).sum() >= MIN_DRAWINGS and min(_sides(box)) >= MIN_BARE_SIDE
    return bool(is_drawing and _text_share(content, box) < MAX_BARE_TEXT)


def _has_picture(content: PageContent, box: Box) -> bool:
    images = np.asarray(content.images, np.float64).reshape(-1, 4)
    area = sum(_area(_intersection(box, tuple(image))) for image in images.tolist())
    return area > 0.5 * _area(box)


def _text_share(content: PageContent, box: Box) -> float:
    """Return the share of a region that words cover."""
    words = content.boxes
    if not len(words):
        return 0.0
    middle = (words[:, :2] + words[:, 2:]) / 2
    inside = (middle >= box[:2]).all(axis=1) & (middle <= box[2:]).all(axis=1)
    return float((words[inside, 2:] - words[inside, :2]).prod(axis=1).sum() / max(_area(box), 1.0))


def _with_labels(box: Box, lines: Sequence[tuple[str, Box]], captions: Sequence[int]) -> Box:
    """Return a region with the short texts at its edges: numbers of axes, names of parts."""
    usual = float(np.median([line[3] - line[1] for _, line in lines])) if lines else 0.0
    for _ in range(2):
        grown = box
        for k, (text, line) in enumerate(lines):
            near = _overlap((box[0] - LABEL_GAP, box[1] - LABEL_GAP, box[2] + LABEL_GAP, box[3] + LABEL_GAP), line)
            is_heading = line[3] - line[1] > LARGER * usual and line[2] - line[0] > line[3] - line[1]
            if near and k not in captions and not is_heading and len(text) <= MAX_LABEL:
                grown = _union(grown, line)
        box = grown
    return box


def _hull(boxes: np.ndarray) -> Box:
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    return (float(low[0]), float(low[1]), float(high[0]), float(high[1]))


def _union(a: Box, b: Box) -> Box:
    return (min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3]))


def _intersection(a: Box, b: Sequence[float]) -> Box:
    return (max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3]))


def _overlap(a: Box, b: Box) -> bool:
    return _area(_intersection(a, b)) > 0


def _sides(box: Box) -> tuple[float, float]:
    return box[2] - box[0], box[3] - box[1]


def _area(box: Box) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])
