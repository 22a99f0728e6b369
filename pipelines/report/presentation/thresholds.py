"""Thresholds: how many samples another value of each would keep, and the pictures nearest to it on both sides."""

import heapq
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pipelines.tables.bounds import Bound
from pipelines.tables.schema import KEPT, REJECTED

NEAREST = 4  # pictures on each side
NUM_STEPS = 40  # of a slider


@dataclass
class Margin:
    """The samples on both sides of a threshold, collected batch by batch.

    Args:
        kept: scores of samples that are kept.
        only_here: scores of samples that this threshold rejects and nothing else.
        num_unscored: kept samples without the score, which no value of the threshold rejects.
        nearest_kept, nearest_rejected: (distance, id, ledger row) of samples with a picture, the nearest first.
    """

    bound: Bound
    kept: Counter[float] = field(default_factory=Counter)
    only_here: Counter[float] = field(default_factory=Counter)
    num_unscored: int = 0
    nearest_kept: list[tuple[float, str, dict[str, Any]]] = field(default_factory=list)
    nearest_rejected: list[tuple[float, str, dict[str, Any]]] = field(default_factory=list)

    def add_picture(self, row: dict[str, Any]) -> None:
        """Remember a ledger row that has a thumbnail, if it is among the nearest."""
        value = (row["scores"] or {}).get(self.bound.score)
        if value is None:
            return
        if row["verdict"] == KEPT:
            side = self.nearest_kept
        elif row["verdict"] == REJECTED and len(row["reasons"]) == 1 and row["reason"] in self.bound.reasons:
            side = self.nearest_rejected
        else:
            return
        side.append((abs(value - self.bound.value), row["id"], row))
        side[:] = heapq.nsmallest(NEAREST, side, key=lambda entry: entry[:2])


@dataclass(frozen=True, slots=True)
class Step:
    """A value of a threshold, and how many samples it would keep."""

    value: float
    kept: int


def steps(margin: Margin, num_steps: int = NUM_STEPS) -> list[Step]:
    """Values from one end of the scores to the other, the present one among them, in ascending order.

    They are scores of samples, so that each step changes something, and spread evenly over the samples.
    """
    bound = margin.bound
    sign = 1 if bound.side == "min" else -1
    # Counted scores are rounded (`statistics.py`): none may change sides by that.
    just_beyond = float(np.nextafter(bound.value, -sign * np.inf))
    inside = Counter[float]()
    for value, count in margin.kept.items():
        inside[sign * max(sign * value, sign * bound.value)] += count
    beyond = Counter[float]()
    for value, count in margin.only_here.items():
        beyond[sign * min(sign * value, sign * just_beyond)] += count
    both = inside + beyond
    values = np.array(sorted(both), float)
    if not len(values):
        return [Step(bound.value, margin.num_unscored)]
    counts = np.array([both[value] for value in values.tolist()])
    ranks = np.linspace(0, counts.sum() - 1, num_steps)
    chosen = {*values[np.searchsorted(np.cumsum(counts), ranks, "right")].tolist(), bound.value}
    if beyond:
        chosen.discard(just_beyond)
        chosen.add(min(beyond) if sign > 0 else max(beyond))
    found = []
    for value in sorted(chosen):
        is_kept = values >= value if sign > 0 else values <= value
        found.append(Step(value, margin.num_unscored + int(counts[is_kept].sum())))
    return found
