"""List items and entries of a table of contents: their markers and how deep they are."""

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from sources.pdfs.structure.block import CONTENTS, LIST_ITEM, Block, Line
from sources.pdfs.structure.content import PageContent

BULLETS = "•‣▪▫◦●○■□∙⋆►▶➢✓✔❖»·⁃◆◇★☆➔→\uf0b7\uf0a7\uf0d8\uf076\uf0fc\uf0a8"
_DASHES = "–—-*−"
BULLET = re.compile(rf"^[{re.escape(BULLETS)}]$")
DASH = re.compile(rf"^[{re.escape(_DASHES)}]$")
ENUMERATOR = re.compile(r"^(\(?(\d{1,3}|[a-zA-Z]|[ivx]{1,5}|[IVX]{1,5})[.)]|\[\d{1,3}\])$")
LEADER = re.compile(r"(\.\s?){4,}|…|(·\s?){4,}|(_\s?){4,}")
_PAGE = re.compile(r"^(\d{1,4}|[ivxlc]{1,7}|[A-Z]?-?\d{1,3})$")
LEVEL_INDENT = 0.6  # between levels, in font sizes
MIN_CONTENTS = 3  # entries with leader dots
MIN_ASCENDING = 5  # entries without leader dots, whose pages ascend


def marker_of(line: Line, bullets: np.ndarray) -> tuple[str, int] | None:
    """Return the marker with which a line begins and its number of words (0 if it is drawn), or None.

    Args:
        bullets: (M, 4) small drawings, which may be bullets.
    """
    words = line.text.split(" ")
    if len(words) > 1:
        if BULLET.match(words[0]):
            return "-", 1
        if DASH.match(words[0]) and _is_wide(line):
            return "-", 1
        if ENUMERATOR.match(words[0]):
            return words[0], 1
    if len(bullets):
        middle = (line.all.y0 + line.all.y1) / 2
        gap = line.x0 - bullets[:, 2]
        beside = (
            (gap > 0)
            & (gap < 2.5 * line.size)
            & (bullets[:, 1] < middle + 0.3 * line.size)
            & (bullets[:, 3] > middle - 0.3 * line.size)
        )
        if beside.any():
            return "-", 0
    return None


def small_drawings(content: PageContent) -> np.ndarray:
    """Return the (M, 4) drawings of the size of a bullet."""
    both = np.concatenate([content.drawings, content.fills])
    width, height = both[:, 2] - both[:, 0], both[:, 3] - both[:, 1]
    bullets: np.ndarray = both[(width < 8) & (height < 8) & (np.abs(width - height) < 1.5) & (width > 1.5)]
    return bullets


def _is_wide(line: Line) -> bool:
    """Return True if more than an ordinary space follows the first word: a dash may begin a sentence, too."""
    return len(line.pieces) > 1 or len(line.text) > 2


def contents_lines(lines: Sequence[Line]) -> list[bool]:
    """Return for every line of a page True if it is an entry of a table of contents, with a page at the right."""
    dotted = [_is_dotted(line) for line in lines]
    right = max((line.x1 for line in lines), default=0.0)
    pages = [None if is_dotted else _page_at(line, right) for line, is_dotted in zip(lines, dotted, strict=True)]
    numbers = [page for page in pages if page is not None]
    # Without dots, only pages in ascending order tell an entry from a row of a table.
    is_ascending = len(numbers) >= MIN_ASCENDING and all(a <= b for a, b in pairwise(numbers))
    if sum(dotted) < MIN_CONTENTS and not (is_ascending and len(numbers) > 0.5 * len(lines)):
        return [False] * len(lines)
    return [is_dotted or page is not None for is_dotted, page in zip(dotted, pages, strict=True)]


def _is_dotted(line: Line) -> bool:
    words = line.text.rsplit(" ", 1)
    return len(words) == 2 and bool(_PAGE.match(words[1])) and bool(LEADER.search(line.text))


def _page_at(line: Line, right: float) -> int | None:
    """Return the page number at the right edge, away from the title of an entry."""
    last = line.pieces[-1]
    if not 2 <= len(line.pieces) <= 3 or not last.text.isdecimal() or len(last.text) > 4 or abs(last.x1 - right) > 3:
        return None
    title = line.pieces[-2]
    is_title = any(map(str.isalpha, title.text)) and last.x0 - title.x1 > 2 * line.size
    return int(last.text) if is_title else None


def set_levels(blocks: Sequence[Block]) -> None:
    """Set the level of consecutive list items and entries from how far their markers are indented."""
    stack: list[float] = []
    previous: Block | None = None
    for block in blocks:
        if block.kind not in (LIST_ITEM, CONTENTS):
            is_inner = previous is not None and block.lines and stack and block.lines[0].x0 > stack[0] + 0.5
            if not is_inner:
                stack = []
            previous = block
            continue
        line = block.lines[0]
        indent = LEVEL_INDENT * line.size
        if previous is not None and previous.lines and previous.lines[0].region != line.region:
            stack = []
        while stack and line.x0 < stack[-1] - indent:
            stack.pop()
        if not stack or line.x0 > stack[-1] + indent:
            stack.append(line.x0)
        if not block.has_level:
            block.level = len(stack) - 1
        previous = block
