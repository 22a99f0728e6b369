"""Short side: tiny images teach nothing at the resolution of the model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from filters.filter import Filter, Scores, Threshold
from sources.base.sample import Sample


@dataclass(frozen=True, kw_only=True)
class MinShortSide(Filter):
    """Demands at least `side_px` pixels on the shorter side of every image; samples without images pass."""

    name: ClassVar[str] = "min_short_side"
    score_names: ClassVar[tuple[str, ...]] = ("short_side",)
    reasons: ClassVar[Mapping[str, str]] = {"short_side": "One of its images is too small to be read."}
    thresholds: ClassVar[tuple[Threshold, ...]] = (Threshold("side_px", "short_side", "min", ("short_side",)),)

    side_px: int = 112

    def __post_init__(self) -> None:
        if self.side_px <= 0:
            raise ValueError(f"side_px must be positive, got {self.side_px}")

    def scores(self, samples: Sequence[Sample]) -> list[Scores]:
        return [
            Scores(values={"short_side": min((min(size) for size in sample.image_sizes()), default=None)})
            for sample in samples
        ]

    def rejects(self, scores: Scores) -> str | None:
        side = scores.values["short_side"]
        return "short_side" if side is not None and side < self.side_px else None
