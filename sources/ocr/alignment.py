"""Drawn characters matched with the text they were drawn from: which word, which line, which block."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sources.ocr.blocks import INSET, SOFT_HYPHEN, Block, as_markdown

# Scripts written without spaces are cut into pieces of a few characters, at punctuation if there is some: the box of a
# whole line would no longer hold its ink once the page is curled.
PIECE_CHARACTERS = 6
_UNSPACED = r"\u2e80-\u9fff\uf900-\ufaff\uff00-\uffee\u3000-\u30ff"
_CLOSING = r"，。、；：！？）》」』”’…—·,.;:!?)\]"
_PIECE = re.compile(
    rf"[（《「『“‘(]*[{_UNSPACED}](?:[{_UNSPACED}](?<![{_CLOSING}（《「『“‘])){{0,{PIECE_CHARACTERS - 1}}}[{_CLOSING}]*"
    rf"|[^{_UNSPACED}]+"
)
_CELL_END = re.compile(r"[\n\t]")
LAST_SPACE = 0x3000  # the highest code point of white space
_SPACES = np.array([chr(code).isspace() for code in range(LAST_SPACE + 2)])
LINE_STEP = 0.6  # of the font size: a baseline that moves by more begins another line; less is a raised figure
LINE_BACK = 0.5  # of the font size: a character that stands so far left of the one before begins another line


class Mismatch(ValueError):
    """What was laid out is not the text that was given: the engine drew something else."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Characters:
    """Characters as drawn, in the order of drawing, insets among them.

    Args:
        text: N characters, `INSET` for a picture.
        boxes: (N, 4) x0, y0, x1, y1 of their ink in pixels; of a picture its place.
        baselines: (N,) y of the baseline.
        sizes: (N,) font size.
    """

    text: str
    boxes: np.ndarray
    baselines: np.ndarray
    sizes: np.ndarray


@dataclass(frozen=True, kw_only=True, slots=True)
class Alignment:
    """The words of a flow.

    Args:
        texts: N words as printed (one that is broken at a line's end is two, the first with its hyphen).
        boxes: (N, 4) around their ink.
        lines: (N,) int, from 0.
        blocks: what was drawn of the blocks; the last one cut where drawing ended.
        inset_boxes: (M, 4) the places of the insets, in order.
    """

    texts: list[str]
    boxes: np.ndarray
    lines: np.ndarray
    blocks: list[Block]
    inset_boxes: np.ndarray


def inked_length(text: str) -> int:
    """Characters that are no white space."""
    return sum(map(len, text.split()))


def _codes(text: str) -> np.ndarray:
    """(N,) uint32 code points."""
    return np.frombuffer(text.encode("utf-32-le"), np.uint32)


def pieces_of(token: str) -> list[str]:
    """A run without white space as words: pieces of a few characters where the script has no spaces."""
    return _PIECE.findall(token)


def match(drawn: Characters, blocks: Sequence[Block], is_ordered: bool = True) -> Alignment:
    """Match drawn characters, a beginning of the blocks' text, with that text.

    Args:
        is_ordered: characters of a line stand from left to right, so that a step back begins another line.
    Raises:
        Mismatch: they are something else.
        Cut: they end inside a block that is not divisible.
    """
    given = "".join(block.text + "\n" for block in blocks)
    codes = _codes(drawn.text)
    inked = np.flatnonzero(~_SPACES[np.minimum(codes, LAST_SPACE + 1)] & (codes != ord(SOFT_HYPHEN)))
    shown = "".join(drawn.text.replace(SOFT_HYPHEN, "").split())
    _check(shown, "".join(given.split()))
    boxes = _with_hyphens(drawn)[inked]
    baselines, sizes = drawn.baselines[inked], drawn.sizes[inked]
    step_back = (boxes[1:, 0] < boxes[:-1, 0] - LINE_BACK * sizes[:-1]) & is_ordered
    step_down = np.abs(np.diff(baselines)) > LINE_STEP * np.maximum(sizes[1:], sizes[:-1])
    is_inset = _codes(shown) == ord(INSET)
    words, cells = _numbered(given, len(shown))
    breaks = step_back | step_down | (np.diff(cells) != 0)
    starts = np.flatnonzero(
        np.append(True, breaks | (np.diff(words) != 0) | is_inset[1:] | is_inset[:-1])[: len(shown)]
    )
    ends = np.append(starts[1:], len(shown))
    lines = np.cumsum(np.append(False, breaks)[: len(shown)])[starts]
    hulls = _hulls(boxes, starts)
    texts = [
        shown[start:end] + ("-" if drawn.text[inked[end - 1] + 1 : inked[end - 1] + 2] == SOFT_HYPHEN else "")
        for start, end in zip(starts, ends, strict=True)
    ]
    kept = ~is_inset[starts] & (hulls[:, 2] > hulls[:, 0])
    return Alignment(
        texts=[text for text, is_kept in zip(texts, kept, strict=True) if is_kept],
        boxes=hulls[kept],
        lines=lines[kept],
        blocks=_shown(blocks, len(shown)),
        inset_boxes=boxes[is_inset],
    )


def _check(shown: str, expected: str) -> None:
    if not expected.startswith(shown):
        k = next((k for k, (a, b) in enumerate(zip(shown, expected, strict=False)) if a != b), len(expected))
        raise Mismatch(f"drawn is {shown[max(0, k - 10) : k + 10]!r}, expected {expected[max(0, k - 10) : k + 10]!r}")


def _with_hyphens(drawn: Characters) -> np.ndarray:
    """(N, 4) the characters' boxes; one that a hyphen follows at a line's end has the hyphen in its own."""
    boxes = drawn.boxes.copy()
    after = np.flatnonzero(_codes(drawn.text[1:]) == ord(SOFT_HYPHEN)) + 1
    boxes[after - 1, :2] = np.minimum(boxes[after - 1, :2], boxes[after, :2])
    boxes[after - 1, 2:] = np.maximum(boxes[after - 1, 2:], boxes[after, 2:])
    return boxes


def _numbered(given: str, length: int) -> tuple[np.ndarray, np.ndarray]:
    """(length,) the word and the cell (or line of a listing) of each character of `given` that is no white space."""
    word_lengths: list[int] = []
    cell_lengths: list[int] = []
    for cell in _CELL_END.split(given):
        tokens = cell.split()
        cell_lengths.append(sum(map(len, tokens)))
        for token in tokens:
            word_lengths += [len(token)] if token.isascii() else map(len, pieces_of(token))
    words = np.repeat(np.arange(len(word_lengths)), word_lengths)
    return words[:length], np.repeat(np.arange(len(cell_lengths)), cell_lengths)[:length]


def _hulls(boxes: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """(M, 4) boxes around runs of (N, 4) boxes; those without ink (spaces, marks that do not advance) do not count."""
    if not len(starts):
        return np.zeros((0, 4))
    is_empty = boxes[:, 2:3] <= boxes[:, :1]
    low = np.minimum.reduceat(np.where(is_empty, np.inf, boxes[:, :2]), starts)
    high = np.maximum.reduceat(np.where(is_empty, -np.inf, boxes[:, 2:]), starts)
    return np.concatenate([low, high], axis=1)


def _shown(blocks: Sequence[Block], num_drawn: int) -> list[Block]:
    """The blocks that `num_drawn` characters reach, the last one cut. Raises Cut if it is not divisible."""
    shown: list[Block] = []
    for block in blocks:
        if num_drawn <= 0:
            break
        num_inked = inked_length(block.text)
        if num_inked > num_drawn:
            if not block.is_divisible:
                raise Cut(len(shown))
            inked = [k for k, sign in enumerate(block.text) if not sign.isspace()]
            text = block.text[: inked[num_drawn - 1] + 1]
            block = replace(block, text=text, markdown=as_markdown(text))
        shown.append(block)
        num_drawn -= num_inked
    return shown


class Cut(Exception):
    """The page ends inside a block that must not be cut.

    Args:
        num_blocks: blocks before it.
    """

    def __init__(self, num_blocks: int):
        super().__init__(f"the page ends inside block {num_blocks}")
        self.num_blocks = num_blocks
