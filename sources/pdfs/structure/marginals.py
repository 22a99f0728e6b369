"""Running heads and feet: the lines at the top and bottom edge of a page that are no part of its text."""

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from sources.pdfs.structure.body import Body
from sources.pdfs.structure.content import PageContent
from sources.pdfs.structure.pieces import Piece, rows_of

MAX_HEAD, MIN_FOOT = 0.12, 0.88  # of the page's height
MAX_ROWS = 2
MIN_WHITE = 1.3  # between a running head and the text without a line between, in leadings of the text
MAX_TO_RULE = 1.6  # between a running head and the line below it, in font sizes
WIDE_RULE = 0.4  # of the page's width
PAGE_NUMBER = re.compile(
    r"^[-–—\s]*(page\s+|p\.\s*|seite\s+)?(\d{1,4}|[ivxlc]{1,7}|[A-Z]-?\d{1,3}|\d+[-–.]\d+)(\s*(/|of|von)\s*\d{1,4})?[-–—\s]*$",
    re.I,
)


def find_marginals(content: PageContent, pieces: Sequence[Piece], body: Body) -> tuple[list[Piece], list[Piece]]:
    """Return the pieces of the running head and of the running foot."""
    rows = rows_of(pieces)
    head = _edge(content, rows, body, lambda row: max(p.y1 for p in row) < MAX_HEAD * content.height)
    rest = rows[len(head) :]
    foot = _edge(content, rest[::-1], body, lambda row: min(p.y0 for p in row) > MIN_FOOT * content.height)
    return [p for row in head for p in row], [p for row in reversed(foot) for p in row]


def without_rules(
    horizontal: np.ndarray, content: PageContent, head: Sequence[Piece], foot: Sequence[Piece], body: Body
) -> np.ndarray:
    """Return the (K, 3) horizontal lines but those that divide the running head and foot from the text."""
    near = np.zeros(len(horizontal), bool)
    for y in ([max(piece.y1 for piece in head)] if head else []) + ([min(piece.y0 for piece in foot)] if foot else []):
        near |= np.abs(horizontal[:, 0] - y) < MAX_TO_RULE * body.size
    kept: np.ndarray = horizontal[~(near & (horizontal[:, 2] - horizontal[:, 1] > WIDE_RULE * content.width))]
    return kept


def _edge(content: PageContent, rows: Sequence[Sequence[Piece]], body: Body, is_outside) -> list[Sequence[Piece]]:  # type: ignore[no-untyped-def]
    """Return the rows of a running head; `rows` begin at the edge of the page."""
    num = 0
    while num < min(len(rows), MAX_ROWS + 1) and is_outside(rows[num]):
        num += 1
    for k in range(min(num, MAX_ROWS), 0, -1):
        if k == len(rows):
            continue
        whites = [_white(outer, inner) for outer, inner in pairwise(rows[: k + 1])]
        if max(whites) > whites[-1]:
            continue  # the head ends where the most white is
        if _is_apart(content, rows[k - 1], rows[k], body) and _looks_marginal(content, rows[:k], body, rows[k:]):
            return list(rows[:k])
    return []


def _white(outer: Sequence[Piece], inner: Sequence[Piece]) -> float:
    """Return the height of the white between two rows."""
    a, b = (outer, inner) if outer[0].y0 < inner[0].y0 else (inner, outer)
    return min(p.y0 for p in b) - max(p.y1 for p in a)


def _is_apart(content: PageContent, outer: Sequence[Piece], inner: Sequence[Piece], body: Body) -> bool:
    a, b = (outer, inner) if outer[0].y0 < inner[0].y0 else (inner, outer)
    top, bottom = max(p.y1 for p in a), min(p.y0 for p in b)
    lines = content.horizontal
    if (
        len(lines)
        and (
            (lines[:, 0] > top - 2)
            & (lines[:, 0] < bottom + 2)
            & (lines[:, 2] - lines[:, 1] > WIDE_RULE * content.width)
        ).any()
    ):
        return True
    return _white(outer, inner) > MIN_WHITE * body.leading - body.size


def _looks_marginal(
    content: PageContent, rows: Sequence[Sequence[Piece]], body: Body, others: Sequence[Sequence[Piece]]
) -> bool:
    pieces = [piece for row in rows for piece in row]
    if max(piece.size for piece in pieces) > 1.15 * body.size:
        return False
    has_number = any(PAGE_NUMBER.match(piece.text) for piece in pieces)
    ends_numbered = any(re.search(r"(^\d{1,4}\b|\b\d{1,4}$)", piece.text) for piece in (pieces[0], pieces[-1]))
    outer = [p.y1 for p in pieces]
    lines = content.horizontal
    ruled = bool(len(lines)) and bool(
        (
            (np.abs(lines[:, 0] - np.mean(outer)) < 2.5 * body.size)
            & (lines[:, 2] - lines[:, 1] > WIDE_RULE * content.width)
        ).any()
    )
    is_spread = any(len(row) > 1 and row[-1].x0 - row[0].x1 > 0.1 * content.width for row in rows)
    is_small = max(piece.size for piece in pieces) < 0.95 * body.size
    is_short = sum(len(piece.text) for piece in pieces) < 90
    return has_number or (is_short and (ruled or is_spread or is_small or ends_numbered)) or (is_small and ruled)
