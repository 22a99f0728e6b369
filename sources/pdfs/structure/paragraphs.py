"""Paragraphs: which lines belong together."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from sources.pdfs.structure.block import CODE, CONTENTS, LIST_ITEM, PARAGRAPH, Block, Line
from sources.pdfs.structure.body import Body
from sources.pdfs.structure.lists import marker_of
from sources.pdfs.structure.roles import begins_caption
from sources.pdfs.structure.tags import Mark, mark_of_line

HANGING = 5.0  # greatest indent of the lines of a description, in font sizes
INDENT = 0.7  # of a first line or a hanging item, in font sizes
MAX_PITCH = 1.28  # between lines of a paragraph, in leadings
MAX_CODE_PITCH = 4.2  # between lines of one piece of code, in font sizes: up to two empty lines
SAME_END = 1.0  # points between the ends of justified lines
MIN_AT_MARGIN = 4  # lines that end together
WINDOW = 6  # lines on both sides that tell where a column ends
NOTE_START = re.compile(r"^(\d{1,2}|[*†‡§¶]) ?[A-Z“(]")  # of a footnote
_ENDS_SENTENCE = re.compile(r"[.:;!?。：；！？][\"'”’)\]]*$")


def to_blocks(
    lines: Sequence[Line], body: Body, width: float, bullets: np.ndarray, marks: Sequence[Mark | None] | None = None
) -> list[Block]:
    """Group consecutive lines into paragraphs, list items, entries of contents and code.

    Args:
        lines: in reading order, without a table between them.
        width: of the page; lines that run off it do not tell where a column ends.
        bullets: (M, 4) boxes of small drawings.
        marks: what the structure tree says about every word; lines of one of its parts are one block.
    """
    of_lines = [mark_of_line(line, marks) for line in lines] if marks is not None else [None] * len(lines)
    rights = _right_edges(lines, width)
    markers = [marker_of(line, bullets) for line in lines]
    leading = _leading(lines, body)
    blocks: list[Block] = []
    for k, line in enumerate(lines):
        marker = markers[k]
        if line.is_entry:
            blocks.append(Block(CONTENTS, [line]))
        elif blocks and of_lines[k] is not None and k and of_lines[k - 1] is not None:
            if of_lines[k] == of_lines[k - 1] and blocks[-1].kind != CONTENTS:
                blocks[-1].lines.append(line)
            else:
                blocks.append(_new_block(line, marker))
        elif blocks and k and not _begins(lines, k, blocks[-1], rights, leading, marker, body.size):
            blocks[-1].lines.append(line)
        else:
            blocks.append(_new_block(line, marker if marker and _is_item(lines, markers, k, blocks) else None))
    return blocks


def _new_block(line: Line, marker: tuple[str, int] | None) -> Block:
    if marker is not None:
        return Block(LIST_ITEM, [line], marker=marker[0], cut=marker[1])
    return Block(CODE if line.is_code else PARAGRAPH, [line])


def _right_edges(lines: Sequence[Line], width: float) -> list[float]:
    edges = []
    ends = [_End(line.region, line.size, line.all.x0, line.all.x1) for line in lines]
    for k, line in enumerate(ends):
        first, last = max(0, k - WINDOW), k + WINDOW + 1
        near = [end for end in ends[first:last] if end.region == line.region and abs(end.size - line.size) < 0.6]
        margin = _margin([end.x1 for end in _flush(ends[first:last], k - first)])
        overlapping = [end.x1 for end in near if end.x0 < line.x1 and end.x1 > line.x0]
        edges.append(margin or _right_edge([x1 for x1 in overlapping if x1 < width] or overlapping))
    return edges


class _End(NamedTuple):
    region: int
    size: float
    x0: float
    x1: float


def _flush(ends: Sequence[_End], k: int) -> Sequence[_End]:
    """Return the lines around line k that begin where it begins: the lines of a box or of a paragraph."""

    def is_flush(end: _End) -> bool:
        return end.region == ends[k].region and abs(end.x0 - ends[k].x0) < 0.5 * ends[k].size

    first = last = k
    while first > 0 and is_flush(ends[first - 1]):
        first -= 1
    while last + 1 < len(ends) and is_flush(ends[last + 1]):
        last += 1
    return ends[first : last + 1]


def _margin(ends: Sequence[float]) -> float | None:
    """Return where justified lines end, if most of some lines do."""
    end = max(ends, key=lambda end: sum(abs(other - end) < SAME_END for other in ends))
    at_margin = sum(abs(other - end) < SAME_END for other in ends)
    return end if at_margin >= MIN_AT_MARGIN and at_margin > len(ends) / 2 else None


def _right_edge(ends: Sequence[float]) -> float:
    """Return where the lines of a column end: at the furthest end, or at a margin that only single lines overrun."""
    for end in sorted(ends, reverse=True):
        at_margin = sum(abs(other - end) < SAME_END for other in ends)
        beyond = sum(other >= end + SAME_END for other in ends)
        if at_margin >= MIN_AT_MARGIN and beyond * 2 <= at_margin:
            return end
    return max(ends)


def _leading(lines: Sequence[Line], body: Body) -> dict[float, float]:
    """Return the usual distance of base lines for every font size."""
    pitches: dict[float, list[float]] = {}
    for a, b in pairwise(lines):
        pitch = b.all.y1 - a.all.y1
        if a.size == b.size and a.region == b.region and 0.8 * a.size < pitch < 2.2 * a.size:
            pitches.setdefault(a.size, []).append(pitch)
    found = {}
    for size, values in pitches.items():
        # Paragraphs of one line make the median the distance of paragraphs; the lower quarter is the distance of lines.
        found[size] = max(float(np.quantile(values, 0.25)), 1.05 * size) if len(values) > 3 else 1.25 * size
    found.setdefault(body.size, body.leading)
    return found


def _is_item(lines: Sequence[Line], markers: Sequence[tuple[str, int] | None], k: int, blocks: Sequence[Block]) -> bool:
    """Return True if a line with a marker is an item: bullets always, numbers in a sequence or with an indent."""
    marker = markers[k]
    assert marker is not None
    if marker[0] == "-":
        return True
    if (
        k + 1 < len(lines)
        and lines[k + 1].region == lines[k].region
        and lines[k + 1].x0 > lines[k].x0 + INDENT * lines[k].size
    ):
        return True
    following = [m for m in markers[k + 1 : k + 8] if m is not None]
    before = blocks[-1].kind == LIST_ITEM if blocks else False
    return before or any(_follows(marker[0], m[0]) for m in following) or len(lines[k].pieces) > 1


def _follows(a: str, b: str) -> bool:
    first, second = re.sub(r"\W", "", a), re.sub(r"\W", "", b)
    if first.isdigit() and second.isdigit():
        return int(second) == int(first) + 1
    return len(first) == len(second) == 1 and ord(second) == ord(first) + 1


def _begins(
    lines: Sequence[Line],
    k: int,
    block: Block,
    rights: Sequence[float],
    leading: dict[float, float],
    marker: tuple[str, int] | None,
    body_size: float,
) -> bool:
    """Return True if line k begins a new block."""
    a, b = lines[k - 1], lines[k]
    if block.kind == CONTENTS:
        return True
    if marker is not None and (marker[0] == "-" or _is_outside(a, b)):
        return True
    a_code, b_code = a.is_code, b.is_code
    if a_code != b_code and not _is_end_in_code(lines, k, block, rights, leading):
        return not (
            block.kind == LIST_ITEM
            and not b_code
            and a.region == b.region
            and _pitch(a, b) < 1.3 * leading.get(b.size, 1.25 * b.size)
        )
    if block.kind == CODE and b_code:
        return a.region != b.region or _pitch(a, b) > MAX_CODE_PITCH * b.size
    if abs(a.size - b.size) > max(0.6, 0.07 * a.size) or abs(a.all.bold - b.all.bold) > 0.85:
        return True
    if NOTE_START.match(b.text) and b.size < 0.93 * body_size:
        return True
    full = not _fits(a, b, rights[k - 1])
    if a.region != b.region:
        return begins_caption(b.text) or not (
            (full and b.text[:1].islower())
            or (full and not _ENDS_SENTENCE.search(a.text) and block.kind == PARAGRAPH and len(block.lines) > 1)
        )
    if _pitch(a, b) > MAX_PITCH * leading.get(a.size, 1.25 * a.size) or _pitch(a, b) < 0.3 * a.size:
        return True
    if len(a.pieces) > 1 and a.pieces[-1].x0 - a.pieces[-2].x1 > 6 * a.size and block.kind != LIST_ITEM:
        return True
    return _shape_breaks(lines, k, block, full, rights)


def _is_end_in_code(
    lines: Sequence[Line], k: int, block: Block, rights: Sequence[float], leading: dict[float, float]
) -> bool:
    """Return True if line k is the rest of a paragraph, though all of it is code: a name or an address."""
    a, b = lines[k - 1], lines[k]
    if block.kind == CODE or a.region != b.region or _pitch(a, b) > 1.2 * leading.get(a.size, 1.25 * a.size):
        return False
    return abs(b.x0 - a.x0) < INDENT * b.size and not _fits(a, b, rights[k - 1]) and not a.text.endswith(":")


def _is_outside(a: Line, b: Line) -> bool:
    return b.x0 < a.x0 + 0.3 * b.size or len(b.pieces) > 1 or bool(_ENDS_SENTENCE.search(a.text))


def _pitch(a: Line, b: Line) -> float:
    return b.all.y1 - a.all.y1


def _fits(a: Line, b: Line, right: float) -> bool:
    """Return True if the first word of line b had room at the end of line a."""
    first = b.text.split(" ", 1)[0]
    width = (b.x1 - b.x0) * len(first) / len(b.text)
    return a.x1 + 0.3 * a.size + width < right - a.size


def _is_centred(a: Line, b: Line) -> bool:
    return abs(a.x0 + a.x1 - b.x0 - b.x1) < 0.4 * a.size and abs(a.x0 - b.x0) > INDENT * a.size


def _shape_breaks(lines: Sequence[Line], k: int, block: Block, full: bool, rights: Sequence[float]) -> bool:
    """Return True if indents or a short line before it show that line k begins a new block."""
    a, b = lines[k - 1], lines[k]
    step = INDENT * b.size
    if _is_centred(a, b):
        return False
    if not full:
        return True
    moved = b.x0 - a.x0
    if (
        b.text[:1].islower()
        and not _ENDS_SENTENCE.search(a.text)
        and len(block.lines) == 1
        and 0 < moved < HANGING * b.size
    ):
        return False  # the second line of a term and its description
    if block.kind == LIST_ITEM:
        if len(block.lines) == 1:
            return moved < -step
        return abs(moved) > step
    if moved > step:
        if len(block.lines) > 1:
            return True
        following = lines[k + 1] if k + 1 < len(lines) and lines[k + 1].region == b.region else None
        return following is not None and abs(following.x0 - a.x0) < 0.3 * b.size and abs(following.x0 - b.x0) > step
    if moved < -step:
        return len(block.lines) > 1
    return False
