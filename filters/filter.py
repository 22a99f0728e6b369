"""What a filter is: it measures a sample once, and a threshold turns the measurement into a reason code."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from sources.sample import Sample


@dataclass(frozen=True, kw_only=True, slots=True)
class Scores:
    """What filters measured on one sample.

    Args:
        values: named scores; None where a score has no meaning (the language of a page without text).
        language: ISO 639 code of the text, None if not asked or not known.
    """

    values: Mapping[str, float | None] = field(default_factory=dict)
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Threshold:
    """Which setting of a filter bounds which score: what a report draws and a card explains.

    Args:
        setting: name of the filter's field that holds the bound.
        score: the score it bounds.
        side: `min` if lower scores are rejected, `max` if higher ones are.
        reasons: the codes given beyond the bound.
    """

    setting: str
    score: str
    side: Literal["min", "max"]
    reasons: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Filter(ABC):
    """A frozen dataclass of thresholds. Scores never depend on thresholds, so these can be refitted from the ledger."""

    name: ClassVar[str]
    score_names: ClassVar[tuple[str, ...]]
    reasons: ClassVar[tuple[str, ...]]
    thresholds: ClassVar[tuple[Threshold, ...]] = ()
    fingerprint: ClassVar[str] = "1"  # changes whenever the same sample would get another score

    def check(self) -> None:  # noqa: B027  # most filters need nothing
        """Raise ValueError, saying what to do, if something the filter needs (a model, a library) is not there."""

    @abstractmethod
    def scores(self, samples: Sequence[Sample]) -> list[Scores]:
        """Measure samples, in order."""

    @abstractmethod
    def rejects(self, scores: Scores) -> str | None:
        """The reason code if the scores of a sample break a threshold, else None."""
