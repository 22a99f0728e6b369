"""Page obstacles: signs that a web page does not show what it was visited for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from filters.filter import Filter, Scores, Threshold
from sources.base.sample import Sample

SIGNS = (
    "soft_404",
    "consent_wall",
    "login_wall",
    "captcha",
    "parked",
    "paywall",
    "loading",
    "unstyled",
    "broken_pictures",
    "same_page",
)


@dataclass(frozen=True, kw_only=True)
class MaxPageObstacles(Filter):
    """Demands that no sign of an obstacle on a web page is stronger than `strength`; other samples pass.

    The signs are a "not found" that was answered as a page, a wall of cookie consent, a login, a captcha, a parked
    domain, a paywall, a page that was still loading, and the shares of its style sheets and pictures that did not come.
    They are measured by `sources/web/obstacles.py`; `same_page` is 1 for a page that is kept under another address.

    Args:
        strength: 0 to 1.
    """

    name: ClassVar[str] = "max_page_obstacles"
    score_names: ClassVar[tuple[str, ...]] = SIGNS
    reasons: ClassVar[Mapping[str, str]] = {
        "soft_404": "The page says that it was not found.",
        "consent_wall": "A request for consent to cookies covers the page.",
        "login_wall": "The page asks for a login.",
        "captcha": "The page asks for proof that its visitor is a person.",
        "parked": "The page belongs to a domain that is for sale.",
        "paywall": "The page shows the rest to subscribers.",
        "loading": "The page was still loading.",
        "unstyled": "Style sheets of the page did not come.",
        "broken_pictures": "Pictures of the page did not come.",
        "same_page": "The same page is kept under another address (rel=canonical).",
    }
    thresholds: ClassVar[tuple[Threshold, ...]] = tuple(Threshold("strength", sign, "max", (sign,)) for sign in SIGNS)

    strength: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 1:
            raise ValueError(f"strength must be between 0 and 1, got {self.strength}")

    def scores(self, samples: Sequence[Sample]) -> list[Scores]:
        return [Scores(values={sign: sample.measures.get(sign) for sign in SIGNS}) for sample in samples]

    def rejects(self, scores: Scores) -> str | None:
        strongest = max(SIGNS, key=lambda sign: scores.values[sign] or 0.0)
        return strongest if (scores.values[strongest] or 0.0) > self.strength else None
