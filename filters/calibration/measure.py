"""The measurement: scores of good samples and of the same samples spoilt, and what follows from them."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from filters.calibration.corruptions import CORRUPTIONS, corrupted
from filters.calibration.curves import Auc, Point, auc, loosest, points
from filters.filter import Filter
from sources.base.sample import Sample

BATCH = 8
CURVE_POINTS = 200  # of a curve that are kept


class NoScoresError(ValueError):
    """A filter gives none of the samples a score."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A good sample with others of its document, or of its source."""

    sample: Sample
    others: Sequence[Sample]


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """The result for one corruption.

    Args:
        not_applicable: samples that it does not apply to.
        unscored: samples that the filter gives no score, as they were or spoilt.
    """

    auc: Auc | None
    not_applicable: int
    unscored: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """How a score separates good samples from spoilt ones.

    Args:
        corruptions: by name.
        curve: precision and recall, the strictest threshold first.
    """

    score: str
    higher_is_better: bool
    num_samples: int
    corruptions: Mapping[str, Found]
    curve: Sequence[Point]

    def at(self, precision: float) -> Point | None:
        """The threshold that keeps most good samples with at least this precision."""
        return loosest(list(self.curve), precision)

    def to_json(self) -> dict[str, Any]:
        """Plain data; the curve is thinned."""
        step = max(1, -(-len(self.curve) // CURVE_POINTS))
        return {
            "score": self.score,
            "higher_is_better": self.higher_is_better,
            "samples": self.num_samples,
            "corruptions": {name: _plain(found) for name, found in self.corruptions.items()},
            "curve": [[_short(value) for value in dataclasses.astuple(point)] for point in self.curve[::step]],
        }


def measure(
    trials: Sequence[Trial],
    f: Filter,
    sides: Mapping[str, bool],
    names: Sequence[str] = tuple(CORRUPTIONS),
    progress: Callable[[str], None] = lambda name: None,
) -> list[Measured]:
    """Score samples and their spoilt versions.

    Args:
        sides: the filter's scores that are wanted, with whether a higher one is better.
        names: the corruptions to plant.
        progress: called before each corruption.
    Raises:
        NoScoresError: a score is null for every sample as it is.
    """
    progress("samples as they are")
    good = _scores(f, (trial.sample for trial in trials), sides)
    for score, values in good.items():
        if not np.isfinite(values).any():
            raise NoScoresError(
                f"{score}: none of the {len(trials)} samples has this score here; it is about others, or the source "
                "measures it while it reads, from what an output does not keep"
            )
    spoilt: dict[str, tuple[np.ndarray, dict[str, np.ndarray]]] = {}
    for name in names:
        progress(name)
        made = [corrupted(trial.sample, name, trial.others) for trial in trials]
        applies = np.array([sample is not None for sample in made], bool)
        spoilt[name] = applies, _scores(f, (sample for sample in made if sample is not None), sides)
    return [
        _measured(score, higher, good[score], {n: (a, s[score]) for n, (a, s) in spoilt.items()})
        for score, higher in sides.items()
    ]


def _scores(f: Filter, samples: Iterator[Sample], sides: Mapping[str, bool]) -> dict[str, np.ndarray]:
    """(N,) values of every score, not-a-number where there is none."""
    values: dict[str, list[float]] = {score: [] for score in sides}
    batch: list[Sample] = []

    def flush() -> None:
        for scores in f.scores(batch) if batch else ():
            for score, found in values.items():
                value = scores.values.get(score)
                found.append(float("nan") if value is None else value)
        batch.clear()

    for sample in samples:
        batch.append(sample)
        if len(batch) == BATCH:
            flush()
    flush()
    return {score: np.array(found, np.float64) for score, found in values.items()}


def _measured(
    score: str, higher: bool, good: np.ndarray, spoilt: Mapping[str, tuple[np.ndarray, np.ndarray]]
) -> Measured:
    sign = 1.0 if higher else -1.0
    found: dict[str, Found] = {}
    scores: dict[str, np.ndarray] = {}
    for name, (applies, values) in spoilt.items():
        before = good[applies]
        scored = np.isfinite(before) & np.isfinite(values)
        scores[name] = values[scored]
        found[name] = Found(
            auc=auc(sign * before[scored], sign * values[scored]),
            not_applicable=int((~applies).sum()),
            unscored=int((~scored).sum()),
        )
    return Measured(
        score=score,
        higher_is_better=higher,
        num_samples=len(good),
        corruptions=found,
        curve=points(good[np.isfinite(good)], scores, higher_is_better=higher),
    )


def _plain(found: Found) -> dict[str, Any]:
    plain: dict[str, Any] = {"not_applicable": found.not_applicable, "unscored": found.unscored}
    if found.auc is not None:
        low, high = _short(found.auc.low), _short(found.auc.high)
        plain |= {"auc": _short(found.auc.value), "low": low, "high": high, "samples": found.auc.num_pairs}
    return plain


def _short(value: float) -> float:
    return float(f"{value:.6g}")
