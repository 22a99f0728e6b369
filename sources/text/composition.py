"""Composition of a page's text from its lines and the separators between them."""

import re
from collections.abc import Sequence

import numpy as np

from sources.text.hyphens import HYPHENS, SOFT_HYPHEN, join_broken_words
from sources.text.lines import Lines
from sources.text.scripts import EAST_ASIAN
from sources.text.words import LayoutWords

_MARKER = re.compile(
    r"[一二三四五六七八九十百]+[、．.]|第.{1,4}[章节節条條]|[（(]?[\d一二三四五六七八九十]+[)）、]|[•●○■◆▪・]"
)
MAX_LEADING = 1.8  # between vertical lines of a paragraph, in widths of a line
MIN_LINES_FOR_PITCH = 4  # least lines of a page for which paragraphs are found by pitch
FEW_IN_ONE_BLOCK = 0.2  # if fewer consecutive lines share a block, blocks do not indicate paragraphs
MAX_PITCH = 1.15  # between lines of a paragraph, in median pitches
MAX_RAGGED = 1.6  # between the end of a Chinese line and the edge of its column, in font sizes; punctuation may hang
MAX_UNEVEN = 0.3  # between the ends of Chinese lines that fill their column, in font sizes
MIN_LINE = 10  # of Chinese prose, in font sizes; shorter lines are a list or a form
MIN_LONG_LINE = 14  # in font sizes; a Chinese line that is longer is prose, even if no other ends where it does
MIN_LINES_AT_EDGE = 3  # Chinese lines that end at the edge of a column of prose


def text_of(lines: Lines, separators: Sequence[str], words: LayoutWords) -> str:
    """Return the text of lines in reading order, with separators between them."""
    line_texts = [[words.texts[k] for k in line.tolist()] for line in lines.words]
    separators = _without_east_asian_breaks(line_texts, separators, lines)
    broken = [k for k, line in enumerate(line_texts[:-1]) if line[-1].endswith(HYPHENS) and separators[k] != " "]
    if broken:
        join_broken_words(line_texts, broken)
    pieces: list[str] = []
    for k, line in enumerate(line_texts):
        if line:  # empty if its only word was the second half of a hyphenated one
            pieces.append(" ".join(line))
            pieces.append(separators[k] if k < len(separators) else "")
    return "".join(pieces).strip().replace(SOFT_HYPHEN, "")


def _without_east_asian_breaks(texts: list[list[str]], separators: Sequence[str], lines: Lines) -> Sequence[str]:
    """Return the separators, empty after Chinese and Japanese lines that continue on the next line.

    Such lines fill their column, and others end there as well, unless they are long: short lines are a list or a form.
    """
    breaks = [
        k
        for k, separator in enumerate(separators)
        if separator == "\n"
        and EAST_ASIAN.match(texts[k][-1][-1])
        and EAST_ASIAN.match(texts[k + 1][0][0])
        and not _MARKER.match(texts[k + 1][0])
    ]
    if not breaks:
        return separators
    joined = list(separators)
    frames, size = lines.frames, np.maximum(lines.sizes, 1)
    for k in breaks:
        beside = (lines.directions == lines.directions[k]).all(axis=1)
        beside &= (frames[:, 0] < frames[k, 2]) & (frames[:, 2] > frames[k, 0])
        edge = frames[beside, 2].max()
        num_at_edge = (frames[beside, 2] > edge - MAX_UNEVEN * size[k]).sum()
        length = (frames[k, 2] - frames[k, 0]) / size[k]
        is_prose = length > MIN_LONG_LINE or (length > MIN_LINE and num_at_edge >= MIN_LINES_AT_EDGE)
        if is_prose and frames[k, 2] > edge - MAX_RAGGED * size[k]:
            joined[k] = ""
    return joined


def separators_of(lines: Lines) -> list[str]:
    """Return the M - 1 separators between lines in reading order: a space in a row, a newline, or an empty line."""
    blocks, before, after = lines.blocks, lines.frames[:-1], lines.frames[1:]
    height = np.minimum(before[:, 3] - before[:, 1], after[:, 3] - after[:, 1])
    distance = np.abs((before[:, 1] + before[:, 3]) - (after[:, 1] + after[:, 3]))
    same_row = (distance < height) & ((after[:, 0] >= before[:, 2]) | (after[:, 2] <= before[:, 0]))
    same_block = blocks[:-1] == blocks[1:]
    pitch = after[:, 1] - before[:, 1]
    if len(blocks) >= MIN_LINES_FOR_PITCH and same_block.mean() < FEW_IN_ONE_BLOCK and (pitch > 0).any():
        # A layout engine makes widely spaced lines separate blocks; then pitch and indent determine paragraphs.
        is_indented = after[:, 0] - before[:, 0] > height
        same_block |= (pitch > 0) & (pitch <= MAX_PITCH * np.median(pitch[pitch > 0])) & ~is_indented
    vertical = lines.vertical[:-1] & lines.vertical[1:]
    if vertical.any():  # a layout engine makes every line of vertical text a separate block
        same_block = np.where(vertical, pitch < MAX_LEADING * (before[:, 3] - before[:, 1]), same_block)
        same_row &= ~vertical
    if not (lines.directions == lines.directions[:1]).all():
        same_direction = (lines.directions[1:] == lines.directions[:-1]).all(axis=1)
        same_row, same_block = same_row & same_direction, same_block & same_direction
    return [" " if row else "\n" if block else "\n\n" for row, block in zip(same_row, same_block, strict=True)]
