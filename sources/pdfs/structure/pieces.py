"""Pieces: words of one line with word spaces between them; rows: pieces at one height."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from sources.pdfs.structure.content import BOLD, ITALIC, MATH, MONO, PageContent

MAX_WORD_SPACE = 1.2  # between words of a piece, in font sizes
MIN_OVERLAP = 0.5  # of the lower of two boxes with the other, for one row


@dataclass(slots=True)
class Piece:
    """Words of one line that are next to each other.

    Args:
        words: indices of the words, left to right.
        x0, y0, x1, y1: box in points, as tall as the largest font.
        size: font size of most characters.
        bold, italic, mono, math: shares of the characters in such fonts.
        text: the words joined by spaces.
    """

    words: list[int]
    x0: float
    y0: float
    x1: float
    y1: float
    size: float
    bold: float
    italic: float
    mono: float
    math: float
    text: str

    @property
    def box(self) -> tuple[float, float, float, float]:
        return self.x0, self.y0, self.x1, self.y1


def make_piece(content: PageContent, words: Sequence[int]) -> Piece:
    """Return the piece of these words, in this order."""
    texts, boxes, sizes, styles = content.texts, content.box_rows, content.half_sizes, content.style_bits
    x0, y0, x1, y1 = boxes[words[0]]
    share: dict[tuple[float, int], int] = {}
    for k in words:
        a, b, c, d = boxes[k]
        if a < x0:
            x0 = a
        if b < y0:
            y0 = b
        if c > x1:
            x1 = c
        if d > y1:
            y1 = d
        look = (sizes[k], styles[k])
        share[look] = share.get(look, 0) + len(texts[k])
    text = " ".join([texts[k] for k in words])
    if len(share) == 1:
        ((size, style),) = share
        bold, italic, mono, math = (float(bool(style & bit)) for bit in (BOLD, ITALIC, MONO, MATH))
    else:
        total = sum(share.values())
        of_size: dict[float, int] = {}
        for (size, _), length in share.items():
            of_size[size] = of_size.get(size, 0) + length
        size = max(of_size, key=lambda s: (of_size[s], s))
        bold, italic, mono, math = (
            sum(length for (_, style), length in share.items() if style & bit) / total
            for bit in (BOLD, ITALIC, MONO, MATH)
        )
    return Piece(list(words), x0, y0, x1, y1, size, bold, italic, mono, math, text)


def pieces_of(content: PageContent, words: Iterable[int]) -> list[Piece]:
    """Split words in stream order into pieces: at the layout engine's lines and at gaps wider than a word space."""
    groups: list[list[int]] = []
    boxes, sizes, lines = content.box_rows, content.half_sizes, content.line_numbers
    previous = -1
    for k in words:
        if previous >= 0:
            _, a1, a2, a3 = boxes[previous]
            b0, b1, _, b3 = boxes[k]
            size = sizes[k]
            back = 1.5 if lines[k] == lines[previous] else 0.3
            if -size * back < b0 - a2 < MAX_WORD_SPACE * size and overlaps(a1, a3, b1, b3):
                groups[-1].append(k)
                previous = k
                continue
        groups.append([k])
        previous = k
    return [make_piece(content, group) for group in groups]


def free_pieces(content: PageContent, pieces: Iterable[Piece], free: np.ndarray) -> list[Piece]:
    """Return the pieces without the words that are not free."""
    result = []
    for piece in pieces:
        left = [k for k in piece.words if free[k]]
        if len(left) == len(piece.words):
            result.append(piece)
        elif left:
            result += pieces_of(content, left)
    return result


def overlaps(a0: float, a1: float, b0: float, b1: float) -> bool:
    """Return True if two intervals overlap by half of the shorter one."""
    return min(a1, b1) - max(a0, b0) > MIN_OVERLAP * min(a1 - a0, b1 - b0)


def rows_of(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """Group pieces into rows from top to bottom; the pieces of a row are sorted from left to right."""
    rows: list[list[Piece]] = []
    for piece in sorted(pieces, key=lambda p: (p.y0 + p.y1, p.x0)):
        for row in reversed(rows[-3:]):
            anchor = max(row, key=lambda p: p.size)
            if overlaps(anchor.y0, anchor.y1, piece.y0, piece.y1):
                row.append(piece)
                break
        else:
            rows.append([piece])
    for row in rows:
        row.sort(key=lambda p: p.x0)
    return rows


def hull(pieces: Iterable[Piece]) -> tuple[float, float, float, float]:
    """Return the box around pieces."""
    x0, y0, x1, y1 = zip(*(piece.box for piece in pieces), strict=True)
    return min(x0), min(y0), max(x1), max(y1)
