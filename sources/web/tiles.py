"""Tiles: cuts a tall page into images between its lines of text."""

import numpy as np

MIN_TILE_SHARE = 0.6  # of the wanted height; a tile is not made shorter than this to avoid cutting a line


def tile_tops(boxes: np.ndarray, height: int, tile_height: int) -> list[int]:
    """Return the first row of every tile, and the height of the picture at the end.

    Args:
        boxes: (N, 4) boxes of words in pixels of the whole picture; cuts are moved up so that they cross none.
        height, tile_height: height of the picture and of a tile, in pixels.
    """
    tops = [0]
    while height - tops[-1] > tile_height:
        lowest = tops[-1] + int(MIN_TILE_SHARE * tile_height)
        wanted = cut = tops[-1] + tile_height
        while len(boxes) and (crossed := boxes[(boxes[:, 1] < cut) & (boxes[:, 3] > cut)]).size:
            cut = int(np.floor(crossed[:, 1].min()))
            if cut <= lowest:
                cut = wanted
                break
        tops.append(cut)
    return [*tops, height]
