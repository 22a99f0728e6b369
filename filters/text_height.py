"""Text height: letters of a few pixels cannot be read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from filters.filter import Filter, Scores, Threshold
from sources.base.sample import Sample


@dataclass(frozen=True, kw_only=True)
class MinTextHeight(Filter):
    """Demands that half of the words are at least `px` pixels high, from descender to ascender.

    At the default of 6.5 pixels, an x is between 2 and 3 pixels high. Samples that do not measure it pass.
    """

    name: ClassVar[str] = "min_text_height"
    score_names: ClassVar[tuple[str, ...]] = ("text_height_px",)
    reasons: ClassVar[Mapping[str, str]] = {"small_text": "Its text is too small to be read on the image."}
    thresholds: ClassVar[tuple[Threshold, ...]] = (Threshold("px", "text_height_px", "min", ("small_text",)),)

    px: float = 6.5

    def __post_init__(self) -> None:
        if self.px < 0:
            raise ValueError(f"px must not be negative, got {self.px}")

    def scores(self, samples: Sequence[Sample]) -> list[Scores]:
        return [Scores(values={"text_height_px": sample.measures.get("text_height_px")}) for sample in samples]

    def rejects(self, scores: Scores) -> str | None:
        height = scores.values["text_height_px"]
        return "small_text" if height is not None and height < self.px else None
