"""Damage: a page of which a good part is lost teaches to see what is not there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from filters.filter import Filter, Scores, Threshold
from sources.base.sample import Sample


@dataclass(frozen=True, kw_only=True)
class MaxDamage(Filter):
    """Demands that an estimated `share` of the page at most is lost; samples that do not measure it pass.

    `sources/pdfs/damage.py` has the estimates. By default a few errors of syntax, substituted fonts and lost images of
    a fifth of the page pass; a content stream that ends early, which counts as 0.3, does not.
    """

    name: ClassVar[str] = "max_damage"
    score_names: ClassVar[tuple[str, ...]] = ("damage",)
    reasons: ClassVar[Mapping[str, str]] = {"damaged_page": "Its file is damaged, and a good part of the page is lost."}
    thresholds: ClassVar[tuple[Threshold, ...]] = (Threshold("share", "damage", "max", ("damaged_page",)),)

    share: float = 0.2

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ValueError(f"share must be between 0 and 1, got {self.share}")

    def scores(self, samples: Sequence[Sample]) -> list[Scores]:
        return [Scores(values={"damage": sample.measures.get("damage")}) for sample in samples]

    def rejects(self, scores: Scores) -> str | None:
        damage = scores.values["damage"]
        return "damaged_page" if damage is not None and damage > self.share else None
