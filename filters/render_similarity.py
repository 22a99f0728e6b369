"""Render similarity: web code is worth learning if it renders back to the picture it is paired with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from filters.filter import Filter, Scores, Threshold
from sources.base.sample import Sample


@dataclass(frozen=True, kw_only=True)
class RenderSimilarity(Filter):
    """Demands that a sample's web code renders back to something like its picture, and is short.

    Samples without web code pass. Both numbers are measured when the page is read (`sources/web/code/`).

    Args:
        min_similarity: 0 (nothing in common) to 1 (the same); `docs/sources/web_code.md` shows examples.
        max_code_tokens: estimated length of the code, in tokens.
    """

    name: ClassVar[str] = "render_similarity"
    score_names: ClassVar[tuple[str, ...]] = ("render_similarity", "code_tokens")
    reasons: ClassVar[Mapping[str, str]] = {
        "render_similarity": "Its code renders to something else than its image shows.",
        "long_code": "Its code is longer than the limit.",
    }
    thresholds: ClassVar[tuple[Threshold, ...]] = (
        Threshold("min_similarity", "render_similarity", "min", ("render_similarity",)),
        Threshold("max_code_tokens", "code_tokens", "max", ("long_code",)),
    )

    min_similarity: float = 0.85
    max_code_tokens: int = 4000

    def __post_init__(self) -> None:
        if not 0 <= self.min_similarity <= 1:
            raise ValueError(f"min_similarity must be between 0 and 1, got {self.min_similarity}")
        if self.max_code_tokens <= 0:
            raise ValueError(f"max_code_tokens must be positive, got {self.max_code_tokens}")

    def scores(self, samples: Sequence[Sample]) -> list[Scores]:
        return [Scores(values={name: sample.measures.get(name) for name in self.score_names}) for sample in samples]

    def rejects(self, scores: Scores) -> str | None:
        similarity, num_tokens = scores.values["render_similarity"], scores.values["code_tokens"]
        if similarity is not None and similarity < self.min_similarity:
            return "render_similarity"
        return "long_code" if num_tokens is not None and num_tokens > self.max_code_tokens else None
