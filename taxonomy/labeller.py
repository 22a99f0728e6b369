"""Labellers: whatever gives every leaf of a taxonomy a probability for what a user asks."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np

from sources.base.sample import EncodedImage
from taxonomy.tree import Taxonomy


class Query(NamedTuple):
    """One thing a user asks, with the images it is about (none when a prompt stands alone)."""

    prompt: str
    images: Sequence[EncodedImage] = ()


class Labeller(ABC):
    """Made for one taxonomy; asked in batches."""

    name: ClassVar[str]
    version: ClassVar[int] = 1  # changes whenever the same taxonomy would give other labels

    @classmethod
    @abstractmethod
    def prepare(cls, taxonomy: Taxonomy, folder: Path) -> None:
        """Write into an empty folder what workers need besides the taxonomy (a trained model)."""

    @abstractmethod
    def __init__(self, taxonomy: Taxonomy, folder: Path | None = None):
        """Get ready, from what `prepare` wrote into a folder if one is given."""

    @abstractmethod
    def probabilities(self, asks: Sequence[Query]) -> np.ndarray:
        """(N, L) probabilities, columns in the order of `taxonomy.leaves`; calibrated, so that 0.8 means 4 of 5."""
