"""Partitions of a large search: each task compares the rows of one, and its memory does not grow with the data.

Near hashes agree in most bits. A level samples some bits of every hash, and a partition of it holds the hashes that
agree in all of them; two hashes at distance d of B bits share one with probability (1 - d/B)^bits, and enough levels
bring every pair together. Equal texts, bands of sketches and files are keys that agree entirely: one level has them.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pipelines.duplicates.bit_sampling import sampled_bits, to_words
from pipelines.duplicates.settings import Dedupe

RECALL = 0.999  # of pairs exactly at the radius, before the search in a partition finds 0.995 of them
CROWDING = 2.5  # a hash and its inset are both members, and real hashes fill partitions unevenly
VIEWS_CROWDING = 6.0  # the same with a third of the views
VIEWS_EVERY = 3  # levels that bring a view together: fewer than all, because most copies are near to several views
FIRST_LEVEL = 1 << 20  # seeds of levels; smaller ones are for the tables of a search
FIELDS = ("hash", "inset", "has_image", "detail", "text", "picture", "num_tokens", "sketch", "strongest")


def fields_of(settings: Dedupe) -> tuple[str, ...]:
    """Fields of rows that membership reads."""
    return (*FIELDS, "views") if settings.has_views else FIELDS


@dataclass(frozen=True, slots=True)
class Partition:
    """The rows whose bits at a level are `prefix`; 0 bits: all rows."""

    bits: int = 0
    level: int = 0
    num_levels: int = 1
    prefix: int = 0

    @staticmethod
    def all_of(num_rows: int, rows_per_task: int, settings: Dedupe) -> "list[Partition]":
        """The partitions of a search among so many rows, each of at most about `rows_per_task`."""
        crowding = VIEWS_CROWDING if settings.has_views else CROWDING
        bits = 0 if num_rows <= rows_per_task else math.ceil(math.log2(crowding * num_rows / rows_per_task))
        together = (1 - settings.radius_bits / settings.bits) ** bits
        num_levels = 1 if together >= RECALL else math.ceil(math.log(1 - RECALL) / math.log1p(-together))
        return [
            Partition(bits, level, num_levels, prefix) for level in range(num_levels) for prefix in range(1 << bits)
        ]

    def members(self, columns: Mapping[str, np.ndarray], settings: Dedupe) -> np.ndarray:
        """(N,) bool: which rows belong to it.

        Args:
            columns: `fields_of` N rows.
        """
        num_rows = len(columns["has_image"])
        if not self.bits:
            return np.ones(num_rows, bool)
        has_image = columns["has_image"] == 1
        found = np.zeros(num_rows, bool)
        hashes = [columns["hash"], columns["inset"]]
        if settings.has_views:
            views = range(self.level % VIEWS_EVERY, columns["views"].shape[1], VIEWS_EVERY)
            hashes += [columns["views"][:, number] for number in views]
        for each in hashes:
            keys = sampled_bits(to_words(each), FIRST_LEVEL + self.level, self.bits)
            found |= has_image & (keys == self.prefix)
        bands = to_words(columns["sketch"])
        for band in bands[self.level :: self.num_levels]:
            found |= ~has_image & (columns["num_tokens"] > 0) & self._is_mine(band)
        if self.level == 0:  # what the search asks of pictures with little to see
            is_plain = has_image & (columns["detail"] < 2 * settings.min_detail)
            for name in ("text", "picture"):
                found |= is_plain & columns[name].any(axis=1) & self._is_mine(to_words(columns[name])[0])
        digests = columns["strongest"][:, self.level % columns["strongest"].shape[1]]
        found |= has_image & (digests != 0) & self._is_mine(digests)
        return found

    def _is_mine(self, keys: np.ndarray) -> np.ndarray:
        mixed = keys * np.uint64(0x9E3779B97F4A7C15)
        mine: np.ndarray = mixed >> np.uint64(64 - self.bits) == self.prefix
        return mine
