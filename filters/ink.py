"""Ink: a blank page has nothing to read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from filters.filter import Filter, Scores, Threshold
from sources.base.sample import Sample


@dataclass(frozen=True, kw_only=True)
class MinInk(Filter):
    """Demands that at least `share` of the first image's pixels differ from its background (`sources.images.ink`).

    The default, 0.0005, is a third of a line of text on a page of 1024 px: a page number alone is blank.
    """

    name: ClassVar[str] = "min_ink"
    score_names: ClassVar[tuple[str, ...]] = ("ink",)
    reasons: ClassVar[Mapping[str, str]] = {"blank_page": "There is next to nothing on its first image."}
    thresholds: ClassVar[tuple[Threshold, ...]] = (Threshold("share", "ink", "min", ("blank_page",)),)

    share: float = 0.0005

    def __post_init__(self) -> None:
        if not 0 <= self.share < 1:
            raise ValueError(f"share must be at least 0 and below 1, got {self.share}")

    def scores(self, samples: Sequence[Sample]) -> list[Scores]:
        return [Scores(values={"ink": sample.measures.get("ink")}) for sample in samples]

    def rejects(self, scores: Scores) -> str | None:
        ink = scores.values["ink"]
        return "blank_page" if ink is not None and ink < self.share else None
