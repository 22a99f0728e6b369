"""Words of a page from PyMuPDF."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from sources.text.lines import hulls, is_near
from sources.text.words import LayoutWords, choose, clean

MAX_LETTER_GAP = 0.2  # between letters of a word, in heights of a letter


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
            if row_number < 0 or not is_near(row, piece)[0]:
                row_number, row = row_number + 1, piece
            else:
                row = hulls(np.concatenate([row, piece]), np.array([0]))
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
