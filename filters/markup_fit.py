"""Fit of a page's markup: how much of the page and of its markup agree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from filters.filter import Filter, Scores, Threshold
from sources.base.sample import Sample


@dataclass(frozen=True, kw_only=True)
class MinMarkupFit(Filter):
    """Demands that a `share` of a page and its markup agree, by letters and digits, and that all in it is known.

    Samples that measure none of it pass.
    """

    name: ClassVar[str] = "min_markup_fit"
    score_names: ClassVar[tuple[str, ...]] = ("markup_fit", "open_references", "unknown_commands")
    reasons: ClassVar[Mapping[str, str]] = {
        "markup_fit": "Its markup does not fit its page.",
        "open_references": "It could not be told what the page prints for some references.",
        "unknown_commands": "Its formulas have commands that only a package of the paper knows.",
    }
    thresholds: ClassVar[tuple[Threshold, ...]] = (
        Threshold("share", "markup_fit", "min", ("markup_fit",)),
        Threshold("max_open", "open_references", "max", ("open_references",)),
        Threshold("max_unknown", "unknown_commands", "max", ("unknown_commands",)),
    )

    share: float = 0.95
    max_open: int = 2
    max_unknown: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ValueError(f"share must be between 0 and 1, got {self.share}")
        for name in ("max_open", "max_unknown"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be at least 0, got {getattr(self, name)}")

    def scores(self, samples: Sequence[Sample]) -> list[Scores]:
        names = self.score_names
        return [Scores(values={name: sample.measures.get(name) for name in names}) for sample in samples]

    def rejects(self, scores: Scores) -> str | None:
        fit, references, commands = (scores.values[name] for name in self.score_names)
        if fit is not None and fit < self.share:
            return "markup_fit"
        if references is not None and references > self.max_open:
            return "open_references"
        return "unknown_commands" if commands is not None and commands > self.max_unknown else None
