"""Words of a page to its text: lines in reading order, broken words mended, right-to-left and vertical pages too."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sources.reading_order import Line, reading_order

# (x0, y0, x1, y1, text, block, line, word), as PyMuPDF gives them
LayoutWord = tuple[float, float, float, float, str, int, int, int]

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SOFT_HYPHEN = "\u00ad"
_HYPHENS = ("-", "\u2010", _SOFT_HYPHEN)
_BIDI_CONTROLS = re.compile(r"[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class _TextLine:
    words: list[int]  # indices into the page's words
    block: int
    box: tuple[float, float, float, float]


def clean_word(text: str) -> str:
    """The word as plain text: control characters become U+FFFD (they are damage, and count as such)."""
    if text.isascii() and text.isprintable():
        return text
    text = _BIDI_CONTROLS.sub("", unicodedata.normalize("NFC", text))
    return _UNPRINTABLE.sub("\ufffd", text)


def in_reading_order(words: Sequence[LayoutWord]) -> tuple[list[int], str]:
    """Order the words of one page and write its text.

    Lines are separated by a newline, blocks by an empty line; a word broken by a hyphen at the end of a line is
    written whole on the line it begins on, and keeps its hyphen where the page spells it with one elsewhere.

    Returns:
        Indices of `words` in reading order, and the text.
    """
    lines = _lines(words)
    if not lines:
        return [], ""
    order = reading_order(
        [Line(line.box, sum(len(words[k][4]) for k in line.words)) for line in lines],
        right_to_left=_is_right_to_left(words),
        vertical=_is_vertical(lines, words),
    )
    ordered = [lines[k] for k in order]
    return [k for line in ordered for k in line.words], _text(ordered, words)


def _lines(words: Sequence[LayoutWord]) -> list[_TextLine]:
    lines: list[_TextLine] = []
    start = 0
    for k in range(1, len(words) + 1):
        if k < len(words) and words[k][5:7] == words[start][5:7]:
            continue
        if words:
            members = words[start:k]
            box = (
                min(w[0] for w in members),
                min(w[1] for w in members),
                max(w[2] for w in members),
                max(w[3] for w in members),
            )
            lines.append(_TextLine(list(range(start, k)), words[start][5], box))
        start = k
    return lines


def _is_right_to_left(words: Sequence[LayoutWord]) -> bool:
    strong = [bidi for word in words for bidi in (unicodedata.bidirectional(word[4][:1]),) if bidi in ("L", "R", "AL")]
    return sum(bidi != "L" for bidi in strong) * 2 > len(strong)


def _is_vertical(lines: Sequence[_TextLine], words: Sequence[LayoutWord]) -> bool:
    """Whether most lines of three or more characters are taller than wide and written in East Asian characters."""
    tall = wide = 0
    for line in lines:
        text = "".join(words[k][4] for k in line.words)
        if len(text) < 3:
            continue
        x0, y0, x1, y1 = line.box
        if y1 - y0 > 2 * (x1 - x0) and unicodedata.east_asian_width(text[0]) in "WF":
            tall += 1
        else:
            wide += 1
    return tall > wide


def _text(lines: Sequence[_TextLine], words: Sequence[LayoutWord]) -> str:
    written = [[words[k][4] for k in line.words] for line in lines]
    hyphenated = {word.strip(".,;:!?()").lower() for line in written for word in line if "-" in word[1:-1]}
    pieces: list[str] = []
    carried = ""  # the second half of a broken word, already written with its first half
    for k, line in enumerate(lines):
        tokens = written[k][1:] if carried else written[k]
        carried = ""
        if not tokens and k and written[k]:
            continue
        if k + 1 < len(lines) and tokens:
            mended = _mend(tokens[-1], written[k + 1][0], hyphenated)
            if mended is not None:
                tokens = [*tokens[:-1], mended]
                carried = written[k + 1][0]
        if pieces:
            pieces.append(_separator(lines[k - 1], line))
        pieces.append(" ".join(token.replace(_SOFT_HYPHEN, "") for token in tokens))
    return "".join(pieces).strip()


def _mend(first: str, second: str, hyphenated: set[str]) -> str | None:
    """The whole word where `first` at a line's end and `second` at the next line's start are its halves, else None."""
    if not first.endswith(_HYPHENS) or len(first) < 2 or not first[-2].isalpha() or not second[:1].islower():
        return None
    compound = f"{first[:-1]}-{second}"
    if first[-1] != _SOFT_HYPHEN and compound.strip(".,;:!?()").lower() in hyphenated:
        return compound
    return first[:-1] + second


def _separator(before: _TextLine, after: _TextLine) -> str:
    height = min(before.box[3] - before.box[1], after.box[3] - after.box[1])
    same_row = abs((before.box[1] + before.box[3]) - (after.box[1] + after.box[3])) < height
    if same_row and after.box[0] >= before.box[0]:
        return " "
    return "\n" if before.block == after.block else "\n\n"


def boxes_in_pixels(words: Sequence[LayoutWord], zoom: float, origin: tuple[int, int]) -> np.ndarray:
    """(N, 4) float32 boxes in pixels, rounded to a quarter pixel.

    Args:
        zoom: pixels a point.
        origin: the image's top left corner in pixels of the page.
    """
    points = np.array([word[:4] for word in words], np.float64).reshape(-1, 4)
    pixels = points * zoom - np.array([*origin, *origin])
    return (np.round(pixels * 4) / 4).astype(np.float32)
