"""Curves: how well a score separates good samples from spoilt ones, and the threshold for a wanted precision."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

NUM_RESAMPLES = 1000
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Auc:
    """Area under the ROC curve: the probability that a good sample scores better than another one that is spoilt.

    Equal scores count half. A sample is never compared with itself.

    Args:
        low, high: ends of the 95 % confidence interval.
        num_pairs: samples that were scored both as they were and spoilt.
    """

    value: float
    low: float
    high: float
    num_pairs: int


def auc(good: np.ndarray, spoilt: np.ndarray) -> Auc | None:
    """The AUC of samples and the same samples spoilt, with a bootstrap over samples; None for fewer than two.

    Args:
        good, spoilt: (N,) scores, higher is better.
    """
    number = len(good)
    if number < 2:
        return None
    wins = (good[:, None] > spoilt[None, :]) + 0.5 * (good[:, None] == spoilt[None, :])
    np.fill_diagonal(wins, 0)
    seed = int.from_bytes(hashlib.sha256(good.tobytes() + spoilt.tobytes()).digest()[:8], "big")
    weights = np.random.default_rng(seed).multinomial(number, np.full(number, 1 / number), NUM_RESAMPLES)
    num_pairs = np.maximum(number**2 - (weights**2).sum(axis=1), 1)
    resampled = ((weights @ wins) * weights).sum(axis=1) / num_pairs
    low, high = np.quantile(resampled, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Auc(float(wins.sum() / (number * (number - 1))), float(low), float(high), number)


@dataclass(frozen=True, slots=True)
class Point:
    """Threshold with what it keeps.

    Args:
        precision: share of good samples among those kept, if there are as many spoilt ones, each corruption with the
            same share.
        recall: share of the good samples that are kept.
    """

    threshold: float
    precision: float
    recall: float


def points(good: np.ndarray, spoilt: Mapping[str, np.ndarray], *, higher_is_better: bool) -> list[Point]:
    """Precision and recall at every value that separates samples, the strictest first.

    Args:
        good: (N,) scores of good samples.
        spoilt: (M,) scores of the spoilt ones by corruption.
    """
    sign = 1.0 if higher_is_better else -1.0
    groups = [sign * scores for scores in spoilt.values() if len(scores)]
    if not len(good) or not groups:
        return []
    values = np.unique(np.concatenate([sign * good, *groups]))[::-1]
    kept_good = _share_from(sign * good, values)
    kept_spoilt = np.mean([_share_from(group, values) for group in groups], axis=0)
    found = []
    for value, recall, false in zip(values.tolist(), kept_good.tolist(), kept_spoilt.tolist(), strict=True):
        found.append(Point(sign * value, recall / (recall + false) if recall + false else 1.0, recall))
    return found


def _share_from(scores: np.ndarray, values: np.ndarray) -> np.ndarray:
    """(V,) share of the scores that are at least each value."""
    shares: np.ndarray = 1 - np.searchsorted(np.sort(scores), values, "left") / len(scores)
    return shares


def loosest(found: list[Point], precision: float) -> Point | None:
    """The point that keeps most good samples of those with at least this precision; None if there is none."""
    enough = [point for point in found if point.precision >= precision and point.recall > 0]
    return max(enough, key=lambda point: (point.recall, point.precision), default=None)
