"""Garbled text: text layers without a Unicode map come out as replacement characters, private codes or noise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from filters.filter import Filter, Scores, Threshold
from sources.base.sample import Sample
from sources.text.garbled import garbled_share


@dataclass(frozen=True, kw_only=True)
class MaxGarbledShare(Filter):
    """Demands that at most `share` of the text's characters are damage: no letter of any script."""

    name: ClassVar[str] = "max_garbled_share"
    score_names: ClassVar[tuple[str, ...]] = ("garbled_share",)
    reasons: ClassVar[Mapping[str, str]] = {
        "garbled_text": "Its text layer is damaged: too many characters are no letter of any script."
    }
    thresholds: ClassVar[tuple[Threshold, ...]] = (Threshold("share", "garbled_share", "max", ("garbled_text",)),)

    share: float = 0.01

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ValueError(f"share must be between 0 and 1, got {self.share}")

    def scores(self, samples: Sequence[Sample]) -> list[Scores]:
        return [Scores(values={"garbled_share": garbled_share(sample.plain_text())}) for sample in samples]

    def rejects(self, scores: Scores) -> str | None:
        share = scores.values["garbled_share"]
        return "garbled_text" if share is not None and share > self.share else None
