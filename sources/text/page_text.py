"""Text of a page from its words: its lines in reading order, with hyphenated words joined."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sources.text.composition import separators_of, text_of
from sources.text.direction import order_of_lines
from sources.text.lines import Lines, choose_lines, lines_of
from sources.text.scripts import is_right_to_left
from sources.text.words import LayoutWords


@dataclass(frozen=True, slots=True)
class PageText:
    """Text of one page.

    Args:
        text: lines separated by a newline, blocks by an empty line.
        order: (N,) indices of the words in reading order.
        lines: the M lines in reading order.
        separators: M - 1 texts between the lines: a space, a newline, or an empty line.
    """

    text: str
    order: np.ndarray
    lines: Lines
    separators: Sequence[str]


def in_reading_order(words: LayoutWords) -> PageText:
    """Order the words of one page and compose its text.

    Lines are separated by a newline and blocks by an empty line; Chinese and Japanese lines that fill their column are
    joined to the next line. A word broken at the end of a line is joined on the line where it begins; `hyphens` says
    with or without its hyphen.
    """
    lines = lines_of(words)
    if not len(lines):
        return PageText("", np.zeros(0, np.int64), lines, ())
    num_letters = np.add.reduceat(list(map(len, words.texts)), [line[0] for line in lines.words])
    right_to_left = is_right_to_left("".join(words.texts))
    lines = choose_lines(lines, order_of_lines(lines, num_letters, right_to_left=right_to_left))
    separators = separators_of(lines)
    return PageText(text_of(lines, separators, words), np.concatenate(lines.words), lines, separators)
