"""The filter interface: a filter measures a sample once, and a threshold turns the measurement into a reason code."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from sources.base.sample import Sample


@dataclass(frozen=True, kw_only=True, slots=True)
class Scores:
    """The measurements of filters on one sample.

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


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerSettings:
    """The worker processes of a filter that costs more than reading does; they are given samples of finished parts.

    Args:
        batch_size: samples given to `scores` at a time.
        timeout_s: seconds for one batch; after that the process is killed.
        start_timeout_s: seconds for `load`.
        memory_mb: data that the process may allocate, in megabytes; None: no limit (GPU drivers reserve address space).
        recycle_samples: the process is replaced after as many, because libraries leak.
        recycle_mb: it is also replaced when it holds as much memory, in megabytes.
        min_ram: memory of a worker on a cluster, as in Beam's resource hint, e.g. `8GB`.
        accelerator: the same, e.g. `type:nvidia-l4;count:1;install-nvidia-driver`; a worker then has one process.
    """

    batch_size: int = 1
    timeout_s: float = 120
    start_timeout_s: float = 120
    memory_mb: int | None = None
    recycle_samples: int = 1_000_000
    recycle_mb: int = 1_000_000
    min_ram: str | None = None
    accelerator: str | None = None


@dataclass(frozen=True, kw_only=True)
class Filter(ABC):
    """A frozen dataclass of thresholds. Scores never depend on thresholds, so these can be refitted from the ledger."""

    name: ClassVar[str]
    score_names: ClassVar[tuple[str, ...]]
    reasons: ClassVar[Mapping[str, str]]  # code to its meaning: one sentence about a sample that is rejected with it
    thresholds: ClassVar[tuple[Threshold, ...]] = ()

    def check(self) -> None:  # noqa: B027  # most filters need nothing
        """Raise ValueError, saying what to do, if something the filter needs (a model, a library) is not there."""

    def cache_key(self) -> str:
        """Everything except the sample that scores depend on; scores under another key are measured again.

        Thresholds are not in it. A filter whose code comes to measure differently gives another text here.
        """
        return "1"

    def worker(self) -> WorkerSettings | None:
        """The processes that run the filter; None for one that is cheap enough to run in the readers.

        Only `values` of such a filter's scores are kept.
        """
        return None

    def load(self) -> None:  # noqa: B027  # most filters need nothing
        """Load what `scores` needs, so that the first sample is not charged with the time this takes."""

    @abstractmethod
    def scores(self, samples: Sequence[Sample]) -> list[Scores]:
        """Measure samples, in order."""

    @abstractmethod
    def rejects(self, scores: Scores) -> str | None:
        """The reason code if the scores of a sample break a threshold, else None."""
