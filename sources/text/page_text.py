"""Text of a page from its words: its lines in reading order, with hyphenated words joined."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sources.text.composition import separators_of, text_of
from sources.text.direction import in_line_order, is_vertical, rotate_upright, rotation
from sources.text.lines import Lines, choose_lines, lines_of
from sources.text.reading_order import reading_order
from sources.text.scripts import EAST_ASIAN, has_right_to_left, is_right_to_left
from sources.text.words import LayoutWords

_EAST_ASIAN_SPACE = re.compile(rf"(?<={EAST_ASIAN.pattern}) (?={EAST_ASIAN.pattern})")


@dataclass(frozen=True, slots=True)
class PageText:
    """Text of one page.

    Args:
        text: lines separated by a newline, blocks by an empty line.
        order: (N,) indices of the words in reading order.
        lines: the M lines in reading order; their boxes are upright if most of the page is turned.
        separators: M - 1 texts between the lines: a space, a newline, or an empty line.
    """

    text: str
    order: np.ndarray
    lines: Lines
    separators: Sequence[str]


def in_reading_order(words: LayoutWords) -> PageText:
    """Order the words of one page and compose its text.

    Lines are separated by a newline and blocks by an empty line; Chinese and Japanese lines of a block are joined
    without a newline. A word hyphenated at the end of a line is joined on the line where it begins, and keeps its
    hyphen if the page spells it with one elsewhere.
    """
    if not len(words.texts):
        return PageText("", np.zeros(0, np.int64), lines_of(words), ())
    page = "".join(words.texts)
    right_to_left = is_right_to_left(page)
    vertical = not page.isascii() and is_vertical(words)
    degrees = 90 if vertical else rotation(words, right_to_left)
    if degrees:
        words = replace(words, boxes=rotate_upright(words.boxes, degrees))
    lines = lines_of(words)
    order = np.array(reading_order(lines.boxes, right_to_left=right_to_left))
    lines = choose_lines(lines, order)
    if has_right_to_left(page):
        lines = replace(lines, words=[in_line_order(line, words) for line in lines.words])
    separators = separators_of(lines, vertical)
    text = text_of(lines, separators, words)
    if vertical:
        text = _EAST_ASIAN_SPACE.sub("", text)
    return PageText(text, np.concatenate(lines.words), lines, separators)
