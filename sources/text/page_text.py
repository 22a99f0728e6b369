"""Words of a page to its text: lines in reading order, broken words mended, right-to-left and vertical pages too."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sources.text.reading_order import reading_order

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SOFT_HYPHEN = "\u00ad"
_HYPHENS = ("-", "\u2010", _SOFT_HYPHEN)
_BIDI_CONTROLS = re.compile(r"[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_PUNCTUATION = ".,;:!?()"
_RIGHT_TO_LEFT = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]")  # Hebrew, Arabic, Syriac, Thaana, N'Ko …
_EAST_ASIAN = re.compile(r"[\u2e80-\ua4cf\uac00-\ud7ff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\U00020000-\U0003ffff]")
_EAST_ASIAN_SPACE = re.compile(rf"(?<={_EAST_ASIAN.pattern}) (?={_EAST_ASIAN.pattern})")
_EAST_ASIAN_BREAK = re.compile(rf"(?<={_EAST_ASIAN.pattern})\n(?={_EAST_ASIAN.pattern})")
MAX_LEADING = 1.8  # of a vertical line's width: lines further apart are paragraphs
MIN_LINES_FOR_PITCH = 4  # of a page whose blocks are single lines
FEW_IN_ONE_BLOCK = 0.2  # share of neighbouring lines in one block, below which blocks say nothing of paragraphs
MAX_PITCH = 1.15  # of the median distance of lines, within a paragraph
MAX_LETTER_GAP = 0.2  # of a letter's height
MAX_WORD_SPACE = 1.2  # of a line's height: wider gaps part cells and columns
GLUED = 0.06  # of a line's height: words nearer than this have no space between them


@dataclass(frozen=True, slots=True)
class LayoutWords:
    """Words of one page in the order of its content stream.

    Args:
        texts: N words, never empty.
        boxes: (N, 4) float64 x0, y0, x1, y1, y downwards.
        blocks: (N,) the paragraph of each word.
        lines: (N,) the line of each word inside its paragraph.
    """

    texts: Sequence[str] = ()
    boxes: np.ndarray = field(default_factory=lambda: np.zeros((0, 4)))
    blocks: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    lines: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))


def layout_words(found: Sequence[tuple[float, float, float, float, str, int, int, int]]) -> LayoutWords:
    """Words as PyMuPDF gives them (x0, y0, x1, y1, text, block, line, number), cleaned."""
    if not found:
        return LayoutWords()
    x0, y0, x1, y1, raw, blocks, lines, _ = zip(*found, strict=True)
    cleaned = clean(" ".join(raw)).split(" ")  # at once: a call a word takes as long as all the rest
    texts = cleaned if len(cleaned) == len(found) else [clean(text) for text in raw]
    boxes = np.array([x0, y0, x1, y1], np.float64).T
    words = LayoutWords(texts, boxes, np.array(blocks), np.array(lines))
    return words if all(texts) else choose(words, np.array([bool(text) for text in texts]))


def has_right_to_left(words: LayoutWords) -> bool:
    """Whether any letter is of a script written from right to left."""
    page = "".join(words.texts)
    return not page.isascii() and _RIGHT_TO_LEFT.search(page) is not None


def words_of_characters(blocks: Sequence[Mapping[str, Any]]) -> LayoutWords:
    """Words from the characters of PyMuPDF's `rawdict` blocks, split at spaces and wherever the next is not beside.

    For pages with right-to-left text. MuPDF's own words join marks and numbers that such a line has far apart
    (`,2024` with a box over half the line), and it cuts lines where a producer paints their marks last.
    """
    found = []
    for block_number, block in enumerate(blocks):
        row_number, row = -1, np.zeros((1, 4))
        for line in block.get("lines", ()):
            piece = np.array([line["bbox"]])
            if row_number < 0 or not _is_near(row, piece)[0]:
                row_number, row = row_number + 1, piece
            else:
                row = _hulls(np.concatenate([row, piece]), np.array([0]))
            characters = [character for span in line["spans"] for character in span["chars"]]
            found += [(*box, text, block_number, row_number, 0) for box, text in _split(characters)]
    return layout_words(found)


def _split(
    characters: Sequence[Mapping[str, Any]],
) -> Iterator[tuple[tuple[float, float, float, float], str]]:
    """Box and text of each word in the characters of a line."""
    text, box = "", (0.0, 0.0, 0.0, 0.0)
    for character in characters:
        letter, (x0, y0, x1, y1) = character["c"], character["bbox"]
        if text and (letter.isspace() or max(x0 - box[2], box[0] - x1) > MAX_LETTER_GAP * (y1 - y0)):
            yield box, text
            text = ""
        if not letter.isspace():
            box = (min(x0, box[0]), min(y0, box[1]), max(x1, box[2]), max(y1, box[3])) if text else (x0, y0, x1, y1)
            text += letter
    if text:
        yield box, text


def choose(words: LayoutWords, chosen: np.ndarray) -> LayoutWords:
    """The words for which the (N,) mask is set."""
    texts = [text for text, is_chosen in zip(words.texts, chosen, strict=True) if is_chosen]
    return LayoutWords(texts, words.boxes[chosen], words.blocks[chosen], words.lines[chosen])


def clean(text: str) -> str:
    """Composed characters, no direction marks; control characters become U+FFFD (damage, and counted as such)."""
    if text.isprintable() and unicodedata.is_normalized("NFC", text):
        return text
    return _UNPRINTABLE.sub("\ufffd", _BIDI_CONTROLS.sub("", unicodedata.normalize("NFC", text)))


def in_reading_order(words: LayoutWords) -> tuple[np.ndarray, str]:
    """Order the words of one page and write its text.

    Lines are separated by a newline, blocks by an empty line; lines of Chinese or Japanese in one block follow each
    other without one. A word broken by a hyphen at the end of a line is written whole on the line it begins on, and
    keeps its hyphen where the page spells it with one elsewhere.

    Returns:
        (N,) indices of the words in reading order, and the text.
    """
    if not len(words.texts):
        return np.zeros(0, np.int64), ""
    page = "".join(words.texts)
    right_to_left = not page.isascii() and _is_right_to_left(page)
    vertical = not page.isascii() and _is_vertical(words)
    degrees = 90 if vertical else _turn(words, right_to_left)
    if degrees:
        words = LayoutWords(words.texts, _turned_back(words.boxes, degrees), words.blocks, words.lines)
    starts, boxes = _lines(words)
    ends = np.append(starts[1:], len(words.texts))
    order = reading_order(boxes, right_to_left=right_to_left)
    lines = [np.arange(starts[k], ends[k]) for k in order]
    if not page.isascii() and _RIGHT_TO_LEFT.search(page):
        lines = [_in_line_order(line, words) for line in lines]
    separators = _separators(boxes[order], words.blocks[starts[order]], vertical)
    text = _text(lines, separators, words)
    if vertical:
        text = _EAST_ASIAN_SPACE.sub("", text)
    return np.concatenate(lines), text


def _lines(words: LayoutWords) -> tuple[np.ndarray, np.ndarray]:
    """The first word of every line (M,), and the lines' boxes (M, 4).

    A layout engine breaks lines at wide spaces; pieces of one row a word space apart are put together again, or a
    justified line would look like cells of a table.
    """
    starts = np.flatnonzero((np.diff(words.blocks) != 0) | (np.diff(words.lines) != 0)) + 1
    starts = np.concatenate([[0], starts])
    boxes = _hulls(words.boxes, starts)
    near = _is_near(boxes[:-1], boxes[1:])
    if not near.any():
        return starts, boxes
    first = np.flatnonzero(np.concatenate([[True], ~near]))
    return starts[first], _hulls(boxes, first)


def _is_near(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(N,) whether pairs of boxes stand in one row, no more than a word space apart."""
    height = np.minimum(a[:, 3] - a[:, 1], b[:, 3] - b[:, 1])
    in_one_row = np.abs(a[:, 1] + a[:, 3] - b[:, 1] - b[:, 3]) < height
    gap = np.maximum(b[:, 0] - a[:, 2], a[:, 0] - b[:, 2])
    return in_one_row & (gap < MAX_WORD_SPACE * height)


def _is_stacked(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(N,) whether the second box of each pair is as wide as the first, about square, and directly below it."""
    width, height = a[:, 2] - a[:, 0], b[:, 3] - b[:, 1]
    return (
        (np.abs(a[:, 0] + a[:, 2] - b[:, 0] - b[:, 2]) < 0.5 * width)
        & (np.abs(width - (b[:, 2] - b[:, 0])) < 0.5 * width)
        & (np.abs(width - height) < 0.5 * height)
        & (np.abs(b[:, 1] - a[:, 3]) < 0.5 * height)
    )


def _hulls(boxes: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """(M, 4) the boxes around runs of (N, 4) boxes, each run from one start to the next."""
    low, high = np.minimum.reduceat(boxes[:, :2], starts), np.maximum.reduceat(boxes[:, 2:], starts)
    return np.concatenate([low, high], axis=1)


def _is_right_to_left(text: str) -> bool:
    """Whether most letters are of a script written from right to left."""
    num_letters = sum(map(str.isalpha, text))
    return 2 * len(_RIGHT_TO_LEFT.findall(text)) > num_letters


def _is_vertical(words: LayoutWords) -> bool:
    """Whether most words are East Asian and stand below each other, or are themselves taller than wide."""
    if not _EAST_ASIAN.search("".join(words.texts)):
        return False
    width, height = words.boxes[:, 2] - words.boxes[:, 0], words.boxes[:, 3] - words.boxes[:, 1]
    upright = height > 2 * width
    upright[1:] |= _is_stacked(words.boxes[:-1], words.boxes[1:])
    num_east_asian = sum(_EAST_ASIAN.match(text) is not None for text in words.texts)
    return bool(2 * upright.sum() > len(upright) and 2 * num_east_asian > len(upright))


def _turn(words: LayoutWords, right_to_left: bool) -> int:
    """Degrees, clockwise, by which most of the text is turned: where each word of a line stands from the last."""
    same_line = (np.diff(words.blocks) == 0) & (np.diff(words.lines) == 0)
    middle = words.boxes[:, :2] + words.boxes[:, 2:]
    right, down = (np.diff(middle, axis=0)[same_line]).sum(axis=0)
    if abs(down) > abs(right):
        return 90 if (down > 0) != right_to_left else 270
    return 180 if right < 0 and not right_to_left else 0


def _turned_back(boxes: np.ndarray, degrees: int) -> np.ndarray:
    """(N, 4) boxes of text that is turned by 90, 180 or 270 degrees clockwise, as they are on an upright page."""
    x0, y0, x1, y1 = boxes.T
    upright = {90: (y0, -x1, y1, -x0), 180: (-x1, -y1, -x0, -y0), 270: (-y1, x0, -y0, x1)}
    return np.stack(upright[degrees], axis=1)


def _in_line_order(line: np.ndarray, words: LayoutWords) -> np.ndarray:
    """The words of a line as they are read: producers paint the runs of a right-to-left line in any order.

    A right-to-left line is sorted from the right, and what is Latin inside it is turned back.
    """
    texts = [words.texts[k] for k in line]
    if len(line) < 2 or not _is_right_to_left("".join(texts)):
        return line
    line = line[np.argsort(-words.boxes[line, 2], kind="stable")]
    is_latin = [any(map(str.isalpha, words.texts[k])) and not _RIGHT_TO_LEFT.search(words.texts[k]) for k in line]
    neutral = [not any(map(str.isalpha, words.texts[k])) for k in line]
    ordered = line.copy()
    k = 0
    while k < len(line):
        if is_latin[k]:
            end = k
            for j in range(k + 1, len(line)):  # numbers and marks between two Latin words go with them
                if is_latin[j]:
                    end = j
                elif not neutral[j]:
                    break
            ordered[k : end + 1] = line[k : end + 1][::-1]
            k = end
        k += 1
    return ordered


def _text(lines: Sequence[np.ndarray], separators: Sequence[str], words: LayoutWords) -> str:
    """The text of lines in reading order, each but the last followed by its separator."""
    written = [[words.texts[k] for k in line] for line in lines]
    if has_right_to_left(words):
        written = [_glued(line, words) for line in lines]
    broken = [k for k, line in enumerate(written[:-1]) if line[-1].endswith(_HYPHENS) and separators[k] != " "]
    if broken:
        _mend(written, broken)
    pieces: list[str] = []
    for k, line in enumerate(written):
        if line:  # else its only word was the second half of a broken one
            pieces.append(" ".join(line))
            pieces.append(separators[k] if k < len(separators) else "")
    text = "".join(pieces).strip().replace(_SOFT_HYPHEN, "")
    return text if text.isascii() else _EAST_ASIAN_BREAK.sub("", text)


def _glued(line: np.ndarray, words: LayoutWords) -> list[str]:
    """The texts of a line, those without a gap between them joined: marks beside a right-to-left word come apart."""
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


def _separators(boxes: np.ndarray, blocks: np.ndarray, vertical: bool) -> list[str]:
    """What stands between each line and the next: a space in the same row, a newline, or an empty line.

    Args:
        boxes, blocks: (M, 4) and (M,) of the lines in reading order.
    """
    before, after = boxes[:-1], boxes[1:]
    if vertical:  # a layout engine takes every line of vertical text for a block of its own
        height = before[:, 3] - before[:, 1]
        return ["\n" if near else "\n\n" for near in after[:, 1] - before[:, 1] < MAX_LEADING * height]
    height = np.minimum(before[:, 3] - before[:, 1], after[:, 3] - after[:, 1])
    distance = np.abs((before[:, 1] + before[:, 3]) - (after[:, 1] + after[:, 3]))
    same_row = (distance < height) & ((after[:, 0] >= before[:, 2]) | (after[:, 2] <= before[:, 0]))
    same_block = blocks[:-1] == blocks[1:]
    pitch = after[:, 1] - before[:, 1]
    if len(blocks) >= MIN_LINES_FOR_PITCH and same_block.mean() < FEW_IN_ONE_BLOCK and (pitch > 0).any():
        # Widely spaced lines are blocks of their own to a layout engine: then pitch and indent tell of paragraphs.
        is_indented = after[:, 0] - before[:, 0] > height
        same_block |= (pitch > 0) & (pitch <= MAX_PITCH * np.median(pitch[pitch > 0])) & ~is_indented
    return [" " if row else "\n" if block else "\n\n" for row, block in zip(same_row, same_block, strict=True)]


def _mend(lines: list[list[str]], broken: Sequence[int]) -> None:
    """Write words broken at the ends of the lines `broken` whole, in place."""
    hyphenated = {word.strip(_PUNCTUATION).lower() for line in lines for word in line if "-" in word[1:-1]}
    for k in reversed(broken):  # from the end, so that a word broken twice is mended too
        if not lines[k + 1]:
            continue
        first, second = lines[k][-1], lines[k + 1][0]
        if len(first) < 2 or not first[-2].isalpha() or not second[0].islower():
            continue
        compound = f"{first[:-1]}-{second}"
        keeps_hyphen = first[-1] != _SOFT_HYPHEN and compound.strip(_PUNCTUATION).lower() in hyphenated
        lines[k][-1] = compound if keeps_hyphen else first[:-1] + second
        del lines[k + 1][0]


def boxes_in_pixels(boxes: np.ndarray, zoom: float, origin: tuple[int, int]) -> np.ndarray:
    """(N, 4) float32 boxes in pixels, rounded to a quarter pixel.

    Args:
        boxes: (N, 4) in points.
        zoom: pixels a point.
        origin: the image's top left corner in pixels of the page.
    """
    pixels = boxes * zoom - np.array([*origin, *origin])
    return (np.round(pixels * 4) / 4).astype(np.float32)
