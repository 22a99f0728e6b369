"""Text length: a page without text cannot be transcribed, and a few characters are a page number."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from filters.filter import Filter, Scores, Threshold
from sources.base.sample import Sample


@dataclass(frozen=True, kw_only=True)
class TextLength(Filter):
    """Demands between `min_chars` and `max_chars` characters of text, white space not counted.

    A sample with an image and no text at all has its own reason, `no_text_layer`: it is a candidate for OCR.
    """

    name: ClassVar[str] = "text_length"
    score_names: ClassVar[tuple[str, ...]] = ("num_chars",)
    reasons: ClassVar[Mapping[str, str]] = {
        "no_text_layer": "It has no text at all: a scan or a picture, and a candidate for OCR.",
        "short_text": "Its text is short, such as a page number or a running title.",
        "long_text": "Its text is longer than a page has room for, and more than a model reads at once.",
    }
    thresholds: ClassVar[tuple[Threshold, ...]] = (
        Threshold("min_chars", "num_chars", "min", ("short_text",)),
        Threshold("max_chars", "num_chars", "max", ("long_text",)),
    )

    min_chars: int = 32
    max_chars: int = 50_000

    def __post_init__(self) -> None:
        if not 0 <= self.min_chars <= self.max_chars:
            raise ValueError(
                f"expected 0 <= min_chars <= max_chars, got min_chars={self.min_chars}, max_chars={self.max_chars}"
            )

    def scores(self, samples: Sequence[Sample]) -> list[Scores]:
        return [Scores(values={"num_chars": len("".join(sample.plain_text().split()))}) for sample in samples]

    def rejects(self, scores: Scores) -> str | None:
        num_chars = scores.values["num_chars"]
        assert num_chars is not None
        if num_chars == 0 and self.min_chars > 0:
            return "no_text_layer"
        if num_chars < self.min_chars:
            return "short_text"
        return "long_text" if num_chars > self.max_chars else None
