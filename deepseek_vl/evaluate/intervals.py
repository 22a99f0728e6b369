"""Confidence intervals of means, by resampling."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

NUM_SAMPLES = 2000
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with the interval in which it is with 95 % confidence."""

    mean: float
    low: float
    high: float
    count: int

    def __str__(self) -> str:
        return f"{self.mean:.3f} ({self.low:.3f} to {self.high:.3f})"


def estimate(values: Sequence[float]) -> Estimate:
    """Return the mean of values and its interval by bootstrap; the same values give the same interval."""
    if not len(values):
        return Estimate(float("nan"), float("nan"), float("nan"), 0)
    array = np.asarray(values, np.float64)
    generator = np.random.default_rng(0)
    means = np.array([generator.choice(array, len(array)).mean() for _ in range(NUM_SAMPLES)])
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(float(array.mean()), float(low), float(high), len(array))


def difference(first: Sequence[float], second: Sequence[float]) -> Estimate:
    """Return how much higher the first of two results is than the second on the same items."""
    return estimate((np.asarray(first, np.float64) - np.asarray(second, np.float64)).tolist())
