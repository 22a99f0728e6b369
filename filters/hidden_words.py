"""Hidden words: where most of the text is unseen, picture and text do not belong together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from filters.filter import Filter, Scores, Threshold
from sources.base.sample import Sample


@dataclass(frozen=True, kw_only=True)
class MaxHiddenWords(Filter):
    """Demands that at most a `share` of the words in the file cannot be seen; samples that do not measure it pass.

    Words that are not seen are left out of the text in any case. Where they are most of it, the page was drawn wrong,
    or its text was written for search engines.
    """

    name: ClassVar[str] = "max_hidden_words"
    score_names: ClassVar[tuple[str, ...]] = ("hidden_words",)
    reasons: ClassVar[Mapping[str, str]] = {"hidden_text": "Most of the words in its file cannot be seen on its image."}
    thresholds: ClassVar[tuple[Threshold, ...]] = (Threshold("share", "hidden_words", "max", ("hidden_text",)),)

    share: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ValueError(f"share must be between 0 and 1, got {self.share}")

    def scores(self, samples: Sequence[Sample]) -> list[Scores]:
        return [Scores(values={"hidden_words": sample.measures.get("hidden_words")}) for sample in samples]

    def rejects(self, scores: Scores) -> str | None:
        hidden = scores.values["hidden_words"]
        return "hidden_text" if hidden is not None and hidden > self.share else None
