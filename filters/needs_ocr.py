"""Need of OCR: a scan whose words are not in its text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from filters.filter import Filter, Scores, Threshold
from sources.base.sample import Sample


@dataclass(frozen=True, kw_only=True)
class MaxNeedsOcr(Filter):
    """Demands that words explain a scan's ink but for a `share` of it at most; samples that do not measure it pass.

    The flags of a rejected sample have the reason, such as `needs_ocr_stamp_only` (`sources/pdfs/scans.py`).
    """

    name: ClassVar[str] = "max_needs_ocr"
    score_names: ClassVar[tuple[str, ...]] = ("needs_ocr",)
    reasons: ClassVar[Mapping[str, str]] = {
        "needs_ocr": "It is a scan, and most of what it shows is not in its text: a candidate for OCR."
    }
    thresholds: ClassVar[tuple[Threshold, ...]] = (Threshold("share", "needs_ocr", "max", ("needs_ocr",)),)

    share: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ValueError(f"share must be between 0 and 1, got {self.share}")

    def scores(self, samples: Sequence[Sample]) -> list[Scores]:
        return [Scores(values={"needs_ocr": sample.measures.get("needs_ocr")}) for sample in samples]

    def rejects(self, scores: Scores) -> str | None:
        unread = scores.values["needs_ocr"]
        return "needs_ocr" if unread is not None and unread > self.share else None
