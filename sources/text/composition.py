"""Composition of a page's text from its lines: separators, and words that are broken at the end of a line."""

import re
from collections.abc import Sequence

import numpy as np

from sources.text.lines import Lines
from sources.text.scripts import EAST_ASIAN, has_right_to_left
from sources.text.words import LayoutWords

_SOFT_HYPHEN = "\u00ad"
_HYPHENS = ("-", "\u2010", _SOFT_HYPHEN)
_PUNCTUATION = ".,;:!?()"
_EAST_ASIAN_BREAK = re.compile(rf"(?<={EAST_ASIAN.pattern})\n(?={EAST_ASIAN.pattern})")
MAX_LEADING = 1.8  # between vertical lines of a paragraph, in widths of a line
MIN_LINES_FOR_PITCH = 4  # least lines of a page for which paragraphs are found by pitch
FEW_IN_ONE_BLOCK = 0.2  # if fewer consecutive lines share a block, blocks do not indicate paragraphs
MAX_PITCH = 1.15  # between lines of a paragraph, in median pitches
GLUED = 0.06  # in heights of a line; with a smaller gap there is no space between words


def text_of(lines: Lines, separators: Sequence[str], words: LayoutWords) -> str:
    """Return the text of lines in reading order, with separators between them."""
    line_texts = [[words.texts[k] for k in line] for line in lines.words]
    if has_right_to_left("".join(words.texts)):
        line_texts = [_join_touching(line, words) for line in lines.words]
    broken = [k for k, line in enumerate(line_texts[:-1]) if line[-1].endswith(_HYPHENS) and separators[k] != " "]
    if broken:
        _join_broken_words(line_texts, broken)
    pieces: list[str] = []
    for k, line in enumerate(line_texts):
        if line:  # empty if its only word was the second half of a hyphenated one
            pieces.append(" ".join(line))
            pieces.append(separators[k] if k < len(separators) else "")
    text = "".join(pieces).strip().replace(_SOFT_HYPHEN, "")
    return text if text.isascii() else _EAST_ASIAN_BREAK.sub("", text)


def _join_touching(line: np.ndarray, words: LayoutWords) -> list[str]:
    """Return the texts of a line, joined if there is no gap, because punctuation of right-to-left words is separate."""
    boxes = words.boxes[line]
    gaps = np.maximum(boxes[1:, 0] - boxes[:-1, 2], boxes[:-1, 0] - boxes[1:, 2])
    glued = gaps < GLUED * (boxes[1:, 3] - boxes[1:, 1])
    texts = [words.texts[line[0]]]
    for k, is_glued in zip(line[1:], glued, strict=True):
        if is_glued:
            texts[-1] += words.texts[k]
        else:
            texts.append(words.texts[k])
    return texts


def separators_of(lines: Lines, vertical: bool) -> list[str]:
    """Return the M - 1 separators between lines in reading order: a space in a row, a newline, or an empty line."""
    blocks, before, after = lines.blocks, lines.boxes[:-1], lines.boxes[1:]
    if vertical:  # a layout engine makes every line of vertical text a separate block
        height = before[:, 3] - before[:, 1]
        return ["\n" if near else "\n\n" for near in after[:, 1] - before[:, 1] < MAX_LEADING * height]
    height = np.minimum(before[:, 3] - before[:, 1], after[:, 3] - after[:, 1])
    distance = np.abs((before[:, 1] + before[:, 3]) - (after[:, 1] + after[:, 3]))
    same_row = (distance < height) & ((after[:, 0] >= before[:, 2]) | (after[:, 2] <= before[:, 0]))
    same_block = blocks[:-1] == blocks[1:]
    pitch = after[:, 1] - before[:, 1]
    if len(blocks) >= MIN_LINES_FOR_PITCH and same_block.mean() < FEW_IN_ONE_BLOCK and (pitch > 0).any():
        # A layout engine makes widely spaced lines separate blocks; then pitch and indent determine paragraphs.
        is_indented = after[:, 0] - before[:, 0] > height
        same_block |= (pitch > 0) & (pitch <= MAX_PITCH * np.median(pitch[pitch > 0])) & ~is_indented
    return [" " if row else "\n" if block else "\n\n" for row, block in zip(same_row, same_block, strict=True)]


def _join_broken_words(lines: list[list[str]], broken: Sequence[int]) -> None:
    """Join the words that are hyphenated at the ends of the lines `broken`, in place."""
    hyphenated = {word.strip(_PUNCTUATION).lower() for line in lines for word in line if "-" in word[1:-1]}
    for k in reversed(broken):  # backwards, for words that are hyphenated twice
        if not lines[k + 1]:
            continue
        first, second = lines[k][-1], lines[k + 1][0]
        if len(first) < 2 or not first[-2].isalpha() or not second[0].islower():
            continue
        compound = f"{first[:-1]}-{second}"
        keeps_hyphen = first[-1] != _SOFT_HYPHEN and compound.strip(_PUNCTUATION).lower() in hyphenated
        lines[k][-1] = compound if keeps_hyphen else first[:-1] + second
        del lines[k + 1][0]
