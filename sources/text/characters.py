"""Characters of a page as a layout engine gives them, before they are words, and its letters."""

from dataclasses import dataclass, fields, replace

import numpy as np

_OF_PIECES = ("directions", "vertical", "blocks")  # fields with one row per piece, not per letter
MAX_SKEW = 3  # degrees between text and an axis, below which it counts as straight, like in a crooked scan
_SPACE, _INVISIBLE = 1, 2
_KINDS = np.zeros(0x10000, np.uint8)  # of every code point, with 0 for letters
_KINDS[[*range(0x9, 0xE), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000]] = (
    _SPACE
)
_KINDS[[0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF]] = _INVISIBLE


@dataclass(frozen=True, slots=True)
class Characters:
    """N characters of one page in P pieces, in the order of the page's content stream.

    A piece is what the layout engine calls a line: characters that follow each other closely on one baseline. A line
    of the page may consist of several.

    Args:
        codes: (N,) code points.
        origins: (N, 2) points on the baseline, in points; y points down.
        boxes: (N, 4) x0, y0, x1, y1 around the corners.
        corners: (N, 4, 2) upper left, upper right, lower left and lower right, seen in the direction of reading.
        sizes: (N,) font size in points.
        colours: (N,) ARGB as 32-bit integers; the alpha is 0 if the character is transparent.
        painted: (N,) bool; False if the character is neither filled nor stroked, like the text layer of a scan.
        inserted: (N,) bool; True for spaces that are not in the file.
        fonts: (N,) number of the font, the same for the same font of a page.
        pieces: (N,) piece of each character, from 0 and ascending.
        directions: (P, 2) unit vector along the baseline of each piece: (1, 0) is upright, also for Arabic.
        vertical: (P,) bool; True for the writing mode of Chinese and Japanese from top to bottom.
        blocks: (P,) paragraph of each piece, ascending.
    """

    codes: np.ndarray
    origins: np.ndarray
    boxes: np.ndarray
    corners: np.ndarray
    sizes: np.ndarray
    colours: np.ndarray
    painted: np.ndarray
    inserted: np.ndarray
    fonts: np.ndarray
    pieces: np.ndarray
    directions: np.ndarray
    vertical: np.ndarray
    blocks: np.ndarray

    def __len__(self) -> int:
        return len(self.codes)


def choose_characters(characters: Characters, chosen: np.ndarray) -> Characters:
    """Return the characters with the given indices, in that order, or under the given mask; the pieces stay."""
    names = [item.name for item in fields(characters) if item.name not in _OF_PIECES]
    return replace(characters, **{name: getattr(characters, name)[chosen] for name in names})


@dataclass(frozen=True, slots=True)
class Letters:
    """N characters of one page that are not spaces.

    The frame of a letter has the direction of reading as its first axis; the second one leads to the next line. For
    upright text they are x and y.

    Args:
        codes, sizes, colours, painted, fonts, pieces, directions, vertical, blocks: as in `Characters`.
        boxes: (N, 4) x0, y0, x1, y1 on the page, in points.
        frames: (N, 4) least and greatest coordinates in the frame: along, across, along, across.
        spaces: (N,) spaces of the file between the page's first character and this one.
    """

    codes: np.ndarray
    sizes: np.ndarray
    colours: np.ndarray
    painted: np.ndarray
    fonts: np.ndarray
    pieces: np.ndarray
    directions: np.ndarray
    vertical: np.ndarray
    blocks: np.ndarray
    boxes: np.ndarray
    frames: np.ndarray
    spaces: np.ndarray

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, chosen: np.ndarray) -> "Letters":
        """Return the letters with the given indices, in that order, or under the given mask."""
        arrays = {f.name: getattr(self, f.name)[chosen] for f in fields(self) if f.name not in _OF_PIECES}
        return replace(self, **arrays)


def letters_of(characters: Characters) -> Letters:
    """Return the characters that are not spaces or invisible marks of direction."""
    kinds = _KINDS[np.minimum(characters.codes, len(_KINDS) - 1)]
    is_letter = kinds == 0
    pieces, boxes = characters.pieces[is_letter], characters.boxes[is_letter]
    frames, directions = boxes, _snapped(characters.directions)
    if not (directions[:, 0] == 1).all():
        corners = characters.corners[is_letter]
        dx, dy = directions[pieces].T[:, :, None]
        x, y = corners[:, :, 0], corners[:, :, 1]
        frames = boxes_around(np.stack([dx * x + dy * y, dx * y - dy * x], axis=2))
    return Letters(
        codes=characters.codes[is_letter],
        sizes=characters.sizes[is_letter],
        colours=characters.colours[is_letter],
        painted=characters.painted[is_letter],
        fonts=characters.fonts[is_letter],
        pieces=pieces,
        directions=directions,
        vertical=characters.vertical,
        blocks=characters.blocks,
        boxes=boxes,
        frames=frames,
        spaces=np.cumsum((kinds == _SPACE) & ~characters.inserted)[is_letter],
    )


def _snapped(directions: np.ndarray) -> np.ndarray:
    """Return the (P, 2) directions, with those near to an axis on it, and the others in whole degrees."""
    if (directions[:, 0] == 1).all():
        return directions
    degrees = np.round(np.degrees(np.arctan2(directions[:, 1], directions[:, 0])))
    quarters = np.round(degrees / 90) * 90
    degrees = np.where(np.abs(degrees - quarters) <= MAX_SKEW, quarters, degrees)
    angles = np.radians(degrees)
    return np.round(np.stack([np.cos(angles), np.sin(angles)], axis=1), 12) + 0.0


def boxes_around(corners: np.ndarray) -> np.ndarray:
    """Return the (N, 4) boxes x0, y0, x1, y1 around (N, 4, 2) corners."""
    x0, y0, x1, y1, x2, y2, x3, y3 = np.ascontiguousarray(corners.reshape(-1, 8).T)
    # In pairs, because `corners.min(axis=1)` takes ten times longer.
    low = [np.minimum(np.minimum(a, b), np.minimum(c, d)) for a, b, c, d in ((x0, x1, x2, x3), (y0, y1, y2, y3))]
    high = [np.maximum(np.maximum(a, b), np.maximum(c, d)) for a, b, c, d in ((x0, x1, x2, x3), (y0, y1, y2, y3))]
    return np.stack([*low, *high], axis=1)


def with_corners(characters: Characters, corners: np.ndarray) -> Characters:
    """Return the characters with other (N, 4, 2) corners."""
    return replace(characters, corners=corners, boxes=boxes_around(corners))
