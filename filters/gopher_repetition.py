"""Repetition in texts: the filter of MassiveText (Rae et al. 2021, arXiv:2112.11446, appendix A1.1, table A1)."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from filters.filter import Filter, Scores, Threshold
from filters.written_text import is_judged, words_of
from sources.base.sample import Sample

# Largest shares of characters, as the paper has them.
TOP_NGRAMS: Mapping[int, float] = {2: 0.20, 3: 0.18, 4: 0.16}
REPEATED_NGRAMS: Mapping[int, float] = {5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.10}
_PARAGRAPH = re.compile(r"\n{2,}")


@dataclass(frozen=True, kw_only=True)
class GopherRepetition(Filter):
    """Demands that little of a text repeats itself: lines, paragraphs, and runs of 2 to 10 words.

    Texts without images only; conversations pass.

    Args:
        max_lines, max_line_chars: share of lines, and of characters in them, that occurred before in the text.
        max_paragraphs, max_paragraph_chars: the same of paragraphs.
        max_ngrams: the largest score of runs of words; a score of 1 is the paper's bound for that length.
    """

    name: ClassVar[str] = "gopher_repetition"
    score_names: ClassVar[tuple[str, ...]] = (
        *("repeated_lines", "repeated_line_chars", "repeated_paragraphs", "repeated_paragraph_chars"),
        *("top_ngrams", "repeated_ngrams"),
    )
    reasons: ClassVar[Mapping[str, str]] = {
        "repeated_lines": "Many of its lines are in it several times.",
        "repeated_paragraphs": "Many of its paragraphs are in it several times.",
        "repeated_words": "The same few words make up much of it.",
    }
    thresholds: ClassVar[tuple[Threshold, ...]] = (
        Threshold("max_lines", "repeated_lines", "max", ("repeated_lines",)),
        Threshold("max_line_chars", "repeated_line_chars", "max", ("repeated_lines",)),
        Threshold("max_paragraphs", "repeated_paragraphs", "max", ("repeated_paragraphs",)),
        Threshold("max_paragraph_chars", "repeated_paragraph_chars", "max", ("repeated_paragraphs",)),
        Threshold("max_ngrams", "top_ngrams", "max", ("repeated_words",)),
        Threshold("max_ngrams", "repeated_ngrams", "max", ("repeated_words",)),
    )

    max_lines: float = 0.3
    max_line_chars: float = 0.2
    max_paragraphs: float = 0.3
    max_paragraph_chars: float = 0.2
    max_ngrams: float = 1

    def __post_init__(self) -> None:
        for name in ("max_lines", "max_line_chars", "max_paragraphs", "max_paragraph_chars"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be between 0 and 1, got {getattr(self, name)}")
        if self.max_ngrams <= 0:
            raise ValueError(f"max_ngrams must be positive, got {self.max_ngrams}")

    def scores(self, samples: Sequence[Sample]) -> list[Scores]:
        return [Scores(values=self._values(sample)) for sample in samples]

    def rejects(self, scores: Scores) -> str | None:
        for threshold in self.thresholds:
            value = scores.values[threshold.score]
            if value is not None and value > getattr(self, threshold.setting):
                return threshold.reasons[0]
        return None

    def _values(self, sample: Sample) -> dict[str, float | None]:
        if not is_judged(sample):
            return dict.fromkeys(self.score_names)
        text = sample.plain_text()
        lines, line_chars = _repeated([line.strip() for line in text.splitlines() if line.strip()])
        paragraphs, paragraph_chars = _repeated([part.strip() for part in _PARAGRAPH.split(text) if part.strip()])
        words, _ = words_of(text)
        return {
            "repeated_lines": lines,
            "repeated_line_chars": line_chars,
            "repeated_paragraphs": paragraphs,
            "repeated_paragraph_chars": paragraph_chars,
            "top_ngrams": _largest(words, TOP_NGRAMS, top_ngram_share),
            "repeated_ngrams": _largest(words, REPEATED_NGRAMS, repeated_ngram_share),
        }


def _repeated(pieces: Sequence[str]) -> tuple[float, float]:
    """Shares of pieces, and of their characters, that occurred before."""
    seen: set[str] = set()
    count = chars = 0
    for piece in pieces:
        if piece in seen:
            count, chars = count + 1, chars + len(piece)
        seen.add(piece)
    return count / len(pieces), chars / sum(map(len, pieces))


def _largest(words: Sequence[str], bounds: Mapping[int, float], share: Callable[[Sequence[str], int], float]) -> float:
    """The largest share in relation to its bound. Where no short run of words repeats, no longer one does."""
    largest = 0.0
    for length, bound in bounds.items():
        found = share(words, length)
        if found == 0:
            break
        largest = max(largest, found / bound)
    return largest


def top_ngram_share(words: Sequence[str], length: int) -> float:
    """Return the share of characters in the most frequent run of words, if it occurs more than once."""
    runs = Counter(zip(*(words[k:] for k in range(length)), strict=False))
    if not runs:
        return 0.0
    most = max(runs.values())
    longest = max(sum(map(len, run)) for run, count in runs.items() if count == most)
    return most * longest / sum(map(len, words)) if most > 1 else 0.0


def repeated_ngram_share(words: Sequence[str], length: int) -> float:
    """Return the share of characters in runs of words that occurred before, each character counted once."""
    seen: set[tuple[str, ...]] = set()
    chars, k = 0, 0
    while k + length <= len(words):
        run = tuple(words[k : k + length])
        if run in seen:
            chars += sum(map(len, run))
            k += length
        else:
            seen.add(run)
            k += 1
    return chars / sum(map(len, words)) if words else 0.0
