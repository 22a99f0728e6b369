"""Aspect ratio: a strip padded to a square canvas wastes nearly all of its tokens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from filters.filter import Filter, Scores, Threshold
from sources.base.sample import Sample


@dataclass(frozen=True, kw_only=True)
class MaxAspectRatio(Filter):
    """Demands that no image is more than `ratio` times as long as it is wide, or the reverse."""

    name: ClassVar[str] = "max_aspect_ratio"
    score_names: ClassVar[tuple[str, ...]] = ("aspect_ratio",)
    reasons: ClassVar[Mapping[str, str]] = {"aspect_ratio": "One of its images is a long strip."}
    thresholds: ClassVar[tuple[Threshold, ...]] = (Threshold("ratio", "aspect_ratio", "max", ("aspect_ratio",)),)

    ratio: float = 5.0

    def __post_init__(self) -> None:
        if self.ratio < 1:
            raise ValueError(f"ratio must be at least 1, got {self.ratio}")

    def scores(self, samples: Sequence[Sample]) -> list[Scores]:
        return [
            Scores(values={"aspect_ratio": max((max(size) / min(size) for size in sample.image_sizes()), default=None)})
            for sample in samples
        ]

    def rejects(self, scores: Scores) -> str | None:
        ratio = scores.values["aspect_ratio"]
        return "aspect_ratio" if ratio is not None and ratio > self.ratio else None
