"""Align rendered characters with the text that they were rendered from: find the word, line and block of each."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sources.ocr.arrays import Bools, Floats, Ints
from sources.ocr.blocks import INSET, SOFT_HYPHEN, Block
from sources.text.thai import has_thai, split_thai

# Text without spaces is cut into pieces of a few characters, at punctuation if possible: on a curled page the box of a
# whole line would not fit its ink.
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
LINE_STEP = 0.6  # in font sizes: a larger step of the baseline begins another line; a smaller one is a superscript
LINE_BACK = 0.5  # in font sizes: a larger step to the left begins another line


class AlignmentError(ValueError):
    """The engine rendered another text than the one that was given."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Characters:
    """Rendered characters in drawing order, with insets among them.

    Args:
        text: N characters; `INSET` marks a picture.
        boxes: (N, 4) x0, y0, x1, y1 of their ink in pixels; for a picture, the box that it fills.
        baselines: (N,) y of the baseline.
        sizes: (N,) font size.
    """

    text: str
    boxes: Floats
    baselines: Floats
    sizes: Floats


@dataclass(frozen=True, kw_only=True, slots=True)
class Alignment:
    """The words of a flow.

    Args:
        texts: N words as printed; a word that is broken at the end of a line counts as two, the first with its hyphen.
        boxes: (N, 4) boxes around the ink of the words.
        lines: (N,) int, 0-based line numbers.
        is_glued: (N,) bool, True if no space stands before the word.
        blocks: the blocks that were rendered; the last one is cut where rendering ended.
        inset_boxes: (M, 4) boxes of the insets, in order.
        rest: the blocks after these, the first of them the rest of the last one.
    """

    texts: list[str]
    boxes: Floats
    lines: Ints
    is_glued: Bools
    blocks: list[Block]
    inset_boxes: Floats
    rest: Sequence[Block] = ()


def count_inked(text: str) -> int:
    """Return the number of characters that are not white space."""
    return sum(map(len, text.split()))


def _code_points(text: str) -> Ints:
    """Return the (N,) uint32 code points of a text."""
    return np.frombuffer(text.encode("utf-32-le"), np.uint32)


def split_unspaced(token: str) -> list[str]:
    """Split a token into words: pieces of a few characters where the script has no spaces, else the token itself."""
    return split_thai(token) if has_thai(token) else _PIECE.findall(token)


def align(rendered: Characters, blocks: Sequence[Block], is_ordered: bool = True) -> Alignment:
    """Align rendered characters with the text of the blocks, of which they must be a prefix.

    Args:
        is_ordered: the characters of a line run from left to right, so a step to the left begins another line.
    Raises:
        AlignmentError: the characters are not a prefix of the text.
        CutBlockError: the characters end inside a block that is not divisible.
    """
    given = "".join(block.text + "\n" for block in blocks)
    codes = _code_points(rendered.text)
    inked = np.flatnonzero(~_SPACES[np.minimum(codes, LAST_SPACE + 1)] & (codes != ord(SOFT_HYPHEN)))
    shown = "".join(rendered.text.replace(SOFT_HYPHEN, "").split())
    _check_prefix(shown, "".join(given.split()))
    boxes = _extend_over_hyphens(rendered)[inked]
    baselines, sizes = rendered.baselines[inked], rendered.sizes[inked]
    step_back = (boxes[1:, 0] < boxes[:-1, 0] - LINE_BACK * sizes[:-1]) & is_ordered
    step_down = np.abs(np.diff(baselines)) > LINE_STEP * np.maximum(sizes[1:], sizes[:-1])
    is_inset = _code_points(shown) == ord(INSET)
    words, cells = _number_words_and_cells(given, len(shown))
    breaks = step_back | step_down | (np.diff(cells) != 0)
    starts = np.flatnonzero(
        np.append(True, breaks | (np.diff(words) != 0) | is_inset[1:] | is_inset[:-1])[: len(shown)]
    )
    ends = np.append(starts[1:], len(shown))
    lines = np.cumsum(np.append(False, breaks)[: len(shown)])[starts]
    hulls = _merge_boxes(boxes, starts)
    texts = [
        shown[start:end] + ("-" if rendered.text[inked[end - 1] + 1 : inked[end - 1] + 2] == SOFT_HYPHEN else "")
        for start, end in zip(starts, ends, strict=True)
    ]
    kept = ~is_inset[starts] & (hulls[:, 2] > hulls[:, 0])
    visible, rest = _visible_blocks(blocks, len(shown))
    return Alignment(
        texts=[text for text, is_kept in zip(texts, kept, strict=True) if is_kept],
        boxes=hulls[kept],
        lines=lines[kept],
        is_glued=~_follows_space(given)[starts][kept],
        blocks=visible,
        inset_boxes=boxes[is_inset],
        rest=rest,
    )


def _follows_space(given: str) -> Bools:
    """Return (N,) bool: whether a space or the end of a line stands before each of the N visible characters."""
    inked = np.flatnonzero(~_SPACES[np.minimum(_code_points(given), LAST_SPACE + 1)])
    follows: Bools = np.diff(inked, prepend=-2) > 1
    return follows


def _check_prefix(shown: str, expected: str) -> None:
    if not expected.startswith(shown):
        k = next((k for k, (a, b) in enumerate(zip(shown, expected, strict=False)) if a != b), len(expected))
        raise AlignmentError(
            f"drawn is {shown[max(0, k - 10) : k + 10]!r}, expected {expected[max(0, k - 10) : k + 10]!r}"
        )


def _extend_over_hyphens(rendered: Characters) -> Floats:
    """Return the (N, 4) boxes of the characters, each extended over the hyphen that follows it at the end of a line."""
    boxes = rendered.boxes.copy()
    after = np.flatnonzero(_code_points(rendered.text[1:]) == ord(SOFT_HYPHEN)) + 1
    boxes[after - 1, :2] = np.minimum(boxes[after - 1, :2], boxes[after, :2])
    boxes[after - 1, 2:] = np.maximum(boxes[after - 1, 2:], boxes[after, 2:])
    return boxes


def _number_words_and_cells(given: str, length: int) -> tuple[Ints, Ints]:
    """Return the word number and the cell number of the first `length` visible characters of `given`, each (length,).

    A line of a code listing counts as a cell.
    """
    word_lengths: list[int] = []
    cell_lengths: list[int] = []
    for cell in _CELL_END.split(given):
        tokens = cell.split()
        cell_lengths.append(sum(map(len, tokens)))
        for token in tokens:
            word_lengths += [len(token)] if token.isascii() else map(len, split_unspaced(token))
    words = np.repeat(np.arange(len(word_lengths)), word_lengths)
    return words[:length], np.repeat(np.arange(len(cell_lengths)), cell_lengths)[:length]


def _merge_boxes(boxes: Floats, starts: Ints) -> Floats:
    """Return (M, 4) boxes around runs of (N, 4) boxes, ignoring boxes without ink (spaces, combining marks)."""
    if not len(starts):
        return np.zeros((0, 4))
    is_empty = boxes[:, 2:3] <= boxes[:, :1]
    low = np.minimum.reduceat(np.where(is_empty, np.inf, boxes[:, :2]), starts)
    high = np.maximum.reduceat(np.where(is_empty, -np.inf, boxes[:, 2:]), starts)
    return np.concatenate([low, high], axis=1)


def _visible_blocks(blocks: Sequence[Block], num_rendered: int) -> tuple[list[Block], list[Block]]:
    """Return the blocks that `num_rendered` characters reach, with the last one cut, and the blocks of the rest.

    Raises CutBlockError if it cannot be cut there, or leads a block that is not reached.
    """
    shown: list[Block] = []
    rest: list[Block] = []
    for block in blocks:
        if num_rendered <= 0:
            break
        num_inked = count_inked(block.text)
        if num_inked > num_rendered:
            parts = block.divided(num_rendered)
            if parts is None:
                raise CutBlockError(_num_ended(shown))
            block = parts[0]
            rest = [parts[1]]
        shown.append(block)
        num_rendered -= num_inked
    rest += blocks[len(shown) :]
    if rest and _num_ended(shown) < len(shown):
        raise CutBlockError(_num_ended(shown))
    return shown, rest


def _num_ended(blocks: Sequence[Block]) -> int:
    """Return the number of blocks without headings and captions at the end."""
    ended = [k for k, block in enumerate(blocks) if not block.leads]
    return ended[-1] + 1 if ended else 0


class CutBlockError(Exception):
    """The page ends inside a block that must not be cut, or behind one that leads another.

    Args:
        num_blocks: number of blocks that are shown whole.
    """

    def __init__(self, num_blocks: int):
        super().__init__(f"the page ends at block {num_blocks}")
        self.num_blocks = num_blocks
