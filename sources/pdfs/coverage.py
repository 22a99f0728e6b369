"""How much of a page images cover: the union of their boxes, since scanners cut a page into strips."""

import numpy as np

SCAN_COVERAGE = 0.5  # share of the page covered by images, from which on the page may be a scan
GRID = 128  # cells on each side of the page


def covered_share(image_boxes: np.ndarray, shape: tuple[int, ...]) -> float:
    """Return the share of a picture, 0 to 1, that at least one image covers.

    Args:
        image_boxes: (M, 4) boxes in pixels.
        shape: height and width of the picture.
    """
    if not len(image_boxes):
        return 0.0
    return float(_covered_cells(image_boxes, shape).mean())


def is_on_image(boxes: np.ndarray, image_boxes: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return an (N,) mask of the boxes whose middle is on an image."""
    if not len(image_boxes) or not len(boxes):
        return np.zeros(len(boxes), np.bool_)
    cells = _covered_cells(image_boxes, shape)
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2 * GRID / (shape[1], shape[0])
    column, row = np.clip(middle.astype(np.intp), 0, GRID - 1).T
    on_image: np.ndarray = cells[row, column]
    return on_image


def _covered_cells(image_boxes: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return a (GRID, GRID) mask of the cells whose middle is on an image."""
    cells = np.zeros((GRID, GRID), np.bool_)
    scale = np.array([GRID / shape[1], GRID / shape[0]] * 2)
    edges = np.clip(np.round(image_boxes * scale), 0, GRID).astype(np.intp)
    for x0, y0, x1, y1 in np.unique(edges, axis=0):  # fonts of scanned letters paint thousands of small images
        cells[y0:y1, x0:x1] = True
    return cells
