"""Code of plots: the filter of the DeepSeek-VL paper for notebooks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from filters.filter import Filter, Scores, Threshold
from sources.base.sample import Sample


@dataclass(frozen=True, kw_only=True)
class PlotCode(Filter):
    """Demands one image in a cell, with at least `min_lines` lines of code; samples that do not measure them pass.

    The paper keeps instances with "a singular image coupled with a minimum of 5 lines of code" (arXiv:2403.05525,
    section 2.1).

    Args:
        min_lines: lines of code, without blank lines and comments.
        max_lines: longer code computes more than it draws.
        max_images: images that the cell shows.
    """

    name: ClassVar[str] = "plot_code"
    score_names: ClassVar[tuple[str, ...]] = ("code_lines", "cell_images")
    reasons: ClassVar[Mapping[str, str]] = {
        "short_code": "Its code has few lines: what it draws was computed elsewhere.",
        "long_plot_code": "Its code has many lines, most of which do not draw.",
        "several_images": "Its cell shows several images: which lines draw which is not known.",
    }
    thresholds: ClassVar[tuple[Threshold, ...]] = (
        Threshold("min_lines", "code_lines", "min", ("short_code",)),
        Threshold("max_lines", "code_lines", "max", ("long_plot_code",)),
        Threshold("max_images", "cell_images", "max", ("several_images",)),
    )

    min_lines: int = 5
    max_lines: int = 200
    max_images: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.min_lines <= self.max_lines:
            raise ValueError(f"expected 0 <= min_lines <= max_lines, got {self.min_lines} and {self.max_lines}")
        if self.max_images < 1:
            raise ValueError(f"max_images must be at least 1, got {self.max_images}")

    def scores(self, samples: Sequence[Sample]) -> list[Scores]:
        return [Scores(values={name: sample.measures.get(name) for name in self.score_names}) for sample in samples]

    def rejects(self, scores: Scores) -> str | None:
        lines, images = scores.values["code_lines"], scores.values["cell_images"]
        if lines is not None and lines < self.min_lines:
            return "short_code"
        if lines is not None and lines > self.max_lines:
            return "long_plot_code"
        return "several_images" if images is not None and images > self.max_images else None
