"""Confidence of OCR: how sure PaddleOCR is of a text that it read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from filters.filter import Filter, Scores, Threshold
from sources.base.sample import Sample
from sources.paddle_ocr.page import CONFIDENCE


@dataclass(frozen=True, kw_only=True)
class MinOcrConfidence(Filter):
    """Demands that PaddleOCR found text, and is as sure of it on average; samples whose text is known pass."""

    name: ClassVar[str] = "min_ocr_confidence"
    score_names: ClassVar[tuple[str, ...]] = (CONFIDENCE,)
    reasons: ClassVar[Mapping[str, str]] = {
        "no_ocr_text": "PaddleOCR found no text on its image.",
        "low_ocr_confidence": "PaddleOCR is not sure of the text that it read.",
    }
    thresholds: ClassVar[tuple[Threshold, ...]] = (
        Threshold("min_confidence", CONFIDENCE, "min", ("no_ocr_text", "low_ocr_confidence")),
    )

    min_confidence: float = 0.9

    def __post_init__(self) -> None:
        if not 0 <= self.min_confidence <= 1:
            raise ValueError(f"min_confidence must be between 0 and 1, got {self.min_confidence}")

    def scores(self, samples: Sequence[Sample]) -> list[Scores]:
        return [Scores(values={CONFIDENCE: sample.measures.get(CONFIDENCE)}) for sample in samples]

    def rejects(self, scores: Scores) -> str | None:
        confidence = scores.values[CONFIDENCE]
        if confidence is None or confidence >= self.min_confidence:
            return None
        return "low_ocr_confidence" if confidence else "no_ocr_text"
