"""Fit of a page's markup: how much of the page and of its markup agree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from filters.filter import Filter, Scores, Threshold
from sources.base.sample import Sample


@dataclass(frozen=True, kw_only=True)
class MinMarkupFit(Filter):
    """Demands that a `share` of a page and its markup agree, by letters and digits, and that references are known.

    Samples that measure neither pass.
    """

    name: ClassVar[str] = "min_markup_fit"
    score_names: ClassVar[tuple[str, ...]] = ("markup_fit", "open_references")
    reasons: ClassVar[Mapping[str, str]] = {
        "markup_fit": "Its markup does not fit its page.",
        "open_references": "It could not be told what the page prints for some references.",
    }
    thresholds: ClassVar[tuple[Threshold, ...]] = (
        Threshold("share", "markup_fit", "min", ("markup_fit",)),
        Threshold("max_open", "open_references", "max", ("open_references",)),
    )

    share: float = 0.95
    max_open: int = 2

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ValueError(f"share must be between 0 and 1, got {self.share}")
        if self.max_open < 0:
            raise ValueError(f"max_open must be at least 0, got {self.max_open}")

    def scores(self, samples: Sequence[Sample]) -> list[Scores]:
        names = self.score_names
        return [Scores(values={name: sample.measures.get(name) for name in names}) for sample in samples]

    def rejects(self, scores: Scores) -> str | None:
        fit, unknown = scores.values["markup_fit"], scores.values["open_references"]
        if fit is not None and fit < self.share:
            return "markup_fit"
        return "open_references" if unknown is not None and unknown > self.max_open else None
