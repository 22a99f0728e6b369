"""Judges pairs of image and text by `deepseek_vl.scoring`: how well does it tell right pairs from swapped ones?"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deepseek_vl import device as devices
from deepseek_vl.checkpoint import load
from deepseek_vl.evaluate.intervals import LEVEL, NUM_SAMPLES, Estimate
from deepseek_vl.evaluate.records import Record, read_records
from deepseek_vl.evaluate.runner import with_numbers
from deepseek_vl.evaluate.tasks import load_task
from deepseek_vl.processor import Processor
from deepseek_vl.scoring import Item, ItemError, Likelihood, Scorer

QUESTION = "Read out all the text in the picture."
WAYS = ("caption", "answer")


@dataclass(frozen=True)
class Judged:
    """The scores of right pairs, and of the same pictures with the text of another."""

    right: tuple[float, ...]
    swapped: tuple[float, ...]

    @property
    def auc(self) -> Estimate:
        """The probability that a right pair has a higher score than a swapped one, with its interval by pictures."""
        right, swapped = np.array(self.right), np.array(self.swapped)
        generator = np.random.default_rng(0)
        chosen = (generator.integers(0, len(right), len(right)) for _ in range(NUM_SAMPLES))
        found = [auc(right[k], swapped[k]) for k in chosen]
        low, high = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        return Estimate(auc(right, swapped), float(low), float(high), len(right))


def auc(right: np.ndarray, swapped: np.ndarray) -> float:
    """Return the share of (right, swapped) pairs in which the right one is higher; equal scores count half."""
    difference = right[:, None] - swapped[None]
    return float((difference > 0).mean() + (difference == 0).mean() / 2)


def judge(model: Path, task: str, data: Path) -> dict[str, Judged]:
    """Score every picture of a task with its own text, and with the text of the picture after it.

    The score of a pair is the mean log probability of the text's tokens. A text is given in two ways: `caption`, right
    behind the picture as in stage 1, and `answer`, to the picture's own question as in stage 3.
    Pictures with the same text as another are left out.

    Raises:
        ValueError: the data or the model cannot be used, or a picture cannot be scored.
    """
    records = [found for found in read_records(load_task(task), data) if isinstance(found, Record)]
    unique = list({record.expected[0]: record for record in records}.values())
    if len(unique) < 2:
        raise ValueError(f"{task}: {len(unique)} different texts are too few to judge pairs")
    device = devices.pick(None)
    scorer = Scorer(load(model, device=device, dtype=devices.pick_dtype(None, device)), Processor.load(model))
    texts = [record.expected[0] for record in unique]
    right = _likelihoods(scorer, unique, texts)
    swapped = _likelihoods(scorer, unique, [*texts[1:], texts[0]])
    return {way: Judged(tuple(right[:, k]), tuple(swapped[:, k])) for k, way in enumerate(WAYS)}


def _likelihoods(scorer: Scorer, records: Sequence[Record], texts: Sequence[str]) -> np.ndarray:
    """Return the mean log probability per token of a text for each picture, (pictures, ways)."""
    items = [
        Item(tuple(record.images), (Likelihood(None, text), Likelihood(with_numbers(record.prompt), text)))
        for record, text in zip(records, texts, strict=True)
    ]
    found = []
    for result in scorer.score_items(iter(items)):
        if isinstance(result, ItemError):
            raise ValueError(f"a pair cannot be scored: {result.message}")
        found.append([float(logs.mean()) for logs in result])
    return np.array(found)


def write(judged: Mapping[str, Judged], path: Path) -> None:
    """Write scores and AUC of each way as JSON."""
    content = {}
    for way, found in judged.items():
        estimate = found.auc
        content[way] = {
            "auc": estimate.mean,
            "low": estimate.low,
            "high": estimate.high,
            "pairs": estimate.count,
            "right": found.right,
            "swapped": found.swapped,
        }
    path.write_text(json.dumps(content) + "\n", "utf-8")
