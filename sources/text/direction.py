"""Order of lines that have different directions: turned headers, text at the side, stamps, vertical text."""

import numpy as np

from sources.text.hulls import hulls
from sources.text.lines import Lines
from sources.text.reading_order import reading_order

MAX_TURNED = 400  # lines of one direction that are grouped by distance; more are one group
MAX_LEADING = 2.0  # between turned lines of one group, in heights of a line
MIN_UPRIGHT = 1 / 3  # upright letters per turned letter, from which on a page is upright with turned parts
_STRAIGHT = 1e-6


def order_of_lines(lines: Lines, num_letters: np.ndarray, *, right_to_left: bool) -> np.ndarray:
    """Return the (M,) indices of the lines in reading order.

    The page is read in the direction of most of its letters, or upright if upright ones are a third as many. Lines with
    another direction are read group by group, each in its own direction, before the row that is below the group, as
    turned headers are above the rows of their table.
    Groups with nothing below them, such as text in the margin, come last, and so do slanted lines across others, like a
    watermark.

    Args:
        num_letters: (M,) letters of each line.
        right_to_left: True if columns go from right to left (Arabic, Hebrew).
    """
    if (lines.directions == lines.directions[0]).all():
        return np.array(reading_order(lines.frames, right_to_left=right_to_left))
    directions, kind = np.unique(lines.directions, axis=0, return_inverse=True)
    kind = kind.ravel()
    letters_of_kind = np.bincount(kind, weights=num_letters)
    main = int(np.argmax(np.where(directions[:, 0] == 1, letters_of_kind / MIN_UPRIGHT, letters_of_kind)))
    body = np.flatnonzero(kind == main)
    body = body[reading_order(lines.frames[body], right_to_left=right_to_left)]
    main_direction, main_frames = directions[main], lines.frames[body]
    parts = [((place, 1, 0.0), body[place : place + 1]) for place in range(len(body))]
    for k in np.flatnonzero(np.arange(len(directions)) != main):
        (dx, dy), (main_dx, main_dy) = directions[k], main_direction
        cosine, sine = dx * main_dx + dy * main_dy, dx * main_dy - dy * main_dx
        is_straight = min(abs(cosine), abs(sine)) < _STRAIGHT
        for group in _groups(lines.frames, np.flatnonzero(kind == k)):
            box = _box_in_frame(lines, group, main_direction)
            is_apart = is_straight or not _is_across(box, main_frames)
            place = _place_in_body(box, main_frames) if is_apart else len(body)
            parts.append(((place, 0, -box[2] if right_to_left else box[0]), group))
    parts.sort(key=lambda part: part[0])
    return np.concatenate([part for _, part in parts])


def _is_across(box: np.ndarray, body: np.ndarray) -> bool:
    """Return True if the middle of any line of the body is in the box, both in the frame of the body."""
    middle = (body[:, 1] + body[:, 3]) / 2
    return bool(((middle > box[1]) & (middle < box[3]) & (body[:, 0] < box[2]) & (body[:, 2] > box[0])).any())


def _place_in_body(box: np.ndarray, body: np.ndarray) -> int:
    """Return the index of the line before which a turned group is read: the first one of the row below it, or the end.

    Args:
        box: (4,) of the group, in the frame of the body.
        body: (M, 4) frames of the lines of the body, in reading order.
    """
    height = body[:, 3] - body[:, 1]
    is_below = (body[:, 1] > box[3] - height / 2) & (body[:, 0] < box[2]) & (body[:, 2] > box[0])
    if not is_below.any():
        return len(body)
    place = int(np.argmax(is_below))
    middle = (body[place, 1] + body[place, 3]) / 2
    while place and body[place - 1, 1] < middle < body[place - 1, 3]:
        place -= 1
    return place


def _groups(frames: np.ndarray, turned: np.ndarray) -> list[np.ndarray]:
    """Return groups of the lines `turned`, which have one direction and are close to each other, in reading order."""
    own = frames[turned]
    if len(turned) > MAX_TURNED:
        return [turned[reading_order(own)]]
    height = np.minimum(*np.broadcast_arrays(*_pairs(own[:, 3] - own[:, 1])))
    gap = np.maximum(own[:, None, 1] - own[None, :, 3], own[None, :, 1] - own[:, None, 3])
    overlap = (own[:, None, 0] < own[None, :, 2]) & (own[None, :, 0] < own[:, None, 2])
    is_close = overlap & (gap < (MAX_LEADING - 1) * height)
    group = np.arange(len(turned))
    for k in range(len(turned)):
        joined = np.unique(group[is_close[k]])
        group[np.isin(group, joined)] = joined[0]
    return [turned[members][reading_order(own[members])] for members in (group == g for g in np.unique(group))]


def _pairs(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return values[:, None], values[None, :]


def _box_in_frame(lines: Lines, group: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """Return the (4,) box around lines of one direction in the frame of another direction."""
    u0, v0, u1, v1 = hulls(lines.frames[group], np.array([0]))[0]
    own = lines.directions[group[0]]
    u, v = np.array([u0, u1, u0, u1]), np.array([v0, v0, v1, v1])
    x, y = own[0] * u - own[1] * v, own[1] * u + own[0] * v
    along, across = direction[0] * x + direction[1] * y, direction[0] * y - direction[1] * x
    return np.array([along.min(), across.min(), along.max(), across.max()])
