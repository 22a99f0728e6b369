"""Personal data: lists of addresses and numbers teach nothing but those."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from filters.filter import Filter, Scores, Threshold
from sources.base.sample import Sample

KINDS = ("email", "phone", "card", "id")


@dataclass(frozen=True, kw_only=True)
class MaxPersonalData(Filter):
    """Demands that at most `places` of a text had personal data; samples that do not measure it pass.

    The data are masked by the source (`sources/text/personal_data.py`). The scores are the numbers of places by kind.
    """

    name: ClassVar[str] = "max_personal_data"
    score_names: ClassVar[tuple[str, ...]] = ("personal_data", *(f"personal_data_{kind}" for kind in KINDS))
    reasons: ClassVar[Mapping[str, str]] = {
        "personal_data": "It has many e-mail addresses or telephone, card and id numbers, such as a list of contacts."
    }
    thresholds: ClassVar[tuple[Threshold, ...]] = (Threshold("places", "personal_data", "max", ("personal_data",)),)

    places: int = 10

    def __post_init__(self) -> None:
        if self.places < 0:
            raise ValueError(f"places must be at least 0, got {self.places}")

    def scores(self, samples: Sequence[Sample]) -> list[Scores]:
        return [Scores(values=_counts(sample)) for sample in samples]

    def rejects(self, scores: Scores) -> str | None:
        total = scores.values["personal_data"]
        return "personal_data" if total is not None and total > self.places else None


def _counts(sample: Sample) -> dict[str, float | None]:
    counts = {f"personal_data_{kind}": sample.measures.get(f"personal_data_{kind}") for kind in KINDS}
    known = [count for count in counts.values() if count is not None]
    return {"personal_data": sum(known) if known else None, **counts}
