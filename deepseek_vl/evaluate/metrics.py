"""Metrics: how right an answer is, from 0 to 1."""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence

import numpy as np

ANLS_THRESHOLD = 0.5  # arXiv 1905.13648: an answer that is less similar counts nothing
RELAXED_TOLERANCE = 0.05  # arXiv 2203.10244: a number may differ by 5 %
_PUNCTUATION = ".,;:!?'\"()[]{}。，；：！？、“”‘’（）"
_BOX = re.compile(r"-?\d+(?:\.\d+)?")
_NUMBER = re.compile(r"^\s*[-+−]?[$€£¥]?\s*\d[\d,]*(?:\.\d+)?\s*%?\s*$")

Metric = Callable[[str, Sequence[str]], float]


def normalized(text: str) -> str:
    """Return a text in lower case and composed form, with single spaces and without punctuation at its ends."""
    text = " ".join(unicodedata.normalize("NFKC", text).lower().split())
    return text.strip(_PUNCTUATION + " ")


def exact_match(answer: str, expected: Sequence[str]) -> float:
    """Return 1 if the answer is one of the expected ones, whatever its case, spaces and punctuation at its ends."""
    return float(normalized(answer) in {normalized(each) for each in expected})


def contains(answer: str, expected: Sequence[str]) -> float:
    """Return 1 if an expected answer is in the answer: the rule of OCRBench (arXiv 2305.07895)."""
    return float(any(normalized(each) in normalized(answer) for each in expected))


def anls(answer: str, expected: Sequence[str]) -> float:
    """Return the normalized Levenshtein similarity to the nearest expected answer: the metric of DocVQA."""
    best = max((similarity(normalized(answer), normalized(each)) for each in expected), default=0.0)
    return best if best >= ANLS_THRESHOLD else 0.0


def relaxed_accuracy(answer: str, expected: Sequence[str]) -> float:
    """Return 1 if a number is within 5 % of an expected one, or a text is the expected one: the metric of ChartQA."""
    for each in expected:
        given, wanted = number_in(answer), number_in(each)
        if given is None or wanted is None:
            if exact_match(answer, [each]):
                return 1.0
        elif abs(given - wanted) <= RELAXED_TOLERANCE * abs(wanted):
            return 1.0
    return 0.0


def character_accuracy(answer: str, expected: Sequence[str]) -> float:
    """Return 1 minus the character error rate, at least 0, for the nearest expected text."""
    return max((max(0.0, 1.0 - character_error_rate(answer, each)) for each in expected), default=0.0)


def character_error_rate(answer: str, expected: str) -> float:
    """Return the edits that turn the expected text into the answer, per character; white space counts as one space."""
    given, wanted = " ".join(answer.split()), " ".join(expected.split())
    if not wanted:
        return float(bool(given))
    return edit_distance(given, wanted) / len(wanted)


def box_iou(answer: str, expected: Sequence[str]) -> float:
    """Return the overlap of two boxes x0, y0, x1, y1: their intersection over their union."""
    given = _box_in(answer)
    boxes = [box for each in expected if (box := _box_in(each)) is not None]
    if given is None:
        return 0.0
    return max((_iou(given, box) for box in boxes), default=0.0)


def similarity(first: str, second: str) -> float:
    """Return 1 minus the edit distance relative to the longer text."""
    longest = max(len(first), len(second))
    return 1.0 - edit_distance(first, second) / longest if longest else 1.0


def edit_distance(first: str, second: str) -> int:
    """Return the least number of characters to insert, delete or replace (Levenshtein)."""
    columns = np.arange(len(second) + 1)
    letters = np.array([ord(letter) for letter in second], np.int64)
    row = columns
    for number, letter in enumerate(first, 1):
        replaced = np.minimum(row[:-1] + (letters != ord(letter)), row[1:] + 1)
        # Insertions: each cell may follow from any cell on its left, at one per step.
        row = np.minimum.accumulate(np.concatenate([[number], replaced]) - columns) + columns
    return int(row[-1])


def number_in(text: str) -> float | None:
    """Return the number that a text is, with thousands separators, sign, currency or percent; None if it is none."""
    if not _NUMBER.match(text):
        return None
    return float(re.sub(r"[^\d.\-]", "", text.replace("−", "-")))


METRICS: Mapping[str, Metric] = {
    "exact_match": exact_match,
    "contains": contains,
    "anls": anls,
    "relaxed_accuracy": relaxed_accuracy,
    "character_accuracy": character_accuracy,
    "box_iou": box_iou,
}


def _box_in(text: str) -> tuple[float, float, float, float] | None:
    numbers = [float(found) for found in _BOX.findall(text)]
    if len(numbers) != 4:
        return None
    x0, y0, x1, y1 = numbers
    return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None


def _iou(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)
