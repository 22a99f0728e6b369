"""Parts of a page that questions can be asked about: its rows, and words that stand on it once."""

import re
from collections import Counter

import numpy as np

from sources.base.ground_truth import GroundTruth

_EDGE = re.compile(r"^\W+|\W+$")
_CHINESE = re.compile("[\u3400-\u9fff]")
MIN_WORD = {"en": 4, "zh": 2}  # letters of a word worth asking for
MAX_GAP = 1.5  # of a row's height, between neighbouring words
# A full stop ends a sentence where white space and no small letter follows: not in 1.4, e.g. or a file's name.
SENTENCE = re.compile(r"\S(?:[^.!?。！？]|[.!?](?!\s*$|\s+[^\sa-z\d]))*(?:[.!?]+|[。！？]+)")
_BRACKETS = (("(", ")"), ("[", "]"), ("“", "”"), ("（", "）"))


def bare(word: str) -> str:
    """A word without the punctuation around it."""
    return _EDGE.sub("", word)


def unique_words(page: GroundTruth) -> list[int]:
    """Indices of words that are long enough, and stand on the page once, within no other word either."""
    texts = [bare(word).casefold() for word in page.words]
    counts = Counter(texts)
    joined = "\n".join(texts)
    least = MIN_WORD[page.language]
    return [
        k
        for k, text in enumerate(texts)
        if counts[text] == 1 and least <= len(text) <= 40 and _is_wordlike(text) and joined.count(text) == 1
    ]


def _is_wordlike(text: str) -> bool:
    return text.isalpha() and (len(text) >= 4 or _CHINESE.search(text) is not None)


def rows(page: GroundTruth) -> list[list[int]]:
    """Words that stand beside each other, as they follow in reading order: lines of a column."""
    found: list[list[int]] = []
    boxes = page.boxes
    for k in range(len(page.words)):
        if found and _is_beside(boxes[found[-1][-1]], boxes[k]):
            found[-1].append(k)
        else:
            found.append([k])
    return found


def _is_beside(a: np.ndarray, b: np.ndarray) -> bool:
    height = max(1.0, min(a[3] - a[1], b[3] - b[1]))
    overlap = min(a[3], b[3]) - max(a[1], b[1])
    return bool(overlap > 0.5 * height and -0.3 * height < b[0] - a[2] < MAX_GAP * height)


def hull(boxes: np.ndarray) -> np.ndarray:
    """(4,) the box around (N, 4) boxes."""
    return np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])


def text_of(page: GroundTruth, words: list[int]) -> str:
    """The words of a row as text."""
    return " ".join(page.words[k] for k in words)


def sentences(page: GroundTruth) -> list[str]:
    """Whole sentences inside one paragraph of the page, 20 to 240 characters, in order."""
    found = []
    for paragraph in re.split(r"\n\s*\n", page.text):
        glue = "" if page.language == "zh" else " "
        flat = glue.join(line.strip() for line in paragraph.split("\n"))
        found += [s.strip() for s in SENTENCE.findall(flat)]
    return [s for s in found if is_sentence(s, page.language)]


def is_sentence(text: str, language: str) -> bool:
    """Whether a piece of text is a whole sentence: of fair length, beginning like one, its brackets closed."""
    least = 10 if language == "zh" else 20
    begins = text[:1].isupper() or text[:1] >= "\u3400"
    return begins and least <= len(text) <= 240 and all(text.count(a) == text.count(b) for a, b in _BRACKETS)
