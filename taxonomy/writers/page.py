"""Parts of a page that questions can be about: its rows of words, unique words and sentences."""

import re
from collections import Counter

import numpy as np

from sources.base.ground_truth import GroundTruth

_EDGE = re.compile(r"^\W+|\W+$")
_CHINESE = re.compile("[\u3400-\u9fff]")
MIN_WORD = {"en": 4, "zh": 2}  # letters of a word that a question can be about
MAX_GAP = 1.5  # between neighbouring words, in heights of the row
# A full stop ends a sentence if white space follows and then no lower-case letter: not in 1.4, e.g. or a file name.
SENTENCE = re.compile(r"\S(?:[^.!?。！？]|[.!?](?!\s*$|\s+[^\sa-z\d]))*(?:[.!?]+|[。！？]+)")
_BRACKETS = (("(", ")"), ("[", "]"), ("“", "”"), ("（", "）"))


def bare(word: str) -> str:
    """Return a word without the punctuation around it."""
    return _EDGE.sub("", word)


def unique_words(page: GroundTruth) -> list[int]:
    """Return the indices of words that are long enough and occur once on the page, not within another word either."""
    texts = [bare(word).casefold() for word in page.words]
    counts = Counter(texts)
    joined = "\n".join(texts)
    min_length = MIN_WORD[page.language]
    return [
        k
        for k, text in enumerate(texts)
        if counts[text] == 1 and min_length <= len(text) <= 40 and _is_wordlike(text) and joined.count(text) == 1
    ]


def _is_wordlike(text: str) -> bool:
    return text.isalpha() and (len(text) >= 4 or _CHINESE.search(text) is not None)


def rows(page: GroundTruth) -> list[list[int]]:
    """Return the rows of the page: indices of words next to each other, in reading order; rows do not cross columns."""
    found: list[list[int]] = []
    boxes = page.boxes
    for k in range(len(page.words)):
        if found and _is_next_to(boxes[found[-1][-1]], boxes[k]):
            found[-1].append(k)
        else:
            found.append([k])
    return found


def _is_next_to(a: np.ndarray, b: np.ndarray) -> bool:
    height = max(1.0, min(a[3] - a[1], b[3] - b[1]))
    overlap = min(a[3], b[3]) - max(a[1], b[1])
    return bool(overlap > 0.5 * height and -0.3 * height < b[0] - a[2] < MAX_GAP * height)


def hull(boxes: np.ndarray) -> np.ndarray:
    """Return the (4,) box around (N, 4) boxes."""
    return np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])


def text_of(page: GroundTruth, words: list[int]) -> str:
    """Return the words of a row as text."""
    return " ".join(page.words[k] for k in words)


def sentences(page: GroundTruth) -> list[str]:
    """Return the whole sentences of the page's paragraphs, in order."""
    found = []
    for paragraph in re.split(r"\n\s*\n", page.text):
        glue = "" if page.language == "zh" else " "
        flat = glue.join(line.strip() for line in paragraph.split("\n"))
        found += [s.strip() for s in SENTENCE.findall(flat)]
    return [s for s in found if is_sentence(s, page.language)]


def is_sentence(text: str, language: str) -> bool:
    """Return True if a text has 20 (Chinese: 10) to 240 characters, begins like a sentence and closes its brackets."""
    min_length = 10 if language == "zh" else 20
    begins = text[:1].isupper() or text[:1] >= "\u3400"
    return begins and min_length <= len(text) <= 240 and all(text.count(a) == text.count(b) for a, b in _BRACKETS)
