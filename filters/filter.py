"""The filter interface: a filter measures a sample once, and a threshold turns the measurement into a reason code."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

from sources.base.sample import Sample
from sources.base.source import OPTIONAL


@dataclass(frozen=True, kw_only=True, slots=True)
class Scores:
    """The measurements of filters on one sample.

    Args:
        values: named scores; None where a score has no meaning (the language of a page without text).
        language: ISO 639 code of the text, None if not asked or not known.
        fault: why the sample could not be measured, `snake_case`; it is then rejected as `not_scored`. None: it could.
        use_case: leaf of the taxonomy, from a filter that chooses one; its confidence is the score `use_case`.
    """

    values: Mapping[str, float | None] = field(default_factory=dict)
    language: str | None = None
    fault: str | None = None
    use_case: str | None = None


class FilterUnavailable(Exception):
    """What a filter needs (a server, the weights of a model) is not there: the run ends with this sentence."""


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
        timeout_s: seconds of processor time for one batch; after that the process is killed.
        wall_timeout_s: the same by the clock, for a process that waits; None: five times `timeout_s`.
        start_timeout_s: seconds for `load`.
        memory_mb: data that the process may allocate, in megabytes; None: no limit (GPU drivers reserve address space).
        recycle_samples: the process is replaced after as many, because libraries leak.
        recycle_mb: it is also replaced when it holds as much memory, in megabytes.
        min_ram: memory of a worker on a cluster, as in Beam's resource hint, e.g. `8GB`.
        accelerator: the same, e.g. `type:nvidia-l4;count:1;install-nvidia-driver`; a worker then has one process.
        processes: how many a machine has, whatever the number of its workers, which share them; None: each worker has
            its own, as many as readers.
    """

    batch_size: int = 1
    timeout_s: float = 120
    wall_timeout_s: float | None = None
    start_timeout_s: float = 120
    memory_mb: int | None = None
    recycle_samples: int = 1_000_000
    recycle_mb: int = 1_000_000
    min_ram: str | None = None
    accelerator: str | None = None
    processes: int | None = None


class Described(NamedTuple):
    """What is told about a filter with certain settings.

    Args:
        thresholds: each with the value of its bound.
    """

    score_names: tuple[str, ...]
    reasons: Mapping[str, str]
    thresholds: tuple[tuple[Threshold, float], ...]


@dataclass(frozen=True, kw_only=True)
class Filter(ABC):
    """A frozen dataclass of thresholds. Scores never depend on thresholds, so these can be refitted from the ledger.

    Args:
        components: components of a mixture (`Source.component`) whose samples it judges; empty: all.
    """

    name: ClassVar[str]
    score_names: ClassVar[tuple[str, ...]]
    reasons: ClassVar[Mapping[str, str]]  # code to its meaning: one sentence about a sample that is rejected with it
    thresholds: ClassVar[tuple[Threshold, ...]] = ()
    # For a filter with a `worker`: it measures samples as they are written, with the conversations that an instruction
    # writer made of them, and not as the source gave them.
    measures_conversations: ClassVar[bool] = False

    components: tuple[str, ...] = field(default=(), metadata=OPTIONAL)

    def judges(self, component: str) -> bool:
        """Return True if the filter judges the samples of a component."""
        return not self.components or component in self.components

    def threshold_for(self, score: str) -> Threshold | None:
        """The setting that bounds a score or could; None if there is none."""
        return next((threshold for threshold in self.thresholds if threshold.score == score), None)

    def check(self) -> None:  # noqa: B027  # most filters need nothing
        """Raise ValueError, saying what to do, if something the filter needs (a model, a library) is not there."""

    def check_sources(self, known: Sequence[str]) -> None:  # noqa: B027  # most filters name none
        """Raise ValueError if the filter's settings name a source that there is not."""

    def pinned(self, taxonomy: Path | None = None) -> "Filter":
        """The filter with everything outside the recipe that its scores depend on written into its settings.

        Called once at the beginning of a run, after `check`; all processes then agree, wherever they run.

        Args:
            taxonomy: the file of the recipe's taxonomy; None: samples are not labelled.
        Raises:
            ValueError: what the scores depend on is missing.
        """
        return self

    def cache_key(self) -> str:
        """Everything except the sample that scores depend on; scores under another key are measured again.

        Thresholds are not in it. A filter whose code comes to measure differently gives another text here.
        """
        return "1"

    def score_groups(self) -> tuple[tuple[str, ...], ...]:
        """The names of scores that are measured and kept together, for a filter with a `worker`.

        A group whose key is new is measured without the others.
        """
        return (self.score_names,)

    def only(self, names: Sequence[str]) -> "Filter":
        """The filter that measures these scores alone: one or several whole groups. Its `cache_key` is theirs."""
        return self

    def skips(self, sample_id: str, is_rejected: bool) -> str | None:
        """Why a sample is not measured (its scores are null, and a flag says so); None if it is.

        Args:
            is_rejected: by the filters that run while samples are read.
        """
        return None

    def costs(self, sample_s: float, num_samples: int) -> list[str]:
        """Lines of a plan (`--dry-run`) about other machines.

        Args:
            sample_s: seconds per sample, measured here.
        """
        return []

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

    @classmethod
    def described(cls, settings: Mapping[str, Any]) -> Described:
        """Describe the filter that a recipe (as JSON, in a manifest) has with these settings."""
        values = [(threshold, settings.get(threshold.setting)) for threshold in cls.thresholds]
        numbers = tuple((threshold, value) for threshold, value in values if isinstance(value, int | float))
        return Described(cls.score_names, cls.reasons, numbers)

    @abstractmethod
    def rejects(self, scores: Scores) -> str | None:
        """The reason code if the scores of a sample break a threshold, else None."""
