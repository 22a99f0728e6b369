"""Text of a page from its words: lines in reading order, hyphenated words joined; also right-to-left and vertical."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from sources.text.hyphens import HYPHENS, SOFT_HYPHEN, join_broken_words
from sources.text.private_use import PRIVATE_USE
from sources.text.reading_order import reading_order

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_BIDI_CONTROLS = re.compile(r"[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_RIGHT_TO_LEFT = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]")  # Hebrew, Arabic, Syriac, Thaana, N'Ko …
_EAST_ASIAN = re.compile(r"[\u2e80-\ua4cf\uac00-\ud7ff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\U00020000-\U0003ffff]")
_EAST_ASIAN_SPACE = re.compile(rf"(?<={_EAST_ASIAN.pattern}) (?={_EAST_ASIAN.pattern})")
_EAST_ASIAN_BREAK = re.compile(rf"(?<={_EAST_ASIAN.pattern})\n(?={_EAST_ASIAN.pattern})")
MAX_LEADING = 1.8  # between vertical lines of a paragraph, in widths of a line
MIN_LINES_FOR_PITCH = 4  # least lines of a page for which paragraphs are found by pitch
FEW_IN_ONE_BLOCK = 0.2  # if fewer consecutive lines share a block, blocks do not indicate paragraphs
MAX_PITCH = 1.15  # between lines of a paragraph, in median pitches
MAX_LETTER_GAP = 0.2  # between letters of a word, in heights of a letter
MAX_WORD_SPACE = 1.2  # in heights of a line; wider gaps separate cells and columns
GLUED = 0.06  # in heights of a line; with a smaller gap there is no space between words


@dataclass(frozen=True, slots=True)
class LayoutWords:
    """Words of one page in the order of its content stream.

    Args:
        texts: N words, never empty.
        boxes: (N, 4) float64 x0, y0, x1, y1; y points down.
        blocks: (N,) paragraph of each word.
        lines: (N,) line of each word in its paragraph.
    """

    texts: Sequence[str] = ()
    boxes: np.ndarray = field(default_factory=lambda: np.zeros((0, 4)))
    blocks: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    lines: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))


def layout_words(found: Sequence[tuple[float, float, float, float, str, int, int, int]]) -> LayoutWords:
    """Clean words from PyMuPDF, which are tuples (x0, y0, x1, y1, text, block, line, number)."""
    if not found:
        return LayoutWords()
    x0, y0, x1, y1, raw, blocks, lines, _ = zip(*found, strict=True)
    cleaned = clean(" ".join(raw)).split(" ")  # one call, because a call per word takes as long as all the rest
    texts = cleaned if len(cleaned) == len(found) else [clean(text) for text in raw]
    boxes = np.array([x0, y0, x1, y1], np.float64).T
    words = LayoutWords(texts, boxes, np.array(blocks), np.array(lines))
    return words if all(texts) else choose(words, np.array([bool(text) for text in texts]))


def has_right_to_left(words: LayoutWords) -> bool:
    """Return True if any letter belongs to a right-to-left script."""
    page = "".join(words.texts)
    return not page.isascii() and _RIGHT_TO_LEFT.search(page) is not None


def words_of_characters(blocks: Sequence[Mapping[str, Any]]) -> LayoutWords:
    """Return words from the characters of PyMuPDF's `rawdict` blocks, split at spaces and gaps.

    It is for pages with right-to-left text, in which MuPDF joins punctuation and numbers that are far from each other
    (`,2024` with a box over half the line), and splits lines whose punctuation the producer painted last.
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
    """Yield box and text of each word in the characters of a line."""
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
    """Return the words for which the (N,) mask is True."""
    texts = [text for text, is_chosen in zip(words.texts, chosen, strict=True) if is_chosen]
    return LayoutWords(texts, words.boxes[chosen], words.blocks[chosen], words.lines[chosen])


def clean(text: str) -> str:
    """Compose characters, remove direction marks, and give private-use codes their letters if these are known.

    Control characters become U+FFFD, which counts as damage.
    """
    if text.isprintable() and unicodedata.is_normalized("NFC", text):
        return text
    known = unicodedata.normalize("NFC", text).translate(PRIVATE_USE)
    return _UNPRINTABLE.sub("\ufffd", _BIDI_CONTROLS.sub("", known))


def in_reading_order(words: LayoutWords) -> tuple[np.ndarray, str]:
    """Order the words of one page and compose its text.

    Lines are separated by a newline and blocks by an empty line; Chinese and Japanese lines of a block are joined
    without a newline. A word broken at the end of a line is joined on the line where it begins; `hyphens` says with or
    without its hyphen.

    Returns:
        (N,) indices of the words in reading order, and the text.
    """
    if not len(words.texts):
        return np.zeros(0, np.int64), ""
    page = "".join(words.texts)
    right_to_left = not page.isascii() and _is_right_to_left(page)
    vertical = not page.isascii() and _is_vertical(words)
    degrees = 90 if vertical else _rotation(words, right_to_left)
    if degrees:
        words = LayoutWords(words.texts, _rotate_upright(words.boxes, degrees), words.blocks, words.lines)
    starts, boxes = _lines(words)
    ends = np.append(starts[1:], len(words.texts))
    first_words = words.boxes[starts, 2] - words.boxes[starts, 0]
    order = reading_order(boxes, right_to_left=right_to_left, first_words=first_words)
    lines = [np.arange(starts[k], ends[k]) for k in order]
    if not page.isascii() and _RIGHT_TO_LEFT.search(page):
        lines = [_in_line_order(line, words) for line in lines]
    separators = _separators(boxes[order], words.blocks[starts[order]], vertical)
    text = _text(lines, separators, words)
    if vertical:
        text = _EAST_ASIAN_SPACE.sub("", text)
    return np.concatenate(lines), text


def _lines(words: LayoutWords) -> tuple[np.ndarray, np.ndarray]:
    """Return the index of every line's first word (M,), and the lines' boxes (M, 4).

    Layout engines split lines at wide spaces. Pieces of a row that are a word space from each other are joined again,
    because otherwise a justified line would look like cells of a table.
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
    """Return an (N,) mask of the pairs of boxes that are in one row, with at most a word space between them."""
    height = np.minimum(a[:, 3] - a[:, 1], b[:, 3] - b[:, 1])
    in_one_row = np.abs(a[:, 1] + a[:, 3] - b[:, 1] - b[:, 3]) < height
    gap = np.maximum(b[:, 0] - a[:, 2], a[:, 0] - b[:, 2])
    near: npt.NDArray[np.bool_] = in_one_row & (gap < MAX_WORD_SPACE * height)
    return near


def _is_stacked(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return an (N,) mask of the pairs whose second box is as wide as the first, about square and directly below."""
    width, height = a[:, 2] - a[:, 0], b[:, 3] - b[:, 1]
    stacked: npt.NDArray[np.bool_] = (
        (np.abs(a[:, 0] + a[:, 2] - b[:, 0] - b[:, 2]) < 0.5 * width)
        & (np.abs(width - (b[:, 2] - b[:, 0])) < 0.5 * width)
        & (np.abs(width - height) < 0.5 * height)
        & (np.abs(b[:, 1] - a[:, 3]) < 0.5 * height)
    )
    return stacked


def _hulls(boxes: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return the (M, 4) boxes around groups of (N, 4) boxes; a group extends from one start to the next."""
    low, high = np.minimum.reduceat(boxes[:, :2], starts), np.maximum.reduceat(boxes[:, 2:], starts)
    return np.concatenate([low, high], axis=1)


def _is_right_to_left(text: str) -> bool:
    """Return True if most letters belong to a right-to-left script."""
    num_letters = sum(map(str.isalpha, text))
    return 2 * len(_RIGHT_TO_LEFT.findall(text)) > num_letters


def _is_vertical(words: LayoutWords) -> bool:
    """Return True if most words are East Asian, and each is below the previous one or taller than wide."""
    if not _EAST_ASIAN.search("".join(words.texts)):
        return False
    width, height = words.boxes[:, 2] - words.boxes[:, 0], words.boxes[:, 3] - words.boxes[:, 1]
    upright = height > 2 * width
    upright[1:] |= _is_stacked(words.boxes[:-1], words.boxes[1:])
    num_east_asian = sum(_EAST_ASIAN.match(text) is not None for text in words.texts)
    return bool(2 * upright.sum() > len(upright) and 2 * num_east_asian > len(upright))


def _rotation(words: LayoutWords, right_to_left: bool) -> int:
    """Return the clockwise rotation of most of the text in degrees, from the directions between words of a line."""
    same_line = (np.diff(words.blocks) == 0) & (np.diff(words.lines) == 0)
    middle = words.boxes[:, :2] + words.boxes[:, 2:]
    right, down = (np.diff(middle, axis=0)[same_line]).sum(axis=0)
    if abs(down) > abs(right):
        return 90 if (down > 0) != right_to_left else 270
    return 180 if right < 0 and not right_to_left else 0


def _rotate_upright(boxes: np.ndarray, degrees: int) -> np.ndarray:
    """Rotate (N, 4) boxes of text that is turned by 90, 180 or 270 degrees clockwise back to upright."""
    x0, y0, x1, y1 = boxes.T
    upright = {90: (y0, -x1, y1, -x0), 180: (-x1, -y1, -x0, -y0), 270: (-y1, x0, -y0, x1)}
    return np.stack(upright[degrees], axis=1)


def _in_line_order(line: np.ndarray, words: LayoutWords) -> np.ndarray:
    """Return the words of a line in reading order, because producers paint right-to-left lines in any order.

    A right-to-left line is sorted from the right; Latin runs inside it are then reversed.
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
            for j in range(k + 1, len(line)):  # numbers and punctuation between two Latin words belong to the run
                if is_latin[j]:
                    end = j
                elif not neutral[j]:
                    break
            ordered[k : end + 1] = line[k : end + 1][::-1]
            k = end
        k += 1
    return ordered


def _text(lines: Sequence[np.ndarray], separators: Sequence[str], words: LayoutWords) -> str:
    """Return the text of lines in reading order, with separators between them."""
    line_texts = [[words.texts[k] for k in line] for line in lines]
    if has_right_to_left(words):
        line_texts = [_join_touching(line, words) for line in lines]
    broken = [k for k, line in enumerate(line_texts[:-1]) if line[-1].endswith(HYPHENS) and separators[k] != " "]
    if broken:
        join_broken_words(line_texts, broken)
    pieces: list[str] = []
    for k, line in enumerate(line_texts):
        if line:  # empty if its only word was the second half of a hyphenated one
            pieces.append(" ".join(line))
            pieces.append(separators[k] if k < len(separators) else "")
    text = "".join(pieces).strip().replace(SOFT_HYPHEN, "")
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


def _separators(boxes: np.ndarray, blocks: np.ndarray, vertical: bool) -> list[str]:
    """Return the separator between each line and the next: a space in the same row, a newline, or an empty line.

    Args:
        boxes, blocks: (M, 4) boxes and (M,) blocks of the lines in reading order.
    """
    before, after = boxes[:-1], boxes[1:]
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


def boxes_in_pixels(boxes: np.ndarray, zoom: float, origin: tuple[int, int]) -> np.ndarray:
    """Return (N, 4) float32 boxes in pixels, rounded to a quarter pixel.

    Args:
        boxes: (N, 4) in points.
        zoom: pixels per point.
        origin: top left corner of the image, in pixels of the page.
    """
    pixels = boxes * zoom - np.array([*origin, *origin])
    rounded: npt.NDArray[np.float32] = (np.round(pixels * 4) / 4).astype(np.float32)
    return rounded
