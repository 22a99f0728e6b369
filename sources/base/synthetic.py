"""Synthetic sources: no input files, samples by number, everything from settings and a seed."""

import hashlib
import json
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from sources.base.sample import Sample, sample_id
from sources.base.source import Items, Source

SCHEME = "vellum:"  # of the one virtual input of a synthetic source
MAX_SAMPLES = 1_000_000_000
REPLACED = "replaced."  # prefix of measures: how often what was made in a sample's place was given up, by reason


@dataclass(frozen=True, kw_only=True)
class SyntheticSource(Source):
    """A source that makes its samples. Sample n depends on the settings, the seed and n alone.

    It has one virtual input, `vellum:NAME?seed=N` (and `&material=DIGEST` where `input` names files), whose items are
    the sample numbers 0 to `num_samples` - 1: units, resuming and accounting work as for a file. More samples of the
    same seed begin with the same ones.

    Args:
        num_samples: samples to make.
        seed: another seed gives other samples.
    """

    suffixes: ClassVar[tuple[str, ...]] = ()
    item_noun: ClassVar[str] = "sample"
    takes_material: ClassVar[bool] = False  # `input` names files that samples are made from (`gather`)

    num_samples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.input and not self.takes_material:
            raise ValueError(f"{self.name} are made, not read: they take no input, got {', '.join(self.input)}")
        if not 1 <= self.num_samples <= MAX_SAMPLES:
            raise ValueError(f"num_samples must be between 1 and {MAX_SAMPLES:,}, got {self.num_samples:,}")
        if not 0 <= self.seed < 2**63:
            raise ValueError(f"seed must be between 0 and 2^63 - 1, got {self.seed}")

    @abstractmethod
    def identity(self) -> Mapping[str, Any]:
        """The settings, as JSON, that say what a sample is; versions of libraries are left to `fingerprint`."""

    @property
    def uri(self) -> str:
        """The name of the virtual input."""
        return f"{SCHEME}{self.name}?seed={self.seed}"

    @property
    def digest(self) -> str:
        """The sha256 of everything that samples are made from, in place of the sha256 of a file."""
        content = json.dumps({"source": self.name, "seed": self.seed, **self.identity()}, sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()

    def digest_of(self, path: Path = Path()) -> str:
        return self.digest

    @contextmanager
    def open(self, path: Path = Path(), digest: str | None = None) -> Iterator[Items]:
        """All samples by number. `path` is the file that `merge` wrote; without `input` there is none."""
        known = digest or self.digest_of(path)
        yield Items(self.num_samples, lambda number: self.make(number, known))

    def gather(self, path: Path, name: str, out: Path, progress: Callable[[], None]) -> Mapping[str, int]:
        """Write what samples are made from, found in one file of `input`, to a file at `out`.

        Args:
            name: the file's name as the user gave it.
            progress: to be called now and then.
        Returns:
            The number of entries that were left out, by reason.
        Raises:
            InputError: the file cannot be used.
        """
        raise NotImplementedError(f"{self.name} takes no input")

    def merge(self, paths: Iterable[Path], out: Path) -> Mapping[str, int]:
        """Put gathered files together, in order, in one: `open` is given its path.

        Returns:
            The number of entries in the file, by kind; empty if there is nothing to make samples from.
        """
        raise NotImplementedError(f"{self.name} takes no input")

    def document(self, digest: str, first: int, locator: str) -> str:
        """Samples do not belong together: every sample is a separate document, and its id decides the split."""
        return sample_id(digest, locator)

    def locator(self, item: int) -> str:
        return f"number={item}"

    @abstractmethod
    def make(self, number: int, digest: str) -> Sample:
        """Make the sample with this number. Raises ItemError if it cannot be made."""
