"""Word count: how much there is to read on the images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from filters.filter import Filter, Scores, Threshold
from filters.written_text import count_unspaced
from sources.base.sample import Sample


@dataclass(frozen=True, kw_only=True)
class MinWords(Filter):
    """Demands at least `words` words with boxes on the images, whatever is asked about them.

    Args:
        words: in scripts without spaces (Chinese, Japanese, Thai, …) two characters count as a word.
    """

    name: ClassVar[str] = "min_words"
    score_names: ClassVar[tuple[str, ...]] = ("num_words",)
    reasons: ClassVar[Mapping[str, str]] = {"too_little_text": "There are few words on its images."}
    thresholds: ClassVar[tuple[Threshold, ...]] = (Threshold("words", "num_words", "min", ("too_little_text",)),)

    words: int = 20

    def __post_init__(self) -> None:
        if self.words < 1:
            raise ValueError(f"words must be at least 1, got {self.words}")

    def scores(self, samples: Sequence[Sample]) -> list[Scores]:
        return [Scores(values={"num_words": float(sum(map(_count, sample.words.texts)))}) for sample in samples]

    def rejects(self, scores: Scores) -> str | None:
        return "too_little_text" if (scores.values["num_words"] or 0) < self.words else None


def _count(word: str) -> int:
    return max(1, count_unspaced(word) // 2)
