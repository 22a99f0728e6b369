"""Measures two sides in turn until the interval of their ratio is narrow."""

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from deepseek_vl import device as devices

MIN_ROUNDS, T_95 = 4, (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26)  # Student's t by degrees of freedom
Side = Callable[[], float]


def spent(device: torch.device) -> float:
    """Return processor seconds on a CPU, which other jobs do not change much, else seconds after all queued work."""
    return time.process_time() if device.type == "cpu" else devices.now(device)


@dataclass(slots=True)
class Comparison:
    """Seconds of ours and theirs, round by round."""

    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """Geometric mean of theirs / ours: above 1, ours is faster."""
        return math.exp(statistics.mean(self._logs()))

    @property
    def interval(self) -> tuple[float, float]:
        """Interval that holds the ratio with 95 % confidence, if the rounds are independent."""
        logs = self._logs()
        t = T_95[min(len(logs) - 1, len(T_95)) - 1]
        half = t * statistics.stdev(logs) / math.sqrt(len(logs))
        return self.ratio * math.exp(-half), self.ratio * math.exp(half)

    @property
    def is_narrow(self) -> bool:
        """True if the interval is within 5 % of the ratio."""
        return len(self.ours) >= MIN_ROUNDS and self.interval[1] <= 1.05 * self.ratio

    def _logs(self) -> list[float]:
        return [math.log(b / a) for a, b in zip(self.ours, self.theirs, strict=True)]

    def __str__(self) -> str:
        low, high = self.interval
        return f"ratio {self.ratio:.2f} ({low:.2f} to {high:.2f}, {len(self.ours)} rounds)"


def compare(ours: Side, theirs: Side, max_rounds: int) -> Comparison:
    """Run both sides in turn; each returns its seconds. The first round of each is a warm-up and not counted."""
    ours(), theirs()
    comparison = Comparison()
    while len(comparison.ours) < max_rounds and not comparison.is_narrow:
        sides = [(comparison.ours, ours), (comparison.theirs, theirs)]
        for times, side in sides if len(comparison.ours) % 2 else reversed(sides):
            times.append(side())
    return comparison
