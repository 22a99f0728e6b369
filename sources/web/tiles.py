"""Tiles: cuts a tall page into images of similar height, between its lines of text."""

import math

import numpy as np

SPARE = 0.25  # of a tile's height; so much more of a page does not make another tile
MAX_MOVE = 0.25  # of a tile's height; a cut is not moved up by more than this to avoid cutting a line


def tile_tops(boxes: np.ndarray, height: int, tile_height: int, max_tiles: int, step: int = 1) -> list[int]:
    """Return the first row of every tile, and the height of the picture at the end.

    A picture that fits is one tile as high as it is. Tiles of higher ones have about 0.6 to 1.25 times `tile_height`,
    and none is a sliver. What is below `max_tiles` tiles is not in the picture.

    Args:
        boxes: (N, 4) boxes of words in pixels of the whole picture; cuts are moved up so that they cross none.
        height, tile_height: height of the page and of a tile, in pixels.
        step: all cuts are multiples of so many pixels.
    """
    number = min(max_tiles, max(1, math.ceil(height / tile_height - SPARE)))
    is_cut = height > (number + SPARE) * tile_height
    height = number * tile_height if is_cut else height
    tops = [0]
    for left in range(number, 1, -1):
        wanted = tops[-1] + (height - tops[-1]) / left
        tops.append(_between_lines(boxes, int(wanted), int(wanted - MAX_MOVE * tile_height)) // step * step)
    if is_cut:
        height = _between_lines(boxes, height, int(height - MAX_MOVE * tile_height)) // step * step
    return [*tops, height]


def _between_lines(boxes: np.ndarray, wanted: int, least: int) -> int:
    """Return the lowest row at or above `wanted` that crosses no box; `wanted` if all down to `least` cross one."""
    cut = wanted
    while len(boxes) and (crossed := boxes[(boxes[:, 1] < cut) & (boxes[:, 3] > cut)]).size:
        cut = int(np.floor(crossed[:, 1].min()))
        if cut <= least:
            return wanted
    return cut
