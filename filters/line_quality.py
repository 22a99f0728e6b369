"""Lines of web pages: rules of C4 (Raffel et al., arXiv:1910.10683) and FineWeb (Penedo et al., arXiv:2406.17557)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from filters.filter import Filter, Scores, Threshold
from filters.written_text import is_judged
from sources.base.sample import Sample

SHORT_CHARS = 30  # FineWeb, section 3.6
# The terminal marks of C4, and the marks of other scripts; a colon opens a list, and an ellipsis is a cut line.
_ENDS = (".", "!", "?", '"', "'", "”", "’", "。", "！", "？", "」", "』", "।", "؟", "۔")
_CUT = "..."
_BOILERPLATE = re.compile(
    r"lorem ipsum|\bjavascript\b|terms of use|privacy policy|cookie policy|uses cookies|use of cookies|use cookies",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class LineQuality(Filter):
    """Demands lines that are sentences rather than menus and notices.

    Texts without images only; conversations pass.

    Args:
        min_ended_share: lines that end with a punctuation mark (FineWeb: 0.12).
        max_short_share: lines of fewer than 30 characters (FineWeb: 0.67).
        max_boilerplate_share: lines with `javascript`, `lorem ipsum` or the names of policies. C4 removes such lines,
            and pages with `lorem ipsum`; here the text stays as it is, and the bound is ours.
    """

    name: ClassVar[str] = "line_quality"
    score_names: ClassVar[tuple[str, ...]] = ("ended_line_share", "short_line_share", "boilerplate_share")
    reasons: ClassVar[Mapping[str, str]] = {
        "unended_lines": "Few of its lines end as sentences do.",
        "short_lines": "Most of its lines are short, as in menus and lists.",
        "boilerplate": "Many of its lines are notices about scripts, cookies or terms, or filler text.",
    }
    thresholds: ClassVar[tuple[Threshold, ...]] = (
        Threshold("min_ended_share", "ended_line_share", "min", ("unended_lines",)),
        Threshold("max_short_share", "short_line_share", "max", ("short_lines",)),
        Threshold("max_boilerplate_share", "boilerplate_share", "max", ("boilerplate",)),
    )

    min_ended_share: float = 0.12
    max_short_share: float = 0.67
    max_boilerplate_share: float = 0.2

    def __post_init__(self) -> None:
        for threshold in self.thresholds:
            if not 0 <= getattr(self, threshold.setting) <= 1:
                raise ValueError(f"{threshold.setting} must be between 0 and 1, got {getattr(self, threshold.setting)}")

    def cache_key(self) -> str:
        return "terminal marks of C4"

    def scores(self, samples: Sequence[Sample]) -> list[Scores]:
        return [Scores(values=self._values(sample)) for sample in samples]

    def rejects(self, scores: Scores) -> str | None:
        for threshold in self.thresholds:
            value, bound = scores.values[threshold.score], getattr(self, threshold.setting)
            if value is not None and (value < bound if threshold.side == "min" else value > bound):
                return threshold.reasons[0]
        return None

    def _values(self, sample: Sample) -> dict[str, float | None]:
        if not is_judged(sample):
            return dict.fromkeys(self.score_names)
        lines = [line.strip() for line in sample.plain_text().splitlines() if line.strip()]
        return {
            "ended_line_share": sum(line.endswith(_ENDS) and not line.endswith(_CUT) for line in lines) / len(lines),
            "short_line_share": sum(len(line) < SHORT_CHARS for line in lines) / len(lines),
            "boilerplate_share": sum(bool(_BOILERPLATE.search(line)) for line in lines) / len(lines),
        }
