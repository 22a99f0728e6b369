"""The interface of labellers, which give every leaf of a taxonomy a probability for a user's prompt."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from sources.base.sample import EncodedImage
from taxonomy.tree import Taxonomy


class Query(NamedTuple):
    """A user's prompt with the images it is about (none for a prompt alone)."""

    prompt: str
    images: Sequence[EncodedImage] = ()


class Labeller(ABC):
    """Predicts the leaf of queries, in batches, for one taxonomy."""

    name: ClassVar[str]
    version: ClassVar[int] = 1  # increase it when the same taxonomy would give other labels

    @classmethod
    @abstractmethod
    def prepare(cls, taxonomy: Taxonomy, folder: Path) -> None:
        """Write the files that workers need in addition to the taxonomy (a trained model) into an empty folder."""

    @abstractmethod
    def __init__(self, taxonomy: Taxonomy, folder: Path | None = None):
        """Load what `prepare` wrote into `folder`, or prepare here if no folder is given."""

    @abstractmethod
    def probabilities(self, queries: Sequence[Query]) -> npt.NDArray[np.float64]:
        """Return (N, L) probabilities, columns in the order of `taxonomy.leaves`.

        They are calibrated: of the labels with probability 0.8, four in five are correct.
        """
