"""Strokes: the sharp edges of letters, and how many of them no word explains."""

import numpy as np

MIN_STEP = 64  # grey levels
MIN_STROKES = 0.004  # steps per pixel; a page of text has 0.02 to 0.1
MARGIN_PX = 2  # boxes of a text layer are not exact


def unread_share(grey: np.ndarray, boxes: np.ndarray) -> float:
    """Return the share of the page's strokes that are outside of words, 0 to 1; 0 if there are few of these.

    Args:
        grey: (height, width) uint8 luma.
        boxes: (N, 4) boxes of words, in pixels.

    A stroke is a sharp step between neighbouring pixels of a row. Letters have many; photographs, areas and rules few.
    """
    rows = grey[::2]
    is_step = np.maximum(rows[:, 1:], rows[:, :-1]) - np.minimum(rows[:, 1:], rows[:, :-1]) > MIN_STEP
    num_steps = np.count_nonzero(is_step)
    edges = np.concatenate([np.floor(boxes[:, :2]) - MARGIN_PX, np.ceil(boxes[:, 2:]) + MARGIN_PX], axis=1)
    for x0, y0, x1, y1 in np.maximum(edges, 0).astype(np.intp):
        is_step[y0 // 2 : (y1 + 1) // 2, x0:x1] = False
    num_unread = np.count_nonzero(is_step)
    return float(num_unread / num_steps) if num_unread > MIN_STROKES * is_step.size else 0.0
